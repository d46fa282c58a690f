"""Say of a session that has ended what it really was: staff at once, its users within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from marketplace.booking.errors import (
    RepairAnswered,
    RepairRefused,
    SecondPersonNeeded,
    SessionMinutesRefused,
    SessionNotInProblem,
    SessionSettled,
    SessionStillOpen,
)
from marketplace.booking.queries.repairs import SessionRepair, open_proposal, proposal
from marketplace.booking.queries.reservations import Reservation, locked_reservation
from marketplace.booking.queries.sessions import UsageSession, locked_session
from marketplace.booking.rules.readings import ReadingState
from marketplace.booking.rules.sessions import (
    Ended,
    Minutes,
    RepairKind,
    Told,
    user_repair_reasons,
    waits_for_staff,
)
from marketplace.booking.tables import machine_reading
from marketplace.booking.use_cases.change import require_provider
from marketplace.booking.use_cases.comparing import compare_with_log
from marketplace.booking.use_cases.keeping import keep_repair, snapshot, store_repair
from marketplace.booking.use_cases.sessions import change_session, ending, minutes_of
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class RepairSession:
    """Staff say when a session really was and what of it was preparation, and how it is known.

    Without `opened_at` it began as it is written.
    """

    reservation_id: int
    closed_at: datetime
    reason: str
    preparation_minutes: int = 0
    test_minutes: int | None = None
    post_minutes: int = 0
    opened_at: datetime | None = None
    samples_run: int | None = None


async def repair_session(tx: Tx, command: RepairSession) -> UsageSession:
    """Replace the times of a session by what staff know; it leaves the problem queue.

    A report of its users that waits is answered by it.

    Raises:
        Missing: when the instrument belongs to others, or nobody checked in.
        SessionStillOpen: when it has not ended.
        SessionSettled: when money has moved on its minutes.
        SessionMinutesRefused: when it would end before it began or after now, or the parts are
            longer than it.
    """
    present, session = await _ended_session(tx, command.reservation_id)
    require_provider(tx, present)
    opened_at = command.opened_at or session.opened_at
    if not opened_at < command.closed_at <= tx.now:
        raise SessionMinutesRefused(
            "It ended after it was opened and before now.", opened_at=opened_at
        )
    minutes = await minutes_of(
        tx,
        present,
        opened_at=opened_at,
        closed_at=command.closed_at,
        parts=(command.preparation_minutes, command.test_minutes, command.post_minutes),
    )
    samples = command.samples_run if command.samples_run is not None else session.samples_run
    repaired = await _change(
        tx,
        session,
        minutes,
        command.closed_at,
        opened_at=opened_at,
        samples_run=samples,
    )
    waiting = await open_proposal(tx, session.id)
    await keep_repair(
        tx,
        RepairKind.REPAIR,
        command.reason,
        present=present,
        before=session,
        after=repaired,
        answers_id=waiting.id if waiting else None,
    )
    return repaired


@dataclass(frozen=True, slots=True)
class ReportSessionEnd:
    """Who used an instrument says when the session really ended."""

    reservation_id: int
    closed_at: datetime
    reason: str


async def report_session_end(tx: Tx, command: ReportSessionEnd) -> SessionRepair:
    """Take the user's word for the end of a session that the platform closed.

    It holds at once, unless it lowers what is billed by more than the province's tolerance: then
    it waits for the provider, and so does the session in the queue.

    Raises:
        Missing: when another organisation reserved it, or nobody checked in.
        SessionStillOpen, SessionSettled: when there is nothing to repair.
        RepairRefused: with every reason why this cannot be said of it.
    """
    present, session = await _ended_session(tx, command.reservation_id)
    if present.organisation_id != tx.actor.organisation_id:
        raise Missing("Only who reserved it reports its end; staff repair it.")
    terms = rulebook().booking
    user_repair_reasons(
        _ended(session),
        says=command.closed_at,
        at=tx.now,
        repair_days=terms.repair_days.on(tx.today),
        waiting=await open_proposal(tx, session.id) is not None,
    ).raise_as(RepairRefused)
    minutes = await minutes_of(
        tx, present, opened_at=session.opened_at, closed_at=command.closed_at
    )
    if waits_for_staff(
        session.billable_minutes or 0,
        minutes.billable,
        tolerance_minutes=terms.repair_tolerance_minutes.on(tx.today),
    ):
        return await _propose(tx, present, session, minutes, command)
    repaired = await _change(tx, session, minutes, command.closed_at)
    return await keep_repair(
        tx,
        RepairKind.REPAIR,
        command.reason,
        present=present,
        before=session,
        after=repaired,
        by_staff=False,
    )


@dataclass(frozen=True, slots=True)
class AnswerRepair:
    """The provider agrees or not with what a user said of a session, and why."""

    repair_id: int
    reason: str


async def confirm_repair(tx: Tx, command: AnswerRepair) -> SessionRepair:
    """Agree: the session ended when its user said.

    Raises:
        Missing: when there is no such report on an instrument of one's own.
        RepairAnswered: when it was answered before.
        SecondPersonNeeded: when it is one's own.
        SessionSettled: when money has moved on the minutes meanwhile.
    """
    asked, present, session = await _open_report(tx, command)
    closed_at = datetime.fromisoformat(asked.after["closed_at"])
    minutes = await minutes_of(tx, present, opened_at=session.opened_at, closed_at=closed_at)
    repaired = await _change(tx, session, minutes, closed_at)
    return await keep_repair(
        tx,
        RepairKind.CONFIRMATION,
        command.reason,
        present=present,
        before=session,
        after=repaired,
        answers_id=asked.id,
    )


async def reject_repair(tx: Tx, command: AnswerRepair) -> SessionRepair:
    """Disagree: the session stays in the problem queue until staff repair or accept it.

    Raises:
        Missing, RepairAnswered, SecondPersonNeeded, SessionSettled: see `confirm_repair`.
    """
    asked, present, session = await _open_report(tx, command)
    return await keep_repair(
        tx,
        RepairKind.REJECTION,
        command.reason,
        present=present,
        before=session,
        after=session,
        answers_id=asked.id,
    )


@dataclass(frozen=True, slots=True)
class AcceptSession:
    """Staff vouch for a session as it stands, and say why."""

    reservation_id: int
    reason: str


async def accept_session(tx: Tx, command: AcceptSession) -> UsageSession:
    """Take a session out of the problem queue unchanged; what its log said is explained by it.

    Raises:
        Missing: when the instrument belongs to others, or nobody checked in.
        SessionNotInProblem: when it needs nobody's word.
    """
    present, session = await _ended_session(tx, command.reservation_id, settled_too=True)
    require_provider(tx, present)
    if session.problem is None:
        raise SessionNotInProblem("Its minutes stand.")
    waiting = await open_proposal(tx, session.id)
    accepted = await change_session(tx, session.id, problem=None)
    await tx.execute(
        update(machine_reading)
        .where(
            machine_reading.c.reservation_id == present.id,
            machine_reading.c.state == ReadingState.DIFFERS,
        )
        .values(
            state=ReadingState.DISMISSED,
            changed_at=tx.now,
            resolved_by=tx.actor.person_id,
            resolved_at=tx.now,
            resolution=command.reason,
        )
    )
    await keep_repair(
        tx,
        RepairKind.ACCEPTANCE,
        command.reason,
        present=present,
        before=session,
        after=accepted,
        answers_id=waiting.id if waiting else None,
    )
    return accepted


async def _ended_session(
    tx: Tx, reservation_id: int, *, settled_too: bool = False
) -> tuple[Reservation, UsageSession]:
    """A reservation and its session, both locked, when it has ended and may still be changed."""
    present = await locked_reservation(tx, reservation_id)
    if tx.actor.organisation_id not in (present.provider_id, present.organisation_id):
        require_provider(tx, present)
    session = await locked_session(tx, present.id)
    if session.closed_at is None:
        raise SessionStillOpen("It has not ended.")
    if session.settled_at is not None and not settled_too:
        raise SessionSettled(
            "Its minutes are paid for; put right in money what was wrong.",
            settled_at=session.settled_at,
        )
    return present, session


async def _open_report(
    tx: Tx, command: AnswerRepair
) -> tuple[SessionRepair, Reservation, UsageSession]:
    asked = await proposal(tx, command.repair_id)
    present, session = await _ended_session(tx, asked.reservation_id)
    require_provider(tx, present)
    waiting = await open_proposal(tx, session.id)
    if waiting is None or waiting.id != asked.id:
        raise RepairAnswered("It was answered, or staff repaired the session meanwhile.")
    if asked.made_by == tx.actor.person_id:
        raise SecondPersonNeeded("Another person decides what you reported.")
    return asked, present, session


def _ended(session: UsageSession) -> Ended:
    if session.closed_at is None or session.closed_how is None:
        raise SessionStillOpen("It has not ended.")
    return Ended(session.opened_at, session.closed_at, Told(session.closed_how))


async def _change(
    tx: Tx, session: UsageSession, minutes: Minutes, closed_at: datetime, **values: object
) -> UsageSession:
    """Write what the session came to; whoever said so vouches for it."""
    changed = await change_session(
        tx,
        session.id,
        problem=None,
        closed_how=Told.PERSON,
        **ending(minutes, closed_at),
        **values,
    )
    await compare_with_log(tx, changed)
    return changed


async def _propose(
    tx: Tx,
    present: Reservation,
    session: UsageSession,
    minutes: Minutes,
    command: ReportSessionEnd,
) -> SessionRepair:
    said = snapshot(session) | {
        "closed_at": command.closed_at.isoformat(),
        "actual_minutes": minutes.actual,
        "billable_minutes": minutes.billable,
        "test_minutes": minutes.test,
    }
    return await store_repair(
        tx,
        RepairKind.PROPOSAL,
        command.reason,
        present=present,
        before=session,
        after=said,
        by_staff=False,
    )
