"""The hours that providers set beside the opening hours: of classes, of priority, of dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from marketplace.booking.rules.states import UserClass
from marketplace.booking.tables import dated_hours, weekly_hours
from marketplace.catalogue.queries import visible_instrument
from marketplace.kernel.db import Tx


class WeeklyKind(StrEnum):
    """What hours of the week are for."""

    CLASS = "class"
    """When one class of user may book, in place of the opening hours."""
    PRIORITY = "priority"
    """Kept for the provider's own people until they lapse."""
    PEAK = "peak"
    """What quotas of peak hours count."""


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """A stretch of a usual week; `lapses_minutes` for priority hours only."""

    kind: WeeklyKind
    user_class: UserClass | None
    weekday: int
    opens_minute: int
    closes_minute: int
    lapses_minutes: int | None


@dataclass(frozen=True, slots=True)
class DayHours:
    """A stretch of one day, in place of that weekday's hours, and who set it."""

    day: date
    opens_minute: int
    closes_minute: int
    note: str
    set_by: int
    set_at: datetime


@dataclass(frozen=True, slots=True)
class DayHoursSearch:
    """Which days of an instrument have hours of their own."""

    instrument_id: int
    first_day: date | None = None
    last_day: date | None = None
    page: int = 1
    page_size: int = 50


async def weekly_hours_of(tx: Tx, instrument_id: int) -> list[WeeklyHours]:
    """Every stretch that the provider set, by kind, class and time.

    Raises:
        InstrumentMissing: when there is none that the caller may see.
    """
    await visible_instrument(tx, instrument_id)
    week = weekly_hours.c
    return await tx.all(
        _weekly,
        select(
            week.kind,
            week.user_class,
            week.weekday,
            week.opens_minute,
            week.closes_minute,
            week.lapses_minutes,
        )
        .where(week.instrument_id == instrument_id)
        .order_by(week.kind, week.user_class, week.weekday, week.opens_minute),
    )


def _weekly(*, kind: str, user_class: str | None, **times: Any) -> WeeklyHours:
    of_class = None if user_class is None else UserClass(user_class)
    return WeeklyHours(kind=WeeklyKind(kind), user_class=of_class, **times)


async def dated_hours_of(tx: Tx, question: DayHoursSearch) -> tuple[list[DayHours], int]:
    """One page of stretches of single days, in order, and how many there are.

    Raises:
        InstrumentMissing: when there is none that the caller may see.
    """
    await visible_instrument(tx, question.instrument_id)
    day = dated_hours.c
    wanted = [day.instrument_id == question.instrument_id]
    if question.first_day is not None:
        wanted.append(day.day >= question.first_day)
    if question.last_day is not None:
        wanted.append(day.day <= question.last_day)
    found = await tx.all(
        DayHours,
        select(day.day, day.opens_minute, day.closes_minute, day.note, day.set_by, day.set_at)
        .where(*wanted)
        .order_by(day.day, day.opens_minute)
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    return found, await tx.scalar(select(func.count()).select_from(dated_hours).where(*wanted))
