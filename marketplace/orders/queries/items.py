"""The items of quotes and orders, and what of them was delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.orders import tables
from marketplace.orders.queries.orders import order
from marketplace.orders.rules.items import DUE
from marketplace.orders.rules.states import Mode


@dataclass(frozen=True, slots=True)
class QuoteItem:
    """One instrument of a quote: how much of it, in which unit, at which price, line by line."""

    quote_id: int
    position: int
    instrument_id: int
    mode: str
    starts_at: datetime | None
    ends_at: datetime | None
    samples: int | None
    unit: str
    elements: int
    runs: int
    urgent: bool
    extras: list[list[Any]]
    price_list_id: int
    lines: list[dict[str, Any]]
    total_fen: int

    @property
    def during(self) -> During | None:
        """The time of machine time."""
        if self.starts_at is None or self.ends_at is None:
            return None
        return During(self.starts_at, self.ends_at)

    @property
    def quantity(self) -> int:
        """The pieces that are delivered: samples, or the one session."""
        return self.samples or 1

    @property
    def agreed_extras(self) -> list[tuple[str, int]]:
        """(code, quantity) of what is needed beside the instrument."""
        return [(code, quantity) for code, quantity in self.extras]


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One instrument of an order: where it stands, what was delivered, what it came to."""

    id: int
    order_id: int
    position: int
    instrument_id: int
    title: str
    mode: str
    quantity: int
    total_fen: int
    reservation_id: int | None
    status: str
    delivered: int
    undeliverable: int
    undeliverable_because: str | None
    tested: int | None
    runs_used: int | None
    extras_used: list[list[Any]] | None
    fee_basis_points: int | None
    settled_fen: int | None
    settled_voucher_fen: int | None
    settled_own_fen: int | None
    settlement: list[dict[str, Any]] | None

    @property
    def is_machine_time(self) -> bool:
        """Whether the buyer has the instrument for an interval."""
        return self.mode == Mode.MACHINE_TIME

    @property
    def is_due(self) -> bool:
        """Whether anything of it is still to be given."""
        return self.status in DUE

    @property
    def due(self) -> int:
        """How many pieces are still to be delivered."""
        return self.quantity - self.delivered - self.undeliverable if self.is_due else 0

    @property
    def stated_extras(self) -> list[tuple[str, int]]:
        """(code, quantity) of what the provider said that it used."""
        return [(code, quantity) for code, quantity in self.extras_used or ()]


@dataclass(frozen=True, slots=True)
class ItemDelivery:
    """A part of an item that was delivered, or of which the provider said that it never will be."""

    id: int
    order_id: int
    position: int
    kind: str
    quantity: int
    runs: int | None
    extras: list[list[Any]]
    reason: str
    noted_by: int
    noted_at: datetime


async def quote_items(tx: Tx, quote_id: int) -> list[QuoteItem]:
    """The items of a quote, in their order; the caller has checked who may see it."""
    return await quote_items_of(tx, [quote_id])


async def quote_items_of(tx: Tx, quote_ids: Sequence[int]) -> list[QuoteItem]:
    """The items of some quotes, in their order; the caller has checked who may see them."""
    table = tables.quote_item.c
    return await tx.all(
        QuoteItem,
        select(*(table[name] for name in QuoteItem.__dataclass_fields__))
        .where(table.quote_id.in_(quote_ids))
        .order_by(table.quote_id, table.position),
    )


async def items_of(tx: Tx, order_ids: Sequence[int]) -> list[OrderItem]:
    """The items of some orders, in their order; the caller has checked who may see them."""
    table = tables.order_item.c
    return await tx.all(
        OrderItem,
        select(*(table[name] for name in OrderItem.__dataclass_fields__))
        .where(table.order_id.in_(order_ids))
        .order_by(table.order_id, table.position),
    )


async def order_items(tx: Tx, order_id: int) -> list[OrderItem]:
    """The items of an order, in their order; the caller has checked who may see it."""
    return await items_of(tx, [order_id])


async def deliveries(tx: Tx, order_id: int) -> list[ItemDelivery]:
    """What was delivered of an order and what never will be, in order."""
    table = tables.item_delivery.c
    return await tx.all(
        ItemDelivery,
        select(*(table[name] for name in ItemDelivery.__dataclass_fields__))
        .where(table.order_id == order_id)
        .order_by(table.id)
        .limit(1_000),
    )


async def items_to_read(tx: Tx, order_id: int) -> list[OrderItem]:
    """The items of an order that the caller may see.

    Raises:
        OrderMissing: when there is none, or it is somebody else's.
    """
    found = await order(tx, order_id)
    return await order_items(tx, found.id)
