"""Which live reservations a change of hours or a closure would hit, before it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_

from marketplace.booking.queries.hours import WeeklyKind
from marketplace.booking.queries.reservations import (
    Reservation,
    ReservationPage,
    made_reservation,
    reservation_select,
)
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.hits import would_hit
from marketplace.booking.rules.schedule import (
    ClassHours,
    DatedHours,
    Hours,
    PriorityHours,
    Schedule,
)
from marketplace.booking.rules.states import UserClass
from marketplace.booking.tables import LIVE
from marketplace.booking.tables import reservation as table
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During

# As many live reservations as are looked at: a year of an instrument that is booked by the hour.
LOOKED_AT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class WeekChanged:
    """Hours of one kind as they would be; without a kind, the opening hours."""

    hours: tuple[Hours, ...]
    kind: WeeklyKind | None = None
    user_class: UserClass | None = None


@dataclass(frozen=True, slots=True)
class HitsAsked:
    """What would change; everything that is named changes at once.

    `weeks` are hours of the week, `days` the hours of single days, `undated` days that would follow
    their weekday again, `closed` a closure.
    """

    instrument_id: int
    weeks: tuple[WeekChanged, ...] = ()
    days: tuple[DatedHours, ...] = ()
    undated: tuple[date, ...] = ()
    closed: During | None = None
    page: int = 1
    page_size: int = 50


async def hits(tx: Tx, asked: HitsAsked) -> ReservationPage:
    """The live reservations of the instrument's machine that would be hit, the soonest first.

    Hours are an instrument's own; a closure shuts every service of the machine.

    Raises:
        InstrumentMissing: when the instrument is not the actor's own.
    """
    await own_instrument(tx, asked.instrument_id)
    present = await schedule(tx, asked.instrument_id, During(tx.now, tx.now + timedelta(minutes=1)))
    standing = await tx.all(
        made_reservation,
        reservation_select()
        .where(
            LIVE,
            table.c.calendar_id == present.calendar_id,
            func.upper(table.c.during) > tx.now,
            or_(table.c.held_until.is_(None), table.c.held_until > tx.now),
        )
        .order_by(func.lower(table.c.during), table.c.id)
        .limit(LOOKED_AT_MAX),
    )
    if not standing:
        return ReservationPage([], 0)
    until = max(one.ends_at for one in standing)
    begins = min(tx.now, *(one.starts_at for one in standing))
    present = await schedule(tx, asked.instrument_id, During(begins, until))
    changed = _changed(present, asked)
    hit = [one for one in standing if _is_hit(asked, present, changed, one, at=tx.now)]
    first = (asked.page - 1) * asked.page_size
    return ReservationPage(hit[first : first + asked.page_size], len(hit))


def _is_hit(
    asked: HitsAsked, present: Schedule, changed: Schedule, one: Reservation, *, at: datetime
) -> bool:
    if asked.closed is not None and asked.closed.overlaps(one.during):
        return True
    if one.instrument_id != asked.instrument_id:
        return False
    return would_hit(present, changed, one.during, user_class=one.user_class, at=at)


def _changed(present: Schedule, asked: HitsAsked) -> Schedule:
    """The schedule as it would be."""
    again = {hours.day for hours in asked.days} | set(asked.undated)
    changed = replace(
        present,
        dated=(*(hours for hours in present.dated if hours.day not in again), *asked.days),
    )
    for week in asked.weeks:
        changed = _with_week(changed, week)
    return changed


def _with_week(present: Schedule, week: WeekChanged) -> Schedule:
    if week.kind is None:
        return replace(present, hours=week.hours)
    if week.kind is WeeklyKind.PRIORITY:
        priority = tuple(hours for hours in week.hours if isinstance(hours, PriorityHours))
        return replace(present, priority=priority)
    if week.kind is WeeklyKind.PEAK or week.user_class is None:
        return present
    others = tuple(one for one in present.class_hours if one.user_class != week.user_class)
    own = tuple(
        ClassHours(hours.weekday, hours.opens_minute, hours.closes_minute, week.user_class)
        for hours in week.hours
    )
    return replace(present, class_hours=(*others, *own))
