"""Until which day a voucher pays."""

from __future__ import annotations

import calendar
from datetime import date

_MONTHS = {"months-3": 3, "months-12": 12}


def months_after(day: date, months: int) -> date:
    """The same day of the month `months` later, or the last one that the month has."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def grant_valid_until(validity: str, *, granted_on: date, year: int) -> date:
    """The last day of a grant made on `granted_on` in a programme of `year`.

    Policy: J.22b (the length is the rulebook's `voucher.validity`)
    """
    if validity == "year-end":
        return date(year, 12, 31)
    return months_after(granted_on, _MONTHS[validity])


def programme_valid_until(validity: str, *, closes_on: date, year: int) -> date:
    """The last day of the last grant that a programme can make."""
    return grant_valid_until(validity, granted_on=closes_on, year=year)
