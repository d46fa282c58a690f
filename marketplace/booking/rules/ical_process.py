"""Reads one calendar file in a process of its own: run by `kernel.bounded`.

A few lines of a calendar can ask for more work than a century has seconds: a rule that names a day
which never comes is followed to the end of all years.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from marketplace.booking.rules.ical_reading import CalendarRead, read_calendar
from marketplace.kernel.bounded import serve_once
from marketplace.kernel.time import During

CPU_SECONDS_MAX = 10
MEMORY_BYTES_MAX = 1024**3


class Asked(msgspec.Struct, frozen=True):
    """A file, and which of its times matter."""

    content: bytes
    starts_at: datetime
    ends_at: datetime


def question(content: bytes, within: During) -> bytes:
    """What the process is sent."""
    return msgspec.msgpack.encode(Asked(content, within.starts_at, within.ends_at))


def answered(answer: bytes) -> CalendarRead:
    """What it sent back."""
    return msgspec.msgpack.decode(answer, type=CalendarRead)


def _answer(asked: bytes) -> bytes:
    found = msgspec.msgpack.decode(asked, type=Asked)
    within = During(found.starts_at, found.ends_at)
    return msgspec.msgpack.encode(read_calendar(found.content, within))


if __name__ == "__main__":
    serve_once(_answer, cpu_seconds=CPU_SECONDS_MAX, memory_bytes=MEMORY_BYTES_MAX)
