"""Instants, lengths and time zones as calendar files write them (RFC 5545 section 3.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import icalendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from marketplace.kernel.time import SHANGHAI

YEARS = range(1970, 2200)
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_INSTANT = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(Z?)")
_DURATION = re.compile(
    r"([+-]?)P(?=\d|T\d)(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line of a file; line 0 is the file itself."""

    line: int
    rule: str
    message: str


class ValueRefused(ValueError):
    """A value of a content line that cannot be understood, and why."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as a calendar means it: a time on the clocks of a zone, or the begin of a day."""

    local: datetime
    zone: tzinfo
    all_day: bool = False

    @property
    def at(self) -> datetime:
        """The instant in UTC."""
        return instant(self.local, self.zone)

    def local_in(self, zone: tzinfo) -> datetime:
        """What clocks of `zone` show at this instant; a day is the same day everywhere."""
        if self.all_day:
            return self.local
        return self.at.astimezone(zone).replace(tzinfo=None)


def instant(local: datetime, zone: tzinfo) -> datetime:
    """The instant at which clocks of `zone` show `local`."""
    return local.replace(tzinfo=zone).astimezone(UTC)


class Zones:
    """The time zones that a file may name: known ones, and those that it describes itself."""

    def __init__(self, described: Sequence[tuple[int, Sequence[str]]] = ()) -> None:
        """`described` are the content lines of its VTIMEZONE components, with where each begins."""
        self._described: dict[str, tuple[int, Sequence[str]]] = {}
        self._known: dict[str, tzinfo] = {}
        for line, lines in described:
            for each in lines:
                name, _, value = each.partition(":")
                if name.upper() == "TZID":
                    self._described.setdefault(value.strip().strip('"'), (line, lines))

    def named(self, name: str) -> tzinfo:
        """The zone of that name.

        Raises:
            ValueRefused: when nobody knows it and the file does not describe it.
        """
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> tzinfo:
        # Some programs put their own address before the name: /example.org/Asia/Shanghai.
        parts = name.strip("/").split("/")
        candidates = ["/".join(parts[-count:]) for count in (len(parts), 3, 2, 1)]
        for candidate in [*candidates, WINDOWS_TO_OLSON.get(name, "")]:
            try:
                return ZoneInfo(candidate)
            except (KeyError, ValueError, OSError):
                continue
        if name not in self._described:
            raise ValueRefused("time-zone", f"Nobody knows the time zone {name[:100]}.")
        line, lines = self._described[name]
        try:
            text = "\r\n".join(lines)
            component = icalendar.Timezone.from_ical(text)
            assert isinstance(component, icalendar.Timezone)
            zone: tzinfo = component.to_tz(lookup_tzid=False)
            # Some faults show only when it is asked.
            instant(datetime(2025, 7, 1), zone)  # noqa: DTZ001 clocks of that zone
        except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
            raise ValueRefused(
                "time-zone", f"The time zone described in line {line} cannot be read."
            ) from error
        return zone


def moment_of(value: str, parameters: Mapping[str, str], zones: Zones) -> Moment:
    """A DATE or a DATE-TIME; without a zone it is meant in Asia/Shanghai.

    Raises:
        ValueRefused: for anything else, and for years that no calendar of ours has.
    """
    value = value.strip()
    if day := _DATE.fullmatch(value):
        year, month, date_ = map(int, day.groups())
        return Moment(_local(value, year, month, date_), SHANGHAI, all_day=True)
    found = _INSTANT.fullmatch(value)
    if found is None:
        raise ValueRefused("instant", f"{value[:40]!r} is neither a day nor an instant.")
    year, month, date_, hour, minute, second = map(int, found.groups()[:6])
    # A leap second is the last second of its minute for whoever books by the minute.
    local = _local(value, year, month, date_, hour, minute, min(second, 59))
    if found[7]:
        return Moment(local, UTC)
    zone_name = str(parameters.get("TZID", ""))
    return Moment(local, zones.named(zone_name) if zone_name else SHANGHAI)


def _local(value: str, *parts: int) -> datetime:
    if parts[0] not in YEARS:
        raise ValueRefused("year", f"Years from {YEARS[0]} to {YEARS[-1]}, not {parts[0]}.")
    try:
        return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 clocks of a zone
    except ValueError as error:
        raise ValueRefused("instant", f"{value[:40]!r} is on no calendar: {error}.") from error


def moments_of(value: str, parameters: Mapping[str, str], zones: Zones) -> list[Moment]:
    """A list of days or instants.

    Raises:
        ValueRefused: also for periods.
    """
    if str(parameters.get("VALUE", "")).upper() == "PERIOD":
        raise ValueRefused("period", "RDATE as periods is not supported; name instants.")
    return [moment_of(each, parameters, zones) for each in value.split(",")]


def duration_of(value: str) -> timedelta:
    """A DURATION.

    Raises:
        ValueRefused: for anything else.
    """
    found = _DURATION.fullmatch(value.strip().upper())
    if found is None:
        raise ValueRefused("duration", f"{value[:40]!r} is not a duration such as PT1H30M.")
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups()[1:])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] == "-" else length
