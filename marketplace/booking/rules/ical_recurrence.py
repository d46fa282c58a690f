"""When an event that repeats takes place (RFC 5545 section 3.8.5), within bounds.

A rule repeats on the clocks of its event's zone, so it is worked out in local time. A file may ask
for more repetitions than there are seconds in a century; each rule is therefore weighed before it
is followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dateutil.rrule import rrule, rrulestr

from marketplace.booking.rules.ical_times import Moment, ValueRefused, Zones, instant, moment_of
from marketplace.kernel.time import During

STEPS_MAX = 200_000
TIMES_A_DAY_MAX = 24
_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
# How many days a period of each kind may name at most.
_NAMED_MAX = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
_PARTS = frozenset(
    {
        "FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY",
        "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS",
    }
)  # fmt: skip
# A day on either side, because local days begin at other instants.
_MARGIN = timedelta(days=2)


@dataclass(slots=True)
class Repeats:
    """What an event says of its repetitions; each rule with the line it stands in."""

    rules: list[tuple[int, str]] = field(default_factory=list)
    dates: list[Moment] = field(default_factory=list)
    without: list[Moment] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether there is more than one time to tell apart."""
        return bool(self.rules or self.dates)


@dataclass(slots=True)
class Steps:
    """How far the rules of one file may still be followed."""

    left: int = STEPS_MAX

    def take(self, count: int) -> None:
        """Use up some of them.

        Raises:
            ValueRefused: when the file asks for more than is left.
        """
        self.left -= count
        if self.left < 0:
            raise ValueRefused("repeats", "The file's events repeat too often or for too long.")


def starts_of(
    start: Moment, repeats: Repeats, within: During, *, lasts: timedelta, steps: Steps
) -> list[datetime]:
    """The instants at which an event begins that lasts `lasts` and touches `within`, in order.

    Raises:
        ValueRefused: for a rule that cannot be read or followed.
    """
    first = Moment(within.starts_at.replace(tzinfo=None), within.starts_at.tzinfo or start.zone)
    last = Moment(within.ends_at.replace(tzinfo=None), within.ends_at.tzinfo or start.zone)
    since = first.local_in(start.zone) - lasts - _MARGIN
    until = last.local_in(start.zone) + _MARGIN
    # The first time counts whether its own rule names it or not: it is in the calendar.
    local = {start.local, *(each.local_in(start.zone) for each in repeats.dates)}
    for _, text in repeats.rules:
        local.update(_followed(text, start, since, until, steps))
    for each in repeats.without:
        if each.all_day and not start.all_day:
            local = {moment for moment in local if moment.date() != each.local.date()}
        else:
            local.discard(each.local_in(start.zone))
    begins = sorted(instant(each, start.zone) for each in local)
    return [at for at in begins if at < within.ends_at and at + lasts > within.starts_at]


def _followed(
    text: str, start: Moment, since: datetime, until: datetime, steps: Steps
) -> Iterator[datetime]:
    parts = _parts(text)
    ends = _until(parts.pop("UNTIL", ""), start)
    stop = until if ends is None else min(until, ends)
    if stop < start.local:
        return
    steps.take(_weight(parts, (stop - start.local).days))
    try:
        rule = rrulestr(
            ";".join(f"{name}={value}" for name, value in parts.items()), dtstart=start.local
        )
        assert isinstance(rule, rrule)
        for moment in rule:
            if moment > stop:
                return
            if moment >= since:
                yield moment
    except (ValueError, TypeError, OverflowError, IndexError) as error:
        raise ValueRefused("rule", f"RRULE:{text[:200]} cannot be followed: {error}.") from error


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().strip(";").split(";"):
        name, _, value = part.partition("=")
        parts[name.strip().upper()] = value.strip().upper()
    if unknown := parts.keys() - _PARTS:
        raise ValueRefused("rule", f"{sorted(unknown)[0][:40]} is no part of a rule that we know.")
    if parts.get("FREQ") not in _DAYS:
        raise ValueRefused("rule", "A rule repeats DAILY, WEEKLY, MONTHLY or YEARLY.")
    for name in ("COUNT", "INTERVAL"):
        value = parts.get(name, "1")
        if not (value.isascii() and value.isdecimal() and 1 <= int(value[:9]) == int(value)):
            raise ValueRefused("rule", f"{name} is a whole number from 1.")
    return parts


def _until(value: str, start: Moment) -> datetime | None:
    """The last local time that a rule may name; a bare day means all of that day."""
    if not value:
        return None
    last = moment_of(value, {}, Zones())
    if last.all_day:
        return last.local + timedelta(days=1, seconds=-1)
    if value.endswith("Z"):
        return last.local_in(start.zone)
    return last.local


def _weight(parts: dict[str, str], days: int) -> int:
    """Roughly how many steps it takes to follow a rule for so many days."""
    kind = parts["FREQ"]
    a_day = 1
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        a_day *= parts.get(name, "").count(",") + 1
    if a_day > TIMES_A_DAY_MAX:
        raise ValueRefused("rule", f"A rule names at most {TIMES_A_DAY_MAX} times a day.")
    periods = days // (_DAYS[kind] * int(parts.get("INTERVAL", "1"))) + 1
    named = any(name in parts for name in ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"))
    steps = periods * a_day * (_NAMED_MAX[kind] if named else 1)
    return min(steps, int(parts["COUNT"]) * a_day) if "COUNT" in parts else steps
