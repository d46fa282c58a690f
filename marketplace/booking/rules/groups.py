"""Several instruments as one booking: when all of them are free at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from marketplace.kernel.time import During

ITEMS_MAX = 10
CHOICES_MAX = 5
SHIFTS_OFFERED = 3
# How far a group is shifted as a whole to find a time that is free for all of it.
SHIFT_DAYS_MAX = 7
# Nearer shifts than this are not told apart.
SHIFT_STEP_MINUTES = 15
# From the beginning of the first item to the end of the last.
SPAN_DAYS_MAX = 31


@dataclass(frozen=True, slots=True)
class Wanted:
    """One time, on the first of these instruments that is free."""

    instrument_ids: tuple[int, ...]
    during: During


def free_shifts(
    wanted: Sequence[Wanted], free: Mapping[int, Sequence[During]], *, step_minutes: int
) -> list[timedelta]:
    """The next three shifts, later or earlier, after which each item finds a free instrument.

    `free` holds for each instrument its stretches in order, none inside another
    (`free_intervals`). Items are served in their order, each by the first of its instruments that
    is free; two of them never share the time of one instrument.
    """
    found = []
    for shift in _shifts(timedelta(minutes=step_minutes)):
        if _all_free(wanted, free, shift):
            found.append(shift)
        if len(found) == SHIFTS_OFFERED:
            break
    return found


def shifted(during: During, shift: timedelta) -> During:
    """The same length, `shift` later."""
    return During(during.starts_at + shift, during.ends_at + shift)


def _shifts(step: timedelta) -> Iterator[timedelta]:
    """One step later, one earlier, two later: the nearest first, and later before earlier."""
    last = timedelta(days=SHIFT_DAYS_MAX)
    shift = step
    while shift <= last:
        yield shift
        yield -shift
        shift += step


def _all_free(
    wanted: Sequence[Wanted], free: Mapping[int, Sequence[During]], shift: timedelta
) -> bool:
    taken: list[tuple[int, During]] = []
    for item in wanted:
        during = shifted(item.during, shift)
        for instrument_id in item.instrument_ids:
            beside = (one for held_id, one in taken if held_id == instrument_id)
            if any(one.overlaps(during) for one in beside):
                continue
            if _is_free(free.get(instrument_id, ()), during):
                taken.append((instrument_id, during))
                break
        else:
            return False
    return True


def _is_free(stretches: Sequence[During], during: During) -> bool:
    """Of stretches in order, the last that begins early enough ends latest."""
    place = bisect_right(stretches, during.starts_at, key=lambda one: one.starts_at)
    return place > 0 and stretches[place - 1].covers(during)
