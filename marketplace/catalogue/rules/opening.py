"""When an instrument is open in a usual week, and how long it may be closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import During

MINUTES_PER_DAY = 1440
INTERVALS_MAX = 70
CLOSURE_DAYS_MAX = 366
YEAR_MAX = 2100


class ClosureKind(StrEnum):
    """Why an instrument is closed; users see it."""

    CLOSED = "closed"
    """The provider is away, or uses the room for something else."""
    MAINTENANCE = "maintenance"
    """Planned upkeep."""
    BREAKDOWN = "breakdown"
    """It does not work."""


@dataclass(frozen=True, slots=True, order=True)
class OpeningHours:
    """Open on `weekday` (0 is Monday) from `opens_minute` to `closes_minute`, Shanghai time.

    Minutes count from midnight; 1440 is the end of the day. Half-open, like every interval.
    """

    weekday: int
    opens_minute: int
    closes_minute: int


def check_opening_hours(hours: Sequence[OpeningHours]) -> Reasons:
    """Everything that is wrong with a week: bounds, empty and overlapping intervals."""
    reasons = Reasons()
    if len(hours) > INTERVALS_MAX:
        reasons.add("opening-hours-many", "too many intervals", limit=INTERVALS_MAX)
        return reasons
    longest: OpeningHours | None = None
    for interval in sorted(hours):
        span = f"{interval.opens_minute}-{interval.closes_minute}"
        if not 0 <= interval.weekday <= 6:
            reasons.add("weekday", "a weekday is 0 (Monday) to 6 (Sunday)", asked=interval.weekday)
        if not 0 <= interval.opens_minute < interval.closes_minute <= MINUTES_PER_DAY:
            reasons.add(
                "opening-minutes",
                "an interval lies within one day and ends after it starts",
                asked=span,
            )
        if longest is None or longest.weekday != interval.weekday:
            longest = interval
            continue
        if interval.opens_minute < longest.closes_minute:
            reasons.add(
                "opening-hours-overlap",
                f"weekday {interval.weekday}: {span} overlaps an interval before it",
                asked=span,
            )
        longest = max(longest, interval, key=lambda one: one.closes_minute)
    return reasons


def check_closure(during: During, reason: str) -> Reasons:
    """Everything that is wrong with a closure."""
    reasons = Reasons()
    if during.ends_at - during.starts_at > timedelta(days=CLOSURE_DAYS_MAX):
        reasons.add(
            "closure-long",
            f"a closure lasts at most {CLOSURE_DAYS_MAX} days; withdraw the instrument instead",
            limit=CLOSURE_DAYS_MAX,
            asked=(during.ends_at - during.starts_at).days,
        )
    if during.ends_at.year > YEAR_MAX:
        reasons.add("closure-year", "no calendar goes that far", limit=YEAR_MAX)
    if not reason.strip():
        reasons.add("closure-reason", "say why it is closed: users see the reason")
    return reasons
