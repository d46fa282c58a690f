"""Acceptance, and the settlement in which it ends; a ruling ends in the same one."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.kernel.db import Tx
from marketplace.kernel.money import split
from marketplace.orders.events import OrderSettled
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.settlement import Parts, ruled_value, used_value
from marketplace.orders.rules.states import Status, Step, after, allows
from marketplace.orders.use_cases.items import write_items
from marketplace.orders.use_cases.money import ItemValue, pay_for_service
from marketplace.orders.use_cases.steps import lock_as_buyer, lock_order, take_step
from marketplace.orders.use_cases.usage import settled_item, used_items

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


async def settle(
    tx: Tx, found: Order, step: Step, *, because: str, pay_basis_points: int = WHOLE
) -> Order:
    """Lead a locked order to its settlement: the provider has what was used, the rest goes back."""
    uses = await used_items(tx, found)
    ruled_fen = ruled_value(
        used_value(repriced_fen=sum(use.value_fen for use in uses), held=found.held),
        pay_basis_points=pay_basis_points,
    )
    ruled = split(ruled_fen, [use.value_fen for use in uses])
    values = [
        ItemValue(use.item, used_fen=used_fen, fee_fen=use.fee_fen, fee_kind=use.fee_kind)
        for use, used_fen in zip(uses, ruled, strict=True)
    ]
    shares = await pay_for_service(tx, found, values)
    settled = [
        settled_item(use, ruled_fen=ruled_fen, paid=paid)
        for use, ruled_fen, paid in zip(uses, ruled, shares, strict=True)
    ]
    await write_items(tx, found.id, settled)
    parts = Parts(
        voucher_fen=sum(one["settled_voucher_fen"] for one in settled),
        own_fen=sum(one["settled_own_fen"] for one in settled),
    )
    moved = await take_step(
        tx,
        found,
        step,
        facts={
            "because": because,
            "used_fen": sum(use.value_fen for use in uses),
            "pay_basis_points": pay_basis_points,
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
                for use, one in zip(uses, settled, strict=True)
            ],
        },
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
