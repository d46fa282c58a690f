"""Orders that were served, as service records need them: for the domain that reports them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Exists,
    FromClause,
    ScalarSelect,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.orders import tables
from marketplace.orders.rules.states import Mode


@dataclass(frozen=True, slots=True)
class ServedAsked:
    """A provider's orders: those whose sessions are known, and samples tested in a period."""

    provider_id: int
    order_ids: Sequence[int]
    tested: During


@dataclass(frozen=True, slots=True)
class ServedOrder:
    """An item of an order with what a record tells of it; never what was tested or found.

    Times on one instrument are one item here: the first of them.

    Policy: J.20 (samples and results stay with the two sides).
    """

    id: int
    instrument_id: int
    mode: str
    status: str
    title: str
    buyer_id: int
    buyer_legal_entity_id: int
    provider_legal_entity_id: int
    placed_by: int
    settled_fen: int | None
    customer_class: str
    purpose: str | None
    samples_tested: int | None
    tested_at: datetime | None
    signed_by_both: bool
    stars: int | None
    position: int


async def served_orders(tx: Tx, asked: ServedAsked) -> list[ServedOrder]:
    """The orders asked for, in one question.

    Policy: F.record.
    """
    order, samples, item = tables.service_order.c, tables.sample_set.c, tables.order_item.c
    contract = tables.contract.c
    signed = (
        select(func.count())
        .where(
            contract.order_id == order.id,
            contract.buyer_signed_at.is_not(None),
            contract.provider_signed_at.is_not(None),
        )
        .scalar_subquery()
    )
    return await tx.all(
        ServedOrder,
        select(
            order.id,
            item.instrument_id,
            item.mode,
            order.status,
            item.title,
            order.buyer_id,
            order.buyer_legal_entity_id,
            order.provider_legal_entity_id,
            order.placed_by,
            _settled_on_instrument().label("settled_fen"),
            tables.quote.c.customer_class,
            tables.quote.c.purpose,
            item.tested.label("samples_tested"),
            case((item.mode == Mode.SAMPLES, samples.tested_at)).label("tested_at"),
            (signed > 0).label("signed_by_both"),
            tables.review.c.stars,
            item.position,
        )
        .join_from(tables.service_order, tables.quote, tables.quote.c.id == order.quote_id)
        .join(tables.order_item, item.order_id == order.id)
        .outerjoin(tables.sample_set, samples.order_id == order.id)
        .outerjoin(tables.review, tables.review.c.order_id == order.id)
        .where(
            order.provider_id == asked.provider_id,
            or_(item.mode == Mode.SAMPLES, ~_earlier_on_instrument()),
            or_(
                and_(
                    item.mode == Mode.MACHINE_TIME,
                    order.id == func.any(literal(list(asked.order_ids), ARRAY(BigInteger))),
                ),
                and_(
                    item.mode == Mode.SAMPLES,
                    samples.tested_at >= asked.tested.starts_at,
                    samples.tested_at < asked.tested.ends_at,
                ),
            ),
        )
        .order_by(order.id, item.position),
    )


def _same_instrument() -> tuple[FromClause, ColumnElement[bool]]:
    """Machine time of the same order on the same instrument; of samples only the item itself."""
    item, other = tables.order_item.c, tables.order_item.alias()
    return other, and_(
        other.c.order_id == item.order_id,
        other.c.instrument_id == item.instrument_id,
        other.c.mode == item.mode,
        or_(item.mode == Mode.MACHINE_TIME, other.c.position == item.position),
    )


def _settled_on_instrument() -> ScalarSelect[int]:
    other, same = _same_instrument()
    settled = func.sum(other.c.settled_fen).cast(BigInteger)
    return select(settled).where(same).correlate(tables.order_item).scalar_subquery()


def _earlier_on_instrument() -> Exists:
    other, same = _same_instrument()
    earlier = other.c.position < tables.order_item.c.position
    return select(other.c.id).where(same, earlier).correlate(tables.order_item).exists()
