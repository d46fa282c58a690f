"""Entries and their lines, an account's statement, and periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from marketplace.billing.ledger.errors import EntryMissing
from marketplace.billing.ledger.queries.accounts import account_by_id
from marketplace.billing.ledger.rules.chart import LedgerName
from marketplace.billing.ledger.rules.kinds import EntryKind
from marketplace.billing.ledger.tables import account, entry, period, posting
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """A journal entry; `reversed_by` is the entry that reversed it."""

    id: int
    ledger: str
    kind: str
    effective_on: date
    posted_at: datetime
    key: str
    reverses: int | None
    reversed_by: int | None
    source_kind: str
    source_id: int
    remark: str
    made_by: int
    approved_by: int | None


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of an entry, with the account it moves. Debit positive."""

    entry_id: int
    account_id: int
    type: str
    owner_id: int | None
    amount_fen: int
    balance_after_fen: int | None


_reversal = entry.alias("reversal")


def _entries() -> Select[Any]:
    return select(
        entry.c.id,
        entry.c.ledger,
        entry.c.kind,
        entry.c.effective_on,
        entry.c.posted_at,
        entry.c.key,
        entry.c.reverses,
        _reversal.c.id.label("reversed_by"),
        entry.c.source_kind,
        entry.c.source_id,
        entry.c.remark,
        entry.c.made_by,
        entry.c.approved_by,
    ).outerjoin_from(entry, _reversal, _reversal.c.reverses == entry.c.id)


async def entry_by_id(tx: Tx, entry_id: int) -> PostedEntry:
    """One entry.

    Raises:
        EntryMissing: when there is no such entry.
    """
    return await tx.one(PostedEntry, _entries().where(entry.c.id == entry_id), missing=EntryMissing)


async def entry_lines(tx: Tx, entry_ids: list[int]) -> list[EntryLine]:
    """The lines of some entries, in order of entry and account."""
    return await tx.all(
        EntryLine,
        select(
            posting.c.entry_id,
            posting.c.account_id,
            account.c.type,
            account.c.owner_id,
            posting.c.amount_fen,
            posting.c.balance_after_fen,
        )
        .join(account, account.c.id == posting.c.account_id)
        .where(posting.c.entry_id.in_(entry_ids))
        .order_by(posting.c.entry_id, posting.c.account_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySearch:
    """Which entries to list; the days are the entries' own, both ends included."""

    ledger: LedgerName | None = None
    account_id: int | None = None
    kind: EntryKind | None = None
    source_kind: str | None = None
    source_id: int | None = None
    from_on: date | None = None
    until_on: date | None = None
    page: int = 1
    page_size: int = 50


async def entries(tx: Tx, search: EntrySearch) -> tuple[list[PostedEntry], int]:
    """One page of entries, the latest first, and how many there are in all."""
    wanted: list[ColumnElement[bool]] = []
    for column, value in (
        (entry.c.ledger, search.ledger),
        (entry.c.kind, search.kind),
        (entry.c.source_kind, search.source_kind),
        (entry.c.source_id, search.source_id),
    ):
        if value is not None:
            wanted.append(column == value)
    if search.account_id is not None:
        wanted.append(
            select(posting.c.entry_id)
            .where(posting.c.entry_id == entry.c.id, posting.c.account_id == search.account_id)
            .exists()
        )
    if search.from_on is not None:
        wanted.append(entry.c.effective_on >= search.from_on)
    if search.until_on is not None:
        wanted.append(entry.c.effective_on <= search.until_on)
    total = await tx.scalar(select(func.count()).select_from(entry).where(*wanted))
    found = await tx.all(
        PostedEntry,
        _entries()
        .where(*wanted)
        .order_by(entry.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return found, total


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement of an account in its own sign, with the balance it left.

    A wide account keeps no running balance: `balance_after_fen` is None there.
    """

    entry_id: int
    kind: str
    effective_on: date
    posted_at: datetime
    source_kind: str
    source_id: int
    remark: str
    amount_fen: int
    balance_after_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatement:
    """Which movements of which account."""

    account_id: int
    page: int = 1
    page_size: int = 50


async def statement(tx: Tx, asked: AccountStatement) -> tuple[list[StatementLine], int]:
    """One page of an account's movements, the latest first, and how many there are in all.

    Raises:
        AccountMissing: when there is no such account.
    """
    found = await account_by_id(tx, asked.account_id)
    # The two partial indexes of postings: numbered ones, and those of wide accounts.
    if found.min_available_fen is None and found.max_balance_fen is None:
        numbered, order = posting.c.account_seq.is_(None), posting.c.entry_id.desc()
    else:
        numbered, order = posting.c.account_seq.is_not(None), posting.c.account_seq.desc()
    of_account = (posting.c.account_id == asked.account_id, numbered)
    total = await tx.scalar(select(func.count()).select_from(posting).where(*of_account))
    lines = await tx.all(
        StatementLine,
        select(
            posting.c.entry_id,
            entry.c.kind,
            entry.c.effective_on,
            entry.c.posted_at,
            entry.c.source_kind,
            entry.c.source_id,
            entry.c.remark,
            (posting.c.amount_fen * account.c.normal).label("amount_fen"),
            (posting.c.balance_after_fen * account.c.normal).label("balance_after_fen"),
        )
        .join(entry, entry.c.id == posting.c.entry_id)
        .join(account, account.c.id == posting.c.account_id)
        .where(*of_account)
        .order_by(order)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return lines, total


async def statement_of(
    tx: Tx, account_ids: Sequence[int], *, page: int = 1, page_size: int = 50
) -> tuple[list[StatementLine], int]:
    """One page of the movements of several numbered accounts together, the latest first."""
    of_accounts = (posting.c.account_id.in_(account_ids), posting.c.account_seq.is_not(None))
    total = await tx.scalar(select(func.count()).select_from(posting).where(*of_accounts))
    lines = await tx.all(
        StatementLine,
        select(
            posting.c.entry_id,
            entry.c.kind,
            entry.c.effective_on,
            entry.c.posted_at,
            entry.c.source_kind,
            entry.c.source_id,
            entry.c.remark,
            (posting.c.amount_fen * account.c.normal).label("amount_fen"),
            (posting.c.balance_after_fen * account.c.normal).label("balance_after_fen"),
        )
        .join(entry, entry.c.id == posting.c.entry_id)
        .join(account, account.c.id == posting.c.account_id)
        .where(*of_accounts)
        .order_by(posting.c.entry_id.desc(), posting.c.account_id)
        .limit(page_size)
        .offset((page - 1) * page_size),
    )
    return lines, total


@dataclass(frozen=True, slots=True)
class Period:
    """Days whose books are closed, or proposed to be; both ends included."""

    id: int
    ledger: str
    first_on: date
    last_on: date
    made_by: int
    made_at: datetime
    approved_by: int | None
    closed_at: datetime | None
    trial_balance: list[dict[str, Any]] | None
    seal_number: int | None


async def periods(tx: Tx, ledger: LedgerName | None = None) -> list[Period]:
    """The periods, the latest first; at most 500."""
    wanted = [] if ledger is None else [period.c.ledger == ledger]
    return await tx.all(
        Period, select(period).where(*wanted).order_by(period.c.first_on.desc()).limit(500)
    )
