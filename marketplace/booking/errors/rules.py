"""The refusals of setting rules and asking for periods."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing, Refused


class BookingRuleRefused(Refused):
    """The booking rule contradicts itself or goes beyond what the province allows."""

    code = "booking-rule-refused"
    title = "The booking rule is not possible"


class CalendarInUse(Conflict):
    """Reservations stand in the calendar; they would end up in one that does not guard them."""

    code = "calendar-in-use"
    title = "Reservations stand in the present calendar"


class HoursRefused(Refused):
    """The hours do not fit; every stretch that is wrong is listed."""

    code = "hours-refused"
    title = "These hours do not fit"


class DatedHoursMissing(Missing):
    """The day has no hours of its own."""

    code = "dated-hours-not-found"
    title = "This day has no hours of its own"


class WindowRefused(Malformed):
    """The asked period is empty, too long, or outside the years of a calendar."""

    code = "window-refused"
    title = "Ask for another period"
