"""Statements, and what of a file is known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ARRAY, LargeBinary, Text, any_, func, literal, select

from marketplace.billing.reconciliation.errors import StatementMissing
from marketplace.billing.reconciliation.tables import bank_statement, statement_line
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class BankStatement:
    """An imported file: opening + in − out = closing; `known_lines` had come in another file."""

    id: int
    account_number: str
    previous_id: int | None
    file_name: str
    file_sha256: bytes
    from_on: date
    until_on: date
    opening_fen: int
    in_fen: int
    out_fen: int
    closing_fen: int
    lines: int
    known_lines: int
    imported_by: int
    imported_at: datetime
    format: str
    unmatched: int


_unmatched = (
    select(func.count())
    .where(
        statement_line.c.statement_id == bank_statement.c.id,
        statement_line.c.status == "unmatched",
    )
    .correlate(bank_statement)
    .scalar_subquery()
    .label("unmatched")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementSearch:
    """Which statements to list."""

    account_number: str | None = None
    page: int = 1
    page_size: int = 50


async def statement_by_id(tx: Tx, statement_id: int) -> BankStatement:
    """One statement.

    Raises:
        StatementMissing: when there is none.
    """
    return await tx.one(
        BankStatement,
        select(bank_statement, _unmatched).where(bank_statement.c.id == statement_id),
        missing=StatementMissing,
    )


async def statements(tx: Tx, search: StatementSearch) -> tuple[list[BankStatement], int]:
    """A page of statements, newest first, and how many there are."""
    wanted = []
    if search.account_number is not None:
        wanted.append(bank_statement.c.account_number == search.account_number)
    total = await tx.scalar(select(func.count()).select_from(bank_statement).where(*wanted))
    found = await tx.all(
        BankStatement,
        select(bank_statement, _unmatched)
        .where(*wanted)
        .order_by(bank_statement.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return found, total


async def last_statement(tx: Tx, account_number: str) -> BankStatement | None:
    """The end of an account's chain."""
    return await tx.first(
        BankStatement,
        select(bank_statement, _unmatched)
        .where(bank_statement.c.account_number == account_number)
        .order_by(bank_statement.c.id.desc())
        .limit(1),
    )


async def known_file(tx: Tx, file_sha256: bytes) -> int | None:
    """The statement that was imported from these very bytes."""
    found: int | None = await tx.scalar(
        select(bank_statement.c.id).where(bank_statement.c.file_sha256 == file_sha256)
    )
    return found


async def known_identities(tx: Tx, identities: Sequence[bytes]) -> set[bytes]:
    """Which of these lines have been imported."""
    given = literal(list(identities), ARRAY(LargeBinary))
    return {
        bytes(identity)
        for identity in await tx.scalars(
            select(statement_line.c.identity).where(statement_line.c.identity == any_(given))
        )
    }


async def known_bookings(
    tx: Tx, account_number: str, references: Sequence[str]
) -> dict[tuple[str, date], int]:
    """By the bank's number and day: what the lines of these bookings come to.

    A statement may show as one line what a notice showed in parts, `N`, `N/1`, `N/2` and so on.
    """
    if not references:
        return {}
    given = literal(sorted(set(references)), ARRAY(Text))
    booking = func.split_part(statement_line.c.bank_reference, "/", 1)
    found = await tx.execute(
        select(
            booking.label("name"),
            statement_line.c.booked_on,
            func.sum(statement_line.c.amount_fen).label("fen"),
        )
        .join(bank_statement, bank_statement.c.id == statement_line.c.statement_id)
        .where(
            bank_statement.c.account_number == account_number,
            statement_line.c.bank_reference != "",
            booking == any_(given),
        )
        .group_by(booking, statement_line.c.booked_on)
    )
    return {(row.name, row.booked_on): int(row.fen) for row in found}
