"""What the books said on a day: balances by effective or by posting date, years, reopenings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, select

from marketplace.billing.ledger.queries.accounts import account_by_id
from marketplace.billing.ledger.tables import account, entry, period_reopening, posting
from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_instant


class DatedBy(StrEnum):
    """Which of an entry's two dates counts."""

    EFFECTIVE = "effective"
    """The day on which it was so."""
    POSTED = "posted"
    """The day on which the books were told."""


@dataclass(frozen=True, slots=True)
class BalanceAsked:
    """One account at the end of a day."""

    account_id: int
    as_of: date
    by: DatedBy = DatedBy.EFFECTIVE


@dataclass(frozen=True, slots=True)
class DatedBalance:
    """A balance in the account's own sign, and how many postings it is the sum of."""

    account_id: int
    as_of: date
    by: DatedBy
    postings: int
    balance_fen: int


async def balance_as_of(tx: Tx, asked: BalanceAsked) -> DatedBalance:
    """What lay on an account at the end of a day, from its postings.

    Raises:
        AccountMissing: when there is no such account.
    """
    await account_by_id(tx, asked.account_id)
    dated = {
        DatedBy.EFFECTIVE: entry.c.effective_on <= asked.as_of,
        DatedBy.POSTED: entry.c.posted_at < shanghai_instant(asked.as_of + timedelta(days=1)),
    }[asked.by]
    found = (
        await tx.execute(
            select(
                func.count().label("postings"),
                _sum(posting.c.amount_fen * account.c.normal).label("balance_fen"),
            )
            .select_from(posting)
            .join(entry, entry.c.id == posting.c.entry_id)
            .join(account, account.c.id == posting.c.account_id)
            .where(posting.c.account_id == asked.account_id, dated)
        )
    ).one()
    return DatedBalance(asked.account_id, asked.as_of, asked.by, found.postings, found.balance_fen)


@dataclass(frozen=True, slots=True)
class YearLine:
    """All accounts of a type over a year, debit positive: opening + debits - credits = closing."""

    ledger: str
    type: str
    opening_fen: int
    debit_fen: int
    credit_fen: int
    closing_fen: int


async def year_of(tx: Tx, year: int) -> list[YearLine]:
    """How a year opened, what moved, and how it closed, by effective date.

    Every account carries forward: a year opens with what the one before it closed with.
    """
    amount = posting.c.amount_fen
    before = entry.c.effective_on < date(year, 1, 1)
    return await tx.all(
        YearLine,
        select(
            account.c.ledger,
            account.c.type,
            _sum(amount, before).label("opening_fen"),
            _sum(amount, ~before & (amount > 0)).label("debit_fen"),
            _sum(-amount, ~before & (amount < 0)).label("credit_fen"),
            _sum(amount).label("closing_fen"),
        )
        .select_from(posting)
        .join(entry, entry.c.id == posting.c.entry_id)
        .join(account, account.c.id == posting.c.account_id)
        .where(entry.c.effective_on <= date(year, 12, 31))
        .group_by(account.c.ledger, account.c.type)
        .order_by(account.c.ledger, account.c.type),
    )


def _sum(
    amount: ColumnElement[int], where: ColumnElement[bool] | None = None
) -> ColumnElement[int]:
    total: ColumnElement[Any] = func.sum(amount)
    if where is not None:
        total = func.sum(amount).filter(where)
    return cast(func.coalesce(total, 0), BigInteger)


@dataclass(frozen=True, slots=True)
class Reopening:
    """A request to open a closed period again, with what its closing had said."""

    id: int
    period_id: int
    reason: str
    made_by: int
    made_at: datetime
    closed_by: int
    closed_at: datetime
    trial_balance: list[dict[str, Any]]
    seal_number: int | None
    approved_by: int | None
    approved_at: datetime | None


async def reopenings(tx: Tx, period_id: int) -> list[Reopening]:
    """The requests to open a period again, the latest first; at most 200."""
    return await reopenings_of(tx, [period_id])


async def reopenings_of(tx: Tx, period_ids: Sequence[int]) -> list[Reopening]:
    """The requests to open some periods again, the latest first; at most 200."""
    return await tx.all(
        Reopening,
        select(period_reopening)
        .where(period_reopening.c.period_id.in_(period_ids))
        .order_by(period_reopening.c.id.desc())
        .limit(200),
    )
