"""On which hours of which days an instrument is open: weeks, dates, holidays, make-up days.

Hours of a date stand before everything; then a public holiday is shut; then the weekday's hours
hold, and on a make-up Saturday or Sunday without hours of its own those of the nearest workday.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from marketplace.booking.rules.intervals import common, minutes_of, without
from marketplace.booking.rules.schedule import DatedHours, Hours, Schedule
from marketplace.booking.rules.states import UserClass
from marketplace.kernel.time import (
    SATURDAY,
    During,
    is_makeup_day,
    is_public_holiday,
    merged,
    shanghai_instant,
)

MONDAY, FRIDAY = 0, 4
MINUTES_PER_DAY = 1440
AS_WORKDAY = "as_workday"


@dataclass(frozen=True, slots=True)
class Kept:
    """Time kept for the provider's own people until `lapses_at`."""

    during: During
    lapses_at: datetime


def open_intervals(schedule: Schedule, within: During) -> list[During]:
    """When the hours hold inside `within`: disjoint, in order, joined over midnight."""
    spans = [
        _on(day, hours.opens_minute, hours.closes_minute)
        for day in within.days()
        for hours in hours_on(schedule, day)
    ]
    return [part for span in merged(spans) if (part := span.clip(within)) is not None]


def hours_on(schedule: Schedule, day: date) -> Sequence[Hours | DatedHours]:
    """The hours of one day."""
    if schedule.dated:
        dated = [hours for hours in schedule.dated if hours.day == day]
        if dated:
            return dated
    if is_public_holiday(day) and not schedule.terms.open_on_holidays:
        return ()
    weekday = weekday_on(schedule, day)
    return [hours for hours in schedule.hours if hours.weekday == weekday]


def weekday_on(schedule: Schedule, day: date) -> int:
    """The weekday whose hours hold on `day`: Friday's on a make-up Saturday, Monday's on a Sunday.

    A provider that runs on that weekday anyway, or says `as_weekday`, keeps the weekday's own.
    """
    weekday = day.weekday()
    if weekday < SATURDAY or schedule.terms.makeup_days != AS_WORKDAY or not is_makeup_day(day):
        return weekday
    if any(hours.weekday == weekday for hours in schedule.hours):
        return weekday
    return FRIDAY if weekday == SATURDAY else MONDAY


def holidays(schedule: Schedule, within: During) -> list[During]:
    """The public holidays inside `within` on which the instrument stays closed."""
    if schedule.terms.open_on_holidays:
        return []
    opened = {hours.day for hours in schedule.dated}
    days = [
        _on(day, 0, MINUTES_PER_DAY)
        for day in within.days()
        if is_public_holiday(day) and day not in opened
    ]
    return [part for day in merged(days) if (part := day.clip(within)) is not None]


def kept_hours(schedule: Schedule, within: During, *, at: datetime) -> list[Kept]:
    """What of `within` is still kept for the provider's own people at `at`, from everybody else.

    Each stretch of priority hours lapses as a whole, so many minutes before it begins.

    Policy: J.16a (own research and teaching first, then society).
    """
    if not schedule.priority or schedule.user_class is UserClass.OWN_UNIT:
        return []
    kept = []
    for day in within.days():
        weekday = weekday_on(schedule, day)
        for hours in schedule.priority:
            if hours.weekday != weekday:
                continue
            stretch = _on(day, hours.opens_minute, hours.closes_minute)
            lapses_at = stretch.starts_at - timedelta(minutes=hours.lapses_minutes)
            part = stretch.clip(within)
            if part is not None and at < lapses_at:
                kept.append(Kept(part, lapses_at))
    return kept


def hours_of_others(schedule: Schedule, within: During) -> Iterator[tuple[UserClass, list[During]]]:
    """For each other class of user that may book: when it could, and this one cannot."""
    general = schedule.in_general
    if not general.class_hours and not general.class_terms:
        return
    opened = open_intervals(schedule, within) if schedule.may_book else []
    for user_class in UserClass:
        other = general.for_class(user_class)
        if user_class is not schedule.user_class and other.may_book:
            more = without(open_intervals(other, within), opened)
            if more:
                yield user_class, more


def peak_minutes(schedule: Schedule, during: During) -> int:
    """Minutes of `during` that lie in peak hours.

    Every weekday has its own, holidays and make-up days like any other.
    """
    spans = [
        _on(day, hours.opens_minute, hours.closes_minute)
        for day in during.days()
        for hours in schedule.peak
        if hours.weekday == day.weekday()
    ]
    return minutes_of(common([during], spans))


# The same hours of the same days are asked for again and again.
@lru_cache(maxsize=10_000)
def _on(day: date, opens_minute: int, closes_minute: int) -> During:
    return During(shanghai_instant(day, opens_minute), shanghai_instant(day, closes_minute))
