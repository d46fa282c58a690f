"""Closing periods by two persons, and sealing what has been posted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import func, insert, select, update

from marketplace.billing.ledger.errors import (
    PeriodClosed,
    PeriodMissing,
    PeriodNotOver,
    SelfApproval,
)
from marketplace.billing.ledger.queries import Period, trial_balance
from marketplace.billing.ledger.rules.chart import LedgerName
from marketplace.billing.ledger.tables import period, seal
from marketplace.kernel.db import Tx

SEALED_AT_ONCE = 20_000
# Class of the locks that posting takes shared, one for each ledger; see the migration.
POSTING_LOCKS = 4_862_004


@dataclass(frozen=True, slots=True)
class ProposePeriod:
    """Days of one ledger to be closed, both ends included."""

    ledger: LedgerName
    first_on: date
    last_on: date


async def propose_period(tx: Tx, command: ProposePeriod) -> int:
    """Ask for a period to be closed; another person closes it.

    Raises:
        PeriodNotOver: when the last day has not passed, or comes before the first.
        PeriodOverlaps: when some of the days are in another period.
    """
    if not command.first_on <= command.last_on < tx.today:
        raise PeriodNotOver(
            "Name days in order, and none that has not passed.",
            limit=tx.today,
            asked=command.last_on,
        )
    proposed: int = await tx.scalar(
        insert(period)
        .values(**asdict(command), made_by=tx.actor.person_id, made_at=tx.now)
        .returning(period.c.id)
    )
    tx.audit("propose", subject="period", subject_id=proposed)
    return proposed


@dataclass(frozen=True, slots=True)
class ClosePeriod:
    """Close what another person proposed."""

    period_id: int


async def close_period(tx: Tx, command: ClosePeriod) -> Period:
    """Close a period for good, with its trial balance and the seal that stood at the time.

    Waits for every entry under way, and from then on entries of those days are refused.

    Raises:
        PeriodMissing: when there is no such period.
        SelfApproval: when the caller proposed it.
        PeriodClosed: when it is closed already.
    """
    proposed = await _locked(tx, command.period_id)
    if proposed.closed_at is not None:
        raise PeriodClosed("The period is closed already.")
    if proposed.made_by == tx.actor.person_id:
        raise SelfApproval("Somebody else closes the period that you proposed.")
    ledger_lock = func.ledger_lock(proposed.ledger)
    await tx.execute(select(func.pg_advisory_xact_lock(POSTING_LOCKS, ledger_lock)))
    lines = await trial_balance(tx, proposed.last_on)
    await tx.execute(
        update(period)
        .where(period.c.id == proposed.id)
        .values(
            approved_by=tx.actor.person_id,
            closed_at=tx.now,
            trial_balance=[asdict(line) for line in lines if line.ledger == proposed.ledger],
            seal_number=select(func.max(seal.c.number)).scalar_subquery(),
        )
    )
    tx.audit("close", subject="period", subject_id=proposed.id)
    return await _locked(tx, proposed.id)


async def _locked(tx: Tx, period_id: int) -> Period:
    return await tx.one(
        Period,
        select(period).where(period.c.id == period_id).with_for_update(),
        missing=PeriodMissing,
    )


async def seal_entries(tx: Tx, _: None = None) -> int:
    """Seal entries that can have no late companion any more; how many were sealed."""
    sealed: int = await tx.scalar(select(func.ledger_seal(SEALED_AT_ONCE, tx.now)))
    return sealed
