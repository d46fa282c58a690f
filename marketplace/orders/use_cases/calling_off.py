"""Orders that end without a service: cancelled, lapsed, missed."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.billing.invoicing.use_cases import ChargeKind
from marketplace.booking import queries as booking_queries
from marketplace.booking import use_cases as booking
from marketplace.kernel.db import Tx
from marketplace.orders.errors import OrderMissing
from marketplace.orders.events import OrderEnded
from marketplace.orders.queries.access import is_side
from marketplace.orders.queries.orders import Order, order_quote
from marketplace.orders.rules.cancellation import fee_due
from marketplace.orders.rules.states import Status, Step, after, allows
from marketplace.orders.use_cases.answer import end_without_service
from marketplace.orders.use_cases.money import charge_fee
from marketplace.orders.use_cases.steps import lock_order, take_step

LIVE_RESERVATION = ("requested", "confirmed")


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
    fee_basis_points = await _give_time_back(
        tx,
        found,
        reason=command.reason,
        by_provider=tx.actor.organisation_id != found.buyer_id,
    )
    return await _call_off(tx, found, reason=command.reason, fee_basis_points=fee_basis_points)


async def _give_time_back(tx: Tx, found: Order, *, reason: str, by_provider: bool) -> int:
    """Cancel the order's reservation; which share of the price stays due for it."""
    if found.reservation_id is None:
        return 0
    reserved = await booking_queries.reservation(tx, found.reservation_id)
    if reserved.status not in LIVE_RESERVATION:
        return 0
    cancelled = await booking.cancel_reservation(
        tx,
        booking.CancelReservation(reserved.id, reason=reason, by_provider=by_provider),
    )
    return cancelled.fee_basis_points


async def _call_off(tx: Tx, found: Order, *, reason: str, fee_basis_points: int) -> Order:
    quote = await order_quote(tx, found)
    fee_fen = fee_due(
        found.own_fen,
        fee_basis_points=fee_basis_points,
        quoted_basis_points=quote.term("booking", "late_cancel_fee_basis_points"),
        confirmed=found.status == Status.CONFIRMED,
    )
    return await _end_with_fee(
        tx, found, Step.CANCEL, fee_fen=fee_fen, kind=ChargeKind.CANCELLATION_FEE, reason=reason
    )


async def _end_with_fee(
    tx: Tx, found: Order, step: Step, *, fee_fen: int, kind: ChargeKind, reason: str
) -> Order:
    fee = await charge_fee(tx, found, fee_fen, kind=kind)
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
    """The order's reservation was cancelled in booking, with the share that stays due."""

    order_id: int
    reason: str
    fee_basis_points: int


async def follow_cancellation(tx: Tx, command: FollowCancellation) -> Order:
    """Call off the order whose reservation was cancelled by booking's own hand."""
    found = await lock_order(tx, command.order_id)
    if not allows(found.status, Step.CANCEL):
        return found
    return await _call_off(
        tx, found, reason=command.reason, fee_basis_points=command.fee_basis_points
    )


@dataclass(frozen=True, slots=True)
class FollowNoShow:
    """Nobody came for the order's reservation; the share of the price that stays due."""

    order_id: int
    fee_basis_points: int


async def follow_no_show(tx: Tx, command: FollowNoShow) -> Order:
    """Charge the no-show fee to the buyer's own money; the voucher goes back whole.

    An order that the provider had not confirmed cannot be missed: it lapses and costs nothing.
    Policy: J.gap, J.22b
    """
    found = await lock_order(tx, command.order_id)
    if allows(found.status, Step.EXPIRE):
        return await end_without_service(
            tx, found, Step.EXPIRE, reason="The time passed before the provider answered."
        )
    if not allows(found.status, Step.MISS):
        return found
    quote = await order_quote(tx, found)
    fee_fen = fee_due(
        found.own_fen,
        fee_basis_points=command.fee_basis_points,
        quoted_basis_points=quote.term("booking", "no_show_fee_basis_points"),
        confirmed=True,
    )
    return await _end_with_fee(
        tx,
        found,
        Step.MISS,
        fee_fen=fee_fen,
        kind=ChargeKind.NO_SHOW_FEE,
        reason="Nobody came.",
    )
