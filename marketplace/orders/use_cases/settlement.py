"""Acceptance, and the settlement in which it ends; a ruling ends in the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.kernel.db import Tx
from marketplace.kernel.money import split
from marketplace.orders.events import OrderSettled
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.settlement import Parts, ruled_value, used_value
from marketplace.orders.rules.states import Status, Step, after, allows
from marketplace.orders.use_cases.items import write_items
from marketplace.orders.use_cases.money import pay_for_service
from marketplace.orders.use_cases.payment import ItemPaid, ItemValue
from marketplace.orders.use_cases.steps import lock_as_buyer, lock_order, take_step
from marketplace.orders.use_cases.usage import ItemUse, settled_item, used_items

WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class AcceptOrder:
    """The buyer has what it ordered."""

    order_id: int


async def accept_order(tx: Tx, command: AcceptOrder) -> Order:
    """Accept what was delivered: the provider has what was used, the rest goes back, at once.

    Policy: J.18a, J.22b

    Raises:
        OrderMissing: when it is another buyer's.
        StepNotOpen: when nothing was delivered, or it was disputed or accepted.
    """
    found = await lock_as_buyer(tx, command.order_id)
    after(Status(found.status), Step.ACCEPT)
    return await settle(tx, found, Step.ACCEPT, because="accepted")


async def accept_after_review(tx: Tx, command: AcceptOrder) -> Order:
    """Accept an order whose review window is over; one that moved on is left as it is."""
    found = await lock_order(tx, command.order_id)
    ends_at = found.review_ends_at
    if not allows(found.status, Step.ACCEPT) or ends_at is None or ends_at > tx.now:
        return found
    return await settle(tx, found, Step.ACCEPT, because="review-window-over")


@dataclass(frozen=True, slots=True)
class Valued:
    """What was used of an order, and which part of it is to be paid, item by item."""

    found: Order
    uses: list[ItemUse]
    ruled: list[int]
    pay_basis_points: int

    @property
    def values(self) -> list[ItemValue]:
        """Each item with what is to be paid for it."""
        return [
            ItemValue(use.item, used_fen=used_fen, fee_fen=use.fee_fen, fee_kind=use.fee_kind)
            for use, used_fen in zip(self.uses, self.ruled, strict=True)
        ]


def valued(found: Order, uses: list[ItemUse], *, pay_basis_points: int = WHOLE) -> Valued:
    """The value of what was used, at most what was held, and of it the part that is paid.

    Policy: J.gap, J.18a
    """
    ruled_fen = ruled_value(
        used_value(repriced_fen=sum(use.value_fen for use in uses), held=found.held),
        pay_basis_points=pay_basis_points,
    )
    return Valued(found, uses, split(ruled_fen, [use.value_fen for use in uses]), pay_basis_points)


@dataclass(frozen=True, slots=True)
class Settled:
    """An order as it is settled: its items, its parts, and what its timeline says of it."""

    items: list[dict[str, Any]]
    parts: Parts
    facts: dict[str, Any]


def settled(worth: Valued, paid: Sequence[ItemPaid], *, because: str) -> Settled:
    """What an order comes to, with every difference from its quote explained."""
    items = [
        settled_item(use, ruled_fen=ruled_fen, paid=of_item)
        for use, ruled_fen, of_item in zip(worth.uses, worth.ruled, paid, strict=True)
    ]
    parts = Parts(
        voucher_fen=sum(one["settled_voucher_fen"] for one in items),
        own_fen=sum(one["settled_own_fen"] for one in items),
    )
    facts = {
        "because": because,
        "used_fen": sum(use.value_fen for use in worth.uses),
        "pay_basis_points": worth.pay_basis_points,
        "settled_fen": parts.total_fen,
        "voucher_fen": parts.voucher_fen,
        "own_fen": parts.own_fen,
        "items": [
            {
                "item": use.item.position,
                "title": use.item.title,
                "quoted_fen": use.item.total_fen,
                "settled_fen": one["settled_fen"],
                "lines": one["settlement"],
            }
            for use, one in zip(worth.uses, items, strict=True)
        ],
    }
    return Settled(items, parts, facts)


async def settle(
    tx: Tx, found: Order, step: Step, *, because: str, pay_basis_points: int = WHOLE
) -> Order:
    """Lead a locked order to its settlement: the provider has what was used, the rest goes back."""
    worth = valued(found, await used_items(tx, found), pay_basis_points=pay_basis_points)
    end = settled(worth, await pay_for_service(tx, found, worth.values), because=because)
    await write_items(tx, found.id, end.items)
    parts = end.parts
    moved = await take_step(
        tx,
        found,
        step,
        facts=end.facts,
        ended_at=tx.now,
        ended_because=because,
        settled_fen=parts.total_fen,
        settled_voucher_fen=parts.voucher_fen,
        settled_own_fen=parts.own_fen,
    )
    tx.record(
        OrderSettled(
            order_id=moved.id,
            buyer_id=moved.buyer_id,
            provider_id=moved.provider_id,
            service_value_fen=parts.total_fen,
            voucher_fen=parts.voucher_fen,
            own_fen=parts.own_fen,
            settled_on=tx.today,
        )
    )
    return moved
