"""Finding an instrument: words, filters with counts, seven days of free time, one's own price."""

from __future__ import annotations

from dataclasses import dataclass
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
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 20
PAGES_MAX = 500
HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Row:
    """One result: the instrument, its free week, and what an hour costs whom."""

    instrument: catalogue.InstrumentHit
    free_minutes: tuple[int, ...]
    hour_fen: int | None
    own_fen: int | None
    voucher_fen: int


@dataclass(frozen=True, slots=True)
class Results:
    """One page of results, as a visitor sees it."""

    rows: list[Row]
    total: int
    capped: bool
    facets: catalogue.Facets
    today: date

    @property
    def days(self) -> list[date]:
        """The seven days of the strips."""
        return [self.today + timedelta(days=ahead) for ahead in range(7)]


@get("/instruments", **anybody())
async def show_instruments(request: PageRequest) -> Response[Any]:
    """The list; its address holds every filter, so it can be sent to a colleague."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    question = _question(form)
    refusal: Told | None = None
    try:
        form.require()
        results = await read(request, find, question)
    except DomainError as error:
        refusal = told(error, speech)
        results = await read(request, find, orders.FindOffers(catalogue.InstrumentSearch()))
    return page(
        request,
        "public/instruments.html",
        status=422 if refusal else 200,
        form=form,
        results=results,
        search=question.search,
        refusal=refusal,
        page_number=question.search.page,
        page_size=PAGE_SIZE,
    )


async def find(tx: Tx, question: orders.FindOffers) -> Results:
    """What fits, with the caller's own prices where the caller is a member somewhere.

    Policy: J.21d, J.22b
    """
    if tx.actor.organisation_id:
        offers = await orders.find_offers(tx, question)
        rows = [
            Row(each.instrument, each.free_minutes, each.hour_fen, each.own_fen, each.voucher_fen)
            for each in offers.offers
        ]
        return Results(rows, offers.total, offers.capped, offers.facets, tx.today)
    found = await catalogue.search(tx, question.search)
    ids = [hit.id for hit in found.hits]
    weeks = await booking.week_strips(tx, booking.WeekOf(ids, tx.today)) if ids else {}
    hours = {
        price.instrument_id: price.amount_fen
        for price in await pricing.prices_in_force(tx, ids, tx.today)
        if price.unit == HOUR and price.customer_class == pricing.CustomerClass.ENTERPRISE
    }
    rows = [Row(hit, weeks.get(hit.id, ()), hours.get(hit.id), None, 0) for hit in found.hits]
    return Results(rows, found.total, found.capped, found.facets, tx.today)


def _question(form: Typed) -> orders.FindOffers:
    number = form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1
    search = catalogue.InstrumentSearch(
        text=form.text("text", length_max=100, needed=False),
        category=form.text("category", length_max=10, needed=False),
        region=form.text("region", length_max=6, needed=False),
        page=number,
        page_size=PAGE_SIZE,
    )
    on = form.day("on", needed=False)
    hours = form.whole("hours", least=1, most=24, needed=False) or 1
    if on is None:
        return orders.FindOffers(search)
    # Free at some time of that day, for so long without a break.
    return orders.FindOffers(
        search,
        free_from=shanghai_instant(on),
        free_until=shanghai_instant(on + timedelta(days=1)),
        minutes=hours * 60,
    )


routes: list[ControllerRouterHandler] = [show_instruments]
