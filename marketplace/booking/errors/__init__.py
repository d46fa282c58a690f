"""The refusals of booking."""

from marketplace.booking.errors.reservations import (
    ExternalTimeIsOrdered,
    OrderAlreadyReserved,
    OverrideNotAllowed,
    RequestLapsed,
    ReservationBelongsToOrder,
    ReservationNotInState,
    ReservationOverlaps,
    ReservationRefused,
    SecondPersonNeeded,
    TooLateToCancel,
)
from marketplace.booking.errors.rules import (
    BookingRuleRefused,
    WindowRefused,
)
from marketplace.booking.errors.sessions import (
    CheckInRefused,
    SessionMinutesRefused,
    SessionNotInProblem,
)

__all__ = [
    "BookingRuleRefused",
    "CheckInRefused",
    "ExternalTimeIsOrdered",
    "OrderAlreadyReserved",
    "OverrideNotAllowed",
    "RequestLapsed",
    "ReservationBelongsToOrder",
    "ReservationNotInState",
    "ReservationOverlaps",
    "ReservationRefused",
    "SecondPersonNeeded",
    "SessionMinutesRefused",
    "SessionNotInProblem",
    "TooLateToCancel",
    "WindowRefused",
]
