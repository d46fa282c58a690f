"""What booking answers: reservations, free time, machine-hours."""

from marketplace.booking.queries.free_time import (
    Availability,
    FreeIn,
    WeekOf,
    Window,
    availability,
    free_among,
    week_strips,
)
from marketplace.booking.queries.machine_hours import (
    MachineHours,
    MachineHoursFound,
    MachineMinutes,
    MachineMinutesAsked,
    machine_hours,
    machine_minutes,
)
from marketplace.booking.queries.reservations import (
    Reservation,
    ReservationPage,
    ReservationSearch,
    UsageSession,
    reservation,
    reservations,
    session_of,
    visible_reservation,
)
from marketplace.booking.queries.timetables import booking_terms, visible_booking_terms
from marketplace.booking.rules.availability import BookingTerms
from marketplace.booking.rules.states import Purpose, Status, UserClass

__all__ = [
    "Availability",
    "BookingTerms",
    "FreeIn",
    "MachineHours",
    "MachineHoursFound",
    "MachineMinutes",
    "MachineMinutesAsked",
    "Purpose",
    "Reservation",
    "ReservationPage",
    "ReservationSearch",
    "Status",
    "UsageSession",
    "UserClass",
    "WeekOf",
    "Window",
    "availability",
    "booking_terms",
    "free_among",
    "machine_hours",
    "machine_minutes",
    "reservation",
    "reservations",
    "session_of",
    "visible_booking_terms",
    "visible_reservation",
    "week_strips",
]
