"""The sessions of many reservations whose minutes are paid for at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from marketplace.booking.queries import UsageSession
from marketplace.booking.tables import usage_session
from marketplace.kernel.db import Tx


async def settle_sessions(tx: Tx, reservation_ids: Sequence[int]) -> dict[int, UsageSession]:
    """The sessions of reservations whose minutes are paid for now: from here on they stand.

    As `settle_session` does for one: a session that is open or in the problem queue is answered as
    it is, and may still be repaired.
    """
    if not reservation_ids:
        return {}
    of = usage_session.c.reservation_id
    # In one order, so that two that settle some of the same never wait for each other in a ring.
    await tx.execute(
        select(usage_session.c.id)
        .where(of.in_(reservation_ids))
        .order_by(usage_session.c.id)
        .with_for_update()
    )
    await tx.execute(
        update(usage_session)
        .where(
            of.in_(reservation_ids),
            usage_session.c.closed_at.is_not(None),
            usage_session.c.problem.is_(None),
            usage_session.c.settled_at.is_(None),
        )
        .values(settled_at=tx.now)
    )
    found = await tx.all(UsageSession, select(usage_session).where(of.in_(reservation_ids)))
    return {session.reservation_id: session for session in found}
