"""What was given back of orders after settlement, and what waits for its second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, true

from marketplace.billing.invoicing import queries as invoicing
from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_instant
from marketplace.orders import tables
from marketplace.orders.errors import CorrectionMissing
from marketplace.orders.queries.access import sees_everything
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.corrections import CorrectionStatus, red_letter_fen
from marketplace.orders.rules.settlement import NOTHING, Parts


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

    @property
    def asked(self) -> Parts:
        """What it gives back."""
        return Parts(voucher_fen=self.voucher_fen, own_fen=self.own_fen)


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


@dataclass(frozen=True, slots=True)
class CorrectionSums:
    """What corrections leave of an order's charge, and of its invoices.

    A fee for moving is due whatever became of the service: it is no part of what is given back,
    and stands on the invoice beside it.
    """

    settled: Parts
    given_back: Parts
    """By the corrections that were approved before."""
    move_fee_fen: int
    invoiced_fen: int

    @property
    def standing(self) -> Parts:
        """What stands charged before this correction."""
        return Parts(
            voucher_fen=self.settled.voucher_fen - self.given_back.voucher_fen,
            own_fen=self.settled.own_fen - self.given_back.own_fen,
        )

    def left(self, asked: Parts) -> Parts:
        """What would stand charged after giving `asked` back."""
        return Parts(
            voucher_fen=self.standing.voucher_fen - asked.voucher_fen,
            own_fen=self.standing.own_fen - asked.own_fen,
        )

    def red_letter_fen(self, asked: Parts) -> int:
        """What of the invoices has to be taken back in red before. Policy: J.21b, F.invoice"""
        return red_letter_fen(
            invoiced_fen=self.invoiced_fen,
            standing_fen=self.standing.total_fen + self.move_fee_fen,
            credit_fen=asked.total_fen,
        )


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


async def correction_sums(
    tx: Tx, order: Order, *, before: Correction | None = None
) -> CorrectionSums:
    """What an order that was loaded as visible stands charged at, now or before a correction.

    One correction of an order waits at a time, so those with lower numbers were decided before.
    """
    table = tables.correction.c
    earlier = [table.order_id == order.id, table.status == CorrectionStatus.APPROVED]
    if before is not None:
        earlier.append(table.id < before.id)
    back = (
        await tx.execute(
            select(
                func.coalesce(func.sum(table.voucher_fen), 0).label("voucher_fen"),
                func.coalesce(func.sum(table.own_fen), 0).label("own_fen"),
            ).where(*earlier)
        )
    ).one()
    settled = order.settled_voucher_fen, order.settled_own_fen
    return CorrectionSums(
        settled=NOTHING
        if settled[0] is None or settled[1] is None
        else Parts(voucher_fen=settled[0], own_fen=settled[1]),
        given_back=Parts(voucher_fen=int(back.voucher_fen), own_fen=int(back.own_fen)),
        move_fee_fen=order.move_fee_fen,
        invoiced_fen=await invoicing.invoiced(tx, order.id),
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
