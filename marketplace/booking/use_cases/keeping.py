"""Keep what was said of sessions after they had ended, and tell it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from marketplace.booking.events import SessionRepaired
from marketplace.booking.queries.repairs import SessionRepair
from marketplace.booking.queries.reservations import Reservation
from marketplace.booking.queries.sessions import UsageSession
from marketplace.booking.rules.sessions import RepairKind
from marketplace.booking.tables import session_repair
from marketplace.kernel.db import Tx

_WORTH_KEEPING = (
    "actual_minutes",
    "billable_minutes",
    "preparation_minutes",
    "test_minutes",
    "post_minutes",
    "samples_run",
    "problem",
    "closed_how",
)


async def keep_repair(
    tx: Tx,
    kind: RepairKind,
    reason: str,
    *,
    present: Reservation,
    before: UsageSession,
    after: UsageSession,
    by_staff: bool = True,
    answers_id: int | None = None,
) -> SessionRepair:
    """Keep what was done to a session, and tell it where something changed."""
    if after != before:
        tx.record(
            SessionRepaired(
                session_id=after.id,
                reservation_id=present.id,
                order_id=present.order_id or 0,
                instrument_id=present.instrument_id,
                billable_minutes_before=before.billable_minutes or 0,
                billable_minutes=after.billable_minutes or 0,
                by_staff=by_staff,
            )
        )
    return await store_repair(
        tx,
        kind,
        reason,
        present=present,
        before=before,
        after=snapshot(after),
        by_staff=by_staff,
        answers_id=answers_id,
    )


async def store_repair(
    tx: Tx,
    kind: RepairKind,
    reason: str,
    *,
    present: Reservation,
    before: UsageSession,
    after: dict[str, Any],
    by_staff: bool,
    answers_id: int | None = None,
) -> SessionRepair:
    """Keep that something was said of a session, whether it changed the session or not."""
    row: dict[str, Any] = {
        "session_id": before.id,
        "kind": kind,
        "answers_id": answers_id,
        "made_by": tx.actor.person_id,
        "made_at": tx.now,
        "by_staff": by_staff,
        "reason": reason,
        "before": snapshot(before),
        "after": after,
    }
    repair_id = await tx.scalar(insert(session_repair).values(**row).returning(session_repair.c.id))
    tx.audit(
        kind.value,
        subject="usage_session",
        subject_id=before.id,
        repair_id=repair_id,
        reservation_id=present.id,
        reason=reason,
        by_staff=by_staff,
        before=row["before"],
        after=after,
    )
    return SessionRepair(**row, id=repair_id, reservation_id=present.id, answer=None)


def snapshot(session: UsageSession) -> dict[str, Any]:
    """What a session came to, as it is kept with a repair."""
    kept: dict[str, Any] = {name: getattr(session, name) for name in _WORTH_KEEPING}
    kept["opened_at"] = session.opened_at.isoformat()
    kept["closed_at"] = session.closed_at.isoformat() if session.closed_at else None
    return kept
