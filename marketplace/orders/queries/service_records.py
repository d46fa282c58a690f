"""Orders that were served, as service records need them: for the domain that reports them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, and_, func, literal, or_, select

from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.orders import tables


@dataclass(frozen=True, slots=True)
class ServedAsked:
    """A provider's orders: those whose sessions are known, and samples tested in a period."""

    provider_id: int
    order_ids: Sequence[int]
    tested: During


@dataclass(frozen=True, slots=True)
class ServedOrder:
    """An order with what a record tells of it; never what was tested or found.

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


async def served_orders(tx: Tx, asked: ServedAsked) -> list[ServedOrder]:
    """The orders asked for, in one question.

    Policy: F.record.
    """
    order, samples = tables.service_order.c, tables.sample_set.c
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
            order.instrument_id,
            order.mode,
            order.status,
            order.title,
            order.buyer_id,
            order.buyer_legal_entity_id,
            order.provider_legal_entity_id,
            order.placed_by,
            order.settled_fen,
            tables.quote.c.customer_class,
            tables.quote.c.purpose,
            samples.tested.label("samples_tested"),
            samples.tested_at,
            (signed > 0).label("signed_by_both"),
            tables.review.c.stars,
        )
        .join_from(tables.service_order, tables.quote, tables.quote.c.id == order.quote_id)
        .outerjoin(tables.sample_set, samples.order_id == order.id)
        .outerjoin(tables.review, tables.review.c.order_id == order.id)
        .where(
            order.provider_id == asked.provider_id,
            or_(
                order.id == func.any(literal(list(asked.order_ids), ARRAY(BigInteger))),
                and_(
                    samples.tested_at >= asked.tested.starts_at,
                    samples.tested_at < asked.tested.ends_at,
                ),
            ),
        )
        .order_by(order.id),
    )
