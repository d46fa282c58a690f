"""What a provider may write: booking rule, classes of user, hours, a shared calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from marketplace.booking.errors import BookingRuleRefused, HoursRefused
from marketplace.booking.rules.hours import MINUTES_PER_DAY
from marketplace.booking.rules.schedule import (
    BookingTerms,
    ClassTerms,
    DatedHours,
    Hours,
    PriorityHours,
)
from marketplace.booking.rules.states import UserClass
from marketplace.kernel.errors import Reasons

# Ten stretches a day are more than anybody needs.
WEEK_HOURS_MAX = 70
DAY_HOURS_MAX = 10


@dataclass(frozen=True, slots=True)
class Sharer:
    """An instrument as far as sharing a calendar goes; `calendar_id` is None for its own."""

    instrument_id: int
    provider_id: int
    is_listed: bool
    seats: int
    calendar_id: int | None


def require_possible_rule(
    terms: BookingTerms, *, province: BookingTerms, classes: Sequence[ClassTerms] = ()
) -> None:
    """Nothing, when `terms` make sense and go no further than the province's, for every class.

    The province bounds how long and how far ahead one customer may keep a shared instrument;
    step, notice, buffers and seats follow from the instrument and are the provider's.

    Policy: J.15 (open restrictions are the unit's to publish), J.16a.

    Raises:
        BookingRuleRefused: with everything that is wrong.
    """
    found = Reasons()
    _require_possible(found, terms, province)
    told = set(found.found)
    for of_class in classes:
        more = Reasons()
        _require_possible(more, of_class.applied(terms), province)
        for reason in more.found:
            if reason not in told:
                told.add(reason)
                found.found.append(replace(reason, message=_of(of_class) + reason.message))
    if len({of_class.user_class for of_class in classes}) < len(classes):
        found.add("class-twice", "Each class of user is named once.")
    found.raise_as(BookingRuleRefused)


def _of(of_class: ClassTerms) -> str:
    return f"For {of_class.user_class.replace('_', '-')} users: "


def _require_possible(found: Reasons, terms: BookingTerms, province: BookingTerms) -> None:
    if terms.minimum_minutes < terms.step_minutes or terms.minimum_minutes % terms.step_minutes:
        found.add(
            "minimum",
            f"The minimum is a multiple of the step of {terms.step_minutes} minutes.",
            limit=terms.step_minutes,
            asked=terms.minimum_minutes,
        )
    if terms.maximum_minutes < terms.minimum_minutes or terms.maximum_minutes % terms.step_minutes:
        found.add(
            "maximum",
            "The maximum is a multiple of the step and not below the minimum.",
            limit=terms.minimum_minutes,
            asked=terms.maximum_minutes,
        )
    if terms.maximum_minutes > province.maximum_minutes:
        found.add(
            "maximum-province",
            f"The province allows at most {province.maximum_minutes} minutes at a time.",
            limit=province.maximum_minutes,
            asked=terms.maximum_minutes,
        )
    if terms.horizon_days > province.horizon_days:
        found.add(
            "horizon-province",
            f"The province allows at most {province.horizon_days} days ahead.",
            limit=province.horizon_days,
            asked=terms.horizon_days,
        )
    if terms.notice_minutes >= terms.horizon_days * 1440:
        found.add(
            "notice",
            "The notice ends before the horizon, or nothing could ever be reserved.",
            limit=terms.horizon_days * 1440,
            asked=terms.notice_minutes,
        )


def require_sharing(own: Sharer, other: Sharer | None, *, shared_by_others: bool) -> None:
    """Nothing, when `own` may stand in the calendar of `other`: two services of one machine.

    Raises:
        BookingRuleRefused: with everything that is wrong.
    """
    found = Reasons()
    if other is None or other.provider_id != own.provider_id:
        found.add("calendar-missing", "The provider has no such instrument.")
    elif other.instrument_id == own.instrument_id:
        found.add("calendar-itself", "Leave the calendar out: it has its own already.")
    else:
        if not other.is_listed:
            found.add("calendar-listed", "The other instrument is not listed.", source="J.15")
        if other.calendar_id is not None:
            found.add(
                "calendar-shares",
                f"The other instrument stands in the calendar of {other.calendar_id} itself.",
                limit=other.calendar_id,
            )
        if other.seats != own.seats:
            found.add(
                "calendar-seats",
                f"Both have as many seats: the other has {other.seats}.",
                limit=other.seats,
                asked=own.seats,
            )
    if shared_by_others:
        found.add("calendar-shared", "Others stand in this instrument's calendar.")
    found.raise_as(BookingRuleRefused)


def require_seats_of_sharers(seats: int, sharers: Sequence[Sharer]) -> None:
    """Nothing, when those that stand in an instrument's calendar have as many seats as it.

    Raises:
        BookingRuleRefused: when one has not.
    """
    found = Reasons()
    for sharer in sharers:
        if sharer.seats != seats:
            found.add(
                "calendar-seats",
                f"Instrument {sharer.instrument_id} stands in this calendar with {sharer.seats}.",
                limit=sharer.seats,
                asked=seats,
            )
    found.raise_as(BookingRuleRefused)


def require_week(hours: Sequence[Hours]) -> None:
    """Nothing, when the hours fit a week: within one day each, none over another.

    Raises:
        HoursRefused: with every stretch that is wrong.
    """
    found = Reasons()
    if len(hours) > WEEK_HOURS_MAX:
        found.add("hours-many", "Too many stretches.", limit=WEEK_HOURS_MAX, asked=len(hours))
    for weekday in sorted({one.weekday for one in hours}):
        _require_day(
            found,
            [one for one in hours if one.weekday == weekday],
            where=f"weekday {weekday}",
        )
    for one in hours:
        if isinstance(one, PriorityHours) and one.lapses_minutes < 0:
            found.add("lapses", "Priority hours lapse before they begin.", asked=one.lapses_minutes)
    found.raise_as(HoursRefused)


def require_day(hours: Sequence[DatedHours]) -> None:
    """Nothing, when the hours fit one day; a day without any is closed, not opened.

    Raises:
        HoursRefused: with every stretch that is wrong.
    """
    found = Reasons()
    if not hours:
        found.add("hours-none", "Name hours, or close the instrument for that day.")
    if len({one.day for one in hours}) > 1:
        found.add("hours-days", "Set one day at a time.", asked=[one.day for one in hours])
    if len(hours) > DAY_HOURS_MAX:
        found.add("hours-many", "Too many stretches.", limit=DAY_HOURS_MAX, asked=len(hours))
    _require_day(found, hours, where="that day")
    found.raise_as(HoursRefused)


def _require_day(found: Reasons, hours: Sequence[Hours | DatedHours], *, where: str) -> None:
    ordered = sorted(hours, key=lambda one: (one.opens_minute, one.closes_minute))
    for one in ordered:
        if not 0 <= one.opens_minute < one.closes_minute <= MINUTES_PER_DAY:
            found.add(
                "hours-minutes",
                f"On {where} a stretch ends after it starts, by midnight.",
                asked=[one.opens_minute, one.closes_minute],
            )
    for one, following in pairwise(ordered):
        if following.opens_minute < one.closes_minute:
            found.add(
                "hours-overlap",
                f"On {where} two stretches overlap.",
                asked=[following.opens_minute, following.closes_minute],
            )


def require_class(kind: str, user_class: UserClass | None) -> None:
    """Nothing, when hours of a class name it, and other hours name none.

    Raises:
        HoursRefused: otherwise.
    """
    found = Reasons()
    if (kind == "class") != (user_class is not None):
        found.add("hours-class", "Hours of a class name its class; other hours name none.")
    found.raise_as(HoursRefused)
