"""How much one person or one organisation may reserve in a day, week, month or year.

A reservation counts in every period that it touches, clipped at the period's bounds. Live, used,
late cancelled and missed ones count; what was given back in time, rejected or expired does not,
and neither does upkeep, nor what staff hold until somebody takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from marketplace.booking.rules.intervals import common
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX, Hours
from marketplace.booking.rules.states import LIVE, Purpose, Status
from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.time import SHANGHAI, During, shanghai_day, shanghai_instant


class Subject(StrEnum):
    """Whose reservations are counted together."""

    PERSON = "person"
    """Those of each person by themselves."""
    ORGANISATION = "organisation"
    """Those of all people of one organisation together."""


class Period(StrEnum):
    """In which time they are counted; days are Shanghai days, weeks run from Monday to Sunday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    OPEN = "open"
    """Whatever is reserved and not over yet: how many reservations may be open at once."""


class Measure(StrEnum):
    """What is counted."""

    MINUTES = "minutes"
    RESERVATIONS = "reservations"


# What counts against a quota: what is live, and what kept the time from others until it was over.
# A hold of the staff is nobody's own: who takes it is asked then.
COUNTED = (LIVE - {Status.HELD}) | {Status.USED, Status.LATE_CANCELLED, Status.NO_SHOW}
# Upkeep serves everybody, so it is held against nobody.
UNCOUNTED_PURPOSES = frozenset({Purpose.MAINTENANCE, Purpose.TEST_RUN})

# Open reservations are counted to the end of time.
END = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST = timedelta(minutes=RESERVATION_MINUTES_MAX)
MINUTE = timedelta(minutes=1)
DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Span:
    """One period: this week, that month."""

    period: Period
    starts_at: datetime
    ends_at: datetime

    @property
    def during(self) -> During:
        """From its first instant to the first after it."""
        return During(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """A quota in one period that a reservation touches, and what is used of it already."""

    quota_id: int
    instrument_id: int | None
    subject: Subject
    period: Period
    measure: Measure
    peak_only: bool
    at_most: int
    starts_at: datetime
    ends_at: datetime
    used: int

    @property
    def left(self) -> int:
        """What may still be reserved; never below nothing, whatever was used before it was set."""
        return max(0, self.at_most - self.used)


def span_around(period: Period, day: date) -> Span:
    """The period in which `day` lies; `Period.OPEN` has none, see `spans_touched`."""
    first, after = {
        Period.DAY: _day,
        Period.WEEK: _week,
        Period.MONTH: _month,
        Period.YEAR: _year,
    }[period](day)
    return Span(period, shanghai_instant(first), shanghai_instant(after))


def spans_touched(during: During, *, at: datetime) -> list[Span]:
    """Every day, week, month and year that `during` touches, and all that is open at `at`.

    Nobody reserves more than `RESERVATION_MINUTES_MAX`, so nothing longer is looked at.
    """
    looked_at = During(during.starts_at, min(during.ends_at, during.starts_at + LONGEST))
    days = list(looked_at.days())
    dated = {
        span_around(period, day): None
        for period in (Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR)
        for day in days
    }
    return [*dated, Span(Period.OPEN, at, END)]


def _day(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _week(day: date) -> tuple[date, date]:
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=7)


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    if day.month == DECEMBER:
        return first, date(day.year + 1, 1, 1)
    return first, date(day.year, day.month + 1, 1)


def _year(day: date) -> tuple[date, date]:
    return date(day.year, 1, 1), date(day.year + 1, 1, 1)


def peak_intervals(peak: Sequence[Hours], within: During) -> list[During]:
    """The peak hours inside `within`; every weekday has its own, holidays like any other."""
    spans = [
        During(shanghai_instant(day, one.opens_minute), shanghai_instant(day, one.closes_minute))
        for day in within.days()
        for one in peak
        if one.weekday == day.weekday()
    ]
    return common(spans, [within])


def amount(
    during: During, span: During, *, measure: Measure, peak_only: bool, peak: Sequence[Hours]
) -> int:
    """What a reservation of `during` uses of a quota inside `span`, in minutes or reservations.

    Minutes are rounded up: a limit met by rounding down is a limit passed.
    """
    inside = during.clip(span)
    if inside is None:
        return 0
    pieces = peak_intervals(peak, inside) if peak_only else [inside]
    if measure is Measure.RESERVATIONS:
        return 1 if pieces else 0
    return -(-sum((one.ends_at - one.starts_at for one in pieces), timedelta()) // MINUTE)


def counts(status: Status, purpose: Purpose) -> bool:
    """Whether a reservation counts against quotas at all."""
    return status in COUNTED and purpose not in UNCOUNTED_PURPOSES


def quota_refusals(
    uses: Iterable[QuotaUse], during: During, *, peak: Sequence[Hours]
) -> Iterator[Reason]:
    """One reason for each quota and period that a reservation of `during` would pass.

    A quota that was passed before, as when it was lowered, refuses only what would add to it.

    Policy: F.booking (limits per person and day as practised by university platforms).
    """
    for use in uses:
        span = During(use.starts_at, use.ends_at)
        # What is asked for is open from now on, however far ahead it lies.
        asked = (
            1
            if use.period is Period.OPEN
            else amount(during, span, measure=use.measure, peak_only=use.peak_only, peak=peak)
        )
        if asked and use.used + asked > use.at_most:
            yield Reason(
                "quota",
                _passed(use, asked),
                limit=use.at_most,
                asked={
                    "quota_id": use.quota_id,
                    "asked": asked,
                    "used": use.used,
                    "measure": use.measure.value,
                    "period": use.period.value,
                    "starts_at": use.starts_at,
                    "ends_at": None if use.period is Period.OPEN else use.ends_at,
                },
                source="F.booking",
                overridable=True,
            )


def told(use: QuotaUse) -> str:
    """A quota in words: at most 600 minutes a week in peak hours for one person."""
    if use.subject is Subject.PERSON:
        return f"{_limit(use)} for one person"
    return f"{_limit(use)} for one organisation"


def _limit(use: QuotaUse) -> str:
    if use.period is Period.OPEN:
        return f"At most {use.at_most} open reservations at once"
    if use.peak_only:
        return f"At most {use.at_most} {use.measure} a {use.period} in peak hours"
    return f"At most {use.at_most} {use.measure} a {use.period}"


def _passed(use: QuotaUse, asked: int) -> str:
    if use.period is Period.OPEN:
        return f"{told(use)}: {use.used} used, {asked} asked for."
    return f"{told(use)}: {use.used} used{_told_span(use)}, {asked} asked for."


def _told_span(use: QuotaUse) -> str:
    first = shanghai_day(use.starts_at)
    last = shanghai_day(use.ends_at - MINUTE)
    return f" on {first}" if first == last else f" from {first} to {last}"


def countable(
    period: Period, measure: Measure, *, peak_only: bool, has_peak_hours: bool
) -> list[Reason]:
    """Everything that cannot be counted in a quota; an empty list when it can be."""
    found = Reasons()
    if period is Period.OPEN and measure is not Measure.RESERVATIONS:
        found.add("measure", "Open reservations are counted in reservations, not in minutes.")
    if period is Period.OPEN and peak_only:
        found.add("peak", "Open reservations are counted whatever their hours.")
    elif peak_only and not has_peak_hours:
        found.add("peak", "The instrument has no peak hours: set them first.")
    return found.found


def ends_on(use: QuotaUse) -> date | None:
    """The last day of the period; None for what is open."""
    if use.period is Period.OPEN:
        return None
    return (use.ends_at.astimezone(SHANGHAI) - MINUTE).date()
