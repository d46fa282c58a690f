"""Hours of classes, priority, peak and single days on the wire, and previews of changing them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.booking.errors import WindowRefused
from marketplace.booking.queries.hits import HitsAsked, WeekChanged
from marketplace.booking.queries.hours import DayHours, WeeklyHours, WeeklyKind
from marketplace.booking.rules.booking_rule import DAY_HOURS_MAX, WEEK_HOURS_MAX
from marketplace.booking.rules.schedule import DatedHours, Hours, PriorityHours
from marketplace.booking.rules.states import UserClass
from marketplace.booking.schemas.periods import YEARS, RuleMinutes, during_of
from marketplace.booking.use_cases.hours import SetDatedHours, SetWeeklyHours
from marketplace.kernel.wire import In, Instant, Line, Out

Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
MinuteOfDay = Annotated[int, msgspec.Meta(ge=0, le=1440)]
# Priority hours that do not say so lapse two days before they begin.
LAPSES_MINUTES = 2880


def calendar_day(day: date) -> date:
    """A day of a request, within the years of a calendar.

    Raises:
        WindowRefused: outside them.
    """
    if day.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    return day


class WeeklyStretchIn(In):
    """A stretch of a usual week; 0 is Monday. `lapses_minutes` counts for priority hours only."""

    weekday: Weekday
    opens_minute: MinuteOfDay
    closes_minute: MinuteOfDay
    lapses_minutes: RuleMinutes = LAPSES_MINUTES


class WeeklyHoursIn(In):
    """The hours of one kind, and of one class for the kind `class`; they replace those before."""

    kind: WeeklyKind
    hours: Annotated[list[WeeklyStretchIn], msgspec.Meta(max_length=WEEK_HOURS_MAX)]
    user_class: UserClass | None = None

    def stretches(self) -> tuple[Hours, ...]:
        """The hours as the rules have them."""
        if self.kind is WeeklyKind.PRIORITY:
            return tuple(
                PriorityHours(one.weekday, one.opens_minute, one.closes_minute, one.lapses_minutes)
                for one in self.hours
            )
        return tuple(Hours(one.weekday, one.opens_minute, one.closes_minute) for one in self.hours)

    def to_command(self, instrument_id: int) -> SetWeeklyHours:
        """The command for `instrument_id`."""
        return SetWeeklyHours(instrument_id, self.kind, self.stretches(), self.user_class)


class WeeklyStretchOut(Out):
    """A stretch of a usual week."""

    kind: WeeklyKind
    user_class: UserClass | None
    weekday: int
    opens_minute: int
    closes_minute: int
    lapses_minutes: int | None


class WeeklyHoursOut(Out):
    """Every stretch that the provider set beside the opening hours."""

    hours: list[WeeklyStretchOut]

    @classmethod
    def of(cls, found: list[WeeklyHours]) -> WeeklyHoursOut:
        """From the rows."""
        return cls(hours=[WeeklyStretchOut.like(one) for one in found])


class DayStretchIn(In):
    """A stretch of one day."""

    opens_minute: MinuteOfDay
    closes_minute: MinuteOfDay


class DayIn(In):
    """The hours of one day, in place of its weekday's; on a public holiday too."""

    day: date
    hours: Annotated[list[DayStretchIn], msgspec.Meta(min_length=1, max_length=DAY_HOURS_MAX)]

    def stretches(self) -> tuple[DatedHours, ...]:
        """The hours as the rules have them."""
        day = calendar_day(self.day)
        return tuple(DatedHours(day, one.opens_minute, one.closes_minute) for one in self.hours)


class DatedHoursIn(DayIn):
    """The hours of one day, and why they differ: users see it."""

    note: Line = ""

    def to_command(self, instrument_id: int) -> SetDatedHours:
        """The command for `instrument_id`."""
        return SetDatedHours(instrument_id, self.stretches(), self.note)


class DatedHoursOut(Out):
    """A stretch of one day, in place of its weekday's hours."""

    day: date
    opens_minute: int
    closes_minute: int
    note: str
    set_at: datetime

    @classmethod
    def of(cls, row: DayHours) -> DatedHoursOut:
        """From the row."""
        return cls.like(row)


class ClosedIn(In):
    """A closure that is thought of."""

    starts_at: Instant
    ends_at: Instant


class OpeningIn(In):
    """Opening hours that are thought of."""

    weekday: Weekday
    opens_minute: MinuteOfDay
    closes_minute: MinuteOfDay


class HoursPreviewIn(In):
    """What is thought of: everything that is named changes at once, the rest stays."""

    opening_hours: Annotated[list[OpeningIn], msgspec.Meta(max_length=WEEK_HOURS_MAX)] | None = None
    weekly_hours: Annotated[list[WeeklyHoursIn], msgspec.Meta(max_length=5)] = msgspec.field(
        default_factory=list
    )
    days: Annotated[list[DayIn], msgspec.Meta(max_length=62)] = msgspec.field(default_factory=list)
    days_as_usual: Annotated[list[date], msgspec.Meta(max_length=62)] = msgspec.field(
        default_factory=list
    )
    closure: ClosedIn | None = None

    def to_question(self, instrument_id: int, *, page: int, page_size: int) -> HitsAsked:
        """The question for `instrument_id`."""
        weeks = [
            WeekChanged(week.stretches(), week.kind, week.user_class) for week in self.weekly_hours
        ]
        if self.opening_hours is not None:
            opened = tuple(
                Hours(one.weekday, one.opens_minute, one.closes_minute)
                for one in self.opening_hours
            )
            weeks.append(WeekChanged(opened))
        return HitsAsked(
            instrument_id,
            weeks=tuple(weeks),
            days=tuple(stretch for day in self.days for stretch in day.stretches()),
            undated=tuple(calendar_day(day) for day in self.days_as_usual),
            closed=(
                None
                if self.closure is None
                else during_of(self.closure.starts_at, self.closure.ends_at)
            ),
            page=page,
            page_size=page_size,
        )
