"""Accounts, what lies on them, what of it is held, and the trial balance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, func, select

from marketplace.billing.ledger.errors import AccountMissing
from marketplace.billing.ledger.rules.chart import AccountType, LedgerName
from marketplace.billing.ledger.tables import account, entry, hold, hold_end, posting
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class AccountName:
    """What an account is called: its type and, where it has one, its owner."""

    type: AccountType
    owner_id: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What lies on an account, what of it is held, and what remains."""

    posted_fen: int
    held_fen: int
    available_fen: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its balance in its own sign."""

    id: int
    ledger: str
    type: str
    owner_kind: str | None
    owner_id: int | None
    posted_fen: int
    held_fen: int
    min_available_fen: int | None
    max_balance_fen: int | None
    opened_at: datetime
    closed_at: datetime | None

    @property
    def available_fen(self) -> int:
        """What may be spent or held: the balance less what is held already."""
        return self.posted_fen - self.held_fen


def _balance() -> ColumnElement[int]:
    """From the account's row, or summed over its postings where the account is wide."""
    summed = (
        select(func.coalesce(func.sum(posting.c.amount_fen), 0))
        .where(posting.c.account_id == account.c.id, posting.c.account_seq.is_(None))
        .scalar_subquery()
    )
    signed = case((account.c.cached, account.c.posted_fen), else_=summed)
    return cast(signed * account.c.normal, BigInteger)


def _accounts() -> Select[Any]:
    return select(
        account.c.id,
        account.c.ledger,
        account.c.type,
        account.c.owner_kind,
        account.c.owner_id,
        _balance().label("posted_fen"),
        account.c.held_fen,
        account.c.min_available_fen,
        account.c.max_balance_fen,
        account.c.opened_at,
        account.c.closed_at,
    )


async def account_id(tx: Tx, name: AccountName) -> int | None:
    """The account called `name`, or None while nobody has opened it."""
    found: int | None = await tx.scalar(
        select(account.c.id).where(
            account.c.type == name.type,
            account.c.owner_id.is_not_distinct_from(name.owner_id),
        )
    )
    return found


async def account_by_id(tx: Tx, of_account_id: int) -> Account:
    """One account with its balance.

    Raises:
        AccountMissing: when there is no such account.
    """
    return await tx.one(
        Account, _accounts().where(account.c.id == of_account_id), missing=AccountMissing
    )


async def balance(tx: Tx, of_account_id: int) -> Balance:
    """The balance of one account, in its own sign.

    Raises:
        AccountMissing: when there is no such account.
    """
    found = await account_by_id(tx, of_account_id)
    return Balance(found.posted_fen, found.held_fen, found.available_fen)


async def balances(tx: Tx, of_type: AccountType) -> list[Account]:
    """Every account of a type, in order of owner, with its balance."""
    return await tx.all(
        Account,
        _accounts().where(account.c.type == of_type).order_by(account.c.owner_id, account.c.id),
    )


async def balances_of(
    tx: Tx, of_type: AccountType, owner_ids: Collection[int]
) -> dict[int, Account]:
    """The accounts of these owners, by owner, all as they were at one moment.

    Owners who have no such account yet are left out.
    """
    found = await tx.all(
        Account,
        _accounts().where(account.c.type == of_type, account.c.owner_id.in_(owner_ids)),
    )
    return {each.owner_id: each for each in found if each.owner_id is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSearch:
    """Which accounts to list."""

    ledger: LedgerName | None = None
    type: AccountType | None = None
    owner_id: int | None = None
    page: int = 1
    page_size: int = 50


async def accounts(tx: Tx, search: AccountSearch) -> tuple[list[Account], int]:
    """One page of accounts, in order of type and owner, and how many there are in all."""
    wanted = []
    if search.ledger is not None:
        wanted.append(account.c.ledger == search.ledger)
    if search.type is not None:
        wanted.append(account.c.type == search.type)
    if search.owner_id is not None:
        wanted.append(account.c.owner_id == search.owner_id)
    total = await tx.scalar(select(func.count()).select_from(account).where(*wanted))
    # Two steps, so that only the accounts of this page are summed.
    ids = await tx.scalars(
        select(account.c.id)
        .where(*wanted)
        .order_by(account.c.type, account.c.owner_id, account.c.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size)
    )
    found = await tx.all(
        Account,
        _accounts()
        .where(account.c.id.in_(ids))
        .order_by(account.c.type, account.c.owner_id, account.c.id),
    )
    return found, total


@dataclass(frozen=True, slots=True)
class OpenHold:
    """Money held on an account and neither settled nor released."""

    id: int
    account_id: int
    amount_fen: int
    placed_at: datetime
    expires_at: datetime | None
    source_kind: str
    source_id: int


async def accounts_of_holds(tx: Tx, hold_ids: Sequence[int]) -> dict[int, int]:
    """On which account each of some holds stands."""
    rows = await tx.execute(select(hold.c.id, hold.c.account_id).where(hold.c.id.in_(hold_ids)))
    return {row.id: row.account_id for row in rows}


async def open_holds(tx: Tx, of_account_id: int) -> list[OpenHold]:
    """The holds on one account, oldest first; at most 1,000."""
    ended = select(hold_end.c.hold_id).where(hold_end.c.hold_id == hold.c.id).exists()
    return await tx.all(
        OpenHold,
        select(
            hold.c.id,
            hold.c.account_id,
            hold.c.amount_fen,
            hold.c.placed_at,
            hold.c.expires_at,
            hold.c.source_kind,
            hold.c.source_id,
        )
        .where(hold.c.account_id == of_account_id, ~ended)
        .order_by(hold.c.id)
        .limit(1000),
    )


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """What all accounts of one type have had and have: debits − credits = balance, debit positive.

    The balances of a ledger sum to zero.
    """

    ledger: str
    type: str
    accounts: int
    debit_fen: int
    credit_fen: int
    balance_fen: int


async def trial_balance(tx: Tx, as_of: date) -> list[TrialBalanceLine]:
    """Debits and credits of each type of account, of entries effective on `as_of` or before.

    Reads every posting: seconds for millions.
    """
    amount = posting.c.amount_fen
    debit = func.coalesce(func.sum(amount).filter(amount > 0), 0)
    credit = func.coalesce(func.sum(-amount).filter(amount < 0), 0)
    moved = (
        select(
            posting.c.account_id,
            cast(debit, BigInteger).label("debit_fen"),
            cast(credit, BigInteger).label("credit_fen"),
        )
        .join(entry, entry.c.id == posting.c.entry_id)
        .where(entry.c.effective_on <= as_of)
        .group_by(posting.c.account_id)
        .subquery()
    )
    debits, credits = (
        cast(func.sum(column), BigInteger) for column in (moved.c.debit_fen, moved.c.credit_fen)
    )
    return await tx.all(
        TrialBalanceLine,
        select(
            account.c.ledger,
            account.c.type,
            func.count().label("accounts"),
            debits.label("debit_fen"),
            credits.label("credit_fen"),
            (debits - credits).label("balance_fen"),
        )
        .join(moved, moved.c.account_id == account.c.id)
        .group_by(account.c.ledger, account.c.type)
        .order_by(account.c.ledger, account.c.type),
    )
