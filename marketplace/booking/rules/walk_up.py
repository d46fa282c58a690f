"""Using an instrument from this minute on: how long it may be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from marketplace.booking.rules.availability import refusals, seat_gaps
from marketplace.booking.rules.schedule import Schedule, Taken
from marketplace.booking.rules.states import Purpose, Status, first_status
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During

# What is offered, as far as nobody else comes and the instrument stays open.
LENGTHS_MINUTES = (15, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
# Who stands at the instrument begins now, on whatever minute that is.
NOT_COUNTED = frozenset({"past", "notice", "step"})


def this_minute(at: datetime) -> datetime:
    """The minute that `at` lies in."""
    return at.replace(second=0, microsecond=0)


def from_now(at: datetime, minutes: int) -> During:
    """`minutes` from this minute on."""
    starts_at = this_minute(at)
    return During(starts_at, starts_at + timedelta(minutes=minutes))


def walk_up_refusals(
    schedule: Schedule, during: During, *, purpose: Purpose, at: datetime
) -> tuple[Reason, ...]:
    """What the booking rule has against a use that begins now; notice and step do not count."""
    found = tuple(
        reason
        for reason in refusals(schedule, during, purpose=purpose, at=at)
        if reason.rule not in NOT_COUNTED
    )
    status = first_status(needs_approval=schedule.terms.needs_approval, purpose=purpose)
    if status is Status.CONFIRMED:
        return found
    waits = Reason("approval", "Its time is approved first; ask for it ahead.", source="J.15")
    return (*found, waits)


def walk_up_lengths(
    schedule: Schedule, beside: Sequence[Taken], *, purpose: Purpose, at: datetime
) -> tuple[int, ...]:
    """The offered lengths for which the instrument is free and open from this minute on."""
    offered = []
    for minutes in LENGTHS_MINUTES:
        during = from_now(at, minutes)
        if walk_up_refusals(schedule, during, purpose=purpose, at=at):
            continue
        if any(during in gap for gap in seat_gaps(schedule, beside, during)):
            offered.append(minutes)
    return tuple(offered)
