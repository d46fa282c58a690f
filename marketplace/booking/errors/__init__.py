"""The refusals of booking."""

from marketplace.booking.errors.operators import (
    AbsenceWithdrawn,
    OperatorBusy,
    OperatorHoursOverlap,
    OperatorRefused,
)
from marketplace.booking.errors.qualifications import (
    QualificationRefused,
    QualificationRevoked,
    QualificationStands,
    QualificationToOneself,
    TrainingNotInState,
    TrainingOfOneself,
    TrainingOpen,
    TrainingRefused,
)
from marketplace.booking.errors.quotas import QuotaEnded, QuotaExists, QuotaRefused
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
    "AbsenceWithdrawn",
    "BookingRuleRefused",
    "CheckInRefused",
    "ExternalTimeIsOrdered",
    "OperatorBusy",
    "OperatorHoursOverlap",
    "OperatorRefused",
    "OrderAlreadyReserved",
    "OverrideNotAllowed",
    "QualificationRefused",
    "QualificationRevoked",
    "QualificationStands",
    "QualificationToOneself",
    "QuotaEnded",
    "QuotaExists",
    "QuotaRefused",
    "RequestLapsed",
    "ReservationBelongsToOrder",
    "ReservationNotInState",
    "ReservationOverlaps",
    "ReservationRefused",
    "SecondPersonNeeded",
    "SessionMinutesRefused",
    "SessionNotInProblem",
    "TooLateToCancel",
    "TrainingNotInState",
    "TrainingOfOneself",
    "TrainingOpen",
    "TrainingRefused",
    "WindowRefused",
]
