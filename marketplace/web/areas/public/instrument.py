"""One instrument: what it is and does, what it costs, its rules, and when it is free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.time import During, shanghai_instant
from marketplace.orders import queries as orders
from marketplace.orders.queries.items import items_of
from marketplace.orders.queries.saved import favourites_among
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.web.areas.sme.roles import LEARNERS
from marketplace.web.forms import Typed, empty
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of
from marketplace.web.words import Speech
from marketplace.web.words.told import reason_told

WEEK = timedelta(days=7)
DAYS_MAX = 42
OWN_MAX = 100
# Who orders, and may ask for another time of an order.
MOVERS = (Role.BUYER, Role.STATION_AGENT)
# What speaks against a person, and not against a time.
PERSONAL = frozenset({"qualification", "quota", "suspended"})
# Why a time is not free, in a word or two.
BUSY_TEXTS = {
    "past": ("已过", "Past"),
    "public-holiday": ("节假日", "Holiday"),
    "priority": ("本单位优先", "Own unit first"),
    "outside-floor": ("留给外部用户", "Kept for outside users"),
    "other-class": ("其他用户类别", "Other users"),
    "outside-opening-hours": ("未开放", "Closed"),
    "reserved": ("已预约", "Reserved"),
    "requested": ("待审批", "Requested"),
    "held": ("暂留", "Held"),
    "notice": ("需提前预约", "Notice needed"),
    "horizon": ("尚未开放预约", "Too far ahead"),
    "not-open": ("未开放", "Not open"),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that the page of an instrument shows."""

    instrument: catalogue.Instrument
    provider: parties.Organisation
    price_list: pricing.PriceList | None
    in_notice: pricing.PriceList | None
    """Prices that are filed and not in force yet."""
    terms: booking.Availability
    reviews: orders.ReviewPage
    response: orders.ResponseTime
    today: date
    starred: bool
    standing: booking.MyStanding | None
    """How who may order stands with it, before a time is chosen."""

    @property
    def first_free(self) -> date | None:
        """The first day of the coming week that has free time long enough to book."""
        shortest = self.terms.terms.minimum_minutes
        for span in self.terms.free:
            for day in span.days():
                whole = During(shanghai_instant(day), shanghai_instant(day + timedelta(days=1)))
                part = span.clip(whole)
                if part is not None and part.minutes >= shortest:
                    return day
        return None


async def sheet(tx: Tx, instrument_id: int) -> Sheet:
    """The instrument as the caller may see it.

    Raises:
        InstrumentMissing: when there is none for the caller.
    """
    found = await catalogue.visible_instrument(tx, instrument_id)
    versions = await pricing.price_lists(tx, instrument_id)
    standing = [each for each in versions if each.withdrawn_at is None]
    in_force = [each for each in standing if each.in_force_from <= tx.today]
    ahead = [each for each in standing if each.in_force_from > tx.today]
    begins = shanghai_instant(tx.today)
    return Sheet(
        instrument=found,
        provider=await parties.organisation(tx, found.provider_id),
        price_list=max(in_force, key=lambda each: each.version, default=None),
        in_notice=max(ahead, key=lambda each: each.version, default=None),
        terms=await booking.availability(
            tx, booking.Window(instrument_id, During(begins, begins + WEEK))
        ),
        reviews=await orders.instrument_reviews(
            tx, orders.ReviewList(instrument_id=instrument_id, page_size=5)
        ),
        response=await orders.response_time(tx, found.provider_id),
        today=tx.today,
        starred=bool(tx.actor.organisation_id and await favourites_among(tx, [instrument_id])),
        standing=await booking.my_standing(tx, instrument_id) if tx.actor.has(*MOVERS) else None,
    )


@get("/instruments/{instrument_id:int}", **anybody())
async def show_instrument(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """The page of an instrument, with its calendar."""
    visitor = visitor_of(request)
    found = await read(request, sheet, instrument_id)
    form = empty(visitor.speech, day=found.today + timedelta(days=1), start="09:00", hours=2)
    return page(
        request,
        "public/instrument.html",
        sheet=found,
        form=form,
        may_order=visitor.has(*MOVERS),
        may_wait=visitor.has(Role.BUYER),
        may_learn=visitor.has(*LEARNERS),
        **in_the_person(found.standing, visitor.speech),
    )


def in_the_person(standing: booking.MyStanding | None, speech: Speech) -> dict[str, Any]:
    """Why somebody may not reserve at any time, told, and which rules say so."""
    held = [each for each in standing.reasons if each.rule in PERSONAL] if standing else []
    return {
        "barred": [reason_told(each, "", speech) for each in held],
        "barred_by": {each.rule for each in held},
    }


@get("/instruments/{instrument_id:int}/times", **anybody())
async def show_times(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Free and taken time between two days, for the calendar on the page; and one's own orders."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    first, last = form.day("from"), form.day("until")
    form.require()
    assert first is not None
    assert last is not None
    last = min(last, first + timedelta(days=DAYS_MAX))
    during = During(shanghai_instant(first), shanghai_instant(max(last, first + timedelta(1))))
    found, own = await read(request, _calendar, booking.Window(instrument_id, during))
    return Response(
        content={
            "free": [_span(each.starts_at, each.ends_at) for each in found.free],
            "busy": [
                _span(each.during.starts_at, each.during.ends_at)
                | {"title": busy_text(each.reason, each.text, speech), "reason": each.reason}
                for each in found.busy
            ],
            "own": [
                _span(each.reservation.starts_at, each.reservation.ends_at)
                | {
                    "title": speech.t("我的预约", "My booking"),
                    "order": f"/orders/{each.reservation.order_id}",
                    "item": each.position,
                }
                for each in own
            ],
            "step": found.terms.step_minutes,
        },
        headers={"Cache-Control": "no-store"},
    )


@dataclass(frozen=True, slots=True)
class Own:
    """A time that the visitor's company has booked, and which item of its order it is."""

    reservation: booking.Reservation
    position: int


async def _calendar(tx: Tx, window: booking.Window) -> tuple[booking.Availability, list[Own]]:
    """When an instrument is free; and, for who may move an order, when one has it oneself."""
    found = await booking.availability(tx, window)
    if not tx.actor.has(*MOVERS):
        return found, []
    mine = await booking.reservations(
        tx,
        booking.ReservationSearch(
            statuses=(booking.Status.REQUESTED, booking.Status.CONFIRMED),
            instrument_id=window.instrument_id,
            organisation_id=tx.actor.organisation_id,
            during=window.during,
            page_size=OWN_MAX,
        ),
    )
    ordered = {each.id: each for each in mine.reservations if each.order_id}
    if not ordered:
        return found, []
    items = await items_of(tx, [each.order_id for each in ordered.values() if each.order_id])
    return found, [
        Own(ordered[each.reservation_id], each.position)
        for each in items
        if each.reservation_id in ordered
    ]


def busy_text(reason: str, text: str, speech: Speech) -> str:
    """Why a time is not free, in a word or two."""
    if reason in BUSY_TEXTS:
        return speech.t(*BUSY_TEXTS[reason])
    return text or reason


def _span(starts_at: datetime, ends_at: datetime) -> dict[str, str]:
    return {"start": starts_at.isoformat(), "end": ends_at.isoformat()}


routes: list[ControllerRouterHandler] = [show_instrument, show_times]
