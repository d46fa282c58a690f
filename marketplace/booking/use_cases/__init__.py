"""What can be done with reservations: one verb a file."""

from marketplace.booking.use_cases.cancel import (
    Cancelled,
    CancelReservation,
    cancel_reservation,
)
from marketplace.booking.use_cases.decide import (
    ApproveReservation,
    RejectReservation,
    approve_reservation,
    reject_reservation,
)
from marketplace.booking.use_cases.direct import directly
from marketplace.booking.use_cases.lapse import (
    close_forgotten_sessions,
    expire_requests,
    mark_no_shows,
)
from marketplace.booking.use_cases.place import (
    PlaceReservation,
    ReserveOwnTime,
    place_reservation,
    reserve_own_time,
)
from marketplace.booking.use_cases.rule import SetBookingRule, set_booking_rule
from marketplace.booking.use_cases.sessions import (
    CloseSession,
    OpenSession,
    RepairSession,
    close_session,
    open_session,
    repair_session,
)
from marketplace.booking.use_cases.statements import (
    ConfirmStatement,
    DraftStatement,
    confirm_statement,
    discard_statement,
    draft_missing_statements,
    draft_statement,
)

__all__ = [
    "ApproveReservation",
    "CancelReservation",
    "Cancelled",
    "CloseSession",
    "ConfirmStatement",
    "DraftStatement",
    "OpenSession",
    "PlaceReservation",
    "RejectReservation",
    "RepairSession",
    "ReserveOwnTime",
    "SetBookingRule",
    "approve_reservation",
    "cancel_reservation",
    "close_forgotten_sessions",
    "close_session",
    "confirm_statement",
    "directly",
    "discard_statement",
    "draft_missing_statements",
    "draft_statement",
    "expire_requests",
    "mark_no_shows",
    "open_session",
    "place_reservation",
    "reject_reservation",
    "repair_session",
    "reserve_own_time",
    "set_booking_rule",
]
