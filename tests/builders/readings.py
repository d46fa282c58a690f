"""Logs of instruments and what they say: valid by default."""

from datetime import datetime

from marketplace.booking.queries import Reading, ReadingSearch, readings
from marketplace.booking.rules.readings import Run
from marketplace.booking.use_cases import (
    LineAnswer,
    ReadingLine,
    ReceiveReadings,
    SetReadingSource,
    receive_readings,
    set_reading_source,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically

SOURCE = "sem-log"


async def a_source(
    database: Database,
    *,
    instrument_id: int,
    by: Actor,
    opens_sessions: bool = True,
    tolerance_minutes: int = 10,
    source: str = SOURCE,
    accepts: bool = True,
) -> None:
    """A log that opens and closes sessions, ten minutes off at most."""
    command = SetReadingSource(instrument_id, source, opens_sessions, tolerance_minutes, accepts)
    await atomically(database, set_reading_source, command, actor=by)


def a_line(
    instrument_id: int,
    started_at: datetime | None = None,
    stopped_at: datetime | None = None,
    *,
    external_id: str = "run-1",
    samples: int | None = None,
) -> ReadingLine:
    """A start, a stop or both of one run."""
    return ReadingLine(instrument_id, external_id, Run(started_at, stopped_at), "user-7", samples)


async def send(
    database: Database, *lines: ReadingLine, by: Actor, source: str = SOURCE
) -> list[LineAnswer]:
    """Send a batch."""
    command = ReceiveReadings(source, tuple(lines))
    return await atomically(database, receive_readings, command, actor=by)


async def runs(database: Database, *, by: Actor) -> list[Reading]:
    """Every run that `by` sees, oldest first."""
    found = await atomically(database, readings, ReadingSearch(page_size=200), actor=by)
    return found.readings[::-1]
