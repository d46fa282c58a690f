"""What was given back of orders after settlement, and what waits for its second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, true

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_instant
from marketplace.orders import tables
from marketplace.orders.errors import CorrectionMissing
from marketplace.orders.queries.access import sees_everything


@dataclass(frozen=True, slots=True)
class Correction:
    """What is given back of an order's charge, and where the money went."""

    id: int
    order_id: int
    provider_id: int
    buyer_id: int
    side: str
    voucher_fen: int
    own_fen: int
    reason: str
    status: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    off_account_fen: int | None
    restored_fen: int | None
    to_budgets_fen: int | None
    clawed_back_fen: int | None


@dataclass(frozen=True, slots=True)
class CorrectionList:
    """Which corrections: by order, status, side, day of proposal and words of the reason."""

    order_id: int | None = None
    status: str | None = None
    side: str | None = None
    proposed_from: date | None = None
    proposed_until: date | None = None
    text: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    """One page of corrections, newest first, and what all that are approved come to."""

    rows: list[Correction]
    total: int
    approved_fen: int
    page: int
    page_size: int


def correction_columns() -> Select[Any]:
    """Every column that a `Correction` has."""
    return select(*(tables.correction.c[name] for name in Correction.__dataclass_fields__))


async def correction(tx: Tx, correction_id: int) -> Correction:
    """A correction that the caller may see.

    Raises:
        CorrectionMissing: when there is none, or it is somebody else's.
    """
    return await tx.one(
        Correction,
        correction_columns().where(tables.correction.c.id == correction_id, _visible(tx)),
        missing=CorrectionMissing,
    )


async def corrections(tx: Tx, question: CorrectionList) -> CorrectionPage:
    """The caller's corrections, as buyer or provider; everybody's for those who check."""
    table = tables.correction.c
    conditions = [_visible(tx), *_asked(question)]
    rows = await tx.all(
        Correction,
        correction_columns()
        .where(*conditions)
        .order_by(table.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    approved_fen = func.sum(table.voucher_fen + table.own_fen).filter(table.status == "approved")
    whole = (
        await tx.execute(
            select(func.count().label("total"), approved_fen.label("approved_fen"))
            .select_from(tables.correction)
            .where(*conditions)
        )
    ).one()
    return CorrectionPage(
        rows, whole.total, int(whole.approved_fen or 0), question.page, question.page_size
    )


def _visible(tx: Tx) -> ColumnElement[bool]:
    if sees_everything(tx.actor):
        return true()
    table, mine = tables.correction.c, tx.actor.organisation_id
    return or_(table.buyer_id == mine, table.provider_id == mine)


def _asked(question: CorrectionList) -> list[ColumnElement[bool]]:
    table = tables.correction.c
    conditions: list[ColumnElement[bool]] = []
    if question.order_id is not None:
        conditions.append(table.order_id == question.order_id)
    if question.status is not None:
        conditions.append(table.status == question.status)
    if question.side is not None:
        conditions.append(table.side == question.side)
    if question.proposed_from is not None:
        conditions.append(table.proposed_at >= shanghai_instant(question.proposed_from))
    if question.proposed_until is not None:
        day_after = question.proposed_until + timedelta(days=1)
        conditions.append(table.proposed_at < shanghai_instant(day_after))
    if question.text:
        conditions.append(table.reason.icontains(question.text, autoescape=True))
    return conditions
