"""Periods and bounds that the shapes of booking share."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import msgspec

from marketplace.booking.errors import WindowRefused
from marketplace.kernel.time import During, as_utc, shanghai_instant

# A stretch of at most a year in minutes; the rule itself is stricter.
RuleMinutes = Annotated[int, msgspec.Meta(ge=0, le=525_600)]
SessionMinutes = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Hours = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Seat = Annotated[int, msgspec.Meta(ge=1, le=200)]
ReasonGiven = Annotated[
    str, msgspec.Meta(min_length=3, max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
]

YEARS = range(2000, 2101)
WINDOW_DAYS_MAX = 62


def during_of(starts_at: datetime, ends_at: datetime) -> During:
    """The interval between two instants of a request.

    Raises:
        WindowRefused: when it is empty, or outside the years of a calendar.
    """
    if starts_at.year not in YEARS or ends_at.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise WindowRefused("An instant needs a time zone, for instance +08:00.")
    if starts_at >= ends_at:
        raise WindowRefused("It ends before it starts.", starts_at=starts_at, ends_at=ends_at)
    return During(as_utc(starts_at), as_utc(ends_at))


def window_of(starts_at: datetime, ends_at: datetime) -> During:
    """A period of at most `WINDOW_DAYS_MAX` days.

    Raises:
        WindowRefused: also when it is longer.
    """
    during = during_of(starts_at, ends_at)
    if during.minutes > WINDOW_DAYS_MAX * 1440:
        raise WindowRefused(f"At most {WINDOW_DAYS_MAX} days at once.", limit=WINDOW_DAYS_MAX)
    return during


PERIOD_DAYS_MAX = 366


def period_of(starts_on: date, ends_before: date) -> During:
    """The period from the beginning of one day to the beginning of another, in Shanghai.

    Raises:
        WindowRefused: when it is empty, longer than a year, or outside the years of a calendar.
    """
    if starts_on.year not in YEARS or ends_before.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    days = (ends_before - starts_on).days
    if not 1 <= days <= PERIOD_DAYS_MAX:
        raise WindowRefused(f"From 1 to {PERIOD_DAYS_MAX} days.", limit=PERIOD_DAYS_MAX, asked=days)
    return During(shanghai_instant(starts_on), shanghai_instant(ends_before))


def instant_within(instant: datetime) -> datetime:
    """An instant of a request in UTC.

    Raises:
        WindowRefused: when it lies outside the years of a calendar, or has no zone.
    """
    if instant.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    if instant.tzinfo is None:
        raise WindowRefused("An instant needs a time zone, for instance +08:00.")
    return as_utc(instant)


def open_period_of(starts_at: datetime | None, ends_at: datetime | None) -> During | None:
    """A period of which either end may be left open; None when both are.

    Raises:
        WindowRefused: when it is empty, or outside the years of a calendar.
    """
    if starts_at is None and ends_at is None:
        return None
    first = datetime(YEARS[0], 1, 1, tzinfo=UTC)
    last = datetime(YEARS[-1], 12, 31, tzinfo=UTC)
    return during_of(starts_at or first, ends_at or last)


def day_within(day: date | None) -> date | None:
    """A day of a request, if there is one.

    Raises:
        WindowRefused: when it lies outside the years of a calendar.
    """
    if day is not None and day.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    return day
