"""A provider's day: what is booked, what waits for an answer, what is not as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import queries as booking
from marketplace.booking.queries import Status
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.time import During, shanghai_instant
from marketplace.orders import queries as orders
from marketplace.parties import queries as parties
from marketplace.vouchers.queries.sanctions import Sanction
from marketplace.web.areas.centre.sanction_cases import standing_sanctions
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members

# What stands on a calendar, or stood there today.
STANDING = (Status.HELD, Status.REQUESTED, Status.CONFIRMED, Status.IN_USE, Status.USED)
BOOKINGS_MAX = 200
SHORT = 5


@dataclass(frozen=True, slots=True)
class Booked:
    """A reservation with the name of whoever has it."""

    reservation: booking.Reservation
    who: str
    who_en: str
    person: str


@dataclass(frozen=True, slots=True)
class Machine:
    """An instrument with what is booked on it."""

    instrument: catalogue.Instrument
    booked: list[Booked]


@dataclass(frozen=True, slots=True)
class Today:
    """Everything that the page of today shows."""

    day: date
    now: datetime
    machines: list[Machine]
    booked: int
    requests: booking.RequestPage
    awaiting: orders.AwaitingPage
    problems: booking.ProblemPage
    reports: booking.ReportPage
    bench: orders.BenchPage
    notices: list[pricing.PriceNotice]
    disputes: orders.DisputePage
    corrections: list[orders.Correction]
    sanctions: list[Sanction]
    names: dict[int, catalogue.Instrument]
    buyers: dict[int, parties.Organisation]


async def today(tx: Tx, _: None = None) -> Today:
    """The day of the actor's organisation."""
    begins = shanghai_instant(tx.today)
    during = During(begins, begins + timedelta(days=1))
    machines, total = await machines_of(tx, during)
    problems = await booking.session_problems(tx, booking.ProblemSearch(page_size=SHORT))
    reports = await booking.problem_reports(
        tx, booking.ReportSearch(resolved=False, page_size=SHORT)
    )
    notices = await pricing.price_notices(
        tx, pricing.NoticeSearch(provider_id=tx.actor.organisation_id, page_size=100)
    )
    requests = await booking.requests(tx, booking.RequestSearch(page_size=SHORT))
    awaiting = await orders.awaiting(tx, orders.AwaitingList(page_size=SHORT))
    bench = await orders.sample_bench(tx, orders.BenchList(page_size=SHORT))
    named = await catalogue.instruments(
        tx,
        {each.session.instrument_id for each in problems.problems}
        | {each.instrument_id for each in reports.reports}
        | {each.reservation.instrument_id for each in requests.requests}
        | {each.order.instrument_id for each in awaiting.rows}
        | {each.order.instrument_id for each in bench.rows},
    )
    return Today(
        day=tx.today,
        now=tx.now,
        machines=machines,
        booked=total,
        requests=requests,
        awaiting=awaiting,
        problems=problems,
        reports=reports,
        bench=bench,
        notices=[each for each in notices.notices if each.open_objections],
        disputes=await orders.disputes(tx, orders.DisputeList(state="open", page_size=SHORT)),
        corrections=await waiting_corrections(tx),
        sanctions=await standing_sanctions(tx),
        names=named,
        buyers=await parties.organisations(
            tx,
            {each.order.buyer_id for each in awaiting.rows}
            | {each.order.buyer_id for each in bench.rows}
            | {each.reservation.organisation_id for each in requests.requests},
        ),
    )


async def waiting_corrections(tx: Tx) -> list[orders.Correction]:
    """What of settled orders is to be given back, for whoever decides about it."""
    if not tx.actor.has(*MANAGER):
        return []
    asked = orders.CorrectionList(status="proposed", page_size=SHORT)
    return (await orders.corrections(tx, asked)).rows


async def machines_of(tx: Tx, during: During) -> tuple[list[Machine], int]:
    """The instruments of the actor's organisation that are booked in a time, and how often."""
    found = await booking.reservations(
        tx,
        booking.ReservationSearch(
            statuses=STANDING,
            during=during,
            order=booking.ListOrder.STARTS,
            page_size=BOOKINGS_MAX,
        ),
    )
    own = [each for each in found.reservations if each.provider_id == tx.actor.organisation_id]
    booked = await with_names(tx, own)
    named = await catalogue.instruments(tx, {each.instrument_id for each in own})
    machines = [
        Machine(
            instrument,
            [each for each in booked if each.reservation.instrument_id == instrument.id],
        )
        for instrument in sorted(named.values(), key=lambda each: (each.cname, each.id))
    ]
    return machines, found.total


async def with_names(tx: Tx, found: Sequence[booking.Reservation]) -> list[Booked]:
    """Reservations with the names of organisations and people, in two questions."""
    whose = await parties.organisations(tx, {each.organisation_id for each in found})
    people = await parties.names_of_people(tx, {each.person_id for each in found})
    return [
        Booked(
            each,
            whose[each.organisation_id].name,
            whose[each.organisation_id].name_en,
            people[each.person_id],
        )
        for each in found
    ]


@get("/provider", **members(*STAFF))
async def show_today(request: PageRequest) -> Response[Any]:
    """What is booked today, what waits, and what needs a word."""
    return page(request, "provider/today.html", today=await read(request, today, None))


routes: list[ControllerRouterHandler] = [show_today]
