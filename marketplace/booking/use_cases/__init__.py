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
from marketplace.booking.use_cases.extend import (
    ExtendReservation,
    ExtensionPreview,
    PreviewExtension,
    ShortenReservation,
    extend_reservation,
    preview_extension,
    shorten_reservation,
)
from marketplace.booking.use_cases.feeds import (
    FeedWithSecret,
    MakeFeed,
    RevokeFeed,
    RotateFeed,
    make_feed,
    revoke_feed,
    rotate_feed,
)
from marketplace.booking.use_cases.lapse import (
    close_forgotten_sessions,
    expire_requests,
    mark_no_shows,
)
from marketplace.booking.use_cases.move import (
    MovePreview,
    MoveReservation,
    PreviewMove,
    fee_of_move,
    move_reservation,
    preview_move,
)
from marketplace.booking.use_cases.place import (
    PlaceReservation,
    ReserveOwnTime,
    place_reservation,
    reserve_own_time,
)
from marketplace.booking.use_cases.repairs import (
    AcceptSession,
    AnswerRepair,
    RepairSession,
    ReportSessionEnd,
    accept_session,
    confirm_repair,
    reject_repair,
    repair_session,
    report_session_end,
)
from marketplace.booking.use_cases.rule import SetBookingRule, set_booking_rule
from marketplace.booking.use_cases.sessions import (
    CloseSession,
    OpenSession,
    close_session,
    open_session,
    settle_session,
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
    "AcceptSession",
    "AnswerRepair",
    "ApproveReservation",
    "CancelReservation",
    "Cancelled",
    "CloseSession",
    "ConfirmStatement",
    "DraftStatement",
    "ExtendReservation",
    "ExtensionPreview",
    "FeedWithSecret",
    "MakeFeed",
    "MovePreview",
    "MoveReservation",
    "OpenSession",
    "PlaceReservation",
    "PreviewExtension",
    "PreviewMove",
    "RejectReservation",
    "RepairSession",
    "ReportSessionEnd",
    "ReserveOwnTime",
    "RevokeFeed",
    "RotateFeed",
    "SetBookingRule",
    "ShortenReservation",
    "accept_session",
    "approve_reservation",
    "cancel_reservation",
    "close_forgotten_sessions",
    "close_session",
    "confirm_repair",
    "confirm_statement",
    "directly",
    "discard_statement",
    "draft_missing_statements",
    "draft_statement",
    "expire_requests",
    "extend_reservation",
    "fee_of_move",
    "make_feed",
    "mark_no_shows",
    "move_reservation",
    "open_session",
    "place_reservation",
    "preview_extension",
    "preview_move",
    "reject_repair",
    "reject_reservation",
    "repair_session",
    "report_session_end",
    "reserve_own_time",
    "revoke_feed",
    "rotate_feed",
    "set_booking_rule",
    "settle_session",
    "shorten_reservation",
]
