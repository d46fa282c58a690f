"""Periods that were signed off, or are proposed to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from marketplace.billing.reconciliation.errors import SignOffMissing
from marketplace.billing.reconciliation.tables import reconciliation_period
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class SignOff:
    """A period, how it balanced, and who prepared and approved it."""

    id: int
    ledger_period_id: int
    first_on: date
    last_on: date
    status: str
    balancing: dict[str, Any]
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None


async def sign_off_by_id(tx: Tx, sign_off_id: int) -> SignOff:
    """One sign-off.

    Raises:
        SignOffMissing: when there is none.
    """
    return await tx.one(
        SignOff,
        select(reconciliation_period).where(reconciliation_period.c.id == sign_off_id),
        missing=SignOffMissing,
    )


async def sign_offs(tx: Tx, _: None = None) -> list[SignOff]:
    """The sign-offs, the latest period first; at most 200."""
    return await tx.all(
        SignOff,
        select(reconciliation_period).order_by(reconciliation_period.c.first_on.desc()).limit(200),
    )
