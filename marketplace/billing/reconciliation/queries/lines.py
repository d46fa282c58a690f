"""Lines of statements, with the match that stands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select

from marketplace.billing.reconciliation.errors import LineMissing
from marketplace.billing.reconciliation.rules.matching import OpenLine
from marketplace.billing.reconciliation.tables import bank_statement, line_match, statement_line
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line as the bank booked it, what it is, and who found that.

    `age_days` counts from its day for as long as nobody has explained it.
    """

    id: int
    statement_id: int
    account_number: str
    line_number: int
    booked_on: date
    amount_fen: int
    balance_fen: int
    counterparty_name: str
    counterparty_account: str
    remark: str
    bank_reference: str
    status: str
    note: str
    age_days: int | None
    match_id: int | None
    kind: str | None
    target_id: int | None
    reference: str | None
    how: str | None
    rule: str | None
    reason: str | None
    entry_id: int | None
    matched_by: int | None
    matched_at: datetime | None
    score: int | None
    end_to_end_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSearch:
    """Which lines to list; `amount_fen` is found in either direction, days include both ends."""

    status: str | None = None
    kind: str | None = None
    statement_id: int | None = None
    account_number: str | None = None
    text: str = ""
    amount_fen: int | None = None
    from_on: date | None = None
    until_on: date | None = None
    page: int = 1
    page_size: int = 50


_NAMES = [field.name for field in fields(StatementLine)]
_OF_LINE = [name for name in _NAMES if name in statement_line.c]
_OF_MATCH = [name for name in _NAMES if name in line_match.c and name not in statement_line.c]


def _lines(today: date) -> Select[Any]:
    age = case(
        (statement_line.c.status == "unmatched", literal(today) - statement_line.c.booked_on)
    )
    return (
        select(
            *(statement_line.c[name] for name in _OF_LINE),
            bank_statement.c.account_number,
            age.label("age_days"),
            line_match.c.id.label("match_id"),
            *(line_match.c[name] for name in _OF_MATCH),
        )
        .join(bank_statement, bank_statement.c.id == statement_line.c.statement_id)
        .outerjoin(
            line_match,
            (line_match.c.line_id == statement_line.c.id) & line_match.c.undone_at.is_(None),
        )
    )


async def line_by_id(tx: Tx, line_id: int) -> StatementLine:
    """One line.

    Raises:
        LineMissing: when there is none.
    """
    return await tx.one(
        StatementLine, _lines(tx.today).where(statement_line.c.id == line_id), missing=LineMissing
    )


async def statement_lines(tx: Tx, search: LineSearch) -> tuple[list[StatementLine], int]:
    """A page of lines and how many there are: what is unexplained oldest first, else newest."""
    asked = _lines(tx.today).where(*_wanted(search))
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    order = (
        (statement_line.c.booked_on, statement_line.c.id)
        if search.status == "unmatched"
        else (statement_line.c.booked_on.desc(), statement_line.c.id.desc())
    )
    found = await tx.all(
        StatementLine,
        asked.order_by(*order).limit(search.page_size).offset((search.page - 1) * search.page_size),
    )
    return found, total


def _wanted(search: LineSearch) -> list[ColumnElement[bool]]:
    line = statement_line.c
    wanted: list[ColumnElement[bool]] = []
    for column, value in (
        (line.status, search.status),
        (line_match.c.kind, search.kind),
        (line.statement_id, search.statement_id),
        (bank_statement.c.account_number, search.account_number),
    ):
        if value is not None:
            wanted.append(column == value)
    if search.text.strip():
        text = search.text.strip()
        places = (line.counterparty_name, line.counterparty_account, line.remark)
        wanted.append(
            or_(
                *(
                    place.icontains(text, autoescape=True)
                    for place in (*places, line.bank_reference)
                )
            )
        )
    if search.amount_fen is not None:
        wanted.append(func.abs(line.amount_fen) == abs(search.amount_fen))
    if search.from_on is not None:
        wanted.append(line.booked_on >= search.from_on)
    if search.until_on is not None:
        wanted.append(line.booked_on <= search.until_on)
    return wanted


_OPEN = tuple(statement_line.c[field.name] for field in fields(OpenLine))


async def open_lines(tx: Tx, statement_id: int) -> list[OpenLine]:
    """The unexplained lines of a statement, in order, locked for whoever explains them."""
    return await tx.all(
        OpenLine,
        select(*_OPEN)
        .where(statement_line.c.statement_id == statement_id)
        .where(statement_line.c.status == "unmatched")
        .order_by(statement_line.c.id)
        .with_for_update(of=statement_line),
    )


async def open_line(tx: Tx, line_id: int) -> OpenLine | None:
    """One line while it is unexplained, locked for whoever explains it."""
    return await tx.first(
        OpenLine,
        select(*_OPEN)
        .where(statement_line.c.id == line_id, statement_line.c.status == "unmatched")
        .with_for_update(of=statement_line),
    )


async def alike_lines(tx: Tx) -> list[OpenLine]:
    """Every unexplained line with money out, of any statement."""
    return await tx.all(
        OpenLine,
        select(*_OPEN).where(
            statement_line.c.status == "unmatched", statement_line.c.amount_fen < 0
        ),
    )
