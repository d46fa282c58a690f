"""Usage sessions as typed rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from marketplace.booking.tables import usage_session
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class UsageSession:
    """The use of a reservation; reserved, actual and billable time are kept apart.

    `problem` says why nobody vouches for its minutes yet; `settled_at` since when money has moved
    on them, so that they stand.
    """

    id: int
    reservation_id: int
    instrument_id: int
    opened_at: datetime
    closed_at: datetime | None
    reserved_minutes: int
    actual_minutes: int | None
    billable_minutes: int | None
    preparation_minutes: int | None
    test_minutes: int | None
    post_minutes: int | None
    operator_id: int
    problem: str | None
    opened_how: str
    closed_how: str | None
    samples_run: int | None
    note: str | None
    settled_at: datetime | None


async def session_of(tx: Tx, reservation_id: int) -> UsageSession | None:
    """The session of a reservation, or None while nobody has checked in."""
    return await tx.first(
        UsageSession,
        select(usage_session).where(usage_session.c.reservation_id == reservation_id),
    )


async def sessions_of(tx: Tx, reservation_ids: Iterable[int]) -> dict[int, UsageSession]:
    """The sessions of some reservations by theirs, of those that have one."""
    found = await tx.all(
        UsageSession,
        select(usage_session).where(
            usage_session.c.reservation_id.in_(sorted(set(reservation_ids)))
        ),
    )
    return {each.reservation_id: each for each in found}


async def locked_session(tx: Tx, reservation_id: int) -> UsageSession:
    """The session of a reservation, its row locked.

    Raises:
        Missing: while nobody has checked in.
    """
    return await tx.one(
        UsageSession,
        select(usage_session)
        .where(usage_session.c.reservation_id == reservation_id)
        .with_for_update(),
    )
