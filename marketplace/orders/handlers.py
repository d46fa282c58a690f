"""What orders do when they hear from booking: an order follows its reservation."""

from __future__ import annotations

from marketplace.booking.events import (
    ReservationCancelled,
    ReservationExpired,
    ReservationNoShow,
    ReservationRejected,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.outbox import Handlers
from marketplace.orders.events import OrderSettled
from marketplace.orders.use_cases import (
    ExpireOrder,
    FollowCancellation,
    FollowNoShow,
    expire_order,
    follow_cancellation,
    follow_no_show,
)
from marketplace.orders.use_cases.free_use_served import CountFreeUse, count_free_use

# Booking says 0 where a reservation belongs to no order. An order that ended by its own use case
# has cancelled its reservation itself; hearing of that again changes nothing.


async def release_expired_order(tx: Tx, event: ReservationExpired) -> None:
    """A request lapsed: the order's voucher and money go back."""
    if event.order_id:
        await expire_order(tx, ExpireOrder(event.order_id))


async def release_rejected_order(tx: Tx, event: ReservationRejected) -> None:
    """The provider turned the time down in booking: the order's voucher and money go back."""
    if event.order_id:
        await expire_order(tx, ExpireOrder(event.order_id, reason=event.reason))


async def call_off_cancelled_order(tx: Tx, event: ReservationCancelled) -> None:
    """The time was given back in booking: the order is called off, with what stays due."""
    if event.order_id:
        await follow_cancellation(
            tx,
            FollowCancellation(
                event.order_id,
                reason=event.reason,
                fee_basis_points=event.fee_basis_points,
                reservation_id=event.reservation_id,
            ),
        )


async def charge_missed_order(tx: Tx, event: ReservationNoShow) -> None:
    """Nobody came: the no-show fee is due."""
    if event.order_id:
        await follow_no_show(
            tx,
            FollowNoShow(
                event.order_id,
                fee_basis_points=event.fee_basis_points,
                reservation_id=event.reservation_id,
            ),
        )


async def count_free_service(tx: Tx, event: OrderSettled) -> None:
    """What was given free of charge for a public purpose is counted, at list prices."""
    await count_free_use(tx, CountFreeUse(event.order_id, event.settled_on))


HANDLERS: Handlers = {
    OrderSettled: [count_free_service],
    ReservationExpired: [release_expired_order],
    ReservationRejected: [release_rejected_order],
    ReservationCancelled: [call_off_cancelled_order],
    ReservationNoShow: [charge_missed_order],
}
