"""What would be possible instead: a small shift, a shorter time, the next free slots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.booking.rules.availability import (
    BookingTerms,
    Schedule,
    Taken,
    free_intervals,
)
from marketplace.kernel.time import During, shanghai_day, shanghai_instant

SLOTS_OFFERED = 3
SHIFT_MINUTES_MAX = 20
# A shorter time is at least so much of what was asked: a quarter less would still do.
SHORTER_PERCENT_MIN = 75
# How far ahead a free slot is looked for.
SEARCH_DAYS = 14
# Of a day that is free all round, a time is told at which people come.
DAY_BEGINS_MINUTE = 8 * 60


@dataclass(frozen=True, slots=True)
class Alternative:
    """A time that could be reserved now: a `shift` of what was asked, `shorter`, or a `slot`."""

    kind: str
    during: During
    shift_minutes: int = 0


def possible_length(terms: BookingTerms, minutes: int) -> int:
    """The length nearest to `minutes` that the booking rule allows, not shorter if it can be."""
    steps = -(-minutes // terms.step_minutes) * terms.step_minutes
    longest = terms.maximum_minutes // terms.step_minutes * terms.step_minutes
    return max(terms.minimum_minutes, min(steps, longest))


def search_window(terms: BookingTerms, asked: During, *, at: datetime) -> During:
    """Where alternatives to `asked` are looked for: from just before it, for a fortnight.

    Who asks for the past or beyond the horizon is shown the first days that are open.
    """
    first = at + timedelta(minutes=terms.notice_minutes)
    last = at + timedelta(days=terms.horizon_days)
    starts_at = asked.starts_at - timedelta(minutes=SHIFT_MINUTES_MAX)
    if not first < starts_at <= last:
        starts_at = first
    length = timedelta(days=SEARCH_DAYS, minutes=terms.maximum_minutes)
    return During(starts_at, starts_at + length)


def alternatives(
    schedule: Schedule,
    taken: Sequence[Taken],
    asked: During,
    *,
    at: datetime,
    accept: Callable[[During], bool] = lambda _: True,
) -> list[Alternative]:
    """A shift of at most 20 minutes, a time at most a quarter shorter, the next three free slots.

    Every one of them would be accepted as things stand; `accept` knows what the schedule does not.
    """
    terms = schedule.terms
    length = timedelta(minutes=possible_length(terms, asked.minutes))
    window = search_window(terms, asked, at=at)
    free = free_intervals(schedule, taken, window, at=at)
    offered = [
        *_shift(free, asked, length, terms.step_minutes, accept),
        *_shorter(free, asked, terms, accept),
    ]
    following = max(asked.starts_at, window.starts_at)
    slots = 0
    for stretch in free:
        starts_at = aligned(max(stretch.starts_at, following), terms.step_minutes)
        while slots < SLOTS_OFFERED and starts_at + length <= stretch.ends_at:
            slot = During(starts_at, starts_at + length)
            if all(slot != other.during for other in offered) and accept(slot):
                offered.append(Alternative("slot", slot))
                slots += 1
            following = aligned(slot.ends_at, terms.step_minutes)
            starts_at = following
    return offered


def first_of_each_day(free: Sequence[During], terms: BookingTerms, minutes: int) -> list[During]:
    """On each day with room for `minutes`, the first time from eight o'clock, else the first.

    A time that ends on its day goes before one that runs into the next. None where the booking
    rule does not allow so long a time.
    """
    length = timedelta(minutes=possible_length(terms, minutes))
    if length < timedelta(minutes=minutes):
        return []
    firsts: dict[date, During] = {}
    for least, into_next in ((DAY_BEGINS_MINUTE, 0), (0, 0), (0, 1)):
        for stretch in free:
            for day in stretch.days():
                earliest = max(stretch.starts_at, shanghai_instant(day, least))
                starts_at = aligned(earliest, terms.step_minutes)
                latest = shanghai_instant(day + timedelta(days=1 + into_next))
                ends_at = starts_at + length
                if shanghai_day(starts_at) == day and ends_at <= min(stretch.ends_at, latest):
                    firsts.setdefault(day, During(starts_at, ends_at))
    return [firsts[day] for day in sorted(firsts)]


def aligned(instant: datetime, step_minutes: int) -> datetime:
    """The first instant not before `instant` that lies on a step since midnight in Shanghai."""
    midnight = shanghai_instant(shanghai_day(instant))
    step = timedelta(minutes=step_minutes)
    moved = midnight - (midnight - instant) // step * step
    tomorrow = midnight + timedelta(days=1)
    return min(moved, tomorrow)


def _shift(
    free: Sequence[During],
    asked: During,
    length: timedelta,
    step_minutes: int,
    accept: Callable[[During], bool],
) -> Iterator[Alternative]:
    """The nearest start within 20 minutes of the asked one; of two as near, the earlier."""
    reach = timedelta(minutes=SHIFT_MINUTES_MAX)
    starts_at = aligned(asked.starts_at - reach, step_minutes)
    possible = []
    while starts_at <= asked.starts_at + reach:
        slot = During(starts_at, starts_at + length)
        if slot != asked and any(one.covers(slot) for one in free) and accept(slot):
            possible.append(slot)
        starts_at = aligned(starts_at + timedelta(minutes=1), step_minutes)
    if possible:
        nearest = min(possible, key=lambda slot: abs(slot.starts_at - asked.starts_at))
        minutes = (nearest.starts_at - asked.starts_at) // timedelta(minutes=1)
        yield Alternative("shift", nearest, shift_minutes=minutes)


def _shorter(
    free: Sequence[During],
    asked: During,
    terms: BookingTerms,
    accept: Callable[[During], bool],
) -> Iterator[Alternative]:
    """The longest part of what was asked that is free and long enough; of two, the earlier."""
    step = timedelta(minutes=terms.step_minutes)
    least = (asked.ends_at - asked.starts_at) * SHORTER_PERCENT_MIN / 100
    most = timedelta(minutes=terms.maximum_minutes)
    possible = []
    for stretch in free:
        part = stretch.clip(asked)
        if part is None:
            continue
        starts_at = aligned(part.starts_at, terms.step_minutes)
        length = min((part.ends_at - starts_at) // step * step, most)
        if length >= max(least, timedelta(minutes=terms.minimum_minutes)):
            slot = During(starts_at, starts_at + length)
            if slot != asked and accept(slot):
                possible.append(slot)
    if possible:
        longest = max(possible, key=lambda slot: (slot.minutes, asked.starts_at - slot.starts_at))
        yield Alternative("shorter", longest)
