"""What recurs (RFC 5545): which dates a rule names, and where a series is cut.

A rule repeats on the clocks of Shanghai. The platform offers a part of the standard: FREQ of
DAILY, WEEKLY or MONTHLY, INTERVAL, BYDAY, BYMONTHDAY, and an end by COUNT or UNTIL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice, pairwise
from typing import Literal

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule, weekday

from marketplace.booking.errors import RecurrenceMalformed
from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import SHANGHAI, During

OCCURRENCES_MAX = 100
SERIES_DAYS_MAX = 366
INTERVAL_MAX = 366
# Every eighth year may lack a leap day: no rule waits longer than this for its next date.
SEARCH_DAYS_MAX = 9 * 366

_FREQUENCIES: dict[str, Literal[1, 2, 3]] = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL"})
_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_LAST_DAY, _LAST_INSTANT = re.compile(r"\d{8}"), re.compile(r"\d{8}T\d{6}Z")


class SeriesScope(StrEnum):
    """How much of a series a change is about; the past is never touched."""

    THIS = "this"
    """One date."""
    FOLLOWING = "following"
    """One date and all after it."""
    ALL = "all"
    """Every date that lies ahead."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule of the offered part of RFC 5545, read and bounded.

    `by_day` holds pairs of an ordinal (0: every) and a weekday (Monday is 0). Of `count` and
    `until` exactly one is set.
    """

    frequency: str
    interval: int = 1
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    count: int | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        """The rule as RFC 5545 writes it."""
        parts = [f"FREQ={self.frequency}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.by_day:
            days = (f"{nth or ''}{_WEEKDAYS[day]}" for nth, day in self.by_day)
            parts.append("BYDAY=" + ",".join(days))
        if self.by_month_day:
            parts.append("BYMONTHDAY=" + ",".join(map(str, self.by_month_day)))
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={self.until.astimezone(UTC):%Y%m%dT%H%M%SZ}")
        return ";".join(parts)


def recurrence_of(text: str) -> Recurrence:
    """The rule that `text` writes, for instance `FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10`.

    Raises:
        RecurrenceMalformed: with everything in it that is not offered or makes no sense.
    """
    parts: dict[str, str] = {}
    wrong = Reasons()
    for part in text.strip().removeprefix("RRULE:").upper().split(";"):
        name, _, value = part.partition("=")
        if name not in _PARTS:
            wrong.add("part", f"{name[:20] or 'Nothing'} is no part that is offered.")
        elif name in parts:
            wrong.add("part", f"{name} is said twice.")
        elif not value:
            wrong.add("part", f"{name} says nothing.")
        parts.setdefault(name, value)
    wrong.raise_as(RecurrenceMalformed)
    made = Recurrence(
        frequency=parts.get("FREQ", ""),
        interval=_number(wrong, "INTERVAL", parts, INTERVAL_MAX) or 1,
        by_day=_by_day(wrong, parts.get("BYDAY", "")),
        by_month_day=_by_month_day(wrong, parts.get("BYMONTHDAY", "")),
        count=_number(wrong, "COUNT", parts, 1_000_000),
        until=_until(wrong, parts.get("UNTIL", "")),
    )
    _require_sense(wrong, made)
    wrong.raise_as(RecurrenceMalformed)
    return made


def _number(wrong: Reasons, name: str, parts: dict[str, str], most: int) -> int | None:
    text = parts.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and 1 <= int(text) <= most):
        wrong.add(name.lower(), f"{name} is a number from 1 to {most}.", limit=most)
        return None
    return int(text)


def _by_day(wrong: Reasons, text: str) -> tuple[tuple[int, int], ...]:
    days = []
    for one in filter(None, text.split(",")):
        match = _DAY.fullmatch(one)
        if match is None:
            wrong.add("byday", f"{one[:10]} is no weekday like MO, 1TU or -1FR.")
        else:
            days.append((int(match[1] or 0), _WEEKDAYS.index(match[2])))
    return tuple(dict.fromkeys(days))


def _by_month_day(wrong: Reasons, text: str) -> tuple[int, ...]:
    days = []
    for one in filter(None, text.split(",")):
        if not re.fullmatch(r"[+-]?\d{1,2}", one) or not 1 <= abs(int(one)) <= 31:
            wrong.add("bymonthday", f"{one[:10]} is no day of a month, 1 to 31 or -31 to -1.")
        else:
            days.append(int(one))
    return tuple(dict.fromkeys(days))


def _until(wrong: Reasons, text: str) -> datetime | None:
    """UNTIL is the last instant, in UTC, or the last day, in Shanghai."""
    try:
        if _LAST_INSTANT.fullmatch(text):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if _LAST_DAY.fullmatch(text):
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            last = datetime.combine(day, time(23, 59, 59), tzinfo=SHANGHAI)
            return last.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    else:
        if not text:
            return None
    wrong.add("until", "UNTIL is a day like 20250630 or an instant like 20250630T010000Z.")
    return None


def _require_sense(wrong: Reasons, made: Recurrence) -> None:
    if made.frequency not in _FREQUENCIES:
        wrong.add("freq", "FREQ is DAILY, WEEKLY or MONTHLY.")
    if (made.count is None) == (made.until is None) and not wrong.found:
        wrong.add("end", "A rule ends by COUNT or by UNTIL, and not by both.")
    if made.frequency != "MONTHLY" and any(nth for nth, _ in made.by_day):
        wrong.add("byday", "Only a monthly rule counts weekdays, like 1MO.")
    if made.frequency == "WEEKLY" and made.by_month_day:
        wrong.add("bymonthday", "A weekly rule has no days of the month.")


def dates_of(
    rule: Recurrence, starts_at: datetime, *, most: int = OCCURRENCES_MAX
) -> list[datetime]:
    """The first `most` instants that the rule names from `starts_at` on, in UTC and in order.

    A month that has no such day is left out, as RFC 5545 says.
    """
    local = starts_at.astimezone(SHANGHAI).replace(tzinfo=None)
    # A rule that names nothing for years is not followed to the end of the calendar.
    last = local + timedelta(days=SEARCH_DAYS_MAX)
    if rule.until is not None:
        last = min(last, rule.until.astimezone(SHANGHAI).replace(tzinfo=None))
    named = rrule(
        _FREQUENCIES[rule.frequency],
        dtstart=local,
        interval=rule.interval,
        until=last,
        byweekday=[weekday(day, nth or None) for nth, day in rule.by_day] or None,
        bymonthday=list(rule.by_month_day) or None,
    )
    wanted = most if rule.count is None else min(most, rule.count)
    return [one.replace(tzinfo=SHANGHAI).astimezone(UTC) for one in islice(named, wanted)]


def series_dates(
    rule: Recurrence, starts_at: datetime, minutes: int, *, at: datetime
) -> tuple[list[During], Reasons]:
    """The times of a series, and everything that is wrong with it as a whole.

    The first date is where it starts; it has at most 100, none later than a year from now, and
    none that runs into the next.
    """
    wrong = Reasons()
    found = dates_of(rule, starts_at, most=OCCURRENCES_MAX + 1)
    if not found or found[0] != starts_at:
        wrong.add(
            "first-date",
            "The rule does not name the date on which the series starts.",
            limit=found[0].isoformat() if found else None,
            asked=starts_at.isoformat(),
        )
    if len(found) > OCCURRENCES_MAX:
        wrong.add(
            "occurrences",
            f"A series has at most {OCCURRENCES_MAX} dates; end it earlier.",
            limit=OCCURRENCES_MAX,
        )
    last = at + timedelta(days=SERIES_DAYS_MAX)
    if found and found[-1] > last:
        wrong.add(
            "too-far",
            "A series ends within a year from now.",
            limit=last.isoformat(),
            asked=found[-1].isoformat(),
        )
    length = timedelta(minutes=minutes)
    if any(following - one < length for one, following in pairwise(found)):
        wrong.add("overlaps-itself", "Each date begins before the one before it ends.")
    return [During(one, one + length) for one in found[:OCCURRENCES_MAX]], wrong


def cut_before(rule: Recurrence, kept: Sequence[datetime]) -> Recurrence:
    """The rule that names the dates of `kept` and none after them."""
    return replace(rule, count=None, until=max(kept))


def rest_after(rule: Recurrence, passed: int) -> Recurrence:
    """The rule for what is left of a series after `passed` of its dates; UNTIL stays as it is."""
    return rule if rule.count is None else replace(rule, count=max(1, rule.count - passed))
