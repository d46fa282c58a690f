"""The timeline of all instruments: what stands on them, and moving it in time or to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries import Status
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.time import During, shanghai_day, shanghai_instant
from marketplace.web.areas.provider.own import own_list
from marketplace.web.areas.provider.roles import STAFF
from marketplace.web.areas.provider.today import STANDING, Booked, with_names
from marketplace.web.files import as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech
from marketplace.web.words.choices import name_of

DAYS_MAX = 31
ROWS_MAX = 40
RESERVATIONS_MAX = 2_000
MOVABLE = (Status.HELD, Status.REQUESTED, Status.CONFIRMED)
HEADS = (
    ("仪器", "Instrument"),
    ("开始", "From"),
    ("结束", "Until"),
    ("单位", "Organisation"),
    ("使用人", "Person"),
    ("用途", "Purpose"),
    ("状态", "State"),
    ("订单", "Order"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to show: some days of the instruments whose names have these words."""

    first: date | None = None
    days: int = 7
    text: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the plan, with what begins on it in order of time."""

    day: date
    booked: list[Booked]


@dataclass(frozen=True, slots=True)
class Planned:
    """Instruments, what stands on them, when they are shut; and the days, for those who read."""

    first: date
    last: date
    today: date
    instruments: list[catalogue.Instrument]
    total: int
    booked: list[Booked]
    closures: list[catalogue.Closure]

    @property
    def last_day(self) -> date:
        """The last day that is shown; `last` is the one after it."""
        return self.last - timedelta(days=1)

    @property
    def days(self) -> list[Day]:
        """By the day, without days on which nothing begins."""
        found: dict[date, list[Booked]] = {}
        for each in self.booked:
            found.setdefault(shanghai_day(each.reservation.starts_at), []).append(each)
        return [Day(day, booked) for day, booked in sorted(found.items())]

    @property
    def names(self) -> dict[int, catalogue.Instrument]:
        """Instruments by their numbers."""
        return {each.id: each for each in self.instruments}


async def plan(tx: Tx, asked: Plan) -> Planned:
    """The plan of the actor's organisation; the week of today unless a day is named."""
    first = asked.first or tx.today - timedelta(days=tx.today.weekday())
    last = first + timedelta(days=asked.days)
    during = During(shanghai_instant(first), shanghai_instant(last))
    words = asked.text.casefold()
    own = [
        each
        for each in await own_list(tx)
        if words in f"{each.cname} {each.ename} {each.model} {each.inner_id}".casefold()
    ]
    shown = own[:ROWS_MAX]
    ids = {each.id for each in shown}
    found = await booking.reservations(
        tx,
        booking.ReservationSearch(
            statuses=STANDING,
            during=during,
            order=booking.ListOrder.STARTS,
            page_size=RESERVATIONS_MAX,
        ),
    )
    return Planned(
        first=first,
        last=last,
        today=tx.today,
        instruments=shown,
        total=len(own),
        booked=await with_names(
            tx, [each for each in found.reservations if each.instrument_id in ids]
        ),
        closures=await catalogue.closures(tx, ids, during),
    )


@get("/provider/schedule", **members(*STAFF))
async def show_schedule(request: PageRequest) -> Response[Any]:
    """The timeline, and the same by the day as a list with a form for each move."""
    form, asked = _asked(request)
    found = await read(request, plan, asked)
    return page(request, "provider/schedule.html", form=form, found=found, movable=MOVABLE)


@get("/provider/schedule/times", **members(*STAFF))
async def show_times(request: PageRequest) -> Response[Any]:
    """What stands on the timeline between two days."""
    _, asked = _asked(request)
    speech = visitor_of(request).speech
    found = await read(request, plan, asked)
    content = {
        "resources": [
            {"id": str(each.id), "title": speech.either(each.cname, each.ename)}
            for each in found.instruments
        ],
        "events": [*_events(found.booked, speech), *_shut(found.closures, speech)],
    }
    return Response(content=content, headers={"Cache-Control": "no-store"})


@get("/provider/schedule/file", **members(*STAFF))
async def show_schedule_file(request: PageRequest) -> Response[bytes]:
    """The same days as a file."""
    form, asked = _asked(request)
    speech = form.speech
    found = await read(request, plan, asked)
    names = found.names
    rows = []
    for each in found.booked:
        one = each.reservation
        instrument = names[one.instrument_id]
        rows.append(
            [
                speech.either(instrument.cname, instrument.ename),
                speech.moment(one.starts_at),
                speech.moment(one.ends_at),
                speech.either(each.who, each.who_en),
                each.person,
                name_of(speech, "purpose", one.purpose),
                name_of(speech, "reservation", one.status),
                one.order_id or "",
            ]
        )
    return await as_file(form, "schedule", HEADS, rows)


def _asked(request: PageRequest) -> tuple[Typed, Plan]:
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = Plan(
        first=form.day("day", needed=False),
        days=form.whole("days", least=1, most=DAYS_MAX, needed=False) or 7,
        text=form.text("text", length_max=100, needed=False),
    )
    form.require()
    return form, asked


def _events(booked: Sequence[Booked], speech: Speech) -> list[dict[str, Any]]:
    events = []
    for each in booked:
        one = each.reservation
        state = name_of(speech, "reservation", one.status)
        who = speech.either(each.who, each.who_en)
        told = f"{who} · {name_of(speech, 'purpose', one.purpose)} · {state}"
        events.append(
            {
                "id": str(one.id),
                "resourceIds": [str(one.instrument_id)],
                "start": one.starts_at.isoformat(),
                "end": one.ends_at.isoformat(),
                "title": who if one.order_id else each.person,
                "classNames": [f"ec-is-{one.status}", "ec-order" if one.order_id else "ec-own"],
                "editable": one.status in MOVABLE,
                "extendedProps": {
                    "told": told,
                    "order": one.order_id,
                    "revision": one.revision,
                },
            }
        )
    return events


def _shut(closures: Sequence[catalogue.Closure], speech: Speech) -> list[dict[str, Any]]:
    return [
        {
            "resourceIds": [str(each.instrument_id)],
            "start": each.starts_at.isoformat(),
            "end": each.ends_at.isoformat(),
            "title": each.reason or name_of(speech, "closure", each.kind),
            "display": "background",
            "classNames": ["ec-busy", "ec-busy-closed"],
        }
        for each in closures
    ]


routes: list[ControllerRouterHandler] = [show_schedule, show_times, show_schedule_file]
