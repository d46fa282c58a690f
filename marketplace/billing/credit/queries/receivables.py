"""What is owed on credit lines: one by one, by age, and paid by which receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    any_,
    case,
    func,
    literal,
    or_,
    select,
)

from marketplace.billing.credit.queries.lines import is_open, owed_part, own, with_one_of
from marketplace.billing.credit.rules.states import AGES, Age
from marketplace.billing.credit.tables import (
    credit_line,
    credit_note,
    credit_receipt,
    credit_receipt_part,
    credit_receipt_undone,
    credit_reminder,
    receivable,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_instant

EXPORT_ROWS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Receivable:
    """What a buyer owes for one settled service or fee, and what of it was paid."""

    id: int
    line_id: int
    provider_id: int
    buyer_id: int
    order_id: int
    what: str
    amount_fen: int
    paid_fen: int
    credited_fen: int
    arose_on: date
    due_on: date
    entry_id: int

    @property
    def left_fen(self) -> int:
        """What is still to be paid."""
        return self.amount_fen - self.paid_fen - self.credited_fen


@dataclass(frozen=True, slots=True)
class ReceivableSearch:
    """Which receivables: of a line or an order, open or overdue ones, by due day."""

    line_id: int | None = None
    order_id: int | None = None
    open: bool = False
    overdue: bool = False
    due_from: date | None = None
    due_until: date | None = None
    page: int = 1
    page_size: int = 50
    among: Sequence[int] | None = None
    """With one of these organisations; None: with whomever."""


@dataclass(frozen=True, slots=True)
class ReceivablePage:
    """One page of receivables and what all pages come to."""

    rows: list[Receivable]
    total: int
    left_fen: int
    page: int
    page_size: int


def _rows() -> Select[Any]:
    return select(*(receivable.c[name] for name in Receivable.__dataclass_fields__))


async def receivables(tx: Tx, search: ReceivableSearch) -> ReceivablePage:
    """What the caller's organisation owes and is owed, the first due first."""
    wanted = _wanted(tx, search)
    sums = (
        await tx.execute(
            select(
                func.count().label("total"),
                func.coalesce(func.sum(owed_part()), 0).cast(BigInteger).label("left_fen"),
            ).where(*wanted)
        )
    ).one()
    rows = await tx.all(
        Receivable,
        _rows()
        .where(*wanted)
        .order_by(receivable.c.due_on, receivable.c.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return ReceivablePage(rows, sums.total, sums.left_fen, search.page, search.page_size)


def _wanted(tx: Tx, search: ReceivableSearch) -> list[ColumnElement[bool]]:
    table = receivable.c
    wanted = [own(tx, table)]
    if search.line_id is not None:
        wanted.append(table.line_id == search.line_id)
    if search.order_id is not None:
        wanted.append(table.order_id == search.order_id)
    if search.open or search.overdue:
        wanted.append(is_open())
    if search.overdue:
        wanted.append(table.due_on < tx.today)
    if search.due_from is not None:
        wanted.append(table.due_on >= search.due_from)
    if search.due_until is not None:
        wanted.append(table.due_on <= search.due_until)
    if search.among is not None:
        wanted.append(with_one_of(table, search.among))
    return wanted


@dataclass(frozen=True, slots=True)
class AgeingAsked:
    """What is owed to a provider on a day; the caller's own unless it checks others."""

    as_of: date
    provider_id: int | None = None
    page: int = 1
    page_size: int = 200


@dataclass(frozen=True, slots=True)
class AgeingRow:
    """What one buyer owes a provider, by how long it has been due."""

    line_id: int
    provider_id: int
    buyer_id: int
    left_fen: int
    not_due_fen: int
    days_1_30_fen: int
    days_31_60_fen: int
    days_61_90_fen: int
    days_over_90_fen: int
    oldest_due_on: date


@dataclass(frozen=True, slots=True)
class Ageing:
    """One page of buyers, those that owe most first."""

    rows: list[AgeingRow]
    total: int
    page: int
    page_size: int


async def ageing(tx: Tx, asked: AgeingAsked) -> Ageing:
    """What buyers owed on a day, by age: what had arisen and was neither paid nor given up then."""
    owed = _owed_on(tx, asked)
    age = _age(owed.c.due_on, asked.as_of)
    by_line = (
        select(
            owed.c.line_id,
            owed.c.provider_id,
            owed.c.buyer_id,
            func.sum(owed.c.left_fen).cast(BigInteger).label("left_fen"),
            *(
                func.coalesce(func.sum(owed.c.left_fen).filter(age == each), 0)
                .cast(BigInteger)
                .label(f"{each}_fen")
                for each in Age
            ),
            func.min(owed.c.due_on).label("oldest_due_on"),
        )
        .where(owed.c.left_fen > 0)
        .group_by(owed.c.line_id, owed.c.provider_id, owed.c.buyer_id)
        .subquery()
    )
    total = await tx.scalar(select(func.count()).select_from(by_line))
    rows = await tx.all(
        AgeingRow,
        select(by_line)
        .order_by(by_line.c.left_fen.desc(), by_line.c.line_id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return Ageing(rows, int(total), asked.page, asked.page_size)


def _owed_on(tx: Tx, asked: AgeingAsked) -> Subquery:
    """Every receivable that had arisen by the day, with what was left of it at its end."""
    table, day = receivable.c, asked.as_of
    part, receipt, undone = credit_receipt_part.c, credit_receipt.c, credit_receipt_undone.c
    ends_at = shanghai_instant(day + timedelta(days=1))
    paid = (
        select(part.receivable_id, func.sum(part.amount_fen).label("fen"))
        .join_from(credit_receipt_part, credit_receipt, receipt.id == part.receipt_id)
        .outerjoin(credit_receipt_undone, undone.receipt_id == receipt.id)
        .where(
            receipt.received_on <= day,
            or_(undone.undone_at.is_(None), undone.undone_at >= ends_at),
        )
        .group_by(part.receivable_id)
        .subquery()
    )
    given_up = (
        select(credit_note.c.receivable_id, func.sum(credit_note.c.amount_fen).label("fen"))
        .where(credit_note.c.credited_on <= day)
        .group_by(credit_note.c.receivable_id)
        .subquery()
    )
    left = table.amount_fen - func.coalesce(paid.c.fen, 0) - func.coalesce(given_up.c.fen, 0)
    wanted = [table.arose_on <= day, own(tx, table)]
    if asked.provider_id is not None:
        wanted.append(table.provider_id == asked.provider_id)
    return (
        select(
            table.line_id, table.provider_id, table.buyer_id, table.due_on, left.label("left_fen")
        )
        .outerjoin_from(receivable, paid, paid.c.receivable_id == table.id)
        .outerjoin(given_up, given_up.c.receivable_id == table.id)
        .where(*wanted)
        .subquery()
    )


def _age(due_on: ColumnElement[date], as_of: date) -> ColumnElement[str]:
    whens = [(due_on >= as_of - timedelta(days=most), str(age)) for age, most in AGES]
    return case(*whens, else_=str(Age.DAYS_OVER_90))


@dataclass(frozen=True, slots=True)
class CreditReceipt:
    """Money that came in for a line."""

    id: int
    line_id: int
    amount_fen: int
    how: str
    received_on: date
    made_by: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """Which receivable a receipt paid, and how much of it."""

    receipt_id: int
    receivable_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ReceiptsAsked:
    """The receipts of one line."""

    line_id: int
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """One page of receipts with their parts, the newest first."""

    rows: list[CreditReceipt]
    parts: list[ReceiptPart]
    total: int
    page: int
    page_size: int


async def receipts(tx: Tx, asked: ReceiptsAsked) -> ReceiptPage:
    """The receipts of a line of the caller's organisation; none of another's."""
    wanted = (credit_receipt.c.line_id == asked.line_id, own(tx, credit_line.c))
    source = credit_receipt.join(credit_line, credit_line.c.id == credit_receipt.c.line_id)
    total = await tx.scalar(select(func.count()).select_from(source).where(*wanted))
    rows = await tx.all(
        CreditReceipt,
        select(*(credit_receipt.c[name] for name in CreditReceipt.__dataclass_fields__))
        .select_from(source)
        .where(*wanted)
        .order_by(credit_receipt.c.id.desc())
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    parts = await tx.all(
        ReceiptPart,
        select(credit_receipt_part)
        .where(credit_receipt_part.c.receipt_id.in_([row.id for row in rows]))
        .order_by(credit_receipt_part.c.receipt_id, credit_receipt_part.c.receivable_id),
    )
    return ReceiptPage(rows, parts, int(total), asked.page, asked.page_size)


@dataclass(frozen=True, slots=True)
class ToRemind:
    """Something owed, and the reminders that went out for it."""

    id: int
    line_id: int
    provider_id: int
    buyer_id: int
    order_id: int
    due_on: date
    left_fen: int
    sent: list[int]


async def to_remind(tx: Tx, due_until: date, *, after_id: int, limit: int) -> list[ToRemind]:
    """What is owed and due on `due_until` or before, in order of id, with its reminders."""
    table = receivable.c
    sent = func.array(
        select(credit_reminder.c.step_days)
        .where(credit_reminder.c.receivable_id == table.id)
        .scalar_subquery()
    )
    return await tx.all(
        ToRemind,
        select(
            table.id,
            table.line_id,
            table.provider_id,
            table.buyer_id,
            table.order_id,
            table.due_on,
            owed_part().label("left_fen"),
            sent.label("sent"),
        )
        .where(is_open(), table.due_on <= due_until, table.id > after_id)
        .order_by(table.id)
        .limit(limit),
    )


async def owed_on(tx: Tx, line_ids: Sequence[int]) -> dict[int, int]:
    """By credit line: what is owed on it; lines that owe nothing, or do not exist, are left out."""
    found = await tx.execute(
        select(receivable.c.line_id, func.sum(owed_part()).label("fen"))
        .where(receivable.c.line_id == any_(literal(list(line_ids), ARRAY(BigInteger))), is_open())
        .group_by(receivable.c.line_id)
    )
    return {row.line_id: int(row.fen) for row in found}
