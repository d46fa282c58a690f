"""Why an instrument is not free: each stretch of a period with the one reason that counts first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.booking.rules.availability import (
    BOOKABLE,
    Schedule,
    Taken,
    free_stretches,
    holidays,
    open_intervals,
    reservable,
    seat_gaps,
)
from marketplace.booking.rules.intervals import common, without
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class Busy:
    """Time that cannot be reserved, and why. It never says who holds it."""

    during: During
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Timetable:
    """A period of one instrument: where a reservation may lie, and why not elsewhere."""

    free: tuple[During, ...]
    busy: tuple[Busy, ...]


def timetable(
    schedule: Schedule, taken: Sequence[Taken], within: During, *, at: datetime
) -> Timetable:
    """`within`, cut into what is free and into stretches that are not, of one reason each.

    Where several reasons hold at once the one that lasts longest is told: what is past, what the
    provider closed, holidays, opening hours, other reservations, and last the notice and horizon.
    """
    if schedule.status not in BOOKABLE:
        shut = Busy(within, "not-open", f"The instrument is {schedule.status}.")
        return Timetable((), (shut,))
    opened = open_intervals(schedule, within)
    gaps = seat_gaps(schedule, taken, within)
    possible = reservable(schedule.terms, at=at)
    too_soon = [within] if possible is None else without([within], [possible])
    first = within.ends_at if possible is None else possible.starts_at
    layers = [
        ("past", "", [During(within.starts_at, at)] if within.starts_at < at else []),
        *(("closed", closure.reason, [closure.during]) for closure in schedule.closures),
        ("public-holiday", "", holidays(schedule, within)),
        ("outside-opening-hours", "", without([within], opened)),
        ("reserved", "", without([within], [gap for seat in gaps for gap in seat])),
        ("notice", "", [one for one in too_soon if one.starts_at < first]),
        ("horizon", "", [one for one in too_soon if one.starts_at >= first]),
    ]
    rest = [within]
    busy: list[Busy] = []
    for reason, text, spans in layers:
        if spans:
            busy.extend(Busy(piece, reason, text) for piece in common(rest, spans))
            rest = without(rest, spans)
    usable = common(opened, [possible]) if possible is not None else []
    return Timetable(
        free=tuple(free_stretches(schedule, usable, gaps)),
        busy=tuple(sorted(busy, key=lambda one: one.during)),
    )
