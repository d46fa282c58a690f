"""Disputes as they stand: of one order, and lists of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_instant
from marketplace.orders import tables
from marketplace.orders.errors import DisputeMissing
from marketplace.orders.queries.access import sees_everything
from marketplace.orders.queries.orders import order
from marketplace.orders.rules.disputes import REMIND_BEFORE
from marketplace.orders.rules.states import DisputeEnd


@dataclass(frozen=True, slots=True)
class Dispute:
    """What the buyer objects to, what the provider answers, and how it ended."""

    id: int
    order_id: int
    reason: str
    opened_by: int
    opened_at: datetime
    answer_due_at: datetime
    overdue_at: datetime | None
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None
    offered_basis_points: int | None
    pay_basis_points: int | None
    ruling: str | None
    ruled_by: int | None
    ruled_at: datetime | None
    ended_how: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute in a list, with the order that it is about."""

    id: int
    order_id: int
    title: str
    buyer_id: int
    provider_id: int
    total_fen: int
    reason: str
    opened_at: datetime
    answer_due_at: datetime
    overdue_at: datetime | None
    answered_at: datetime | None
    offered_basis_points: int | None
    pay_basis_points: int | None
    ended_how: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DisputeList:
    """Which disputes: `state` is open, answered, overdue or how they ended."""

    state: str | None = None
    opened_from: date | None = None
    opened_until: date | None = None
    text: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class DisputePage:
    """One page of disputes, newest first."""

    rows: list[DisputeRow]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class DueAnswer:
    """A dispute whose provider is to be told about its time to answer."""

    id: int
    order_id: int
    buyer_id: int
    provider_id: int
    answer_due_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that a side showed, without its bytes."""

    id: int
    dispute_id: int
    side: str
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime


EVIDENCE_LISTED_MAX = 200
OPEN, ANSWERED, OVERDUE = "open", "answered", "overdue"
STATES = (OPEN, ANSWERED, OVERDUE, *(str(how) for how in DisputeEnd))


def _dispute() -> Select[tuple[object, ...]]:
    return select(*(tables.dispute.c[name] for name in Dispute.__dataclass_fields__))


async def open_dispute(tx: Tx, order_id: int) -> Dispute:
    """The dispute of an order that has not ended; the caller has the order's lock.

    Raises:
        DisputeMissing: when none is open.
    """
    table = tables.dispute.c
    return await tx.one(
        Dispute,
        _dispute().where(table.order_id == order_id, table.ended_at.is_(None)),
        missing=DisputeMissing,
    )


async def last_dispute(tx: Tx, order_id: int) -> Dispute | None:
    """The newest dispute of an order; the caller has checked who may see the order."""
    table = tables.dispute.c
    return await tx.first(
        Dispute, _dispute().where(table.order_id == order_id).order_by(table.id.desc()).limit(1)
    )


async def dispute_evidence(tx: Tx, order_id: int) -> list[Evidence]:
    """What both sides of an order's disputes have shown, for those who may see the order.

    Raises:
        OrderMissing: when it is somebody else's.
    """
    await order(tx, order_id)
    table = tables.dispute_evidence.c
    return await tx.all(
        Evidence,
        select(*(table[name] for name in Evidence.__dataclass_fields__))
        .join_from(tables.dispute_evidence, tables.dispute, tables.dispute.c.id == table.dispute_id)
        .where(tables.dispute.c.order_id == order_id)
        .order_by(table.id)
        .limit(EVIDENCE_LISTED_MAX),
    )


async def disputes(tx: Tx, question: DisputeList) -> DisputePage:
    """The caller's disputes, as buyer or provider; everybody's for those who check."""
    table, of = tables.dispute.c, tables.service_order.c
    conditions = [_visible(tx), *_asked(tx, question)]
    joined = tables.dispute.join(tables.service_order, of.id == table.order_id)
    here = {"title", "buyer_id", "provider_id", "total_fen"}
    rows = await tx.all(
        DisputeRow,
        select(*((of if name in here else table)[name] for name in DisputeRow.__dataclass_fields__))
        .select_from(joined)
        .where(*conditions)
        .order_by(table.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(joined).where(*conditions))
    return DisputePage(rows, int(total), question.page, question.page_size)


def _visible(tx: Tx) -> ColumnElement[bool]:
    if sees_everything(tx.actor):
        return true()
    of, mine = tables.service_order.c, tx.actor.organisation_id
    return or_(of.buyer_id == mine, of.provider_id == mine)


def _asked(tx: Tx, question: DisputeList) -> list[ColumnElement[bool]]:
    table = tables.dispute.c
    conditions: list[ColumnElement[bool]] = []
    unanswered = and_(table.ended_at.is_(None), table.answered_at.is_(None))
    match question.state:
        case None:
            pass
        case "open":
            conditions.append(table.ended_at.is_(None))
        case "answered":
            conditions += [table.ended_at.is_(None), table.answered_at.is_not(None)]
        case "overdue":
            conditions += [unanswered, table.answer_due_at <= tx.now]
        case how:
            conditions.append(table.ended_how == how)
    if question.opened_from is not None:
        conditions.append(table.opened_at >= shanghai_instant(question.opened_from))
    if question.opened_until is not None:
        day_after = question.opened_until + timedelta(days=1)
        conditions.append(table.opened_at < shanghai_instant(day_after))
    if question.text:
        conditions.append(
            or_(
                tables.service_order.c.title.icontains(question.text, autoescape=True),
                table.reason.icontains(question.text, autoescape=True),
            )
        )
    return conditions


async def answers_due(tx: Tx, *, overdue: bool, limit: int) -> list[DueAnswer]:
    """Unanswered disputes to be told of: past their day, or a day before it; locked."""
    table, of = tables.dispute.c, tables.service_order.c
    by = tx.now if overdue else tx.now + REMIND_BEFORE
    told = table.overdue_at if overdue else table.reminded_at
    return await tx.all(
        DueAnswer,
        select(table.id, table.order_id, of.buyer_id, of.provider_id, table.answer_due_at)
        .join_from(tables.dispute, tables.service_order, of.id == table.order_id)
        .where(
            table.ended_at.is_(None),
            table.answered_at.is_(None),
            table.answer_due_at <= by,
            table.answer_due_at > tx.now if not overdue else true(),
            told.is_(None),
        )
        .order_by(table.answer_due_at, table.id)
        .limit(limit)
        .with_for_update(of=tables.dispute, skip_locked=True),
    )
