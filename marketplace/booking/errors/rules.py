"""The refusals of setting rules and asking for periods."""

from __future__ import annotations

from marketplace.kernel.errors import Malformed, Refused


class BookingRuleRefused(Refused):
    """The booking rule contradicts itself or goes beyond what the province allows."""

    code = "booking-rule-refused"
    title = "The booking rule is not possible"


class WindowRefused(Malformed):
    """The asked period is empty, too long, or outside the years of a calendar."""

    code = "window-refused"
    title = "Ask for another period"
