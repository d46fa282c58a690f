"""The provider's answer to an order."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from marketplace.booking import queries as booking_queries
from marketplace.booking import use_cases as booking
from marketplace.kernel.db import Tx
from marketplace.orders.events import OrderConfirmed, OrderEnded
from marketplace.orders.queries.items import order_items
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.states import Status, Step, after
from marketplace.orders.tables import contract
from marketplace.orders.use_cases.items import ItemEnd, end_items, reserved_ids
from marketplace.orders.use_cases.money import release_everything
from marketplace.orders.use_cases.steps import lock_as_provider, take_step


@dataclass(frozen=True, slots=True)
class ConfirmOrder:
    """The provider signs: who, when, and from which address."""

    order_id: int
    signed_from: str = ""


async def confirm_order(tx: Tx, command: ConfirmOrder) -> Order:
    """Sign the contract for the provider and confirm the time of every item.

    Policy: J.18a, N.25b

    Raises:
        OrderMissing: when it is another provider's.
        StepNotOpen: when it is not waiting for an answer.
    """
    found = await lock_as_provider(tx, command.order_id)
    after(Status(found.status), Step.CONFIRM)
    for reservation_id in await reserved_ids(tx, found.id):
        reserved = await booking_queries.reservation(tx, reservation_id)
        if reserved.status == "requested":
            await booking.approve_reservation(tx, booking.ApproveReservation(reserved.id))
    # Who confirms an order that moved meanwhile signs its addenda too.
    await tx.execute(
        update(contract)
        .where(contract.c.order_id == found.id, contract.c.provider_signed_at.is_(None))
        .values(
            provider_signed_how="person",
            provider_signed_by=tx.actor.person_id,
            provider_signed_at=tx.now,
            provider_signed_from=command.signed_from,
        )
    )
    moved = await take_step(tx, found, Step.CONFIRM, facts={"how": "person"}, confirmed_at=tx.now)
    tx.record(OrderConfirmed(moved.id, moved.buyer_id, moved.provider_id))
    return moved


@dataclass(frozen=True, slots=True)
class RejectOrder:
    """The provider declines."""

    order_id: int
    reason: str


async def reject_order(tx: Tx, command: RejectOrder) -> Order:
    """Decline an order: its time, voucher and money go back whole.

    Raises:
        OrderMissing: when it is another provider's.
        StepNotOpen: when it is not waiting for an answer.
    """
    found = await lock_as_provider(tx, command.order_id)
    after(Status(found.status), Step.REJECT)
    for reservation_id in await reserved_ids(tx, found.id):
        reserved = await booking_queries.reservation(tx, reservation_id)
        if reserved.status == "requested":
            await booking.reject_reservation(
                tx, booking.RejectReservation(reserved.id, reason=command.reason)
            )
        elif reserved.status == "confirmed":
            await booking.cancel_reservation(
                tx,
                booking.CancelReservation(reserved.id, reason=command.reason, by_provider=True),
            )
    return await end_without_service(tx, found, Step.REJECT, reason=command.reason)


async def end_without_service(tx: Tx, found: Order, step: Step, *, reason: str) -> Order:
    """End an order that cost nothing: everything held goes back."""
    await release_everything(tx, found)
    items = await order_items(tx, found.id)
    await end_items(tx, found.id, [ItemEnd(item.position) for item in items])
    moved = await take_step(
        tx,
        found,
        step,
        facts={"reason": reason},
        ended_at=tx.now,
        ended_because=reason,
        settled_fen=0,
        settled_voucher_fen=0,
        settled_own_fen=0,
    )
    tx.record(OrderEnded(moved.id, moved.buyer_id, moved.provider_id, moved.status, 0))
    return moved
