"""Which reservations would no longer fit, if hours changed or the instrument were closed."""

from __future__ import annotations

from datetime import datetime

from marketplace.booking.rules.hours import kept_hours, open_intervals
from marketplace.booking.rules.intervals import common, without
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.states import UserClass
from marketplace.kernel.time import During


def would_hit(
    present: Schedule,
    changed: Schedule,
    during: During,
    *,
    user_class: UserClass,
    at: datetime,
) -> bool:
    """Whether a change takes away some of the time that a reservation of `user_class` stands in.

    What does not fit today, because staff set a rule aside for it, is not hit by the change.
    """
    before = _usable(present.for_class(user_class), during, at=at)
    after = _usable(changed.for_class(user_class), during, at=at)
    return bool(common(before, without([during], after)))


def _usable(schedule: Schedule, during: During, *, at: datetime) -> list[During]:
    """What of `during` a reservation may lie in, whatever else is reserved."""
    shut = [one.during for one in schedule.closures]
    kept = [one.during for one in kept_hours(schedule, during, at=at)]
    return without(open_intervals(schedule, during), [*shut, *kept])
