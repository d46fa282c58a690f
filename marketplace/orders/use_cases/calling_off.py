"""Orders that end without a service: cancelled, lapsed, missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.billing.invoicing.use_cases import ChargeKind
from marketplace.booking import queries as booking_queries
from marketplace.booking import use_cases as booking
from marketplace.kernel.db import Tx
from marketplace.kernel.money import split
from marketplace.orders.errors import OrderMissing
from marketplace.orders.events import OrderEnded
from marketplace.orders.queries.access import is_side
from marketplace.orders.queries.items import OrderItem, order_items
from marketplace.orders.queries.orders import Order, order_quote
from marketplace.orders.rules.cancellation import fee_due
from marketplace.orders.rules.items import ItemStatus
from marketplace.orders.rules.settlement import Parts
from marketplace.orders.rules.states import Status, Step, after, allows
from marketplace.orders.use_cases.answer import end_without_service
from marketplace.orders.use_cases.handover import deliver_if_nothing_is_due
from marketplace.orders.use_cases.items import ItemEnd, end_items, write_items
from marketplace.orders.use_cases.money import charge_fees
from marketplace.orders.use_cases.payment import ItemValue
from marketplace.orders.use_cases.steps import lock_order, note, take_step

LIVE_RESERVATION = ("requested", "confirmed")
WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Call an order off, as its buyer or its provider."""

    order_id: int
    reason: str


async def cancel_order(tx: Tx, command: CancelOrder) -> Order:
    """Call off an order that has not begun.

    A buyer that cancels a confirmed order late pays the fee of the dated terms from its own money;
    the voucher goes back whole, because no service was received. Samples have no hour to be late
    for. A provider that cancels gives everything back.
    Policy: J.gap, J.22b

    Raises:
        OrderMissing: when it is neither the caller's as buyer nor as provider.
        StepNotOpen: when the service has begun or the order has ended.
        TooLateToCancel: when the buyer's time has begun.
    """
    found = await lock_order(tx, command.order_id)
    if not is_side(tx.actor, buyer_id=found.buyer_id, provider_id=found.provider_id):
        raise OrderMissing()
    after(Status(found.status), Step.CANCEL)
    shares = await _give_time_back(
        tx,
        found,
        reason=command.reason,
        by_provider=tx.actor.organisation_id != found.buyer_id,
    )
    return await _call_off(tx, found, reason=command.reason, shares=shares)


async def _give_time_back(
    tx: Tx, found: Order, *, reason: str, by_provider: bool
) -> dict[int, int]:
    """Cancel the reservations of the order's items; which share of each price stays due for it."""
    positions = {
        item.reservation_id: item.position
        for item in await order_items(tx, found.id)
        if item.reservation_id is not None
    }
    shares = {}
    for reservation_id in sorted(positions):
        reserved = await booking_queries.reservation(tx, reservation_id)
        if reserved.status not in LIVE_RESERVATION:
            continue
        cancelled = await booking.cancel_reservation(
            tx,
            booking.CancelReservation(reserved.id, reason=reason, by_provider=by_provider),
        )
        shares[positions[reservation_id]] = cancelled.fee_basis_points
    return shares


async def _call_off(tx: Tx, found: Order, *, reason: str, shares: Mapping[int, int]) -> Order:
    return await _end_with_fee(
        tx,
        found,
        Step.CANCEL,
        fees=await _fees(tx, found, shares, term="late_cancel_fee_basis_points"),
        kind=ChargeKind.CANCELLATION_FEE,
        reason=reason,
    )


async def _fees(tx: Tx, found: Order, shares: Mapping[int, int], *, term: str) -> dict[int, int]:
    """What stays due of each item: its share of the own part of its price."""
    quote = await order_quote(tx, found)
    items = await order_items(tx, found.id)
    own = split(found.own_fen, [item.total_fen for item in items])
    return {
        item.position: fee_due(
            own_fen,
            fee_basis_points=shares.get(item.position, 0),
            quoted_basis_points=quote.term("booking", term),
            confirmed=found.status == Status.CONFIRMED,
        )
        for item, own_fen in zip(items, own, strict=True)
    }


async def _end_with_fee(
    tx: Tx,
    found: Order,
    step: Step,
    *,
    fees: Mapping[int, int],
    kind: ChargeKind,
    reason: str,
    missed: int | None = None,
) -> Order:
    items = await order_items(tx, found.id)
    values = [ItemValue(item, fee_fen=fees.get(item.position, 0), fee_kind=kind) for item in items]
    fee = await charge_fees(tx, found, values)
    await end_items(
        tx,
        found.id,
        [
            ItemEnd(
                value.item.position,
                ItemStatus.MISSED if value.item.position == missed else ItemStatus.CANCELLED,
                Parts(voucher_fen=0, own_fen=value.fee_fen),
            )
            for value in values
        ],
    )
    moved = await take_step(
        tx,
        found,
        step,
        facts={"reason": reason, "fee_fen": fee.own_fen},
        ended_at=tx.now,
        ended_because=reason,
        settled_fen=fee.total_fen,
        settled_voucher_fen=fee.voucher_fen,
        settled_own_fen=fee.own_fen,
    )
    tx.record(OrderEnded(moved.id, moved.buyer_id, moved.provider_id, moved.status, fee.own_fen))
    return moved


@dataclass(frozen=True, slots=True)
class ExpireOrder:
    """Nobody answered in time."""

    order_id: int
    reason: str = "The provider did not answer in time."


async def expire_order(tx: Tx, command: ExpireOrder) -> Order:
    """End an order that was never confirmed: time, voucher and money go back whole.

    An order that has moved on meanwhile is left as it is.
    """
    found = await lock_order(tx, command.order_id)
    if not allows(found.status, Step.EXPIRE):
        return found
    await _give_time_back(tx, found, reason=command.reason, by_provider=True)
    return await end_without_service(tx, found, Step.EXPIRE, reason=command.reason)


@dataclass(frozen=True, slots=True)
class FollowCancellation:
    """A reservation of the order was cancelled in booking, with the share that stays due."""

    order_id: int
    reason: str
    fee_basis_points: int
    reservation_id: int = 0


async def follow_cancellation(tx: Tx, command: FollowCancellation) -> Order:
    """Call off the order of which a reservation was cancelled by booking's own hand.

    Until its service begins an order is one bargain: who loses the time of one item gets the times
    of the others back too. Afterwards only that item is lost.
    """
    found = await lock_order(tx, command.order_id)
    lost = await _item_of(tx, found, command.reservation_id)
    if found.status == Status.IN_SERVICE and lost is not None:
        return await _lose(
            tx, found, lost, ItemStatus.CANCELLED, fee_basis_points=command.fee_basis_points
        )
    # What the provider gave up of an order by itself leaves the rest as it was.
    if not allows(found.status, Step.CANCEL) or (lost is not None and not lost.is_due):
        return found
    await _give_time_back(tx, found, reason=command.reason, by_provider=True)
    shares = {1 if lost is None else lost.position: command.fee_basis_points}
    return await _call_off(tx, found, reason=command.reason, shares=shares)


@dataclass(frozen=True, slots=True)
class FollowNoShow:
    """Nobody came for a reservation of the order; the share of the price that stays due."""

    order_id: int
    fee_basis_points: int
    reservation_id: int = 0


async def follow_no_show(tx: Tx, command: FollowNoShow) -> Order:
    """Charge the no-show fee to the buyer's own money; the voucher goes back whole.

    An order that the provider had not confirmed cannot be missed: it lapses and costs nothing. Of
    an order in service only the item is missed; its fee is settled with the others.
    Policy: J.gap, J.22b
    """
    found = await lock_order(tx, command.order_id)
    missed = await _item_of(tx, found, command.reservation_id)
    if allows(found.status, Step.EXPIRE):
        reason = "The time passed before the provider answered."
        await _give_time_back(tx, found, reason=reason, by_provider=True)
        return await end_without_service(tx, found, Step.EXPIRE, reason=reason)
    if found.status == Status.IN_SERVICE and missed is not None:
        return await _lose(
            tx, found, missed, ItemStatus.MISSED, fee_basis_points=command.fee_basis_points
        )
    if not allows(found.status, Step.MISS):
        return found
    position = 1 if missed is None else missed.position
    await _give_time_back(tx, found, reason="Nobody came.", by_provider=True)
    return await _end_with_fee(
        tx,
        found,
        Step.MISS,
        fees=await _fees(
            tx, found, {position: command.fee_basis_points}, term="no_show_fee_basis_points"
        ),
        kind=ChargeKind.NO_SHOW_FEE,
        reason="Nobody came.",
        missed=position,
    )


async def _item_of(tx: Tx, found: Order, reservation_id: int) -> OrderItem | None:
    """The item of the order that a reservation is for."""
    items = await order_items(tx, found.id)
    return next((item for item in items if item.reservation_id == reservation_id), None)


async def _lose(
    tx: Tx, found: Order, lost: OrderItem, status: ItemStatus, *, fee_basis_points: int
) -> Order:
    """An item of an order in service has lost its time; the others go on."""
    if lost.status != ItemStatus.ORDERED:
        return found
    await write_items(
        tx,
        found.id,
        [
            {
                "position": lost.position,
                "status": status,
                "fee_basis_points": min(fee_basis_points, WHOLE),
            }
        ],
    )
    await note(tx, found.id, f"item_{status}", item=lost.position, title=lost.title)
    return await deliver_if_nothing_is_due(tx, found)
