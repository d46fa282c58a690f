"""The tables of booking."""

from marketplace.booking.tables.booking_rules import (
    booking_rule,
    class_terms,
    dated_hours,
    weekly_hours,
)
from marketplace.booking.tables.calendars import busy_source, calendar_feed, outside_busy
from marketplace.booking.tables.machines import shared_calendar
from marketplace.booking.tables.operators import operator, operator_absence, operator_hours
from marketplace.booking.tables.qualifications import qualification, training_request
from marketplace.booking.tables.quotas import quota
from marketplace.booking.tables.readings import machine_reading, reading_source
from marketplace.booking.tables.reservations import (
    LIVE,
    reservation,
    reservation_group,
    reservation_series,
    series_occurrence,
)
from marketplace.booking.tables.sessions import problem_report, session_repair, usage_session
from marketplace.booking.tables.statements import hours_statement, hours_statement_line
from marketplace.booking.tables.strikes import strike, strike_appeal, strike_sweep, suspension
from marketplace.booking.tables.waitlist import slot_offer, waitlist_entry

__all__ = [
    "LIVE",
    "booking_rule",
    "busy_source",
    "calendar_feed",
    "class_terms",
    "dated_hours",
    "hours_statement",
    "hours_statement_line",
    "machine_reading",
    "operator",
    "operator_absence",
    "operator_hours",
    "outside_busy",
    "problem_report",
    "qualification",
    "quota",
    "reading_source",
    "reservation",
    "reservation_group",
    "reservation_series",
    "series_occurrence",
    "session_repair",
    "shared_calendar",
    "slot_offer",
    "strike",
    "strike_appeal",
    "strike_sweep",
    "suspension",
    "training_request",
    "usage_session",
    "waitlist_entry",
    "weekly_hours",
]
