"""Instants are UTC inside, Asia/Shanghai outside; days are Shanghai days; intervals half-open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

import holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")
SATURDAY = 5


class Clock(Protocol):
    """Tells the one moment at which a transaction happens."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC)


class ShiftedClock:
    """The clock of the machine, moved by a fixed time: the day of a demo."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """The instant so far from the present one, in UTC."""
        return datetime.now(UTC) + self._ahead


class SetClock:
    """A clock that stands where it was set: for tests and for a year lived in a minute."""

    def __init__(self, now: datetime) -> None:
        self._now = as_utc(now)

    def now(self) -> datetime:
        """The instant that was set."""
        return self._now

    def set(self, now: datetime) -> None:
        """Move to `now`, forwards or backwards."""
        self._now = as_utc(now)


def as_utc(instant: datetime) -> datetime:
    """`instant` in UTC.

    Raises:
        ValueError: for an instant without a zone: guessing one is how bookings move by 8 hours;
            and for one that falls off the calendar's end in UTC.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant lies within the years 1 to 9999") from error


def shanghai_day(instant: datetime) -> date:
    """The day in Shanghai on which `instant` falls."""
    return instant.astimezone(SHANGHAI).date()


def shanghai_instant(day: date, minutes: int = 0) -> datetime:
    """The instant `minutes` after midnight of `day` in Shanghai, in UTC (China has no DST)."""
    midnight = datetime.combine(day, time(), tzinfo=SHANGHAI)
    return (midnight + timedelta(minutes=minutes)).astimezone(UTC)


@dataclass(frozen=True, slots=True, order=True)
class During:
    """A half-open interval of time, `starts_at` ≤ t < `ends_at`, both in UTC and never empty."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        starts_at, ends_at = self.starts_at, self.ends_at
        # What is in UTC already, as nearly everything is, needs no conversion to be compared.
        if not (starts_at.tzinfo is UTC and ends_at.tzinfo is UTC):
            starts_at, ends_at = as_utc(starts_at), as_utc(ends_at)
        if starts_at >= ends_at:
            raise ValueError("an interval ends after it starts")

    @property
    def minutes(self) -> int:
        """Whole minutes, rounded down."""
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)

    def overlaps(self, other: During) -> bool:
        """Whether the two share an instant; touching ends do not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def covers(self, other: During) -> bool:
        """Whether `other` lies wholly inside."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def clip(self, other: During) -> During | None:
        """The part of this interval inside `other`, or None."""
        if not self.overlaps(other):
            return None
        return During(max(self.starts_at, other.starts_at), min(self.ends_at, other.ends_at))

    def widened(self, *, before_minutes: int, after_minutes: int) -> During:
        """This interval with preparation before and cleaning after it."""
        return During(
            self.starts_at - timedelta(minutes=before_minutes),
            self.ends_at + timedelta(minutes=after_minutes),
        )

    def days(self) -> Iterator[date]:
        """Every Shanghai day that the interval touches."""
        day = shanghai_day(self.starts_at)
        last = shanghai_day(self.ends_at - timedelta(microseconds=1))
        while day <= last:
            yield day
            day += timedelta(days=1)


def merged(intervals: list[During]) -> list[During]:
    """The union of `intervals` as disjoint intervals in order: overlaps are counted once."""
    union: list[During] = []
    for interval in sorted(intervals):
        if union and interval.starts_at <= union[-1].ends_at:
            last = union.pop()
            interval = During(last.starts_at, max(last.ends_at, interval.ends_at))
        union.append(interval)
    return union


@lru_cache(maxsize=1)
def _calendar() -> holidays.HolidayBase:
    return holidays.country_holidays("CN")


def is_working_day(day: date) -> bool:
    """Whether `day` is a working day in China: make-up working Saturdays and Sundays count."""
    return _calendar().is_working_day(day)


def is_makeup_day(day: date) -> bool:
    """Whether `day` is a Saturday or Sunday on which China works, to make up for a day off."""
    return day.weekday() >= SATURDAY and is_working_day(day)


# The same days are asked for again and again.
@lru_cache(maxsize=10_000)
def is_public_holiday(day: date) -> bool:
    """Whether China is off on `day` for a public holiday, as the State Council publishes it.

    The weekend inside or beside a holiday belongs to it: off from Friday 4 to Sunday 6 April.
    """
    if is_working_day(day):
        return False
    calendar = _calendar()
    return any(
        off in calendar for ahead in (-1, 1) for off in _days_off_from(day, timedelta(days=ahead))
    )


def _days_off_from(day: date, step: timedelta) -> Iterator[date]:
    while not is_working_day(day):
        yield day
        day += step


def working_days_after(day: date, count: int) -> date:
    """The `count`-th working day after `day` (`day` itself does not count)."""
    while count > 0:
        day += timedelta(days=1)
        if is_working_day(day):
            count -= 1
    return day


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Seconds since the block was entered, for figures and logs."""
    import time as machine

    began = machine.perf_counter()
    yield lambda: machine.perf_counter() - began
