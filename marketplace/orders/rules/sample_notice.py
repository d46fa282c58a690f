"""How early the provider has to know of samples before they may arrive."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import shanghai_day, shanghai_instant
from marketplace.orders.errors import SamplesTooSoon


def earliest_arrival_on(at: datetime, *, notice_minutes: int) -> date:
    """The first day on which samples ordered at `at` may arrive.

    Policy: F.booking
    """
    return shanghai_day(at + timedelta(minutes=notice_minutes))


def require_notice(arrives_on: date, *, at: datetime, notice_minutes: int) -> None:
    """The provider has its notice before the samples arrive.

    Policy: F.booking

    Raises:
        SamplesTooSoon: with the earliest day.
    """
    earliest_on = earliest_arrival_on(at, notice_minutes=notice_minutes)
    reasons = Reasons()
    if arrives_on < earliest_on:
        reasons.add(
            "sample-notice",
            f"Samples ordered now may arrive from {earliest_on} on.",
            limit=earliest_on.isoformat(),
            asked=arrives_on.isoformat(),
            source="F.booking",
        )
    reasons.raise_as(SamplesTooSoon)


def order_until(arrives_on: date, *, notice_minutes: int) -> datetime:
    """Until when samples can be ordered that are to arrive on that day with enough notice."""
    day_after = arrives_on + timedelta(days=1)
    return shanghai_instant(day_after) - timedelta(minutes=notice_minutes)
