"""Set the hours of a class, priority hours, peak hours, and the hours of single days."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, insert

from marketplace.booking.errors import DatedHoursMissing
from marketplace.booking.queries.hours import (
    DayHours,
    DayHoursSearch,
    WeeklyHours,
    WeeklyKind,
    dated_hours_of,
    weekly_hours_of,
)
from marketplace.booking.rules.booking_rule import (
    DAY_HOURS_MAX,
    require_class,
    require_day,
    require_week,
)
from marketplace.booking.rules.schedule import DatedHours, Hours
from marketplace.booking.rules.states import UserClass
from marketplace.booking.tables import dated_hours, weekly_hours
from marketplace.booking.use_cases.rule import lock_settings, own_schedule
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class SetWeeklyHours:
    """The hours of one kind, and of one class where they are a class's; they replace those before.

    `hours` are `PriorityHours` for the kind priority. None at all takes the kind away: a class
    then has the opening hours again.
    """

    instrument_id: int
    kind: WeeklyKind
    hours: tuple[Hours, ...]
    user_class: UserClass | None = None


async def set_weekly_hours(tx: Tx, command: SetWeeklyHours) -> list[WeeklyHours]:
    """Store the week and answer every kind; reservations that stand are kept.

    Policy: J.16a.

    Raises:
        InstrumentMissing: when it belongs to others.
        HoursRefused: with everything that is wrong.
    """
    found = await own_schedule(tx, command.instrument_id)
    require_class(command.kind, command.user_class)
    require_week(command.hours)
    await lock_settings(tx, found.instrument_id)
    week = weekly_hours.c
    await tx.execute(
        delete(weekly_hours).where(
            week.instrument_id == found.instrument_id,
            week.kind == command.kind,
            week.user_class.is_not_distinct_from(command.user_class),
        )
    )
    if command.hours:
        await tx.execute(
            insert(weekly_hours),
            [
                {
                    "instrument_id": found.instrument_id,
                    "kind": command.kind,
                    "user_class": command.user_class,
                    "lapses_minutes": getattr(one, "lapses_minutes", None),
                    "weekday": one.weekday,
                    "opens_minute": one.opens_minute,
                    "closes_minute": one.closes_minute,
                }
                for one in command.hours
            ],
        )
    tx.audit(
        "set",
        subject="weekly_hours",
        subject_id=found.instrument_id,
        kind=command.kind,
        user_class=command.user_class,
        hours=[dataclasses.asdict(one) for one in command.hours],
    )
    return await weekly_hours_of(tx, found.instrument_id)


@dataclass(frozen=True, slots=True)
class SetDatedHours:
    """The hours of one day, in place of its weekday's, also on a public holiday; and why."""

    instrument_id: int
    hours: tuple[DatedHours, ...]
    note: str

    @property
    def day(self) -> date:
        """The day."""
        return self.hours[0].day


async def set_dated_hours(tx: Tx, command: SetDatedHours) -> list[DayHours]:
    """Store the day's hours, which replace those set before for it.

    Raises:
        InstrumentMissing: when it belongs to others.
        HoursRefused: with everything that is wrong.
    """
    found = await own_schedule(tx, command.instrument_id)
    require_day(command.hours)
    await lock_settings(tx, found.instrument_id)
    await _forget(tx, found.instrument_id, command.day)
    await tx.execute(
        insert(dated_hours),
        [
            {
                "instrument_id": found.instrument_id,
                "day": one.day,
                "opens_minute": one.opens_minute,
                "closes_minute": one.closes_minute,
                "note": command.note.strip(),
                "set_by": tx.actor.person_id,
                "set_at": tx.now,
            }
            for one in command.hours
        ],
    )
    tx.audit(
        "set",
        subject="dated_hours",
        subject_id=found.instrument_id,
        day=command.day.isoformat(),
        hours=_told(command.hours),
        note=command.note,
    )
    question = DayHoursSearch(
        found.instrument_id, command.day, command.day, page_size=DAY_HOURS_MAX
    )
    return (await dated_hours_of(tx, question))[0]


@dataclass(frozen=True, slots=True)
class RemoveDatedHours:
    """Let a day follow its weekday again."""

    instrument_id: int
    day: date


async def remove_dated_hours(tx: Tx, command: RemoveDatedHours) -> None:
    """Take away the hours of one day.

    Raises:
        InstrumentMissing: when it belongs to others.
        DatedHoursMissing: when the day has none.
    """
    found = await own_schedule(tx, command.instrument_id)
    await lock_settings(tx, found.instrument_id)
    if not await _forget(tx, found.instrument_id, command.day):
        raise DatedHoursMissing()
    tx.audit(
        "remove",
        subject="dated_hours",
        subject_id=found.instrument_id,
        day=command.day.isoformat(),
    )


async def _forget(tx: Tx, instrument_id: int, day: date) -> int:
    gone = await tx.execute(
        delete(dated_hours).where(
            dated_hours.c.instrument_id == instrument_id, dated_hours.c.day == day
        )
    )
    return gone.rowcount


def _told(hours: Sequence[DatedHours]) -> list[list[int]]:
    return [[one.opens_minute, one.closes_minute] for one in hours]
