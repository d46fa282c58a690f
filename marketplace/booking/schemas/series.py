"""Series on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.booking.queries import Occurrence, Series, SeriesPage, SeriesWithDates
from marketplace.booking.rules.series import SeriesScope
from marketplace.booking.rules.states import Purpose
from marketplace.booking.schemas.periods import ReasonGiven, Seat, instant_within
from marketplace.booking.schemas.reasons import BookingReasonOut, stored_reasons
from marketplace.booking.schemas.reservations import ReservationOut
from marketplace.booking.use_cases import (
    CancelSeries,
    ChangeSeries,
    DatePreviewed,
    PlaceSeries,
    RetryOccurrence,
    SeriesAsked,
)
from marketplace.kernel.wire import Id, In, Instant, Out, Page

SeriesMinutes = Annotated[int, msgspec.Meta(ge=1, le=44_640)]
# A rule of RFC 5545 in the offered part of it.
RecurrenceRule = Annotated[
    str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]*$")
]


def series_asked_of(
    *,
    instrument_id: int,
    starts_at: datetime,
    minutes: int,
    rule: str,
    purpose: Purpose,
    seat: int | None = None,
    override_reason: str | None = None,
) -> SeriesAsked:
    """What is asked of a series; its rule repeats on whole seconds.

    Raises:
        WindowRefused: when it starts outside the years of a calendar.
    """
    return SeriesAsked(
        instrument_id=instrument_id,
        starts_at=instant_within(starts_at),
        minutes=minutes,
        rule=rule,
        purpose=purpose,
        seat=seat,
        override_reason=override_reason,
    )


class SeriesIn(In):
    """`minutes` from `starts_at`, and again on each date of `rule`, on the clocks of Shanghai."""

    instrument_id: Id
    starts_at: Instant
    minutes: SeriesMinutes
    rule: RecurrenceRule
    purpose: Purpose
    seat: Seat | None = None
    skip_conflicts: bool = False
    override_reason: ReasonGiven | None = None

    def to_command(self) -> PlaceSeries:
        """The command of the caller."""
        asked = series_asked_of(
            instrument_id=self.instrument_id,
            starts_at=self.starts_at,
            minutes=self.minutes,
            rule=self.rule,
            purpose=self.purpose,
            seat=self.seat,
            override_reason=self.override_reason,
        )
        return PlaceSeries(asked, skip_conflicts=self.skip_conflicts)


class ChangeSeriesIn(In):
    """Another start, length or rule; `occurrence` is the date as the series names it."""

    scope: SeriesScope
    occurrence: Instant | None = None
    starts_at: Instant | None = None
    minutes: SeriesMinutes | None = None
    rule: RecurrenceRule | None = None
    skip_conflicts: bool = False
    override_reason: ReasonGiven | None = None

    def to_command(self, series_id: int) -> ChangeSeries:
        """The command for `series_id`."""
        return ChangeSeries(
            series_id=series_id,
            scope=self.scope,
            occurrence=_if_any(self.occurrence),
            starts_at=_if_any(self.starts_at),
            minutes=self.minutes,
            rule=self.rule,
            skip_conflicts=self.skip_conflicts,
            override_reason=self.override_reason,
        )


class CancelSeriesIn(In):
    """Why dates of a series are given back, and which."""

    scope: SeriesScope
    reason: ReasonGiven
    occurrence: Instant | None = None

    def to_command(self, series_id: int) -> CancelSeries:
        """The command for `series_id`."""
        return CancelSeries(series_id, self.scope, self.reason, _if_any(self.occurrence))


class RetryIn(In):
    """A date to reserve that was left out or given back, or that the rule does not name."""

    starts_at: Instant
    override_reason: ReasonGiven | None = None

    def to_command(self, series_id: int) -> RetryOccurrence:
        """The command for `series_id`."""
        return RetryOccurrence(series_id, instant_within(self.starts_at), self.override_reason)


def _if_any(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant_within(instant)


class DatePreviewedOut(Out):
    """A date of a series, and everything against it; nothing: it would be reserved."""

    starts_at: datetime
    ends_at: datetime
    free: bool
    reasons: list[BookingReasonOut]

    @classmethod
    def of(cls, one: DatePreviewed) -> DatePreviewedOut:
        """From the answer of the query."""
        return cls(
            starts_at=one.during.starts_at,
            ends_at=one.during.ends_at,
            free=not one.reasons,
            reasons=[BookingReasonOut.of(reason) for reason in one.reasons],
        )


class SeriesPreviewOut(Out):
    """Every date of a series as things stand."""

    dates: list[DatePreviewedOut]
    free: int

    @classmethod
    def of(cls, found: list[DatePreviewed]) -> SeriesPreviewOut:
        """From the answer of the query."""
        dates = [DatePreviewedOut.of(one) for one in found]
        return cls(dates=dates, free=sum(one.free for one in dates))


class SeriesOut(Out):
    """A series; `follows_id` is the one that it was cut off from."""

    id: int
    instrument_id: int
    organisation_id: int
    person_id: int
    purpose: Purpose
    rule: str
    starts_at: datetime
    minutes: int
    follows_id: int | None
    made_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, found: Series) -> SeriesOut:
        """From the row."""
        return cls.like(found)


class OccurrenceOut(Out):
    """A date of a series: its reservation, wherever that is by now, or why there is none."""

    starts_at: datetime
    reservation: ReservationOut | None
    skipped_because: list[BookingReasonOut]

    @classmethod
    def of(cls, found: Occurrence) -> OccurrenceOut:
        """From the row."""
        return cls(
            starts_at=found.starts_at,
            reservation=None if found.reservation is None else ReservationOut.of(found.reservation),
            skipped_because=stored_reasons(found.skipped_because),
        )


class SeriesDetailOut(Out):
    """A series with its dates in order."""

    series: SeriesOut
    occurrences: list[OccurrenceOut]

    @classmethod
    def of(cls, found: SeriesWithDates) -> SeriesDetailOut:
        """From the rows."""
        return cls(
            series=SeriesOut.of(found.series),
            occurrences=[OccurrenceOut.of(one) for one in found.occurrences],
        )


def series_page(found: SeriesPage, page: int, page_size: int) -> Page[SeriesOut]:
    """One page of the list."""
    return Page(
        results=[SeriesOut.of(row) for row in found.series],
        total=found.total,
        page=page,
        page_size=page_size,
    )
