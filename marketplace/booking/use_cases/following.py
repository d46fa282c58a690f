"""Let the session of a reservation follow what its instrument's own log says."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update

from marketplace.booking.queries.readings import Reading, readings_of
from marketplace.booking.queries.reservations import Reservation, locked_reservation
from marketplace.booking.queries.sessions import UsageSession, locked_session, session_of
from marketplace.booking.rules.readings import (
    RESOLVED,
    RUNS_BELONG_TO,
    Log,
    ReadingState,
    Step,
    log_of,
    next_step,
    state_of,
)
from marketplace.booking.rules.sessions import Problem, Told
from marketplace.booking.tables import machine_reading
from marketplace.booking.use_cases.comparing import compare_with_log
from marketplace.booking.use_cases.sessions import (
    CloseSession,
    change_session,
    close_at,
    open_at,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError


async def follow_log(tx: Tx, reservation_id: int) -> None:
    """Open, close or compare the session of a reservation, as its log and its source ask for.

    What cannot be followed now (somebody before is still at the instrument) waits: the rest of a
    batch goes on, and a job looks again.
    """
    present = await locked_reservation(tx, reservation_id)
    runs = [one for one in await readings_of(tx, present.id) if one.state not in RESOLVED]
    log = log_of(one.run for one in runs)
    if log is None:
        return
    if present.status not in RUNS_BELONG_TO:
        await _let_go(tx, runs)
        return
    try:
        async with tx.attempt():
            await _follow(tx, present, runs, log)
    except DomainError:
        await _note_states(tx, present, runs, None)


async def _follow(tx: Tx, present: Reservation, runs: Sequence[Reading], log: Log) -> None:
    opens = any(one.opens_sessions for one in runs)
    step = next_step(present.status, opens_sessions=opens, stopped=log.stopped_at is not None)
    session: UsageSession | None
    if step is Step.OPEN:
        session = await open_at(
            tx,
            present,
            at=log.started_at,
            told=Told.LOG,
            operator_id=present.operator_id or present.person_id,
        )
        present = await locked_reservation(tx, present.id)
        step = Step.WAIT if log.stopped_at is None else Step.CLOSE
    else:
        session = await session_of(tx, present.id)
    if session is None:
        await _note_states(tx, present, runs, None)
    elif step is Step.CLOSE and log.stopped_at is not None and log.stopped_at > session.opened_at:
        command = CloseSession(present.id, samples_run=_samples(runs))
        # It is closed as the log says, so the two agree: `close_at` notes that on every run.
        await close_at(tx, present, session, command, at=log.stopped_at, told=Told.LOG)
    elif step is Step.COMPARE:
        await _compare(tx, present)
    else:
        await _note_states(tx, present, runs, session)


async def _compare(tx: Tx, present: Reservation) -> None:
    """Hold a session that has ended against its log, and queue it where they differ.

    Not one whose minutes are paid for, and not one that waits in the queue already: there the run
    alone says that it differs.
    """
    session = await locked_session(tx, present.id)
    reasons = await compare_with_log(tx, session)
    if not reasons or session.problem is not None or session.settled_at is not None:
        return
    await change_session(tx, session.id, problem=Problem.LOG_DIFFERS)
    tx.audit(
        "doubt",
        subject="usage_session",
        subject_id=session.id,
        problem=Problem.LOG_DIFFERS,
        rules=[reason.rule for reason in reasons],
    )


async def _note_states(
    tx: Tx, present: Reservation, runs: Sequence[Reading], session: UsageSession | None
) -> None:
    states: dict[ReadingState, list[int]] = {}
    for one in runs:
        states.setdefault(state_of(one.run, present.status, ()), []).append(one.id)
    for state, ids in states.items():
        await tx.execute(
            update(machine_reading)
            .where(machine_reading.c.id.in_(ids))
            .values(state=state, session_id=session.id if session else None, changed_at=tx.now)
        )


async def _let_go(tx: Tx, runs: Sequence[Reading]) -> None:
    """The reservation came to nothing: its runs are nobody's now."""
    await tx.execute(
        update(machine_reading)
        .where(machine_reading.c.id.in_([one.id for one in runs]))
        .values(
            state=ReadingState.UNBOOKED, reservation_id=None, session_id=None, changed_at=tx.now
        )
    )


def _samples(runs: Sequence[Reading]) -> int | None:
    counted = [one.samples for one in runs if one.samples is not None]
    return sum(counted) if counted else None
