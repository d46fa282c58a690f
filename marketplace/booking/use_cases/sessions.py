"""Open and close usage sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range

from marketplace.booking.errors import CheckInRefused
from marketplace.booking.events import SessionClosed, SessionOpened
from marketplace.booking.queries.reservations import (
    Reservation,
    locked_reservation,
    made_reservation,
    reservation_select,
)
from marketplace.booking.queries.sessions import UsageSession, locked_session, session_of
from marketplace.booking.queries.timetables import booking_terms
from marketplace.booking.rules.sessions import (
    Minutes,
    Problem,
    Told,
    minutes_used,
    problem_of_end,
    require_check_in,
)
from marketplace.booking.rules.states import Status, require_transition
from marketplace.booking.tables import LIVE, usage_session
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases.change import change_status
from marketplace.booking.use_cases.comparing import compare_with_log
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook

OVERRUN = Problem.OVERRUN
NEVER_CLOSED = Problem.NEVER_CLOSED


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Check in: the use of a reservation begins now, with somebody at the instrument."""

    reservation_id: int
    operator_id: int | None = None


@dataclass(frozen=True, slots=True)
class CloseSession:
    """The use ends now; without `test_minutes` it is what preparation and post leave."""

    reservation_id: int
    preparation_minutes: int = 0
    test_minutes: int | None = None
    post_minutes: int = 0
    samples_run: int | None = None
    note: str | None = None


async def open_session(tx: Tx, command: OpenSession) -> UsageSession:
    """Check in, a little early where the time before is free.

    An earlier session on the same seat that is past its reserved end is closed into the problem
    queue: whose time has come need not wait for who forgot to leave.

    Raises:
        ReservationNotInState: unless it is confirmed.
        CheckInRefused: too early, the reserved time is over, or the operator belongs to neither
            side.
        ReservationOverlaps: when an early start meets somebody else's time.
    """
    present = await locked_reservation(tx, command.reservation_id)
    if command.operator_id is not None:
        await _require_of_either_side(tx, present, command.operator_id)
    operator_id = command.operator_id or present.operator_id or tx.actor.person_id
    return await open_at(tx, present, at=tx.now, told=Told.PERSON, operator_id=operator_id)


async def open_at(
    tx: Tx, present: Reservation, *, at: datetime, told: Told, operator_id: int
) -> UsageSession:
    """Open the session of a locked reservation at `at`, as a person or the instrument's log says.

    Raises:
        ReservationNotInState, CheckInRefused, ReservationOverlaps: see `open_session`.
    """
    require_transition(present.status, Status.IN_USE)
    early = rulebook().booking.early_start_minutes.on(tx.today)
    require_check_in(present.during, at=at, early_minutes=early)
    await _close_overrun_sessions(tx, present, at)
    await change_status(
        tx,
        present,
        Status.IN_USE,
        # An early start blocks the time from now on; the constraint refuses it where it is taken.
        blocked=func.tstzrange(
            func.least(func.lower(table.c.blocked), at),
            func.upper(table.c.blocked),
            "[)",
            type_=TSTZRANGE,
        ),
    )
    opened = await tx.one(
        UsageSession,
        insert(usage_session)
        .values(
            reservation_id=present.id,
            instrument_id=present.instrument_id,
            opened_at=at if told is Told.LOG else await _after_the_one_before(tx, present, at),
            opened_how=told,
            reserved_minutes=max(1, present.during.minutes),
            operator_id=operator_id,
        )
        .returning(*usage_session.c),
    )
    tx.record(
        SessionOpened(
            session_id=opened.id,
            reservation_id=present.id,
            order_id=present.order_id or 0,
            instrument_id=present.instrument_id,
        )
    )
    return opened


async def _after_the_one_before(tx: Tx, present: Reservation, at: datetime) -> datetime:
    """`at`, or the end of the session before on the same seat where that is a moment later.

    A check-in that waits for somebody's check-out may have been sent before it: who was served
    second has come second, and nobody's minutes count twice.
    """
    ended: datetime | None = await tx.scalar(
        select(func.max(usage_session.c.closed_at))
        .join(table, table.c.id == usage_session.c.reservation_id)
        .where(
            table.c.status == Status.USED,
            table.c.ended_at > at,
            table.c.calendar_id == present.calendar_id,
            table.c.seat == present.seat,
        )
    )
    return at if ended is None else max(at, ended)


async def close_session(tx: Tx, command: CloseSession) -> UsageSession:
    """Check out: what was used is counted, and the rest of the time is free at once.

    An end that ran into somebody else's time, or far past the own, goes to the problem queue, as
    does one that the instrument's own log contradicts: the provider looks before it is billed.

    Raises:
        ReservationNotInState: unless it is in use.
        SessionMinutesRefused: when the parts are longer than the session.
    """
    present = await locked_reservation(tx, command.reservation_id)
    require_transition(present.status, Status.USED)
    session = await locked_session(tx, present.id)
    return await close_at(tx, present, session, command, at=tx.now, told=Told.PERSON)


async def close_at(
    tx: Tx,
    present: Reservation,
    session: UsageSession,
    command: CloseSession,
    *,
    at: datetime,
    told: Told,
) -> UsageSession:
    """End the session of a locked reservation at `at`, as a person or the instrument's log says.

    Raises:
        SessionMinutesRefused: when the parts are longer than the session.
    """
    minutes = await minutes_of(
        tx,
        present,
        opened_at=session.opened_at,
        closed_at=at,
        parts=(command.preparation_minutes, command.test_minutes, command.post_minutes),
    )
    terms = rulebook().booking
    problem = problem_of_end(
        present.during,
        at,
        next_waits=at > present.ends_at and await _next_waits(tx, present, at),
        tolerance_minutes=terms.overrun_tolerance_minutes.on(tx.today),
    )
    closed = await end_session(tx, present, minutes, closed_at=at, problem=problem, told=told)
    more = {"samples_run": command.samples_run, "note": command.note}
    told_more = {name: value for name, value in more.items() if value is not None}
    if told_more:
        closed = await change_session(tx, session.id, **told_more)
    differs = await compare_with_log(tx, closed)
    if differs and told is Told.PERSON and problem is None:
        closed = await change_session(tx, session.id, problem=Problem.LOG_DIFFERS)
    _tell_closed(tx, present, closed)
    return closed


async def minutes_of(
    tx: Tx,
    present: Reservation,
    *,
    opened_at: datetime,
    closed_at: datetime,
    parts: tuple[int, int | None, int] = (0, None, 0),
) -> Minutes:
    """What a session of `present` comes to by the instrument's rule and the terms of today.

    Raises:
        SessionMinutesRefused: when the parts (preparation, test, post) are longer than the session.
    """
    preparation, test, post = parts
    return minutes_used(
        present.during,
        opened_at,
        closed_at,
        minimum_minutes=(await booking_terms(tx, present.instrument_id)).minimum_minutes,
        overrun_step_minutes=rulebook().booking.overrun_step_minutes.on(tx.today),
        preparation=preparation,
        test=test,
        post=post,
    )


async def end_session(
    tx: Tx,
    present: Reservation,
    minutes: Minutes,
    *,
    closed_at: datetime,
    problem: Problem | None,
    told: Told,
) -> UsageSession:
    """End the session of a reservation that is in use, with a problem where it is a guess."""
    await change_status(tx, present, Status.USED)
    session = await locked_session(tx, present.id)
    return await change_session(
        tx, session.id, problem=problem, closed_how=told, **ending(minutes, closed_at)
    )


def ending(minutes: Minutes, closed_at: datetime) -> dict[str, object]:
    """The columns that say how a session ended."""
    return {
        "closed_at": closed_at,
        "actual_minutes": minutes.actual,
        "billable_minutes": minutes.billable,
        "preparation_minutes": minutes.preparation,
        "test_minutes": minutes.test,
        "post_minutes": minutes.post,
    }


async def change_session(tx: Tx, session_id: int, **values: object) -> UsageSession:
    """The session, with `values` written."""
    return await tx.one(
        UsageSession,
        update(usage_session)
        .where(usage_session.c.id == session_id)
        .values(**values)
        .returning(*usage_session.c),
    )


async def settle_session(tx: Tx, reservation_id: int) -> UsageSession | None:
    """The session whose minutes are paid for now: from here on they stand.

    One that is open or in the problem queue is answered as it is, and may still be repaired:
    nobody vouches for its minutes, so no money moves on them.
    """
    settled = await tx.first(
        UsageSession,
        update(usage_session)
        .where(
            usage_session.c.reservation_id == reservation_id,
            usage_session.c.closed_at.is_not(None),
            usage_session.c.problem.is_(None),
        )
        .values(settled_at=func.coalesce(usage_session.c.settled_at, tx.now))
        .returning(*usage_session.c),
    )
    return settled or await session_of(tx, reservation_id)


async def end_by_itself(tx: Tx, present: Reservation, *, problem: Problem) -> None:
    """Close a session that nobody closed, at its reserved end, into the problem queue."""
    session = await locked_session(tx, present.id)
    closed_at = max(present.ends_at, session.opened_at)
    minutes = minutes_used(present.during, session.opened_at, closed_at, minimum_minutes=0)
    closed = await end_session(
        tx, present, minutes, closed_at=closed_at, problem=problem, told=Told.PLATFORM
    )
    await compare_with_log(tx, closed)
    _tell_closed(tx, present, closed)


def _tell_closed(tx: Tx, present: Reservation, closed: UsageSession) -> None:
    tx.record(
        SessionClosed(
            session_id=closed.id,
            reservation_id=present.id,
            order_id=present.order_id or 0,
            instrument_id=present.instrument_id,
            reserved_minutes=closed.reserved_minutes,
            actual_minutes=closed.actual_minutes or 0,
            billable_minutes=closed.billable_minutes or 0,
            problem=closed.problem or "",
        )
    )


async def _require_of_either_side(tx: Tx, present: Reservation, person_id: int) -> None:
    sides = {present.provider_id, present.organisation_id}
    places = await parties.places(tx, person_id)
    if not any(place.organisation.id in sides for place in places):
        raise CheckInRefused(
            "The operator is one of the provider's staff or of the customer's people.",
            asked=person_id,
        )


async def _next_waits(tx: Tx, present: Reservation, at: datetime) -> bool:
    """Whether somebody else's reserved time on the same seat began before `at`."""
    overrun = Range(present.ends_at, at, bounds="[)")
    waiting = await tx.scalar(
        select(table.c.id)
        .where(
            table.c.calendar_id == present.calendar_id,
            table.c.seat == present.seat,
            LIVE,
            table.c.blocked.op("&&")(overrun),
            table.c.during.op("&&")(overrun),
            table.c.status == Status.CONFIRMED,
            table.c.id != present.id,
        )
        .limit(1)
    )
    return waiting is not None


async def _close_overrun_sessions(tx: Tx, newcomer: Reservation, at: datetime) -> None:
    overrun = await tx.all(
        made_reservation,
        reservation_select()
        .where(
            table.c.calendar_id == newcomer.calendar_id,
            table.c.seat == newcomer.seat,
            # What the index of the guard holds: of the past little is live.
            LIVE,
            table.c.blocked.op("&&")(Range(None, at, bounds="()")),
            table.c.status == Status.IN_USE,
            func.upper(table.c.during) <= at,
        )
        .order_by(table.c.id)
        .with_for_update(),
    )
    for earlier in overrun:
        await end_by_itself(tx, earlier, problem=OVERRUN)
