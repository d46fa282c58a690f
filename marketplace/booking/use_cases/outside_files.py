"""Reading calendar files that others wrote, where they can do no harm."""

from __future__ import annotations

from marketplace.booking.rules import ical_process
from marketplace.booking.rules.ical_reading import BYTES_MAX, CalendarRead, read_calendar
from marketplace.booking.rules.ical_times import Problem
from marketplace.kernel.bounded import BoundsPassed, answer_of
from marketplace.kernel.time import During

SECONDS_MAX = 30.0


async def read_in_own_process(content: bytes, within: During) -> CalendarRead:
    """The busy times of a file, or everything that is wrong with it; in bounded time and memory."""
    if len(content) > BYTES_MAX:
        return read_calendar(content, within)
    try:
        answer = await answer_of(
            ical_process.__name__, ical_process.question(content, within), seconds=SECONDS_MAX
        )
    except BoundsPassed:
        text = "The file asks for too much work: its events repeat too often or for too long."
        return CalendarRead(problems=(Problem(0, "work", text),))
    return ical_process.answered(answer)
