"""Until which day a voucher pays."""

from __future__ import annotations

import calendar
import re
from datetime import date

PROGRAMME_END = "programme-end"
YEAR_END = "year-end"

_MONTHS = re.compile(r"months-([1-9][0-9]?)")
_DAY = re.compile(r"day-([0-9]{4}-[0-9]{2}-[0-9]{2})")


def months_after(day: date, months: int) -> date:
    """The same day of the month `months` later, or the last one that the month has."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def grant_valid_until(
    validity: str, *, granted_on: date, year: int, ends_on: date | None = None
) -> date:
    """The last day of a grant made on `granted_on` in a programme of `year` that ends on a day.

    `year-end`, `programme-end`, `months-N` from the grant on, or `day-YYYY-MM-DD`.

    Raises:
        ValueError: when it is none of these, or the programme's last day is not said.

    Policy: J.22b (the length is the term `validity`)
    """
    if validity == YEAR_END:
        return date(year, 12, 31)
    if validity == PROGRAMME_END:
        if ends_on is None:
            raise ValueError("valid until the programme's end, which is not said")
        return ends_on
    if months := _MONTHS.fullmatch(validity):
        return months_after(granted_on, int(months[1]))
    if day := _DAY.fullmatch(validity):
        return date.fromisoformat(day[1])
    raise ValueError(f"not a length of time that a voucher is valid: {validity}")


def programme_valid_until(
    validity: str, *, closes_on: date, year: int, ends_on: date | None = None
) -> date:
    """The last day of the last grant that a programme can make."""
    return grant_valid_until(validity, granted_on=closes_on, year=year, ends_on=ends_on)
