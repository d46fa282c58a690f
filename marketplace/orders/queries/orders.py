"""Orders as they stand, their samples, lists of them, and how they were rated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, true, tuple_

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_instant
from marketplace.orders import tables
from marketplace.orders.errors import OrderMissing
from marketplace.orders.queries.access import is_side, sees_everything
from marketplace.orders.queries.quotes import Quote, quote_columns
from marketplace.orders.rules.settlement import Parts
from marketplace.orders.rules.states import Mode, Status


@dataclass(frozen=True, slots=True)
class Order:
    """An order: who, what, where it stands, what is held and what was settled."""

    id: int
    quote_id: int
    buyer_id: int
    provider_id: int
    agent_id: int | None
    buyer_legal_entity_id: int
    provider_legal_entity_id: int
    instrument_id: int
    title: str
    mode: str
    status: str
    total_fen: int
    voucher_fen: int
    own_fen: int
    own_hold_id: int | None
    reservation_id: int | None
    affiliated_because: str | None
    profile: dict[str, Any] | None
    placed_by: int
    placed_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    review_ends_at: datetime | None
    ended_at: datetime | None
    ended_because: str | None
    settled_fen: int | None
    settled_voucher_fen: int | None
    settled_own_fen: int | None
    move_fee_fen: int
    fee_hold_id: int | None
    credit_line_id: int | None

    @property
    def held(self) -> Parts:
        """What was held when the order was placed."""
        return Parts(voucher_fen=self.voucher_fen, own_fen=self.own_fen)

    @property
    def is_machine_time(self) -> bool:
        """Whether the buyer has the instrument for an interval."""
        return self.mode == Mode.MACHINE_TIME


@dataclass(frozen=True, slots=True)
class SampleSet:
    """The samples of an order and where they are."""

    samples: int
    description: str
    hazards: str
    disposal: str
    received: int | None
    received_at: datetime | None
    tested: int | None
    tested_at: datetime | None
    returned_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderList:
    """Which orders: by status, day of placing and words of the instrument's name."""

    status: str | None = None
    placed_from: date | None = None
    placed_until: date | None = None
    text: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of orders, newest first."""

    rows: list[Order]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class Rating:
    """How a provider's services were rated in a period."""

    provider_id: int
    reviews: int
    stars: int


@dataclass(frozen=True, slots=True)
class RatingPeriod:
    """Reviews written from `first_on` to `last_on`, both days included."""

    first_on: date
    last_on: date


def order_columns() -> Select[Any]:
    """Every column that an `Order` has."""
    return select(*(tables.service_order.c[name] for name in Order.__dataclass_fields__))


def _columns(row_type: Any, table: Any) -> Select[Any]:
    return select(*(table.c[name] for name in row_type.__dataclass_fields__))


async def order(tx: Tx, order_id: int) -> Order:
    """An order that the caller may see.

    Raises:
        OrderMissing: when there is none, or it is somebody else's.
    """
    found = await tx.one(
        Order, order_columns().where(tables.service_order.c.id == order_id), missing=OrderMissing
    )
    actor = tx.actor
    if not (
        is_side(actor, buyer_id=found.buyer_id, provider_id=found.provider_id)
        or actor.organisation_id == found.agent_id
        or sees_everything(actor)
    ):
        raise OrderMissing()
    return found


async def order_quote(tx: Tx, found: Order) -> Quote:
    """The quote from which an order was made."""
    return await tx.one(Quote, quote_columns().where(tables.quote.c.id == found.quote_id))


async def quotes_of(tx: Tx, quote_ids: Sequence[int]) -> dict[int, Quote]:
    """The quotes from which some orders were made, by their ids."""
    found = await tx.all(Quote, quote_columns().where(tables.quote.c.id.in_(quote_ids)))
    return {quote.id: quote for quote in found}


async def sample_set_of(tx: Tx, order_id: int) -> SampleSet | None:
    """The samples of an order, or None for machine time."""
    return await tx.first(
        SampleSet,
        _columns(SampleSet, tables.sample_set).where(tables.sample_set.c.order_id == order_id),
    )


async def orders(tx: Tx, question: OrderList) -> OrderPage:
    """The caller's orders, as buyer, provider or agent; everybody's for those who check."""
    conditions = [_visible(tx), *_asked(question)]
    table = tables.service_order.c
    rows = await tx.all(
        Order,
        order_columns()
        .where(*conditions)
        .order_by(table.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    total = await tx.scalar(
        select(func.count()).select_from(tables.service_order).where(*conditions)
    )
    return OrderPage(rows, int(total), question.page, question.page_size)


def _visible(tx: Tx) -> ColumnElement[bool]:
    if sees_everything(tx.actor):
        return true()
    table, mine = tables.service_order.c, tx.actor.organisation_id
    return or_(table.buyer_id == mine, table.provider_id == mine, table.agent_id == mine)


def _asked(question: OrderList) -> list[ColumnElement[bool]]:
    table = tables.service_order.c
    conditions: list[ColumnElement[bool]] = []
    if question.status is not None:
        conditions.append(table.status == question.status)
    if question.placed_from is not None:
        conditions.append(table.placed_at >= shanghai_instant(question.placed_from))
    if question.placed_until is not None:
        day_after = question.placed_until + timedelta(days=1)
        conditions.append(table.placed_at < shanghai_instant(day_after))
    if question.text:
        item = tables.order_item.c
        further = (
            select(item.id)
            .where(
                item.order_id == table.id,
                item.position > 1,
                item.title.icontains(question.text, autoescape=True),
            )
            .correlate(tables.service_order)
            .exists()
        )
        conditions.append(or_(table.title.icontains(question.text, autoescape=True), further))
    return conditions


async def ratings(tx: Tx, period: RatingPeriod) -> Sequence[Rating]:
    """Number and sum of stars per provider, for the yearly evaluation.

    Policy: J.25
    """
    written = tables.review.c.written_at
    return await tx.all(
        Rating,
        select(
            tables.service_order.c.provider_id,
            func.count().label("reviews"),
            func.sum(tables.review.c.stars).label("stars"),
        )
        .join(tables.service_order, tables.service_order.c.id == tables.review.c.order_id)
        .where(
            written >= shanghai_instant(period.first_on),
            written < shanghai_instant(period.last_on + timedelta(days=1)),
        )
        .group_by(tables.service_order.c.provider_id)
        .order_by(tables.service_order.c.provider_id),
    )


async def due_behind(
    tx: Tx, asked: tuple[int, tuple[datetime, int] | None]
) -> list[tuple[int, datetime]]:
    """Up to so many orders whose review window is over, behind a place among them, oldest first."""
    limit, place = asked
    table = tables.service_order.c
    due = select(table.id, table.review_ends_at).where(
        table.status == Status.DELIVERED, table.review_ends_at <= tx.now
    )
    if place is not None:
        due = due.where(tuple_(table.review_ends_at, table.id) > tuple_(*place))
    rows = await tx.execute(due.order_by(table.review_ends_at, table.id).limit(limit))
    return [(row.id, row.review_ends_at) for row in rows]


async def due_to_expire(tx: Tx, limit: int) -> Sequence[int]:
    """Orders without a reservation that the provider has not answered while the quote held."""
    return await tx.scalars(
        select(tables.service_order.c.id)
        .join(tables.quote, tables.quote.c.id == tables.service_order.c.quote_id)
        .where(
            tables.service_order.c.status == Status.PLACED,
            tables.service_order.c.reservation_id.is_(None),
            tables.quote.c.valid_until <= tx.now,
        )
        .order_by(tables.service_order.c.id)
        .limit(limit)
    )
