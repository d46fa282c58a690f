"""What a month's close asks of the ledger: open days before it, and what is not sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Select, and_, func, or_, select

from marketplace.billing.ledger.errors import PeriodMissing
from marketplace.billing.ledger.queries.entries import Period
from marketplace.billing.ledger.rules.chart import LedgerName
from marketplace.billing.ledger.tables import entry, period, seal
from marketplace.kernel.db import Tx


async def ledgers_open_before(tx: Tx, day: date) -> list[LedgerName]:
    """The ledgers with entries before a day whose last day before it is not closed."""
    closed_until = (
        select(period.c.id)
        .where(
            period.c.ledger == entry.c.ledger,
            period.c.closed_at.is_not(None),
            period.c.first_on <= day - timedelta(days=1),
            period.c.last_on >= day - timedelta(days=1),
        )
        .exists()
    )
    found = await tx.scalars(
        select(entry.c.ledger)
        .where(entry.c.effective_on < day, ~closed_until)
        .distinct()
        .order_by(entry.c.ledger)
    )
    return [LedgerName(name) for name in found]


async def periods_within(tx: Tx, first_on: date, last_on: date) -> Sequence[Period]:
    """The periods of all ledgers that have exactly these days."""
    return await tx.all(
        Period,
        select(period)
        .where(period.c.first_on == first_on, period.c.last_on == last_on)
        .order_by(period.c.ledger),
    )


async def period_by_id(tx: Tx, period_id: int) -> Period:
    """One period.

    Raises:
        PeriodMissing: when there is none.
    """
    return await tx.one(
        Period, select(period).where(period.c.id == period_id), missing=PeriodMissing
    )


@dataclass(frozen=True, slots=True)
class Sealing:
    """How far the entries of a day and before are sealed.

    `covering_seal` is the seal that has the last of them, None while it is not sealed.
    """

    entries: int
    unsealed: int
    unsealed_ids: tuple[int, ...]
    covering_seal: int | None


async def sealing(tx: Tx, last_on: date) -> Sealing:
    """Which entries until a day are in no seal, and which seal has the last one that is."""
    until = entry.c.effective_on <= last_on
    head = select(seal.c.to_xid, seal.c.after_id).order_by(seal.c.number.desc()).limit(1).cte("h")
    outside: Select[tuple[int]] = select(entry.c.id).where(
        until,
        ~select(head.c.to_xid)
        .where(or_(entry.c.xid < head.c.to_xid, entry.c.id <= head.c.after_id))
        .exists(),
    )
    entries = await tx.scalar(select(func.count()).select_from(entry).where(until))
    unsealed = await tx.scalar(select(func.count()).select_from(outside.subquery()))
    ids = await tx.scalars(outside.order_by(entry.c.id).limit(100))
    last = (
        select(entry.c.xid, entry.c.id).where(until).order_by(entry.c.id.desc()).limit(1).subquery()
    )
    covering = await tx.scalar(
        select(func.min(seal.c.number)).join(
            last, and_(seal.c.after_id < last.c.id, seal.c.to_xid > last.c.xid)
        )
    )
    return Sealing(entries, unsealed, tuple(ids), None if unsealed else covering)


async def seals_after(tx: Tx, number: int, limit: int) -> list[tuple[int, str]]:
    """Number and digest of the seals that follow a number, in order."""
    rows = await tx.execute(
        select(seal.c.number, seal.c.sha256)
        .where(seal.c.number > number)
        .order_by(seal.c.number)
        .limit(limit)
    )
    return [(row.number, row.sha256.hex()) for row in rows]
