"""Busy times out of somebody else's calendar file (RFC 5545), with everything wrong in it by line.

A time that is all day or says no zone is meant in Asia/Shanghai. What is cancelled or transparent
keeps nobody out. A file lands whole or not at all: half of somebody's busy times is a trap.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from icalendar.parser import Contentline

from marketplace.booking.rules.ical_recurrence import Repeats, Steps, starts_of
from marketplace.booking.rules.ical_times import (
    Moment,
    Problem,
    ValueRefused,
    Zones,
    duration_of,
    moment_of,
    moments_of,
)
from marketplace.kernel.time import During

BYTES_MAX = 2_000_000
DAYS_AHEAD = 400
DAYS_BACK = 1
TIMES_MAX = 2_000
PROBLEMS_MAX = 100
DEPTH_MAX = 8
UID_LENGTH_MAX = 250
SUMMARY_LENGTH_MAX = 200
# A file of this many days at most: a longer event is a slip of the pen.
EVENT_DAYS_MAX = 400
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class OutsideTime:
    """A time in which an instrument is busy elsewhere; `recurrence_id` tells repetitions apart."""

    uid: str
    recurrence_id: str
    during: During
    summary: str = ""


@dataclass(frozen=True, slots=True)
class CalendarRead:
    """What a file says, or why it cannot be told. With any problem there are no times."""

    times: tuple[OutsideTime, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Lines:
    """The content lines of one component, each with the line of the file it begins on."""

    kind: str
    line: int
    found: list[tuple[int, Contentline]] = field(default_factory=list)
    inside: list[_Lines] = field(default_factory=list)


@dataclass(slots=True)
class _Event:
    line: int
    uid: str = ""
    start: Moment | None = None
    end: Moment | None = None
    lasts: timedelta | None = None
    summary: str = ""
    free: bool = False
    instead_of: Moment | None = None
    and_following: bool = False
    repeats: Repeats = field(default_factory=Repeats)


def window_of_import(at: datetime) -> During:
    """Which busy times count at a moment."""
    return During(at - timedelta(days=DAYS_BACK), at + timedelta(days=DAYS_AHEAD))


def read_calendar(content: bytes, within: During) -> CalendarRead:
    """The busy times of a file that touch `within`."""
    problems: list[Problem] = []
    events = _events(content, problems)
    times = [] if problems else _times(events, within, problems)
    if problems:
        return CalendarRead(problems=tuple(problems[:PROBLEMS_MAX]))
    return CalendarRead(times=tuple(times))


def _events(content: bytes, problems: list[Problem]) -> list[_Event]:
    if len(content) > BYTES_MAX:
        problems.append(Problem(0, "size", f"The file is larger than {BYTES_MAX} bytes."))
        return []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.append(Problem(line, "encoding", "A calendar file is UTF-8; this line is not."))
        return []
    calendars = _components(text, problems)
    if not calendars and not problems:
        problems.append(Problem(1, "calendar", "There is no BEGIN:VCALENDAR; is it a calendar?"))
    events = []
    for calendar in calendars:
        inside = [each for each in calendar.inside if each.kind == "VTIMEZONE"]
        zones = Zones([(zone.line, [line for _, line in zone.found]) for zone in inside])
        for component in calendar.inside:
            if component.kind == "VEVENT":
                events.append(_event(component, zones, problems))
    return events


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Content lines with the line they begin on; a line that begins with a blank goes on."""
    begun, whole = 0, ""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line[:1] in (" ", "\t") and begun:
            whole += line[1:]
            continue
        if whole.strip():
            yield begun, whole
        begun, whole = number, line
    if whole.strip():
        yield begun, whole


def _components(text: str, problems: list[Problem]) -> list[_Lines]:
    """The calendars of a file; time zones keep the lines of their parts, too."""
    calendars: list[_Lines] = []
    open_ones: list[_Lines] = []
    for number, line in _unfolded(text):
        name, _, value = line.partition(":")
        name, kind = name.strip().upper(), value.strip().upper()
        if name == "BEGIN":
            begun = _Lines(kind, number)
            if len(open_ones) == DEPTH_MAX:
                problems.append(Problem(number, "depth", "Components inside components too deep."))
                return calendars
            if open_ones:
                open_ones[-1].inside.append(begun)
            elif kind == "VCALENDAR":
                calendars.append(begun)
            open_ones.append(begun)
        elif not open_ones:
            problems.append(Problem(number, "calendar", "A line outside of BEGIN:VCALENDAR."))
            return calendars
        for component in open_ones:
            if component.kind == "VTIMEZONE" or component is open_ones[-1]:
                component.found.append((number, Contentline(line)))  # type: ignore[no-untyped-call]
        if name == "END" and open_ones.pop().kind != kind:
            problems.append(Problem(number, "end", f"END:{kind[:40]} ends nothing that is open."))
            return calendars
    problems.extend(
        Problem(each.line, "end", f"BEGIN:{each.kind[:40]} has no END; was the file cut off?")
        for each in open_ones
    )
    return calendars


def _event(component: _Lines, zones: Zones, problems: list[Problem]) -> _Event:
    event = _Event(component.line)
    found_before = len(problems)
    for number, line in component.found:
        try:
            _take(event, number, line, zones)
        except ValueRefused as refused:
            problems.append(Problem(number, refused.rule, str(refused)))
        except ValueError as error:
            problems.append(Problem(number, "line", f"The line cannot be read: {error}"[:300]))
    if event.start is None:
        if len(problems) == found_before:
            problems.append(Problem(event.line, "start", "The event has no DTSTART."))
    elif event.end is not None and event.end.at < event.start.at:
        problems.append(Problem(event.line, "end", "The event ends before it starts."))
    elif (
        event.end is not None and event.end.at - event.start.at > timedelta(days=EVENT_DAYS_MAX)
    ) or (event.lasts or timedelta()) > timedelta(days=EVENT_DAYS_MAX):
        problems.append(
            Problem(event.line, "length", f"The event is longer than {EVENT_DAYS_MAX} days.")
        )
    elif event.lasts is not None and event.lasts < timedelta():
        problems.append(Problem(event.line, "end", "The event has a negative DURATION."))
    if not event.uid:
        event.uid = f"line-{event.line}"
    return event


_HANDLED = frozenset(
    {
        "UID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "STATUS", "TRANSP", "RECURRENCE-ID",
        "RRULE", "RDATE", "EXDATE", "EXRULE",
    }
)  # fmt: skip


def _take(event: _Event, number: int, line: Contentline, zones: Zones) -> None:  # noqa: C901, PLR0912
    """Read one content line of an event; what says nothing about its time is passed over."""
    if line.replace(";", ":").partition(":")[0].strip().upper() not in _HANDLED:
        return
    name, parameters, value = line.parts()
    match name.upper():
        case "UID":
            event.uid = uid_of(value)
        case "DTSTART":
            event.start = moment_of(value, parameters, zones)
        case "DTEND":
            event.end = moment_of(value, parameters, zones)
        case "DURATION":
            event.lasts = duration_of(value)
        case "SUMMARY":
            event.summary = summary_of(value)
        case "STATUS":
            event.free |= value.strip().upper() == "CANCELLED"
        case "TRANSP":
            event.free |= value.strip().upper() == "TRANSPARENT"
        case "RECURRENCE-ID":
            event.instead_of = moment_of(value, parameters, zones)
            event.and_following = str(parameters.get("RANGE", "")).upper() == "THISANDFUTURE"
        case "RRULE":
            event.repeats.rules.append((number, value))
        case "RDATE":
            event.repeats.dates.extend(moments_of(value, parameters, zones))
        case "EXDATE":
            event.repeats.without.extend(moments_of(value, parameters, zones))
        case "EXRULE":
            raise ValueRefused("exrule", "EXRULE is not supported; name the days in EXDATE.")
    if event.and_following:
        raise ValueRefused(
            "range", "RANGE=THISANDFUTURE is not supported; end the first series, begin another."
        )


def uid_of(value: str) -> str:
    """An event's own name, as far as we keep it; a longer one by its digest."""
    value = _CONTROLS.sub("", value).strip()
    if len(value) <= UID_LENGTH_MAX:
        return value
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()


def summary_of(value: str) -> str:
    """The first words of what an event is called."""
    return _CONTROLS.sub(" ", value).strip()[:SUMMARY_LENGTH_MAX]


def _times(events: list[_Event], within: During, problems: list[Problem]) -> list[OutsideTime]:
    steps = Steps()
    moved: dict[str, set[datetime]] = {}
    for event in events:
        if event.instead_of is not None:
            moved.setdefault(event.uid, set()).add(event.instead_of.at)
    found: dict[tuple[str, str], OutsideTime] = {}
    for event in events:
        try:
            for time in _times_of(event, within, moved.get(event.uid, set()), steps):
                _keep(found, time)
        except ValueRefused as refused:
            problems.append(Problem(_line_of(event), refused.rule, str(refused)))
        if len(found) > TIMES_MAX:
            text = f"More than {TIMES_MAX} busy times within {DAYS_AHEAD} days."
            problems.append(Problem(event.line, "times", text))
        if steps.left < 0 or len(found) > TIMES_MAX:
            break
    return sorted(found.values(), key=lambda each: (each.during, each.uid))


def _line_of(event: _Event) -> int:
    return event.repeats.rules[0][0] if event.repeats.rules else event.line


def _times_of(
    event: _Event, within: During, moved: set[datetime], steps: Steps
) -> Iterator[OutsideTime]:
    start = event.start
    if event.free or start is None:
        return
    lasts = _length(event, start)
    if not lasts:
        return
    if event.instead_of is not None:
        key = _key(event.instead_of.at)
        begins = starts_of(start, Repeats(), within, lasts=lasts, steps=steps)
        yield from (
            OutsideTime(event.uid, key, During(at, at + lasts), event.summary) for at in begins
        )
        return
    for at in starts_of(start, event.repeats, within, lasts=lasts, steps=steps):
        if at not in moved:
            key = _key(at) if event.repeats.any else ""
            yield OutsideTime(event.uid, key, During(at, at + lasts), event.summary)


def _length(event: _Event, start: Moment) -> timedelta:
    if event.end is not None:
        return event.end.at - start.at
    if event.lasts is not None:
        return event.lasts
    return timedelta(days=1) if start.all_day else timedelta()


def _key(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


def _keep(found: dict[tuple[str, str], OutsideTime], time: OutsideTime) -> None:
    """Keep a time under its name; where a file gives one name to two, both keep others out."""
    key = time.recurrence_id
    while (kept := found.get((time.uid, key))) is not None:
        if kept.during == time.during:
            return
        key += "+"
    found[time.uid, key] = OutsideTime(time.uid, key, time.during, time.summary)
