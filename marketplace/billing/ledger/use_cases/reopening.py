"""Opening a closed period again: one person gives the reason, another agrees."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, null, select, update

from marketplace.billing.ledger.errors import (
    PeriodMissing,
    PeriodNotClosed,
    ReopeningDecided,
    ReopeningMissing,
    ReopenLatestFirst,
    SelfApproval,
)
from marketplace.billing.ledger.queries import Period, Reopening
from marketplace.billing.ledger.tables import period, period_reopening
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class ProposeReopening:
    """Ask for a closed period to be opened again, and say why."""

    period_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class ApproveReopening:
    """Open a period again that another person asked to be opened."""

    reopening_id: int


async def propose_reopening(tx: Tx, command: ProposeReopening) -> Reopening:
    """Ask for a closed period to be opened again; what its closing said is kept with the reason.

    Raises:
        PeriodMissing: when there is no such period.
        PeriodNotClosed: when it is open.
        ReopenLatestFirst: when a later period of the ledger is closed.
        ReopeningProposed: when somebody has asked for it already.
    """
    closed = await tx.one(
        Period,
        select(period).where(period.c.id == command.period_id).with_for_update(),
        missing=PeriodMissing,
    )
    if closed.closed_at is None:
        raise PeriodNotClosed("The period is open.")
    await _require_latest(tx, closed)
    proposed = await tx.one(
        Reopening,
        insert(period_reopening)
        .values(
            period_id=closed.id,
            reason=command.reason,
            made_by=tx.actor.person_id,
            made_at=tx.now,
            closed_by=closed.approved_by,
            closed_at=closed.closed_at,
            trial_balance=closed.trial_balance,
            seal_number=closed.seal_number,
        )
        .returning(*period_reopening.c),
    )
    tx.audit("propose", subject="period_reopening", subject_id=proposed.id, period_id=closed.id)
    return proposed


async def approve_reopening(tx: Tx, command: ApproveReopening) -> Reopening:
    """Open the period again: its days take entries until two persons close it once more.

    Raises:
        ReopeningMissing: when nobody asked.
        ReopeningDecided: when it was opened before.
        SelfApproval: when the caller asked for it.
        ReopenLatestFirst: when a later period of the ledger was closed since.
    """
    asked = await tx.one(
        Reopening,
        select(period_reopening)
        .where(period_reopening.c.id == command.reopening_id)
        .with_for_update(),
        missing=ReopeningMissing,
    )
    if asked.approved_at is not None:
        raise ReopeningDecided("The period was opened by this request before.")
    if asked.made_by == tx.actor.person_id:
        raise SelfApproval("Somebody else opens the period that you asked to open.")
    closed = await tx.one(
        Period, select(period).where(period.c.id == asked.period_id).with_for_update()
    )
    await _require_latest(tx, closed)
    opened = await tx.one(
        Reopening,
        update(period_reopening)
        .where(period_reopening.c.id == asked.id)
        .values(approved_by=tx.actor.person_id, approved_at=tx.now)
        .returning(*period_reopening.c),
    )
    await tx.execute(
        update(period)
        .where(period.c.id == asked.period_id)
        .values(approved_by=None, closed_at=None, trial_balance=null(), seal_number=None)
    )
    tx.audit(
        "reopen",
        subject="period",
        subject_id=asked.period_id,
        reopening_id=asked.id,
        reason=asked.reason,
    )
    return opened


async def _require_latest(tx: Tx, closed: Period) -> None:
    later = await tx.scalar(
        select(period.c.first_on)
        .where(
            period.c.ledger == closed.ledger,
            period.c.first_on > closed.last_on,
            period.c.closed_at.is_not(None),
        )
        .order_by(period.c.first_on.desc())
        .limit(1)
    )
    if later is not None:
        raise ReopenLatestFirst(
            f"The period that begins on {later} is closed and rests on this one: open it first.",
            limit=later,
            asked=closed.first_on,
        )
