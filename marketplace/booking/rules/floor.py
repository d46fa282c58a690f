"""The floor of hours for outside users: what the provider's own people leave to others each week.

Counted over all seats, inside opening hours. Close to its start a free time is nobody's to keep:
then the floor lapses for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.booking.rules.hours import open_intervals
from marketplace.booking.rules.intervals import common, minutes_of, without
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During, shanghai_day, shanghai_instant

# Upkeep is for everybody's good: it does not count against the floor.
COUNTED = frozenset({Purpose.OWN_RESEARCH, Purpose.TEACHING})
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Use:
    """A live or past reservation: when, and whether it counts as the own unit's."""

    during: During
    own: bool


@dataclass(frozen=True, slots=True)
class FloorWeek:
    """One week, Monday to Sunday in Shanghai, in minutes over all seats inside opening hours."""

    week: During
    floor_minutes: int
    open_minutes: int
    own_minutes: int
    others_minutes: int

    @property
    def starts_on(self) -> date:
        """Its Monday."""
        return shanghai_day(self.week.starts_at)

    @property
    def own_limit(self) -> int:
        """What the own unit may take while the floor holds."""
        return max(0, self.open_minutes - self.floor_minutes)

    @property
    def own_left(self) -> int:
        """What the own unit may still take while the floor holds."""
        return max(0, self.own_limit - self.own_minutes)

    @property
    def kept_minutes(self) -> int:
        """What is kept for others and not taken by them yet."""
        return max(0, min(self.floor_minutes, self.open_minutes) - self.others_minutes)


def counts_as_own(user_class: UserClass, purpose: Purpose) -> bool:
    """Whether such a reservation counts against what the own unit may take."""
    return user_class is UserClass.OWN_UNIT and purpose in COUNTED


def floor_holds(schedule: Schedule, starts_at: datetime, *, at: datetime) -> bool:
    """Whether the floor still stands in the way of the own unit for a start then.

    Policy: J.16a.
    """
    terms = schedule.terms
    lapses = timedelta(minutes=terms.outside_floor_lapses_minutes)
    return (
        terms.outside_floor_minutes > 0
        and schedule.user_class is UserClass.OWN_UNIT
        and at < starts_at - lapses
    )


def weeks_of(during: During) -> Iterator[During]:
    """Every week, Monday to Sunday in Shanghai, that the interval touches."""
    first = shanghai_day(during.starts_at)
    starts_at = shanghai_instant(first - timedelta(days=first.weekday()))
    while starts_at < during.ends_at:
        yield During(starts_at, starts_at + WEEK)
        starts_at += WEEK


def whole_weeks(during: During) -> During:
    """From the Monday in whose week it begins to the Sunday in whose week it ends."""
    weeks = list(weeks_of(during))
    return During(weeks[0].starts_at, weeks[-1].ends_at)


def floor_weeks(schedule: Schedule, within: During, uses: Iterable[Use]) -> list[FloorWeek]:
    """How each week that `within` touches stands; `uses` and closures are all of those weeks."""
    known = list(uses)
    found = []
    for week in weeks_of(within):
        opened = _open(schedule, week)
        taken = {True: 0, False: 0}
        for use in known:
            taken[use.own] += minutes_of(common([use.during], opened))
        found.append(
            FloorWeek(
                week=week,
                floor_minutes=schedule.terms.outside_floor_minutes,
                open_minutes=minutes_of(opened) * schedule.terms.seats,
                own_minutes=taken[True],
                others_minutes=taken[False],
            )
        )
    return found


def floor_refusals(
    schedule: Schedule,
    during: During,
    weeks: Sequence[FloorWeek],
    *,
    purpose: Purpose,
    at: datetime,
) -> tuple[Reason, ...]:
    """Why the own unit may not take `during`: one reason for each week in which too little is left.

    Policy: J.16a (own tasks come first, and something is left for society).
    """
    if purpose not in COUNTED or not floor_holds(schedule, during.starts_at, at=at):
        return ()
    found = []
    for week in weeks:
        asked = minutes_of(common([during], _open(schedule, week.week)))
        if asked and week.own_minutes + asked > week.own_limit:
            found.append(
                Reason(
                    "outside-floor",
                    f"In the week of {week.starts_on} {week.floor_minutes} minutes are left to"
                    f" others; of {week.own_limit} for the own unit {week.own_left} remain.",
                    limit=week.own_limit,
                    asked=week.own_minutes + asked,
                    source="J.16a",
                    overridable=True,
                )
            )
    return tuple(found)


def exhausted(schedule: Schedule, weeks: Sequence[FloorWeek], *, at: datetime) -> list[During]:
    """The weeks, or what is left of them, in which the own unit finds nothing while they hold."""
    if schedule.user_class is not UserClass.OWN_UNIT or not schedule.terms.outside_floor_minutes:
        return []
    holds_from = at + timedelta(minutes=schedule.terms.outside_floor_lapses_minutes)
    return [
        During(max(week.week.starts_at, holds_from), week.week.ends_at)
        for week in weeks
        if week.own_left < schedule.terms.minimum_minutes and holds_from < week.week.ends_at
    ]


def _open(schedule: Schedule, week: During) -> list[During]:
    general = schedule.in_general
    return without(open_intervals(general, week), [one.during for one in general.closures])
