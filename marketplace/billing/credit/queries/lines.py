"""Credit lines with their terms, and how much of them is in use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, or_, select, true

from marketplace.billing.credit.errors import CreditLineMissing
from marketplace.billing.credit.rules.states import TermsStatus
from marketplace.billing.credit.tables import credit_line, credit_terms, receivable
from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.queries import AccountType
from marketplace.kernel.db import Tx
from marketplace.parties.roles import Role


@dataclass(frozen=True, slots=True)
class CreditTerms:
    """One version of a line's terms: proposed, decided, ended."""

    id: int
    line_id: int
    status: str
    limit_fen: int
    due_days: int
    valid_until: date
    reason: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    ended_by: int | None
    ended_at: datetime | None
    ended_because: str | None


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line, the terms in force on it, and what is owed."""

    id: int
    provider_id: int
    buyer_id: int
    limit_fen: int
    due_days: int | None
    valid_until: date | None
    owed_fen: int
    overdue_fen: int
    oldest_due_on: date | None


@dataclass(frozen=True, slots=True)
class LineInUse:
    """A line and what of its limit is left, held for orders, and owed."""

    line: CreditLine
    held_fen: int
    available_fen: int


@dataclass(frozen=True, slots=True)
class LineSearch:
    """Which lines: with one other organisation, overdue ones, those with a proposal open."""

    other_id: int | None = None
    overdue: bool = False
    proposed: bool = False
    page: int = 1
    page_size: int = 50
    among: Sequence[int] | None = None
    """With one of these; None: with whomever."""


@dataclass(frozen=True, slots=True)
class LinePage:
    """One page of lines."""

    rows: list[LineInUse]
    total: int
    page: int
    page_size: int


def owed_part() -> ColumnElement[int]:
    """What of a receivable is left to pay."""
    table = receivable.c
    return table.amount_fen - table.paid_fen - table.credited_fen


def is_open() -> ColumnElement[bool]:
    """As the partial indexes say it."""
    table = receivable.c
    return table.paid_fen + table.credited_fen < table.amount_fen


def own(tx: Tx, table: Any) -> ColumnElement[bool]:
    """Rows of the caller's organisation, as provider or buyer; all for those who check."""
    if tx.actor.has("system", Role.AUDITOR):
        return true()
    mine = tx.actor.organisation_id
    return or_(table.provider_id == mine, table.buyer_id == mine)


def with_one_of(table: Any, organisations: Sequence[int]) -> ColumnElement[bool]:
    """Rows in which one of `organisations` is provider or buyer."""
    return or_(table.provider_id.in_(organisations), table.buyer_id.in_(organisations))


async def credit_partners(tx: Tx) -> set[int]:
    """Who stands on the other side of the caller's lines; both sides for those who check."""
    table = credit_line.c
    rows = await tx.execute(
        select(table.provider_id, table.buyer_id).where(own(tx, table)).distinct()
    )
    found = {each for row in rows for each in (row.provider_id, row.buyer_id)}
    return found - {tx.actor.organisation_id}


def _lines(today: date) -> Select[Any]:
    table = receivable.c
    owed = (
        select(
            func.coalesce(func.sum(owed_part()), 0).cast(BigInteger).label("owed_fen"),
            func.coalesce(func.sum(owed_part()).filter(table.due_on < today), 0)
            .cast(BigInteger)
            .label("overdue_fen"),
            func.min(table.due_on).label("oldest_due_on"),
        )
        .where(table.line_id == credit_line.c.id, is_open())
        .lateral("owed")
    )
    return (
        select(
            credit_line.c.id,
            credit_line.c.provider_id,
            credit_line.c.buyer_id,
            credit_line.c.limit_fen,
            credit_terms.c.due_days,
            credit_terms.c.valid_until,
            owed.c.owed_fen,
            owed.c.overdue_fen,
            owed.c.oldest_due_on,
        )
        .select_from(credit_line)
        .outerjoin(
            credit_terms,
            and_(
                credit_terms.c.line_id == credit_line.c.id,
                credit_terms.c.status == TermsStatus.IN_FORCE,
            ),
        )
        .join(owed, true())
    )


async def credit_lines(tx: Tx, search: LineSearch) -> LinePage:
    """The lines that the caller's organisation grants or was granted."""
    wanted = _wanted(tx, search)
    total = await tx.scalar(select(func.count()).select_from(credit_line).where(*wanted))
    rows = await tx.all(
        CreditLine,
        _lines(tx.today)
        .where(*wanted)
        .order_by(credit_line.c.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return LinePage(await _in_use(tx, rows), int(total), search.page, search.page_size)


def _wanted(tx: Tx, search: LineSearch) -> list[ColumnElement[bool]]:
    table = credit_line.c
    wanted = [own(tx, table)]
    if search.other_id is not None:
        wanted.append(or_(table.provider_id == search.other_id, table.buyer_id == search.other_id))
    if search.among is not None:
        wanted.append(with_one_of(table, search.among))
    if search.overdue:
        wanted.append(
            select(receivable.c.id)
            .where(receivable.c.line_id == table.id, is_open(), receivable.c.due_on < tx.today)
            .exists()
        )
    if search.proposed:
        proposal = credit_terms.alias()
        wanted.append(
            select(proposal.c.id)
            .where(proposal.c.line_id == table.id, proposal.c.status == TermsStatus.PROPOSED)
            .exists()
        )
    return wanted


async def credit_line_by_id(tx: Tx, line_id: int) -> LineInUse:
    """A line of the caller's organisation.

    Raises:
        CreditLineMissing: when there is none, or it is between others.
    """
    found = await tx.one(
        CreditLine,
        _lines(tx.today).where(credit_line.c.id == line_id, own(tx, credit_line.c)),
        missing=CreditLineMissing,
    )
    return (await _in_use(tx, [found]))[0]


async def credit_line_between(tx: Tx, provider_id: int, buyer_id: int) -> LineInUse | None:
    """The line between two organisations, or None when there never was one."""
    found = await tx.first(
        CreditLine,
        _lines(tx.today).where(
            credit_line.c.provider_id == provider_id, credit_line.c.buyer_id == buyer_id
        ),
    )
    return None if found is None else (await _in_use(tx, [found]))[0]


async def _in_use(tx: Tx, rows: Collection[CreditLine]) -> list[LineInUse]:
    rooms = await ledger.balances_of(tx, AccountType.CREDIT, [row.id for row in rows])
    return [
        LineInUse(row, rooms[row.id].held_fen, rooms[row.id].available_fen)
        if row.id in rooms
        else LineInUse(row, 0, 0)
        for row in rows
    ]


async def terms_of(tx: Tx, line_id: int) -> list[CreditTerms]:
    """Every version of a line's terms, the newest first; at most 200.

    Raises:
        CreditLineMissing: when there is no such line, or it is between others.
    """
    await credit_line_by_id(tx, line_id)
    return await tx.all(
        CreditTerms,
        select(*(credit_terms.c[name] for name in CreditTerms.__dataclass_fields__))
        .where(credit_terms.c.line_id == line_id)
        .order_by(credit_terms.c.id.desc())
        .limit(200),
    )
