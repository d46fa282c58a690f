"""The words of invoicing that are stored and sent."""

from __future__ import annotations

from enum import StrEnum


class ChargeKind(StrEnum):
    """What an order was charged for."""

    SERVICE = "service"
    """Hours run or samples tested."""
    CANCELLATION_FEE = "cancellation_fee"
    """Called off too late."""
    NO_SHOW_FEE = "no_show_fee"
    """Booked and not used."""
    MOVE_FEE = "move_fee"
    """Moved to another time too late for others to use the first."""
