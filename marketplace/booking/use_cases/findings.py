"""Runs that nobody had reserved, or that differ from what was said: staff say what they were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert, update

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    ReadingIncomplete,
    ReadingResolved,
    ReadingUnfit,
)
from marketplace.booking.queries.readings import Reading, candidates, own_reading
from marketplace.booking.queries.reservations import Reservation, as_range, locked_reservation
from marketplace.booking.queries.sessions import UsageSession, locked_session, session_of
from marketplace.booking.queries.timetables import booking_terms
from marketplace.booking.rules.readings import RESOLVED, RUNS_BELONG_TO, ReadingState
from marketplace.booking.rules.sessions import Minutes, Told, minutes_used
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.tables import machine_reading, reservation, usage_session
from marketplace.booking.use_cases.change import change_status, require_provider
from marketplace.booking.use_cases.sessions import CloseSession, close_at, ending
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class AttachReading:
    """Staff say to which reservation a run belongs, and how they know."""

    reading_id: int
    reservation_id: int
    reason: str


async def attach_reading(tx: Tx, command: AttachReading) -> Reading:
    """Put a run to a reservation; where that has no session, the run becomes it.

    Of a reservation that counts as not taken up only the machine-hours are put right: nothing more
    is billable than the fee that was due. A session that somebody closed keeps its times; staff
    repair it where the run knows better.

    Raises:
        Missing: when the run or the reservation is not on an instrument of one's own.
        ReadingResolved, ReadingIncomplete: when the run needs no answer, or is not over.
        ReadingUnfit: with every reason why it cannot belong there.
        SessionMinutesRefused: when it is too long to be a session.
    """
    found, ran = await _open_finding(tx, command.reading_id)
    present = await locked_reservation(tx, command.reservation_id)
    require_provider(tx, present)
    await _require_fit(tx, found, ran, present)
    if present.status is Status.CONFIRMED:
        await change_status(tx, present, Status.IN_USE)
        session = await _open(tx, present, ran, found)
        taken = await locked_reservation(tx, present.id)
        ended = CloseSession(present.id, samples_run=found.samples)
        session = await close_at(tx, taken, session, ended, at=ran.ends_at, told=Told.LOG)
    elif present.status is Status.NO_SHOW:
        session = await session_of(tx, present.id) or await _closed(
            tx, present, ran, found, billable=0
        )
    else:
        session = await locked_session(tx, present.id)
    return await _resolve(
        tx,
        found,
        ReadingState.ATTACHED,
        command.reason,
        reservation_id=present.id,
        session_id=session.id,
    )


@dataclass(frozen=True, slots=True)
class RecordReading:
    """Staff say what a run was for that nobody had reserved: upkeep, research or teaching."""

    reading_id: int
    purpose: Purpose
    reason: str


async def record_reading(tx: Tx, command: RecordReading) -> Reading:
    """Make a session of a run, so that machine-hours are complete.

    Policy: F.hours (every use of the machine is counted, by purpose).

    Raises:
        Missing: when the run is not on an instrument of one's own.
        ExternalTimeIsOrdered: for service to others: that has an order and a reservation.
        ReadingResolved, ReadingIncomplete: when the run needs no answer, or is not over.
        SessionMinutesRefused: when it is too long to be a session.
    """
    found, ran = await _open_finding(tx, command.reading_id)
    if command.purpose is Purpose.EXTERNAL:
        raise ExternalTimeIsOrdered("Attach the run to the reservation of the customer's order.")
    during = as_range(ran)
    terms = await booking_terms(tx, found.instrument_id)
    reservation_id = await tx.scalar(
        insert(reservation)
        .values(
            instrument_id=found.instrument_id,
            provider_id=tx.actor.organisation_id,
            calendar_id=terms.calendar_id or found.instrument_id,
            seat=1,
            during=during,
            blocked=during,
            status=Status.USED,
            organisation_id=tx.actor.organisation_id,
            person_id=tx.actor.person_id,
            user_class=UserClass.OWN_UNIT,
            purpose=command.purpose,
            placed_at=tx.now,
            confirmed_at=tx.now,
            ended_at=tx.now,
            changed_at=tx.now,
            reason=command.reason,
        )
        .returning(reservation.c.id)
    )
    present = await locked_reservation(tx, reservation_id)
    session = await _closed(tx, present, ran, found, billable=None)
    return await _resolve(
        tx,
        found,
        ReadingState.UPKEEP,
        command.reason,
        reservation_id=present.id,
        session_id=session.id,
        purpose=command.purpose.value,
    )


@dataclass(frozen=True, slots=True)
class DismissReading:
    """Staff say that a run was nothing, and why."""

    reading_id: int
    reason: str


async def dismiss_reading(tx: Tx, command: DismissReading) -> Reading:
    """Take a run off the list; it counts for nothing.

    Raises:
        Missing: when the run is not on an instrument of one's own.
        ReadingResolved: when it needs no answer.
    """
    found = await _unresolved(tx, command.reading_id)
    return await _resolve(tx, found, ReadingState.DISMISSED, command.reason)


async def _unresolved(tx: Tx, reading_id: int) -> Reading:
    found = await own_reading(tx, reading_id)
    if found.state in RESOLVED or found.state is ReadingState.MATCHED:
        raise ReadingResolved(f"It is {found.state}.", reading_state=found.state.value)
    return found


async def _open_finding(tx: Tx, reading_id: int) -> tuple[Reading, During]:
    """A run that needs an answer, and when it was."""
    found = await _unresolved(tx, reading_id)
    if found.started_at is None or found.stopped_at is None:
        raise ReadingIncomplete("Wait for the rest of it, or dismiss it.")
    # A run within one minute still is one.
    least = found.started_at + timedelta(minutes=1)
    return found, During(found.started_at, max(found.stopped_at, least))


async def _require_fit(tx: Tx, found: Reading, ran: During, present: Reservation) -> None:
    reasons = Reasons()
    possible = await candidates(tx, [(found.instrument_id, found.run)])
    near = {one.booked.reservation_id for one in possible}
    if present.status not in RUNS_BELONG_TO:
        reasons.add(
            "reservation-state",
            f"The reservation is {present.status}: nobody used it.",
            limit=sorted(RUNS_BELONG_TO),
            asked=present.status.value,
        )
    elif present.id not in near:
        reasons.add(
            "reservation-near",
            "The reservation is of another instrument, or days away from the run.",
            limit=present.starts_at,
            asked=ran.starts_at,
        )
    reasons.raise_as(ReadingUnfit)


async def _open(tx: Tx, present: Reservation, ran: During, found: Reading) -> UsageSession:
    return await tx.one(
        UsageSession,
        insert(usage_session)
        .values(
            reservation_id=present.id,
            instrument_id=present.instrument_id,
            opened_at=ran.starts_at,
            opened_how=Told.LOG,
            reserved_minutes=max(1, present.during.minutes),
            operator_id=present.operator_id or present.person_id,
        )
        .returning(*usage_session.c),
    )


async def _closed(
    tx: Tx, present: Reservation, ran: During, found: Reading, *, billable: int | None
) -> UsageSession:
    """The session that a run was, ended; `billable=None` bills what it lasted."""
    used = minutes_used(ran, ran.starts_at, ran.ends_at, minimum_minutes=0)
    minutes = Minutes(
        used.actual,
        used.billable if billable is None else billable,
        used.preparation,
        used.test,
        used.post,
    )
    return await tx.one(
        UsageSession,
        insert(usage_session)
        .values(
            reservation_id=present.id,
            instrument_id=present.instrument_id,
            opened_at=ran.starts_at,
            opened_how=Told.LOG,
            closed_how=Told.LOG,
            reserved_minutes=max(1, present.during.minutes),
            operator_id=tx.actor.person_id,
            samples_run=found.samples,
            **ending(minutes, ran.ends_at),
        )
        .returning(*usage_session.c),
    )


async def _resolve(
    tx: Tx,
    found: Reading,
    state: ReadingState,
    reason: str,
    *,
    reservation_id: int | None = None,
    session_id: int | None = None,
    **facts: str,
) -> Reading:
    homes = {"reservation_id": reservation_id, "session_id": session_id}
    kept = {name: value for name, value in homes.items() if value is not None}
    await tx.execute(
        update(machine_reading)
        .where(machine_reading.c.id == found.id)
        .values(
            state=state,
            changed_at=tx.now,
            resolved_by=tx.actor.person_id,
            resolved_at=tx.now,
            resolution=reason,
            **kept,
        )
    )
    tx.audit(
        state.value,
        subject="machine_reading",
        subject_id=found.id,
        reason=reason,
        **kept,
        **facts,
    )
    return await own_reading(tx, found.id)
