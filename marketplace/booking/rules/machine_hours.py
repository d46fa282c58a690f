"""Figures of machine-hours: periods cut into months and weeks, quotas pro rata, ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from marketplace.booking.rules.states import Purpose
from marketplace.kernel.time import During, shanghai_day, shanghai_instant

MINUTE = timedelta(minutes=1)

# What the ministry's table splits effective hours into; upkeep counts only where a term says so.
SERVICE = (Purpose.EXTERNAL, Purpose.OWN_RESEARCH, Purpose.TEACHING)
UPKEEP = (Purpose.MAINTENANCE, Purpose.TEST_RUN)


class Grain(StrEnum):
    """Into which stretches a period is cut; all of them begin at midnight in Shanghai."""

    TOTAL = "total"
    YEAR = "year"
    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    """From Monday to Sunday, as ISO 8601 has it."""
    DAY = "day"


@dataclass(frozen=True, slots=True)
class HourTerms:
    """What holds from a day on: quotas in hours a year, and which upkeep counts as effective."""

    since: date
    general_hours: int
    special_hours: int
    national_hours: int
    effective_upkeep: frozenset[str] = frozenset()

    def counts(self, purpose: str) -> bool:
        """Whether time for `purpose` is effective.

        The ministry's table knows teaching, research and service to others. Maintenance and test
        runs keep a machine able to serve and serve nobody, so they count only where a province's
        term says so.

        Policy: F.hours.
        """
        return purpose in SERVICE or purpose in self.effective_upkeep


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch inside one bucket, one calendar year and one set of terms."""

    during: During
    bucket: date
    terms: HourTerms

    @property
    def year(self) -> During:
        """The calendar year in which it lies."""
        number = shanghai_day(self.during.starts_at).year
        return During(
            shanghai_instant(date(number, 1, 1)), shanghai_instant(date(number + 1, 1, 1))
        )


def first_day(day: date, grain: Grain, *, total: date) -> date:
    """The day on which the bucket of `day` begins; `total` where nothing is cut."""
    match grain:
        case Grain.TOTAL:
            return total
        case Grain.YEAR:
            return day.replace(month=1, day=1)
        case Grain.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.WEEK:
            return day - timedelta(days=day.weekday())
        case Grain.DAY:
            return day


def day_after(bucket: date, grain: Grain) -> date:
    """The day on which the bucket after `bucket` begins.

    Raises:
        ValueError: where nothing is cut.
    """
    match grain:
        case Grain.YEAR:
            return bucket.replace(year=bucket.year + 1)
        case Grain.QUARTER:
            return (bucket + timedelta(days=100)).replace(day=1)
        case Grain.MONTH:
            return (bucket + timedelta(days=31)).replace(day=1)
        case Grain.WEEK:
            return bucket + timedelta(days=7)
        case Grain.DAY:
            return bucket + timedelta(days=1)
        case Grain.TOTAL:
            raise ValueError("a total has no next bucket")


def buckets_of(period: During, grain: Grain) -> int:
    """Into how many buckets a period falls."""
    if grain is Grain.TOTAL:
        return 1
    return len(_first_days(shanghai_day(period.starts_at), period.ends_at, grain))


def slices_of(period: During, grain: Grain, terms: Sequence[HourTerms]) -> list[Slice]:
    """`period` cut where a bucket, a calendar year or a set of terms ends: disjoint, in order.

    Raises:
        ValueError: when the period does not begin and end on a minute, or before any term.
    """
    if any(at.second or at.microsecond for at in (period.starts_at, period.ends_at)):
        raise ValueError("machine-hours are counted to the minute")
    known = sorted(terms, key=lambda one: one.since)
    first = shanghai_day(period.starts_at)
    if not known or known[0].since > first:
        raise ValueError("no terms hold when the period begins")
    cuts = {period.starts_at, period.ends_at}
    cuts |= {shanghai_instant(one.since) for one in known}
    cuts |= {shanghai_instant(day) for day in _first_days(first, period.ends_at, Grain.YEAR)}
    if grain is not Grain.TOTAL:
        cuts |= {shanghai_instant(day) for day in _first_days(first, period.ends_at, grain)}
    inside = sorted(cut for cut in cuts if period.starts_at <= cut <= period.ends_at)
    found = []
    for starts_at, ends_at in pairwise(inside):
        day = shanghai_day(starts_at)
        in_force = [one for one in known if one.since <= day][-1]
        bucket = first_day(day, grain, total=first)
        found.append(Slice(During(starts_at, ends_at), bucket, in_force))
    return found


def _first_days(day: date, until: datetime, grain: Grain) -> list[date]:
    days = []
    bucket = first_day(day, grain, total=day)
    while shanghai_instant(bucket) < until:
        days.append(bucket)
        bucket = day_after(bucket, grain)
    return days


def quota_minutes(during: During, year: During, *, hours_a_year: int) -> int:
    """The part of a year's quota that falls into `during`, which lies in that year.

    It is what the year has given until the end less what it had given until the beginning, each
    rounded down; so the parts of any partition sum to the whole, and a whole year is the quota.

    Policy: F.quota (1,400 hours a year for general instruments, 800 for special ones).
    """
    whole = hours_a_year * 60

    def given(at: datetime) -> int:
        return whole * ((at - year.starts_at) // MINUTE) // year.minutes

    return given(during.ends_at) - given(during.starts_at)


def basis_points(part: int, whole: int) -> int:
    """`part` of `whole` in hundredths of a per cent, half up; 0 when there is no whole.

    Policy: F.survey (a ratio with nothing below the line is 0).
    """
    return 0 if whole <= 0 else (part * 20_000 + whole) // (2 * whole)


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over some machines and some time. Every one is a whole number, so parts add up."""

    external_minutes: int = 0
    own_research_minutes: int = 0
    teaching_minutes: int = 0
    maintenance_minutes: int = 0
    test_run_minutes: int = 0
    effective_minutes: int = 0
    session_minutes: int = 0
    idle_minutes: int = 0
    overlap_minutes: int = 0
    reserved_minutes: int = 0
    self_operated_minutes: int = 0
    sessions: int = 0
    samples: int = 0
    no_shows: int = 0
    late_cancellations: int = 0
    quota_minutes: int = 0
    national_quota_minutes: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in MEASURES})

    @property
    def machine_minutes(self) -> int:
        """Machine time for whatever purpose, counted once."""
        return sum(getattr(self, f"{purpose}_minutes") for purpose in Purpose)

    @property
    def utilisation_basis_points(self) -> int:
        """Effective time in the quota of the ministry. Policy: F.quota."""
        return basis_points(self.effective_minutes, self.quota_minutes)

    @property
    def national_utilisation_basis_points(self) -> int:
        """Effective time in the 1,600 hours of the national survey. Policy: F.survey."""
        return basis_points(self.effective_minutes, self.national_quota_minutes)

    @property
    def sharing_basis_points(self) -> int:
        """The external part of effective time. Policy: F.survey."""
        return basis_points(self.external_minutes, self.effective_minutes)


MEASURES: tuple[str, ...] = tuple(field.name for field in fields(Figures))
