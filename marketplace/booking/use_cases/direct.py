"""Steps taken on a reservation itself, which only those without an order allow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from marketplace.booking.errors import ReservationBelongsToOrder
from marketplace.booking.queries.reservations import visible_reservation
from marketplace.booking.use_cases.change import require_provider
from marketplace.kernel.db import Tx


class OnReservation(Protocol):
    """A command about one reservation."""

    @property
    def reservation_id(self) -> int:
        """The reservation that it is about."""
        ...


C = TypeVar("C", bound=OnReservation)
R = TypeVar("R")


def directly(use_case: Callable[[Tx, C], Awaitable[R]]) -> Callable[[Tx, C], Awaitable[R]]:
    """`use_case` for the provider's own reservations.

    A reservation under an order carries money and a contract: it moves when its order does.
    """

    async def on_own_reservation(tx: Tx, command: C) -> R:
        present = await visible_reservation(tx, command.reservation_id)
        require_provider(tx, present)
        if present.order_id is not None:
            raise ReservationBelongsToOrder(
                f"Act on order {present.order_id}; its reservation follows.",
                order_id=present.order_id,
            )
        return await use_case(tx, command)

    return on_own_reservation
