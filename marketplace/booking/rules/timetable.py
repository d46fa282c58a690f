"""Why an instrument is not free: each stretch of a period with the one reason that counts first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.booking.rules.availability import (
    BOOKABLE,
    Schedule,
    Taken,
    holidays,
    open_intervals,
    reservable,
    seat_gaps,
)
from marketplace.booking.rules.intervals import common, without
from marketplace.kernel.time import During, merged


@dataclass(frozen=True, slots=True)
class Busy:
    """Time that cannot be reserved, and why. It never says who holds it."""

    during: During
    reason: str
    text: str = ""


def busy_intervals(
    schedule: Schedule, taken: Sequence[Taken], within: During, *, at: datetime
) -> list[Busy]:
    """`within` minus its free time, cut into stretches of one reason each, in order.

    Where several reasons hold at once the one that lasts longest is told: what is past, what the
    provider closed, holidays, opening hours, other reservations, and last the notice and horizon.
    """
    if schedule.status not in BOOKABLE:
        return [Busy(within, "not-open", f"The instrument is {schedule.status}.")]
    rest = [within]
    found: list[Busy] = []
    for reason, text, spans in _layers(schedule, taken, within, at):
        found.extend(Busy(piece, reason, text) for piece in common(rest, spans))
        rest = without(rest, spans)
    return sorted(found, key=lambda busy: busy.during)


def _layers(
    schedule: Schedule, taken: Sequence[Taken], within: During, at: datetime
) -> list[tuple[str, str, list[During]]]:
    past = [During(within.starts_at, at)] if within.starts_at < at else []
    opened = open_intervals(schedule, within)
    beside = [gap for gaps in seat_gaps(schedule, taken, within) for gap in gaps]
    possible = reservable(schedule.terms, at=at)
    too_soon = [within] if possible is None else without([within], [possible])
    first = within.ends_at if possible is None else possible.starts_at
    return [
        ("past", "", past),
        *(("closed", closure.reason, [closure.during]) for closure in schedule.closures),
        ("public-holiday", "", holidays(schedule, within)),
        ("outside-opening-hours", "", without([within], opened)),
        ("reserved", "", without([within], merged(beside))),
        ("notice", "", [one for one in too_soon if one.starts_at < first]),
        ("horizon", "", [one for one in too_soon if one.starts_at >= first]),
    ]
