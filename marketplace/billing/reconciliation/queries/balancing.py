"""Whether books and bank agree: opening + in − out = closing, and the ledger's own balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.queries import AccountType
from marketplace.billing.reconciliation.tables import bank_statement, statement_line
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class BalancingAsked:
    """Which days; None stands for the first and the last there are. Both ends are included."""

    first_on: date | None = None
    last_on: date | None = None


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """One bank account over the days asked for: opening + in − out = closing."""

    account_number: str
    opening_fen: int
    in_fen: int
    out_fen: int
    closing_fen: int
    lines: int
    stated_until_on: date


@dataclass(frozen=True, slots=True)
class Aged:
    """Unexplained lines by age; `up_to_days` is None for what is older still."""

    up_to_days: int | None
    lines: int
    in_fen: int
    out_fen: int


@dataclass(frozen=True, slots=True)
class Balancing:
    """How bank and books stand at the end of the last day.

    `difference_fen` is books less bank and has to be 0. Suspense is what the lines that nobody has
    explained come to.
    """

    first_on: date | None
    last_on: date | None
    accounts: tuple[AccountBalance, ...]
    closing_fen: int
    ledger_fen: int
    difference_fen: int
    suspense_fen: int
    unexplained_lines: int
    unexplained_fen: int
    unexplained: tuple[Aged, ...]


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Lines that nobody has explained: how many, what came and went, and since when they wait."""

    lines: int
    in_fen: int
    out_fen: int
    oldest_on: date | None


AGES = (7, 30, 90, None)


@dataclass(frozen=True, slots=True)
class BankMonth:
    """What came in and went out in one month, on all accounts."""

    month: date
    in_fen: int
    out_fen: int


async def bank_months(tx: Tx, first_on: date) -> list[BankMonth]:
    """Receipts and payments by month since a day, the earliest first; months without none."""
    line = statement_line.c
    month = func.date_trunc("month", line.booked_on).cast(Date)
    return await tx.all(
        BankMonth,
        select(
            month.label("month"),
            _sum(line.amount_fen, line.amount_fen > 0).label("in_fen"),
            _sum(-line.amount_fen, line.amount_fen < 0).label("out_fen"),
        )
        .where(line.line_number > 0, line.booked_on >= first_on)
        .group_by(month)
        .order_by(month),
    )


async def balancing(tx: Tx, asked: BalancingAsked) -> Balancing:
    """Opening, in, out and closing of every account, against the ledger's bank account."""
    accounts = await tx.all(AccountBalance, _accounts(asked))
    closing = sum(account.closing_fen for account in accounts)
    bank, suspense = await _books(tx, asked.last_on)
    unexplained = await _unexplained(tx, asked.last_on)
    return Balancing(
        first_on=asked.first_on,
        last_on=asked.last_on,
        accounts=tuple(accounts),
        closing_fen=closing,
        ledger_fen=bank,
        difference_fen=bank - closing,
        suspense_fen=suspense,
        unexplained_lines=sum(aged.lines for aged in unexplained),
        unexplained_fen=sum(aged.in_fen - aged.out_fen for aged in unexplained),
        unexplained=tuple(unexplained),
    )


def _accounts(asked: BalancingAsked) -> Select[Any]:
    amount = statement_line.c.amount_fen
    # What was there before the first statement is line 0, and no receipt.
    before: ColumnElement[bool] = statement_line.c.line_number == 0
    if asked.first_on is not None:
        before = or_(before, statement_line.c.booked_on < asked.first_on)
    return (
        select(
            bank_statement.c.account_number,
            _sum(amount, before).label("opening_fen"),
            _sum(amount, and_(~before, amount > 0)).label("in_fen"),
            _sum(-amount, and_(~before, amount < 0)).label("out_fen"),
            _sum(amount, true()).label("closing_fen"),
            func.count().filter(~before).label("lines"),
            func.max(bank_statement.c.until_on).label("stated_until_on"),
        )
        .join(bank_statement, bank_statement.c.id == statement_line.c.statement_id)
        .where(_until(asked.last_on))
        .group_by(bank_statement.c.account_number)
        .order_by(bank_statement.c.account_number)
    )


def _until(last_on: date | None) -> ColumnElement[bool]:
    return true() if last_on is None else statement_line.c.booked_on <= last_on


def _sum(amount: ColumnElement[int], where: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(amount).filter(where), 0), BigInteger)


async def _books(tx: Tx, last_on: date | None) -> tuple[int, int]:
    """The ledger's bank account and bank suspense, on the bank's own side: money is positive."""
    if last_on is None:
        bank, suspense = [
            sum(account.posted_fen for account in await ledger.balances(tx, of_type))
            for of_type in (AccountType.BANK, AccountType.BANK_SUSPENSE)
        ]
        return bank, suspense
    lines = {line.type: line.balance_fen for line in await ledger.trial_balance(tx, last_on)}
    return lines.get(AccountType.BANK, 0), -lines.get(AccountType.BANK_SUSPENSE, 0)


async def _unexplained(tx: Tx, last_on: date | None) -> list[Aged]:
    amount = statement_line.c.amount_fen
    age = literal(tx.today) - statement_line.c.booked_on
    bucket = case(*((age <= days, days) for days in AGES if days is not None), else_=None)
    found = await tx.all(
        Aged,
        select(
            bucket.label("up_to_days"),
            func.count().label("lines"),
            _sum(amount, amount > 0).label("in_fen"),
            _sum(-amount, amount < 0).label("out_fen"),
        )
        .where(
            statement_line.c.status == "unmatched",
            _until(last_on),
        )
        .group_by("up_to_days"),
    )
    return sorted(found, key=lambda aged: AGES.index(aged.up_to_days))


async def unexplained(tx: Tx, _: None = None) -> Unexplained:
    """What is open now, of all statements; it reads open lines only."""
    amount = statement_line.c.amount_fen
    return await tx.one(
        Unexplained,
        select(
            func.count().label("lines"),
            _sum(amount, amount > 0).label("in_fen"),
            _sum(-amount, amount < 0).label("out_fen"),
            func.min(statement_line.c.booked_on).label("oldest_on"),
        ).where(statement_line.c.status == "unmatched"),
    )
