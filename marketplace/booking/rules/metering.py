"""Machine-hours: effective time by purpose, in which no minute of a machine counts twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.booking.rules.states import Purpose
from marketplace.kernel.time import During

# No reservation and no session is longer (constraints `reservation_length` and
# `usage_session_length`), so what began earlier cannot reach into a period.
LOOKBACK_DAYS = 60


@dataclass(frozen=True, slots=True)
class Metered:
    """A closed session: when it was opened, its effective minutes, how long it lasted, what for.

    `calendar_id` is the machine that ran: two services of one machine share the calendar of one
    of them, so their sessions overlap on the same machine. None: the instrument's own.
    """

    session_id: int
    instrument_id: int
    purpose: Purpose
    opened_at: datetime
    effective_minutes: int
    actual_minutes: int = 0
    calendar_id: int | None = None

    @property
    def machine_id(self) -> int:
        """The machine, whatever its services are called."""
        return self.instrument_id if self.calendar_id is None else self.calendar_id

    @property
    def starts_at(self) -> datetime:
        """The minute in which it was opened."""
        return self.opened_at.replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the minutes of a session are, inside a period.

    `minutes` count as machine time; `overlap` ran while the machine already counted for a session
    opened earlier; in `idle` it was occupied and nothing ran.
    """

    minutes: int
    overlap: int
    idle: int

    @property
    def session(self) -> int:
        """How long the session lasted."""
        return self.minutes + self.overlap + self.idle


def parts_of(sessions: Iterable[Metered], period: During) -> dict[int, Parts]:
    """The parts of each session inside `period`, by session.

    Effective time runs from the minute in which a session was opened, for as long as preparation,
    test and post-processing took. Samples of several customers may run at once on one machine:
    each minute then belongs to the session that was opened first, so that the purposes add up to
    the time in which the machine ran.

    Policy: F.hours (effective hours = preparation + test + post-processing).
    """
    found: dict[int, Parts] = {}
    for session, counts_from in _in_order(sessions):
        starts_at = session.starts_at
        ends_at = starts_at + timedelta(minutes=session.effective_minutes)
        lasts = max(session.actual_minutes, session.effective_minutes)
        counted = _inside(counts_from, ends_at, period)
        ran = _inside(starts_at, ends_at, period)
        open_ = _inside(starts_at, starts_at + timedelta(minutes=lasts), period)
        found[session.session_id] = Parts(counted, ran - counted, open_ - ran)
    return found


def machine_minutes(sessions: Iterable[Metered], period: During) -> dict[tuple[int, Purpose], int]:
    """Machine time inside `period` by instrument and purpose, no minute of a machine twice.

    Policy: F.hours.
    """
    listed = list(sessions)
    parts = parts_of(listed, period)
    minutes: dict[tuple[int, Purpose], int] = {}
    for session in listed:
        if counted := parts[session.session_id].minutes:
            key = (session.instrument_id, session.purpose)
            minutes[key] = minutes.get(key, 0) + counted
    return minutes


def _in_order(sessions: Iterable[Metered]) -> Iterator[tuple[Metered, datetime]]:
    """Each session with the moment from which it counts: where the earlier ones end."""
    counted_until: dict[int, datetime] = {}
    for session in sorted(sessions, key=lambda one: (one.opened_at, one.session_id)):
        starts_at = session.starts_at
        ends_at = starts_at + timedelta(minutes=session.effective_minutes)
        until = counted_until.get(session.machine_id, starts_at)
        yield session, max(starts_at, until)
        counted_until[session.machine_id] = max(until, ends_at)


def _inside(starts_at: datetime, ends_at: datetime, period: During) -> int:
    if starts_at >= ends_at:
        return 0
    part = During(starts_at, ends_at).clip(period)
    return 0 if part is None else part.minutes
