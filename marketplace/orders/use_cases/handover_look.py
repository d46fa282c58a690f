"""Looking at a step of handing over before it is taken: what the order's items would come to."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.kernel.db import Tx
from marketplace.orders.queries.items import OrderItem
from marketplace.orders.queries.orders import Order
from marketplace.orders.use_cases.handover import (
    DeclareUndeliverable,
    DeliverItem,
    declare_undeliverable,
    deliver_item,
)
from marketplace.orders.use_cases.usage import used_items


@dataclass(frozen=True, slots=True)
class ItemSoFar:
    """An item with what is charged for what was handed over of it; None: nothing was yet."""

    item: OrderItem
    charged_fen: int | None


@dataclass(frozen=True, slots=True)
class HandoverLook:
    """An order as a step leaves it, item by item."""

    order: Order
    items: tuple[ItemSoFar, ...]

    @property
    def charged_fen(self) -> int:
        """What is charged for all that was handed over."""
        return sum(each.charged_fen or 0 for each in self.items)


async def look_at_delivery(tx: Tx, command: DeliverItem) -> HandoverLook:
    """What handing a part over would come to; the caller undoes it.

    Raises:
        DomainError: what `deliver_item` refuses.
    """
    return await _look(tx, await deliver_item(tx, command))


async def look_at_giving_up(tx: Tx, command: DeclareUndeliverable) -> HandoverLook:
    """What giving up what is due would come to; the caller undoes it.

    Raises:
        DomainError: what `declare_undeliverable` refuses.
    """
    return await _look(tx, await declare_undeliverable(tx, command))


async def _look(tx: Tx, moved: Order) -> HandoverLook:
    """The items priced as acceptance prices them. Policy: J.22b"""
    return HandoverLook(
        moved,
        tuple(
            ItemSoFar(
                use.item,
                use.value_fen + use.fee_fen if use.item.delivered or not use.item.is_due else None,
            )
            for use in await used_items(tx, moved)
        ),
    )
