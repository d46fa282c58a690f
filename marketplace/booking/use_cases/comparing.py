"""Hold what an instrument's own log says against the session that it tells of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update

from marketplace.booking.queries.readings import Reading, readings_of
from marketplace.booking.queries.sessions import UsageSession
from marketplace.booking.rules.readings import (
    RESOLVED,
    Closed,
    ReadingState,
    differences,
    log_of,
    state_of,
)
from marketplace.booking.rules.sessions import Told
from marketplace.booking.rules.states import Status
from marketplace.booking.tables import machine_reading
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason


async def compare_with_log(tx: Tx, session: UsageSession) -> list[Reason]:
    """Where a closed session differs from its log, having noted it on each run.

    What staff resolved stays as they said.
    """
    found = await readings_of(tx, session.reservation_id)
    if not found:
        return []
    reasons = log_reasons(session, found)
    states: dict[ReadingState, list[int]] = {}
    for reading in found:
        if reading.state not in RESOLVED:
            state = state_of(reading.run, Status.USED, reasons)
            states.setdefault(state, []).append(reading.id)
    for state, ids in states.items():
        await tx.execute(
            update(machine_reading)
            .where(machine_reading.c.id.in_(ids))
            .values(state=state, session_id=session.id, changed_at=tx.now)
        )
    return reasons


def log_reasons(session: UsageSession, readings: Sequence[Reading]) -> list[Reason]:
    """Where a closed session and its runs are further apart than their sources allow.

    Several sources may watch one instrument; the most patient of them decides. Where the log ended
    the session, nobody had a chance to say how much of it was preparation.
    """
    log = log_of(reading.run for reading in readings)
    if log is None or session.closed_at is None:
        return []
    by_log = session.closed_how == Told.LOG
    return differences(
        Closed(
            session.opened_at,
            session.closed_at,
            (session.actual_minutes if by_log else session.preparation_minutes) or 0,
            session.post_minutes or 0,
        ),
        log,
        tolerance_minutes=max(reading.tolerance_minutes for reading in readings),
    )
