"""What was really given free of charge: counted when the order is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, update

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import queries as booking
from marketplace.kernel.db import Tx
from marketplace.orders.queries.items import OrderItem, order_items, quote_items
from marketplace.orders.queries.orders import order, order_quote
from marketplace.orders.rules.free_use import FreeUseStatus
from marketplace.orders.tables import free_use, order_change
from marketplace.orders.use_cases.free_use import at_list_price


@dataclass(frozen=True, slots=True)
class CountFreeUse:
    """An order was settled on a day."""

    order_id: int
    settled_on: date


async def count_free_use(tx: Tx, command: CountFreeUse) -> None:
    """Keep minutes, samples and list value of an order that was free of charge; others have none.

    The quote that was approved is the order's first; an order that moved keeps its request.
    Policy: N.25a, H.14
    """
    found = await order(tx, command.order_id)
    told = await order_quote(tx, found)
    if told.purpose is None:
        return
    minutes = samples = 0
    asked = []
    items = {item.position: item for item in await order_items(tx, found.id)}
    for quoted in await quote_items(tx, told.id):
        item = items[quoted.position]
        of_item = await _used(tx, item)
        minutes, samples = minutes + of_item.minutes, samples + of_item.samples
        if of_item.minutes or of_item.samples:
            asked.append(
                at_list_price(
                    told,
                    quoted,
                    minutes=of_item.minutes,
                    samples=of_item.samples,
                    runs=quoted.runs if item.runs_used is None else item.runs_used,
                    extras=item.stated_extras if item.extras_used else quoted.agreed_extras,
                )
            )
    priced = await pricing.price_services_by_list(tx, asked) if asked else []
    await tx.execute(
        update(free_use)
        .where(
            free_use.c.quote_id == await _first_quote(tx, found.id, told.id),
            free_use.c.status == FreeUseStatus.APPROVED,
            free_use.c.served_on.is_(None),
        )
        .values(
            served_on=command.settled_on,
            served_minutes=minutes,
            served_samples=samples,
            served_value_fen=sum(one.total_fen for one in priced),
        )
    )


@dataclass(frozen=True, slots=True)
class _Used:
    """How much of an item was used."""

    minutes: int = 0
    samples: int = 0


async def _used(tx: Tx, item: OrderItem) -> _Used:
    if item.reservation_id is not None:
        session = await booking.session_of(tx, item.reservation_id)
        return _Used(minutes=(session.billable_minutes if session else None) or 0)
    return _Used(samples=item.delivered or item.tested or 0)


async def _first_quote(tx: Tx, order_id: int, quote_id: int) -> int:
    """The quote by which the order was placed, whatever it was moved to since."""
    first: int | None = await tx.scalar(
        select(order_change.c.old_quote_id)
        .where(order_change.c.order_id == order_id, order_change.c.new_quote_id.is_not(None))
        .order_by(order_change.c.id)
        .limit(1)
    )
    return quote_id if first is None else first
