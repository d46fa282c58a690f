"""Opening hours and closures on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.catalogue.queries import Closure, OpeningHours
from marketplace.catalogue.rules.opening import INTERVALS_MAX
from marketplace.catalogue.use_cases import CloseInstrument, SetOpeningHours
from marketplace.kernel.errors import Malformed
from marketplace.kernel.time import During
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

    def to_command(self, instrument_id: int) -> CloseInstrument:
        """Close the instrument.

        Raises:
            Malformed: when the time is empty.
        """
        try:
            during = During(self.starts_at, self.ends_at)
        except ValueError as error:
            raise Malformed("The closure ends after it starts.", field="ends_at") from error
        return CloseInstrument(instrument_id, during, self.reason)


class ClosureOut(Out):
    """A closure that stands."""

    id: int
    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str

    @classmethod
    def of(cls, closure: Closure) -> ClosureOut:
        """What is shown of a closure."""
        return cls.like(closure)
