"""Finding an instrument: words, filters with counts, seven days of free time, one's own price."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.time import SHANGHAI, shanghai_instant
from marketplace.orders import queries as orders
from marketplace.orders.queries.saved import favourites_among
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.files import as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 20
PAGES_MAX = 500
HOUR = "hour"
# Sorting by price or by free time looks at so many of the best hits.
SORTED_MAX = 200
# A file holds so many of the best hits: as many as free time is looked up for.
FILE_MAX = orders.CANDIDATES_MAX
HEADS = (
    ("仪器", "Instrument"),
    ("英文名称", "English name"),
    ("生产厂家", "Manufacturer"),
    ("型号", "Model"),
    ("统一编号", "Identifier"),
    ("单位", "Provider"),
    ("所在地", "Place"),
    ("每小时价格（元）", "Price of an hour (CNY)"),
    ("创新券抵扣（元）", "Vouchers pay (CNY)"),
    ("自付（元）", "Own payment (CNY)"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One result: the instrument, its free week, and what an hour costs whom."""

    instrument: catalogue.InstrumentHit
    free_minutes: tuple[int, ...]
    hour_fen: int | None
    own_fen: int | None
    voucher_fen: int
    free_at: datetime | None = None
    """When it is free first, by the clock in Shanghai, where that was looked for."""


def _first_free(row: Row) -> int:
    """How many days ahead the instrument is free first; seven when not within a week."""
    return next((ahead for ahead, free in enumerate(row.free_minutes) if free), 7)


def _payment(row: Row) -> tuple[bool, int]:
    paid = row.hour_fen if row.own_fen is None else row.own_fen
    return paid is None, paid or 0


ORDERS: dict[str, Callable[[Row], Any]] = {
    "price": _payment,
    "free": lambda row: (_first_free(row), -sum(row.free_minutes)),
    "name": lambda row: (row.instrument.cname, row.instrument.id),
}


@dataclass(frozen=True, slots=True)
class Wider:
    """The same search without one of its filters finds so many."""

    field: str
    found: int
    capped: bool


@dataclass(frozen=True, slots=True)
class Results:
    """One page of results, as a visitor sees it; where there are none, what would be found by
    asking for a little less.
    """

    rows: list[Row]
    total: int
    capped: bool
    facets: catalogue.Facets
    today: date
    starred: frozenset[int] = frozenset()
    nearest: tuple[Row, ...] = ()
    free_days: tuple[orders.FreeDay, ...] = ()
    wider: tuple[Wider, ...] = ()

    @property
    def days(self) -> list[date]:
        """The seven days of the strips."""
        return [self.today + timedelta(days=ahead) for ahead in range(7)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, and in which order it is shown."""

    offers: orders.FindOffers
    order: str = ""

    @property
    def minutes(self) -> int:
        """How long a time is looked for; an hour where none is said."""
        return self.offers.minutes or 60

    @property
    def file_max(self) -> int:
        """Of so many hits at most a file holds what the pages show."""
        return SORTED_MAX if self.order else FILE_MAX


@get("/instruments", **anybody())
async def show_instruments(request: PageRequest) -> Response[Any]:
    """The list; its address holds every filter, so it can be sent to a colleague."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    refusal: Told | None = None
    number = 1
    today = await read(request, _today, None)
    asked = _asked(form, today)
    try:
        form.require()
        number = asked.offers.search.page
        results = await read(request, find, asked)
    except DomainError as error:
        refusal = told(error, visitor.speech)
        results = await read(request, find, Asked(orders.FindOffers(catalogue.InstrumentSearch())))
    return page(
        request,
        "public/instruments.html",
        status=422 if refusal else 200,
        form=form,
        results=results,
        search=asked.offers.search,
        order=asked.order,
        asked=asked,
        may_keep=visitor.has(*BUYERS),
        refusal=refusal,
        page_number=number,
        page_size=PAGE_SIZE,
    )


@get("/instruments/file", **anybody())
async def get_instruments_file(request: PageRequest) -> Response[Any]:
    """The same instruments, all pages, as CSV or XLSX, with each day's free hours."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    today = await read(request, _today, None)
    asked = _asked(form, today)
    form.require()
    search = replace(asked.offers.search, page=1, page_size=asked.file_max)
    found = await read(
        request, _page_of, replace(asked, offers=replace(asked.offers, search=search))
    )
    free_on = [
        (f"{day.isoformat()} 空闲小时", f"Hours free on {day.isoformat()}") for day in found.days
    ]
    return await as_file(
        form, "instruments", (*HEADS, *free_on), [_line(row) for row in found.rows]
    )


def _line(row: Row) -> tuple[Any, ...]:
    hit = row.instrument
    own_fen = row.hour_fen if row.own_fen is None else row.own_fen
    return (
        hit.cname,
        hit.ename,
        hit.manufacturer,
        hit.model,
        hit.cstr,
        hit.provider_name,
        hit.city,
        _yuan(row.hour_fen),
        _yuan(row.voucher_fen),
        _yuan(own_fen),
        *(minutes / 60 for minutes in row.free_minutes),
    )


def _yuan(fen: int | None) -> float | None:
    return None if fen is None else fen / 100


async def _today(tx: Tx, _: None) -> date:
    return tx.today


async def find(tx: Tx, asked: Asked) -> Results:
    """What fits, with the caller's own prices where the caller is a member somewhere.

    In an order of its own the first `SORTED_MAX` hits are sorted. Where nothing is found, it is
    told what is free on the next days and what the search finds without one of its filters.

    Policy: J.21d, J.22b
    """
    found = await _page_of(tx, asked)
    if not found.rows and asked.offers.search.page == 1:
        found = await _with_alternatives(tx, asked, found)
    ids = [row.instrument.id for row in (*found.rows, *found.nearest)]
    starred = await favourites_among(tx, ids) if tx.actor.organisation_id and ids else set()
    return replace(found, starred=frozenset(starred))


async def _with_alternatives(tx: Tx, asked: Asked, found: Results) -> Results:
    near = await orders.nearest_free(tx, asked.offers)
    times = {each.instrument.id: each.during.starts_at.astimezone(SHANGHAI) for each in near.times}
    rows = await _rows_of(tx, [each.instrument for each in near.times])
    wider = []
    for name, search in _widened(asked.offers.search):
        more = await orders.find_hits(tx, replace(asked.offers, search=search))
        wider += [Wider(name, more.total, more.capped)] if more.total else []
    return replace(
        found,
        nearest=tuple(replace(row, free_at=times[row.instrument.id]) for row in rows),
        free_days=near.days,
        wider=tuple(wider),
    )


def _widened(
    search: catalogue.InstrumentSearch,
) -> Iterator[tuple[str, catalogue.InstrumentSearch]]:
    """The search without one of its conditions; words alone are all there is to look for."""
    search = replace(search, page_size=1)
    if search.text and (search.category or search.region):
        yield "text", replace(search, text="")
    if search.category:
        yield "category", replace(search, category="")
    if search.region:
        yield "region", replace(search, region="")


async def _page_of(tx: Tx, asked: Asked) -> Results:
    if not asked.order:
        return await _rows(tx, asked.offers)
    search = asked.offers.search
    whole = replace(search, page=1, page_size=SORTED_MAX)
    found = await _rows(tx, replace(asked.offers, search=whole))
    rows = sorted(found.rows, key=ORDERS[asked.order])
    first = (search.page - 1) * search.page_size
    return replace(
        found,
        rows=rows[first : first + search.page_size],
        total=min(found.total, SORTED_MAX),
        capped=found.total > SORTED_MAX or found.capped,
    )


async def _rows(tx: Tx, question: orders.FindOffers) -> Results:
    found = await orders.find_hits(tx, question)
    rows = await _rows_of(tx, found.hits)
    return Results(rows, found.total, found.capped, found.facets, tx.today)


async def _rows_of(tx: Tx, hits: Sequence[catalogue.InstrumentHit]) -> list[Row]:
    """With the caller's own prices, or those for a company where the caller is nobody."""
    if tx.actor.organisation_id:
        return [
            Row(each.instrument, each.free_minutes, each.hour_fen, each.own_fen, each.voucher_fen)
            for each in await orders.offers_of(tx, hits)
        ]
    ids = [hit.id for hit in hits]
    weeks = await booking.week_strips(tx, booking.WeekOf(ids, tx.today)) if ids else {}
    hours = {
        price.instrument_id: price.amount_fen
        for price in await pricing.prices_in_force(tx, ids, tx.today)
        if price.unit == HOUR and price.customer_class == pricing.CustomerClass.ENTERPRISE
    }
    return [Row(hit, weeks.get(hit.id, ()), hours.get(hit.id), None, 0) for hit in hits]


def _asked(form: Typed, today: date) -> Asked:
    number = form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1
    search = catalogue.InstrumentSearch(
        text=form.text("text", length_max=100, needed=False),
        category=form.text("category", length_max=10, needed=False),
        region=form.text("region", length_max=6, needed=False),
        page=number,
        page_size=PAGE_SIZE,
    )
    order = form.choice("order", list(ORDERS), needed=False)
    on, by = form.day("on", needed=False), form.day("by", needed=False)
    hours = form.whole("hours", least=1, most=24, needed=False) or 1
    if on is None and by is None:
        return Asked(orders.FindOffers(search), order)
    # Free at some time of those days, for so long without a break; one day where only one is said.
    first = on or today
    last = by or first
    if last < first:
        form.wrong("by", "应不早于开始日期", "Not before the first day")
        last = first
    window = orders.FindOffers(
        search,
        free_from=shanghai_instant(first),
        free_until=shanghai_instant(last + timedelta(days=1)),
        minutes=hours * 60,
    )
    return Asked(window, order)


routes: list[ControllerRouterHandler] = [show_instruments, get_instruments_file]
