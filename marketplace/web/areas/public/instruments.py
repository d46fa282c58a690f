"""Finding an instrument: words, filters with counts, seven days of free time, one's own price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.time import shanghai_instant
from marketplace.orders import queries as orders
from marketplace.orders.queries.saved import favourites_among
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 20
PAGES_MAX = 500
HOUR = "hour"
# Sorting by price or by free time looks at so many of the best hits.
SORTED_MAX = 200
NEAREST, NEAREST_WITHIN = 5, timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Row:
    """One result: the instrument, its free week, and what an hour costs whom."""

    instrument: catalogue.InstrumentHit
    free_minutes: tuple[int, ...]
    hour_fen: int | None
    own_fen: int | None
    voucher_fen: int


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
class Results:
    """One page of results, as a visitor sees it; `nearest` is what is free soon afterwards."""

    rows: list[Row]
    total: int
    capped: bool
    facets: catalogue.Facets
    today: date
    starred: frozenset[int] = frozenset()
    nearest: tuple[Row, ...] = ()

    @property
    def days(self) -> list[date]:
        """The seven days of the strips."""
        return [self.today + timedelta(days=ahead) for ahead in range(7)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, and in which order it is shown."""

    offers: orders.FindOffers
    order: str = ""


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
        windowed=asked.offers.free_from is not None,
        may_keep=visitor.has(*BUYERS),
        refusal=refusal,
        page_number=number,
        page_size=PAGE_SIZE,
    )


async def _today(tx: Tx, _: None) -> date:
    return tx.today


async def find(tx: Tx, asked: Asked) -> Results:
    """What fits, with the caller's own prices where the caller is a member somewhere.

    In an order of its own the first `SORTED_MAX` hits are sorted. Where nothing is free in the
    days that were asked, the nearest that is free in the two weeks after them is told.

    Policy: J.21d, J.22b
    """
    found = await _page_of(tx, asked)
    nearest: tuple[Row, ...] = ()
    until = asked.offers.free_until
    if not found.rows and until is not None and asked.offers.search.page == 1:
        search = replace(asked.offers.search, page_size=NEAREST)
        later = replace(
            asked.offers, search=search, free_from=until, free_until=until + NEAREST_WITHIN
        )
        nearest = tuple((await _rows(tx, later)).rows)
    ids = [row.instrument.id for row in (*found.rows, *nearest)]
    starred = await favourites_among(tx, ids) if tx.actor.organisation_id and ids else set()
    return replace(found, starred=frozenset(starred), nearest=nearest)


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
    if tx.actor.organisation_id:
        offers = await orders.find_offers(tx, question)
        rows = [
            Row(each.instrument, each.free_minutes, each.hour_fen, each.own_fen, each.voucher_fen)
            for each in offers.offers
        ]
        return Results(rows, offers.total, offers.capped, offers.facets, tx.today)
    window = question.window()
    search = question.search
    if window is not None:
        search = replace(search, page=1, page_size=SORTED_MAX)
    found = await catalogue.search(tx, search)
    hits, total = list(found.hits), found.total
    if window is not None and hits:
        asked = booking.FreeIn([hit.id for hit in hits], window, minutes=question.minutes)
        free = await booking.free_among(tx, asked)
        hits = [hit for hit in hits if hit.id in free]
        total = len(hits)
        first = (question.search.page - 1) * question.search.page_size
        hits = hits[first : first + question.search.page_size]
    ids = [hit.id for hit in hits]
    weeks = await booking.week_strips(tx, booking.WeekOf(ids, tx.today)) if ids else {}
    hours = {
        price.instrument_id: price.amount_fen
        for price in await pricing.prices_in_force(tx, ids, tx.today)
        if price.unit == HOUR and price.customer_class == pricing.CustomerClass.ENTERPRISE
    }
    rows = [Row(hit, weeks.get(hit.id, ()), hours.get(hit.id), None, 0) for hit in hits]
    return Results(rows, total, found.capped, found.facets, tx.today)


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


routes: list[ControllerRouterHandler] = [show_instruments]
