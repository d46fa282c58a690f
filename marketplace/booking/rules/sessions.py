"""Using what was reserved: when a session may open, what of it counts, who may say it was other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.booking.errors import CheckInRefused, SessionMinutesRefused
from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import During

_MINUTE = timedelta(minutes=1)
# No session is longer: who counts machine-hours looks back this far and no further.
SESSION_MINUTES_MAX = 86_400


class Problem(StrEnum):
    """Why nobody vouches for the minutes of a session yet."""

    NEVER_CLOSED = "never-closed"
    """Nobody checked out; the platform closed it at its reserved end."""
    OVERRUN = "overrun"
    """It ran into somebody else's time, or far past its end."""
    LOG_DIFFERS = "log-differs"
    """The instrument's own log says something else than the person who closed it."""


class Told(StrEnum):
    """Who said that a session began or ended."""

    PERSON = "person"
    """Somebody checked in or out."""
    LOG = "log"
    """The instrument's own log."""
    PLATFORM = "platform"
    """Nobody: the platform closed it by itself."""


class RepairKind(StrEnum):
    """What was done to a session after it had ended."""

    REPAIR = "repair"
    """Its times were replaced, by staff or by who used it."""
    PROPOSAL = "proposal"
    """Who used it says that it was much shorter; the provider decides."""
    CONFIRMATION = "confirmation"
    """The provider agreed with a proposal."""
    REJECTION = "rejection"
    """The provider did not."""
    ACCEPTANCE = "acceptance"
    """The provider vouches for it as it stands."""


class Severity(StrEnum):
    """How bad a problem of an instrument is."""

    MINOR = "minor"
    """It can be used; somebody should look at it."""
    MAJOR = "major"
    """It can be used for some work only."""
    BREAKDOWN = "breakdown"
    """It cannot be used."""


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
    overrun_step_minutes: int = 0,
    preparation: int = 0,
    test: int | None = None,
    post: int = 0,
) -> Minutes:
    """What a session comes to; `test=None` means whatever preparation and post leave.

    Started minutes count whole. Who comes late pays from the reserved start, because nobody else
    could use that time; who leaves early gives the rest back; of an overrun each step begun counts
    whole (0: each minute). Never less is billable than the instrument's minimum, or than was
    reserved where that was shorter.

    Policy: F.booking (billed from the booked start), F.hours (effective hours).

    Raises:
        SessionMinutesRefused: when the parts are longer than the session, or it is too long.
    """
    actual = max(1, _started_minutes(opened_at, closed_at))
    if actual > SESSION_MINUTES_MAX:
        raise SessionMinutesRefused(
            "A session lasts 60 days at most.", limit=SESSION_MINUTES_MAX, asked=actual
        )
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
    billed_from = min(during.starts_at, opened_at)
    overrun = max(0, _started_minutes(during.ends_at, closed_at))
    if overrun and overrun_step_minutes:
        steps = -(-overrun // overrun_step_minutes)
        elapsed = _started_minutes(billed_from, during.ends_at) + steps * overrun_step_minutes
    else:
        elapsed = _started_minutes(billed_from, closed_at)
    least = min(minimum_minutes, during.minutes)
    return Minutes(actual, max(elapsed, least), preparation, test, post)


def problem_of_end(
    during: During, closed_at: datetime, *, next_waits: bool, tolerance_minutes: int
) -> Problem | None:
    """Why an end that somebody gave needs a second look: it ran into others' time, or too far.

    `next_waits`: whether somebody else's reserved time has begun on the same place.
    """
    if closed_at <= during.ends_at:
        return None
    if next_waits or closed_at - during.ends_at > timedelta(minutes=tolerance_minutes):
        return Problem.OVERRUN
    return None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a session ended, as far as who may change it is concerned."""

    opened_at: datetime
    closed_at: datetime
    closed_how: Told


def user_repair_reasons(
    ended: Ended, *, says: datetime, at: datetime, repair_days: int, waiting: bool
) -> Reasons:
    """Every reason why who used the instrument may not say that it ended at `says`.

    They speak of sessions that the platform closed, of their end only, and only of an earlier one:
    what was reserved and not given back was theirs. `waiting`: whether an earlier word of theirs
    still waits for the provider.

    Policy: F.booking (a user keeps the instrument's record).
    """
    reasons = Reasons()
    if ended.closed_how is not Told.PLATFORM:
        reasons.add(
            "closed-by-platform",
            "Somebody closed this session; ask the provider to repair it.",
            asked=ended.closed_how.value,
        )
    if waiting:
        reasons.add("one-at-a-time", "An earlier report waits for the provider's answer.")
    if says <= ended.opened_at:
        reasons.add(
            "after-start", "It ended after it was opened.", limit=ended.opened_at, asked=says
        )
    if says > ended.closed_at:
        reasons.add(
            "before-automatic-end",
            "It ended no later than where the platform closed it; the provider can say otherwise.",
            limit=ended.closed_at,
            asked=says,
        )
    if at - ended.closed_at > timedelta(days=repair_days):
        reasons.add(
            "repair-days",
            f"Who used an instrument reports within {repair_days} days; ask the provider.",
            limit=repair_days,
        )
    return reasons


def waits_for_staff(before: int, after: int, *, tolerance_minutes: int) -> bool:
    """Whether a user's word lowers the billable minutes so far that the provider decides."""
    return before - after > tolerance_minutes


def _started_minutes(starts_at: datetime, ends_at: datetime) -> int:
    return -((starts_at - ends_at) // _MINUTE)
