"""Open, close and repair usage sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.booking.errors import SessionMinutesRefused, SessionNotInProblem
from marketplace.booking.events import SessionClosed, SessionOpened
from marketplace.booking.queries.reservations import (
    Reservation,
    locked_reservation,
    made_reservation,
    reservation_select,
)
from marketplace.booking.queries.sessions import UsageSession, locked_session
from marketplace.booking.queries.timetables import booking_terms
from marketplace.booking.rules.sessions import Minutes, minutes_used, require_check_in
from marketplace.booking.rules.states import Status, require_transition
from marketplace.booking.tables import reservation as table
from marketplace.booking.tables import usage_session
from marketplace.booking.use_cases.change import change_status, require_provider
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook

OVERRUN = "overrun"
NEVER_CLOSED = "never-closed"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Check in: the use of a reservation begins now."""

    reservation_id: int


@dataclass(frozen=True, slots=True)
class CloseSession:
    """The use ends now; without `test_minutes` it is what preparation and post leave."""

    reservation_id: int
    preparation_minutes: int = 0
    test_minutes: int | None = None
    post_minutes: int = 0


@dataclass(frozen=True, slots=True)
class RepairSession:
    """Say when a session really ended that the platform had to close, and how it is known."""

    reservation_id: int
    closed_at: datetime
    reason: str
    preparation_minutes: int = 0
    test_minutes: int | None = None
    post_minutes: int = 0


async def open_session(tx: Tx, command: OpenSession) -> UsageSession:
    """Check in, a little early where the time before is free.

    An earlier session on the same seat that is past its reserved end is closed into the problem
    queue: whose time has come need not wait for who forgot to leave.

    Raises:
        ReservationNotInState: unless it is confirmed.
        CheckInRefused: too early, or the reserved time is over.
        ReservationOverlaps: when an early start meets somebody else's time.
    """
    present = await locked_reservation(tx, command.reservation_id)
    require_transition(present.status, Status.IN_USE)
    early = rulebook().booking.early_start_minutes.on(tx.today)
    require_check_in(present.during, at=tx.now, early_minutes=early)
    await _close_overrun_sessions(tx, present)
    await change_status(
        tx,
        present,
        Status.IN_USE,
        # An early start blocks the time from now on; the constraint refuses it where it is taken.
        blocked=func.tstzrange(
            func.least(func.lower(table.c.blocked), tx.now),
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
            opened_at=tx.now,
            reserved_minutes=max(1, present.during.minutes),
            operator_id=tx.actor.person_id,
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


async def close_session(tx: Tx, command: CloseSession) -> UsageSession:
    """Check out: what was used is counted, and the rest of the time is free at once.

    Raises:
        ReservationNotInState: unless it is in use.
        SessionMinutesRefused: when the parts are longer than the session.
    """
    present = await locked_reservation(tx, command.reservation_id)
    require_transition(present.status, Status.USED)
    session = await locked_session(tx, present.id)
    minutes = minutes_used(
        present.during,
        session.opened_at,
        tx.now,
        minimum_minutes=(await booking_terms(tx, present.instrument_id)).minimum_minutes,
        preparation=command.preparation_minutes,
        test=command.test_minutes,
        post=command.post_minutes,
    )
    return await end_session(tx, present, minutes, closed_at=tx.now, problem=None)


async def repair_session(tx: Tx, command: RepairSession) -> UsageSession:
    """Replace what the platform assumed of a session by what somebody knows; it leaves the queue.

    Raises:
        Missing: when the instrument belongs to others, or nobody checked in.
        SessionNotInProblem: when a person closed it.
        SessionMinutesRefused: when it would end before it began or after now, or the parts are
            longer than it.
    """
    present = await locked_reservation(tx, command.reservation_id)
    require_provider(tx, present)
    session = await locked_session(tx, present.id)
    if session.problem is None:
        raise SessionNotInProblem("Its minutes stand.")
    if not session.opened_at < command.closed_at <= tx.now:
        raise SessionMinutesRefused(
            "It ended after it was opened and before now.", opened_at=session.opened_at
        )
    minutes = minutes_used(
        present.during,
        session.opened_at,
        command.closed_at,
        minimum_minutes=(await booking_terms(tx, present.instrument_id)).minimum_minutes,
        preparation=command.preparation_minutes,
        test=command.test_minutes,
        post=command.post_minutes,
    )
    tx.audit(
        "repair",
        subject="usage_session",
        subject_id=session.id,
        reason=command.reason,
        problem=session.problem,
        assumed_actual_minutes=session.actual_minutes,
        assumed_billable_minutes=session.billable_minutes,
        actual_minutes=minutes.actual,
        billable_minutes=minutes.billable,
    )
    return await _write_end(tx, present, minutes, closed_at=command.closed_at, problem=None)


async def end_session(
    tx: Tx,
    present: Reservation,
    minutes: Minutes,
    *,
    closed_at: datetime,
    problem: str | None,
) -> UsageSession:
    """End the session of a reservation that is in use, with a problem where it is a guess."""
    await change_status(tx, present, Status.USED)
    return await _write_end(tx, present, minutes, closed_at=closed_at, problem=problem)


async def _write_end(
    tx: Tx,
    present: Reservation,
    minutes: Minutes,
    *,
    closed_at: datetime,
    problem: str | None,
) -> UsageSession:
    closed = await tx.one(
        UsageSession,
        update(usage_session)
        .where(usage_session.c.reservation_id == present.id)
        .values(
            closed_at=closed_at,
            actual_minutes=minutes.actual,
            billable_minutes=minutes.billable,
            preparation_minutes=minutes.preparation,
            test_minutes=minutes.test,
            post_minutes=minutes.post,
            problem=problem,
            closed_how="person" if problem is None else "platform",
        )
        .returning(*usage_session.c),
    )
    tx.record(
        SessionClosed(
            session_id=closed.id,
            reservation_id=present.id,
            order_id=present.order_id or 0,
            instrument_id=present.instrument_id,
            reserved_minutes=closed.reserved_minutes,
            actual_minutes=minutes.actual,
            billable_minutes=minutes.billable,
            problem=problem or "",
        )
    )
    return closed


async def end_by_itself(tx: Tx, present: Reservation, *, problem: str) -> None:
    """Close a session that nobody closed, at its reserved end, into the problem queue."""
    session = await locked_session(tx, present.id)
    closed_at = max(present.ends_at, session.opened_at)
    minutes = minutes_used(present.during, session.opened_at, closed_at, minimum_minutes=0)
    await end_session(tx, present, minutes, closed_at=closed_at, problem=problem)


async def _close_overrun_sessions(tx: Tx, newcomer: Reservation) -> None:
    overrun = await tx.all(
        made_reservation,
        reservation_select()
        .where(
            table.c.instrument_id == newcomer.instrument_id,
            table.c.seat == newcomer.seat,
            table.c.status == Status.IN_USE,
            func.upper(table.c.during) <= tx.now,
            table.c.id.in_(
                select(usage_session.c.reservation_id).where(
                    usage_session.c.instrument_id == newcomer.instrument_id,
                    usage_session.c.closed_at.is_(None),
                )
            ),
        )
        .order_by(table.c.id)
        .with_for_update(),
    )
    for earlier in overrun:
        await end_by_itself(tx, earlier, problem=OVERRUN)
