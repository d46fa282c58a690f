"""Machine-hours: effective time by purpose, in which no minute of an instrument counts twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.booking.rules.states import Purpose
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class Metered:
    """A closed session of one instrument: when it was opened, its effective minutes, what for."""

    session_id: int
    instrument_id: int
    purpose: Purpose
    opened_at: datetime
    effective_minutes: int


def machine_minutes(sessions: Iterable[Metered], period: During) -> dict[tuple[int, Purpose], int]:
    """Effective minutes inside `period` by instrument and purpose.

    Effective time runs from the minute in which a session was opened, for as long as preparation,
    test and post-processing took. Samples of several customers may run at once on one instrument:
    each minute then belongs to the session that was opened first, so that the purposes add up to
    the time in which the machine ran.

    Policy: F.hours (effective hours = preparation + test + post-processing).
    """
    minutes: dict[tuple[int, Purpose], int] = {}
    counted_until: dict[int, datetime] = {}
    for session in sorted(sessions, key=lambda one: (one.opened_at, one.session_id)):
        starts_at = session.opened_at.replace(second=0, microsecond=0)
        ends_at = starts_at + timedelta(minutes=session.effective_minutes)
        starts_at = max(starts_at, counted_until.get(session.instrument_id, starts_at))
        if starts_at >= ends_at:
            continue
        counted_until[session.instrument_id] = ends_at
        part = During(starts_at, ends_at).clip(period)
        if part is not None:
            key = (session.instrument_id, session.purpose)
            minutes[key] = minutes.get(key, 0) + part.minutes
    return minutes
