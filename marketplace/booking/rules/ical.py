"""Reservations as calendar files (RFC 5545, RFC 7986): what a subscribed calendar is told.

An event keeps its UID for ever and says with SEQUENCE and LAST-MODIFIED how new it is, so that a
calendar moves it, marks it as cancelled, and never shows it twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import icalendar

from marketplace.booking.rules.states import Purpose, Status
from marketplace.kernel.time import SHANGHAI, During

DAYS_BACK = 60
DAYS_AHEAD = 400
EVENTS_MAX = 5_000
REFRESH = timedelta(minutes=15)
# The framework adds the character set, which is UTF-8.
MEDIA_TYPE = "text/calendar"
PRODUCT = "-//Instrument marketplace//Calendars//ZH"
MASKED = "已预约 Reserved"
# Whatever some reader may take for the end of a line, and what has no place in a text.
_BREAKS = re.compile(r"\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f]")


class FeedKind(StrEnum):
    """Whose time a feed shows."""

    PERSON = "person"
    """What one person reserved for an organisation, and what they attend as its operator."""
    INSTRUMENT = "instrument"
    """Everything in the calendar of one instrument."""
    PROVIDER = "provider"
    """Everything on all instruments of one provider."""


class EventStatus(StrEnum):
    """What a calendar says of an event."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


_STATUS = {
    Status.HELD: EventStatus.TENTATIVE,
    Status.OFFERED: EventStatus.TENTATIVE,
    Status.REQUESTED: EventStatus.TENTATIVE,
    Status.CONFIRMED: EventStatus.CONFIRMED,
    Status.IN_USE: EventStatus.CONFIRMED,
    Status.USED: EventStatus.CONFIRMED,
}

_PURPOSES = {
    Purpose.EXTERNAL: "对外服务 service to others",
    Purpose.OWN_RESEARCH: "本单位科研 own research",
    Purpose.TEACHING: "教学 teaching",
    Purpose.MAINTENANCE: "维护 maintenance",
    Purpose.TEST_RUN: "试运行 test run",
}


@dataclass(frozen=True, slots=True)
class ReservedTime:
    """A reservation with the names that those may read who may know them."""

    id: int
    instrument_id: int
    provider_id: int
    organisation_id: int
    person_id: int
    operator_id: int | None
    starts_at: datetime
    ends_at: datetime
    seat: int
    status: Status
    purpose: Purpose
    revision: int
    changed_at: datetime
    instrument: str = ""
    place: str = ""
    organisation: str = ""
    person: str = ""
    operator: str = ""


@dataclass(frozen=True, slots=True)
class ClosedTime:
    """A time in which an instrument is closed, with the reason that users see."""

    id: int
    starts_at: datetime
    ends_at: datetime
    reason: str
    instrument: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a feed, and which."""

    kind: FeedKind
    organisation_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event as a calendar shows it; `sequence` grows with every change."""

    uid: str
    during: During
    status: EventStatus
    summary: str
    changed_at: datetime
    sequence: int = 0
    description: str = ""
    location: str = ""


def event_status(status: Status) -> EventStatus:
    """What a calendar says of a reservation; whatever gave its time back is cancelled."""
    return _STATUS.get(status, EventStatus.CANCELLED)


def shown_from(at: datetime) -> During:
    """What of the past and the future a feed shows at a moment."""
    return During(at - timedelta(days=DAYS_BACK), at + timedelta(days=DAYS_AHEAD))


def knows_who(reserved: ReservedTime, reader: Reader) -> bool:
    """Whether a reader may know who reserved: the provider, and whose reservation it is."""
    return reader.organisation_id in (reserved.provider_id, reserved.organisation_id)


def reservation_event(reserved: ReservedTime, reader: Reader, *, host: str) -> CalendarEvent:
    """A reservation as its reader may see it: outsiders learn that the time is taken, no more."""
    known = knows_who(reserved, reader)
    return CalendarEvent(
        uid=f"reservation-{reserved.id}@{host}",
        during=During(reserved.starts_at, reserved.ends_at),
        status=event_status(reserved.status),
        summary=_summary(reserved, reader) if known else MASKED,
        changed_at=reserved.changed_at,
        sequence=reserved.revision,
        description=_description(reserved) if known else "",
        location=reserved.place if known else "",
    )


def _summary(reserved: ReservedTime, reader: Reader) -> str:
    who = [reserved.organisation, reserved.person]
    if reader.kind is FeedKind.INSTRUMENT:
        parts = who
    elif reader.kind is FeedKind.PROVIDER:
        parts = [reserved.instrument, *who]
    elif reserved.operator_id == reader.person_id != reserved.person_id:
        parts = [reserved.instrument, "操作 operating", *who]
    else:
        parts = [reserved.instrument]
    return " · ".join(part for part in parts if part)


def _description(reserved: ReservedTime) -> str:
    lines = [
        f"预约 Reservation: {reserved.id}",
        f"状态 Status: {reserved.status}",
        f"用途 Purpose: {_PURPOSES[reserved.purpose]}",
    ]
    if reserved.seat > 1:
        lines.append(f"机位 Seat: {reserved.seat}")
    if reserved.operator:
        lines.append(f"操作人员 Operator: {reserved.operator}")
    return "\n".join(lines)


def closure_event(closed: ClosedTime, *, made_at: datetime, host: str) -> CalendarEvent:
    """A closure as an event that keeps its time."""
    text = f"停用 Closed: {closed.reason}"
    return CalendarEvent(
        uid=f"closure-{closed.id}@{host}",
        during=During(closed.starts_at, closed.ends_at),
        status=EventStatus.CONFIRMED,
        summary=" · ".join(part for part in (closed.instrument, text) if part),
        changed_at=made_at,
    )


def calendar_file(
    name: str, events: Sequence[CalendarEvent], *, note: str = "", organiser: str = ""
) -> bytes:
    """A calendar of `events`; with an `organiser` (an e-mail address) one to take over at once.

    A feed has no METHOD: it is what the calendar is at this moment. A file with one event that is
    taken over into a calendar is published (RFC 5546), and then says by whom.
    """
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    if organiser:
        calendar.add("method", "PUBLISH")
    for field in ("name", "x-wr-calname"):
        calendar.add(field, _text(name))
    if note:
        for field in ("description", "x-wr-caldesc"):
            calendar.add(field, _text(note))
    calendar.add("x-wr-timezone", str(SHANGHAI))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", icalendar.vDuration(REFRESH))
    calendar.add_component(_time_zone())
    for event in events:
        calendar.add_component(_component(event, organiser))
    written: bytes = calendar.to_ical()
    return written


def _component(event: CalendarEvent, organiser: str) -> icalendar.Event:
    found = icalendar.Event()
    found.add("uid", event.uid)
    found.add("dtstamp", event.changed_at)
    found.add("last-modified", event.changed_at)
    found.add("sequence", event.sequence)
    found.add("dtstart", event.during.starts_at.astimezone(SHANGHAI))
    found.add("dtend", event.during.ends_at.astimezone(SHANGHAI))
    found.add("status", event.status.value)
    gone = event.status is EventStatus.CANCELLED
    found.add("transp", "TRANSPARENT" if gone else "OPAQUE")
    found.add("summary", _text(event.summary))
    if event.description:
        found.add("description", _text(event.description))
    if event.location:
        found.add("location", _text(event.location))
    if organiser:
        found.add("organizer", f"mailto:{organiser}")
    return found


def _time_zone() -> icalendar.Timezone:
    """China: eight hours ahead, and no summer time since 1991."""
    standard = icalendar.TimezoneStandard()
    standard.add("dtstart", datetime(1991, 9, 15, 0, 0))  # noqa: DTZ001 a zone has local times
    standard.add("tzoffsetfrom", timedelta(hours=9))
    standard.add("tzoffsetto", timedelta(hours=8))
    standard.add("tzname", "CST")
    zone = icalendar.Timezone()
    zone.add("tzid", str(SHANGHAI))
    zone.add_component(standard)
    return zone


def _text(text: str) -> icalendar.vText:
    """A text in one line of its own, whatever somebody typed into a name."""
    # Said explicitly: the library escapes no text of a property that it does not know.
    return icalendar.vText(_CONTROLS.sub("", _BREAKS.sub("\n", text)))
