"""Using what was reserved: when a session may open, and what of it counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.booking.errors import CheckInRefused, SessionMinutesRefused
from marketplace.kernel.time import During

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Minutes:
    """What a closed session comes to.

    `actual` is how long it lasted. `billable` counts from the reserved start (or from an earlier
    check-in) to the end. Preparation, test and post-processing are effective time; the rest of
    `actual` is idle.
    """

    actual: int
    billable: int
    preparation: int
    test: int
    post: int


def require_check_in(during: During, *, at: datetime, early_minutes: int) -> None:
    """Nothing, when the session for `during` may be opened at `at`.

    Whether an early start meets somebody else is for PostgreSQL to say: it needs free time.

    Raises:
        CheckInRefused: too early, or the reserved time is over.
    """
    opens_at = during.starts_at - timedelta(minutes=early_minutes)
    if at < opens_at:
        raise CheckInRefused(
            f"Check in at most {early_minutes} minutes before the start.",
            opens_at=opens_at,
            limit=early_minutes,
        )
    if at >= during.ends_at:
        raise CheckInRefused("The reserved time is over.", ended_at=during.ends_at)


def minutes_used(
    during: During,
    opened_at: datetime,
    closed_at: datetime,
    *,
    minimum_minutes: int,
    preparation: int = 0,
    test: int | None = None,
    post: int = 0,
) -> Minutes:
    """What a session comes to; `test=None` means whatever preparation and post leave.

    Started minutes count whole. Who comes late pays from the reserved start, because nobody else
    could use that time; who leaves early gives the rest back; an overrun counts. Never less is
    billable than the instrument's minimum, or than was reserved where that was shorter.

    Policy: F.booking (billed from the booked start), F.hours (effective hours).

    Raises:
        SessionMinutesRefused: when the parts are longer than the session.
    """
    actual = max(1, _started_minutes(opened_at, closed_at))
    if test is None:
        test = max(0, actual - preparation - post)
    parts = preparation + test + post
    if parts > actual:
        raise SessionMinutesRefused(
            f"Preparation, test and post-processing are {parts} minutes,"
            f" the session lasted {actual}.",
            limit=actual,
            asked=parts,
        )
    elapsed = _started_minutes(min(during.starts_at, opened_at), closed_at)
    least = min(minimum_minutes, during.minutes)
    return Minutes(actual, max(elapsed, least), preparation, test, post)


def _started_minutes(starts_at: datetime, ends_at: datetime) -> int:
    return -((starts_at - ends_at) // _MINUTE)
