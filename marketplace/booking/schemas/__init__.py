"""The shapes of booking on the wire."""

from marketplace.booking.schemas.booking_rules import (
    AvailabilityOut,
    BookingRuleIn,
    BookingRuleOut,
    BusyOut,
    FreeOut,
)
from marketplace.booking.schemas.feeds import (
    FeedAddressOut,
    FeedIn,
    FeedOut,
    feed_page,
)
from marketplace.booking.schemas.machine_hours import (
    Digits,
    GroupBy,
    MachineHoursPage,
    MeteredSessionsPage,
    hours_period_of,
    hours_table,
)
from marketplace.booking.schemas.periods import (
    during_of,
    period_of,
    window_of,
)
from marketplace.booking.schemas.reservations import (
    CancelIn,
    CancelledOut,
    RejectIn,
    ReservationDetailOut,
    ReservationIn,
    ReservationOut,
    reservation_page,
)
from marketplace.booking.schemas.sessions import (
    CloseSessionIn,
    RepairSessionIn,
    SessionOut,
)
from marketplace.booking.schemas.statements import (
    ConfirmStatementIn,
    DraftStatementIn,
    LineDifferenceOut,
    MissingStatementOut,
    Month,
    MonthsComparedOut,
    StatementDetailOut,
    StatementLineOut,
    StatementOut,
    month_of,
    months_asked,
)

__all__ = [
    "AvailabilityOut",
    "BookingRuleIn",
    "BookingRuleOut",
    "BusyOut",
    "CancelIn",
    "CancelledOut",
    "CloseSessionIn",
    "ConfirmStatementIn",
    "Digits",
    "DraftStatementIn",
    "FeedAddressOut",
    "FeedIn",
    "FeedOut",
    "FreeOut",
    "GroupBy",
    "LineDifferenceOut",
    "MachineHoursPage",
    "MeteredSessionsPage",
    "MissingStatementOut",
    "Month",
    "MonthsComparedOut",
    "RejectIn",
    "RepairSessionIn",
    "ReservationDetailOut",
    "ReservationIn",
    "ReservationOut",
    "SessionOut",
    "StatementDetailOut",
    "StatementLineOut",
    "StatementOut",
    "during_of",
    "feed_page",
    "hours_period_of",
    "hours_table",
    "month_of",
    "months_asked",
    "period_of",
    "reservation_page",
    "window_of",
]
