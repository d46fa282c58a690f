"""Where instruments are free, and why not elsewhere: two statements for any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.booking.queries.timetables import require_visible, schedule, schedules, taken
from marketplace.booking.rules.availability import free_intervals
from marketplace.booking.rules.intervals import common, minutes_of
from marketplace.booking.rules.schedule import BookingTerms
from marketplace.booking.rules.timetable import Busy, timetable
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During, shanghai_instant

WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Window:
    """The availability of one instrument in one period."""

    instrument_id: int
    during: During


@dataclass(frozen=True, slots=True)
class Availability:
    """Where a reservation may lie, and why the rest of the period is not free."""

    instrument_id: int
    during: During
    terms: BookingTerms
    free: tuple[During, ...]
    busy: tuple[Busy, ...]


@dataclass(frozen=True, slots=True)
class WeekOf:
    """Seven days from `day` for each instrument."""

    instrument_ids: Sequence[int]
    day: date


@dataclass(frozen=True, slots=True)
class FreeIn:
    """Instruments free in a window: for the whole of it, or for `minutes` on end inside it."""

    instrument_ids: Sequence[int]
    during: During
    minutes: int | None = None


async def availability(tx: Tx, window: Window) -> Availability:
    """Free time of one instrument, and why the rest is not free. Two statements.

    Raises:
        Missing: when there is no such instrument, or it is not listed and not the actor's.
    """
    found = await schedule(tx, window.instrument_id, window.during)
    require_visible(tx, found)
    beside = (await taken(tx, [found], window.during))[found.instrument_id]
    times = timetable(found, beside, window.during, at=tx.now)
    return Availability(
        instrument_id=found.instrument_id,
        during=window.during,
        terms=found.terms,
        free=times.free,
        busy=times.busy,
    )


async def week_strips(tx: Tx, week: WeekOf) -> dict[int, tuple[int, ...]]:
    """Free minutes on each of seven days for each instrument. Two statements for any number."""
    days = [
        During(
            shanghai_instant(week.day + timedelta(days=ahead)),
            shanghai_instant(week.day + timedelta(days=ahead + 1)),
        )
        for ahead in range(WEEK_DAYS)
    ]
    within = During(days[0].starts_at, days[-1].ends_at)
    free = await _free(tx, week.instrument_ids, within)
    return {
        instrument_id: tuple(minutes_of(common(stretches, [day])) for day in days)
        for instrument_id, stretches in free.items()
    }


async def free_among(tx: Tx, asked: FreeIn) -> set[int]:
    """Those of the instruments that can be reserved in the window. Two statements."""
    free = await _free(tx, asked.instrument_ids, asked.during)
    wanted = timedelta(minutes=asked.minutes) if asked.minutes else None
    length = wanted or asked.during.ends_at - asked.during.starts_at
    return {
        instrument_id
        for instrument_id, stretches in free.items()
        if any(one.ends_at - one.starts_at >= length for one in stretches)
    }


async def _free(tx: Tx, instrument_ids: Sequence[int], within: During) -> dict[int, list[During]]:
    found = await schedules(tx, instrument_ids, within)
    beside = await taken(tx, list(found.values()), within)
    return {
        instrument_id: free_intervals(one, beside[instrument_id], within, at=tx.now)
        for instrument_id, one in found.items()
    }
