"""Opening hours and closures on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from marketplace.catalogue.queries import Closure, OpeningHours
from marketplace.catalogue.rules.opening import INTERVALS_MAX, ClosureKind
from marketplace.catalogue.use_cases import CloseInstrument, SetOpeningHours
from marketplace.kernel.errors import Malformed
from marketplace.kernel.time import During, as_utc
from marketplace.kernel.wire import In, Instant, Out, Word

Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
MinuteOfDay = Annotated[int, msgspec.Meta(ge=0, le=1440)]


class OpeningHoursIn(In):
    """Open on `weekday` (0 is Monday) between two minutes of the day, Shanghai time."""

    weekday: Weekday
    opens_minute: MinuteOfDay
    closes_minute: MinuteOfDay


class WeekIn(In):
    """A usual week; it replaces the one before."""

    hours: Annotated[list[OpeningHoursIn], msgspec.Meta(max_length=INTERVALS_MAX)]

    def to_command(self, instrument_id: int) -> SetOpeningHours:
        """Set the week of an instrument."""
        return SetOpeningHours(
            instrument_id,
            tuple(
                OpeningHours(one.weekday, one.opens_minute, one.closes_minute) for one in self.hours
            ),
        )


class OpeningHoursOut(Out):
    """One interval of a usual week."""

    weekday: int
    opens_minute: int
    closes_minute: int


class WeekOut(Out):
    """A usual week; empty means never open."""

    hours: list[OpeningHoursOut]

    @classmethod
    def of(cls, hours: list[OpeningHours]) -> WeekOut:
        """What is shown of a week."""
        return cls(
            hours=[
                OpeningHoursOut(
                    weekday=one.weekday,
                    opens_minute=one.opens_minute,
                    closes_minute=one.closes_minute,
                )
                for one in hours
            ]
        )


class ClosureIn(In):
    """A time in which an instrument is closed, and why."""

    starts_at: Instant
    ends_at: Instant
    reason: Word
    kind: ClosureKind = ClosureKind.CLOSED

    def to_command(self, instrument_id: int) -> CloseInstrument:
        """Close the instrument.

        Raises:
            Malformed: when the time is empty.
        """
        try:
            during = During(self.starts_at, self.ends_at)
        except ValueError as error:
            raise Malformed("The closure ends after it starts.", field="ends_at") from error
        return CloseInstrument(instrument_id, during, self.reason, self.kind)


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)


def closure_window(starts_at: datetime | None, ends_at: datetime | None) -> During | None:
    """The period between two instants of a request; one that is left out does not bound it.

    Raises:
        Malformed: when it is empty, has no time zone, or lies outside the years of a calendar.
    """
    if starts_at is None and ends_at is None:
        return None
    first, last = starts_at or EARLIEST, ends_at or LATEST
    if first.tzinfo is None or last.tzinfo is None:
        raise Malformed("An instant needs a time zone, for instance +08:00.")
    if not EARLIEST <= first < last <= LATEST:
        raise Malformed("`until` lies after `from`, both in the years 2000 to 2100.")
    return During(as_utc(first), as_utc(last))


class ClosureOut(Out):
    """A closure that stands."""

    id: int
    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    kind: str
    reason: str

    @classmethod
    def of(cls, closure: Closure) -> ClosureOut:
        """What is shown of a closure."""
        return cls.like(closure)


class ReopenedOut(Out):
    """What is left of a closure that was ended: nothing of one that had not begun."""

    closure: ClosureOut | None

    @classmethod
    def of(cls, left: Closure | None) -> ReopenedOut:
        """What is shown of it."""
        return cls(closure=None if left is None else ClosureOut.of(left))
