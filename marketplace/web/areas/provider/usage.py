"""Sessions: who is at an instrument, what was used against what was booked, what is in doubt."""

from __future__ import annotations

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
from marketplace.kernel.time import During, shanghai_instant
from marketplace.parties import queries as parties
from marketplace.web.areas.provider.own import choices, own_list
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.areas.provider.today import Booked, with_names
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told

SHOWN = ("open", "closed", "problems", "reports")
PAGE_SIZE = 30
# How far back closed sessions are shown unless a day is named.
DAYS_BACK = 30
HEADS = (
    ("预约", "Reservation"),
    ("订单", "Order"),
    ("仪器", "Instrument"),
    ("单位", "Organisation"),
    ("使用人", "Person"),
    ("约定开始", "Booked from"),
    ("约定分钟", "Booked minutes"),
    ("实际开始", "Opened"),
    ("实际结束", "Closed"),
    ("实际分钟", "Actual minutes"),
    ("计费分钟", "Billable minutes"),
)


@dataclass(frozen=True, slots=True)
class UsageAsked:
    """Which sessions: open, closed, in doubt, or what was reported; of an instrument, by day."""

    show: str = "open"
    instrument_id: int | None = None
    first: date | None = None
    last: date | None = None
    page: int = 1
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Used:
    """A reservation with its session, as far as there is one."""

    booked: Booked
    session: booking.UsageSession | None

    @property
    def difference(self) -> int | None:
        """Minutes used beyond those booked; below zero when it was shorter."""
        if self.session is None or self.session.actual_minutes is None:
            return None
        return self.session.actual_minutes - self.session.reserved_minutes


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A session of the problem queue with the names on it."""

    problem: booking.SessionProblem
    who: str
    who_en: str
    person: str


@dataclass(frozen=True, slots=True)
class Usage:
    """One page of what was asked for."""

    asked: UsageAsked
    instruments: list[catalogue.Instrument]
    used: list[Used]
    problems: list[Doubtful]
    reports: list[booking.ProblemReport]
    total: int
    doubtful: int
    reported: int

    @property
    def names(self) -> dict[int, catalogue.Instrument]:
        """Instruments by their numbers."""
        return {each.id: each for each in self.instruments}


async def usage(tx: Tx, asked: UsageAsked) -> Usage:
    """Sessions on the actor's instruments."""
    own = await own_list(tx)
    problems = await booking.session_problems(
        tx,
        booking.ProblemSearch(
            instrument_id=asked.instrument_id, page=asked.page, page_size=asked.page_size
        ),
    )
    reports = await booking.problem_reports(
        tx,
        booking.ReportSearch(
            instrument_id=asked.instrument_id,
            resolved=False,
            page=asked.page,
            page_size=asked.page_size,
        ),
    )
    totals = {"problems": problems.total, "reports": reports.total}
    used: list[Used] = []
    if asked.show in ("open", "closed"):
        used, totals[asked.show] = await _used(tx, asked)
    ours = {each.id for each in own}
    return Usage(
        asked=asked,
        instruments=own,
        used=used,
        problems=await _doubtful(tx, problems.problems) if asked.show == "problems" else [],
        reports=[each for each in reports.reports if each.instrument_id in ours]
        if asked.show == "reports"
        else [],
        total=totals[asked.show],
        doubtful=problems.total,
        reported=reports.total,
    )


async def _used(tx: Tx, asked: UsageAsked) -> tuple[list[Used], int]:
    first = asked.first or tx.today - timedelta(days=DAYS_BACK)
    last = asked.last or tx.today
    if asked.show == "open":
        first, last = tx.today - timedelta(days=DAYS_BACK), tx.today
    statuses = (Status.CONFIRMED, Status.IN_USE) if asked.show == "open" else (Status.USED,)
    found = await booking.reservations(
        tx,
        booking.ReservationSearch(
            statuses=statuses,
            instrument_id=asked.instrument_id,
            during=During(shanghai_instant(first), shanghai_instant(last + timedelta(days=1)))
            if first <= last
            else None,
            order=booking.ListOrder.STARTS
            if asked.show == "open"
            else booking.ListOrder.STARTS_LAST,
            page=asked.page,
            page_size=asked.page_size,
        ),
    )
    own = [each for each in found.reservations if each.provider_id == tx.actor.organisation_id]
    sessions = await booking.sessions_of(tx, [each.id for each in own])
    booked = await with_names(tx, own)
    return [Used(each, sessions.get(each.reservation.id)) for each in booked], found.total


async def _doubtful(tx: Tx, found: list[booking.SessionProblem]) -> list[Doubtful]:
    whose = await parties.organisations(tx, {each.organisation_id for each in found})
    people = await parties.names_of_people(tx, {each.person_id for each in found})
    return [
        Doubtful(
            each,
            whose[each.organisation_id].name,
            whose[each.organisation_id].name_en,
            people[each.person_id],
        )
        for each in found
    ]


@get("/provider/usage", **members(*STAFF))
async def show_usage(request: PageRequest) -> Response[Any]:
    """Who is at an instrument and who is expected; or what was, or is in doubt."""
    return await usage_page(request)


@get("/provider/usage/file", **members(*STAFF))
async def show_usage_file(request: PageRequest) -> Response[bytes]:
    """The same sessions as a file."""
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = _asked(form, page_size=ROWS_MAX)
    found = await read(request, usage, asked)
    names, speech = found.names, form.speech
    rows = []
    for each in found.used:
        one, session = each.booked.reservation, each.session
        rows.append(
            [
                one.id,
                one.order_id or "",
                names[one.instrument_id].cname,
                form.speech.either(each.booked.who, each.booked.who_en),
                each.booked.person,
                speech.moment(one.starts_at),
                one.during.minutes,
                speech.moment(session.opened_at) if session else "",
                speech.moment(session.closed_at) if session and session.closed_at else "",
                session.actual_minutes if session else "",
                session.billable_minutes if session else "",
            ]
        )
    return await as_file(form, "usage", HEADS, rows)


def _asked(form: Typed, *, show: str = "", page_size: int = PAGE_SIZE) -> UsageAsked:
    asked = UsageAsked(
        show=show or form.choice("show", SHOWN, needed=False) or "open",
        instrument_id=form.whole("instrument", least=1, most=2**53, needed=False),
        first=form.day("from", needed=False),
        last=form.day("until", needed=False),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return asked


async def usage_page(
    request: PageRequest,
    *,
    show: str = "",
    form: Typed | None = None,
    at: int = 0,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """The page; a refused form `at` a reservation is shown there as it was typed."""
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    found = await read(request, usage, _asked(filters, show=show))
    return page(
        request,
        "provider/usage.html",
        status=status,
        filters=filters,
        found=found,
        show=found.asked.show,
        instruments=choices(found.instruments, visitor.speech),
        may_repair=visitor.has(*MANAGER),
        form=form or empty(visitor.speech),
        blank=empty(visitor.speech),
        at=at,
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_usage, show_usage_file]
