"""What booking answers: reservations, free time, machine-hours."""

from marketplace.booking.queries.figures import Dimension, Scope
from marketplace.booking.queries.free_time import (
    Availability,
    FreeIn,
    WeekOf,
    Window,
    availability,
    free_among,
    week_strips,
)
from marketplace.booking.queries.live import (
    LIVE_DESCRIBERS,
    live_topic_of_instrument,
    live_topic_of_provider,
)
from marketplace.booking.queries.machine_hours import (
    HoursAsked,
    HoursFound,
    HoursRow,
    MachineMinutes,
    MachineMinutesAsked,
    MeteredSession,
    SessionsAsked,
    SessionsFound,
    machine_hours,
    machine_minutes,
    sessions_behind,
)
from marketplace.booking.queries.reservations import (
    Reservation,
    ReservationPage,
    ReservationSearch,
    reservation,
    reservations,
    visible_reservation,
)
from marketplace.booking.queries.sessions import UsageSession, session_of
from marketplace.booking.queries.timetables import booking_terms, visible_booking_terms
from marketplace.booking.rules.availability import BookingTerms
from marketplace.booking.rules.states import Purpose, Status, UserClass

__all__ = [
    "LIVE_DESCRIBERS",
    "Availability",
    "BookingTerms",
    "Dimension",
    "FreeIn",
    "HoursAsked",
    "HoursFound",
    "HoursRow",
    "MachineMinutes",
    "MachineMinutesAsked",
    "MeteredSession",
    "Purpose",
    "Reservation",
    "ReservationPage",
    "ReservationSearch",
    "Scope",
    "SessionsAsked",
    "SessionsFound",
    "Status",
    "UsageSession",
    "UserClass",
    "WeekOf",
    "Window",
    "availability",
    "booking_terms",
    "free_among",
    "live_topic_of_instrument",
    "live_topic_of_provider",
    "machine_hours",
    "machine_minutes",
    "reservation",
    "reservations",
    "session_of",
    "sessions_behind",
    "visible_booking_terms",
    "visible_reservation",
    "week_strips",
]
