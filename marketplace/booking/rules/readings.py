"""What an instrument's own log says of its use, and how it fits what was reserved.

A log knows when the machine ran and not for whom. A run belongs to the reservation into which its
start falls; where there is none, somebody has to say what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.booking.rules.states import Status
from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.time import During

# Clocks of instruments go wrong; further ahead than this, a reading is refused.
CLOCK_SKEW_MINUTES = 2
# Older readings are history: statements of those months are closed.
READING_AGE_DAYS_MAX = 92
RUN_DAYS_MAX = 60


class ReadingState(StrEnum):
    """What is known of a run."""

    WAITING = "waiting"
    """Its start is not known, or the session that it tells of has not ended."""
    RUNNING = "running"
    """The machine runs, under a session."""
    MATCHED = "matched"
    """It agrees with a session."""
    DIFFERS = "differs"
    """It belongs to a session that says something else."""
    UNBOOKED = "unbooked"
    """Nobody had reserved that time: somebody has to say what it was."""
    ATTACHED = "attached"
    """Staff put it to a reservation."""
    UPKEEP = "upkeep"
    """Staff said what it was for; a session was made of it."""
    DISMISSED = "dismissed"
    """Staff said that it was nothing."""


RESOLVED = frozenset({ReadingState.ATTACHED, ReadingState.UPKEEP, ReadingState.DISMISSED})


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a machine, as far as it is known."""

    started_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether both ends are known."""
        return self.started_at is not None and self.stopped_at is not None


def merged_run(kept: Run, sent: Run) -> tuple[Run, Reasons]:
    """What is known after `sent` arrived too, and every reason why the two cannot be one run.

    It does not matter which arrives first, or how often: a start and a stop make one run.
    """
    reasons = Reasons()
    for name, word in (("started_at", "start"), ("stopped_at", "stop")):
        before, after = getattr(kept, name), getattr(sent, name)
        if before is not None and after is not None and before != after:
            reasons.add(
                "contradicts",
                f"Another {word} was sent for this run before; send a new external_id,"
                " or let the provider's staff resolve it.",
                limit=before,
                asked=after,
            )
    run = Run(kept.started_at or sent.started_at, kept.stopped_at or sent.stopped_at)
    return run, reasons


def run_reasons(run: Run, *, at: datetime) -> Reasons:
    """Every reason why a run, as told at `at`, cannot be true or is of no use any more."""
    reasons = Reasons()
    latest = at + timedelta(minutes=CLOCK_SKEW_MINUTES)
    earliest = at - timedelta(days=READING_AGE_DAYS_MAX)
    for name, moment in (("started_at", run.started_at), ("stopped_at", run.stopped_at)):
        if moment is None:
            continue
        if moment > latest:
            reasons.add(
                "clock-ahead",
                f"{name} lies in the future: set the clock of the instrument's computer.",
                limit=latest,
                asked=moment,
            )
        if moment < earliest:
            reasons.add(
                "too-old",
                f"{name} is more than {READING_AGE_DAYS_MAX} days ago.",
                limit=READING_AGE_DAYS_MAX,
                asked=moment,
            )
    if run.started_at is None and run.stopped_at is None:
        reasons.add("nothing-told", "Send started_at, stopped_at or both.")
    if run.started_at is not None and run.stopped_at is not None:
        if run.stopped_at < run.started_at:
            reasons.add(
                "stops-before-start",
                "The run stops before it starts.",
                limit=run.started_at,
                asked=run.stopped_at,
            )
        if run.stopped_at - run.started_at > timedelta(days=RUN_DAYS_MAX):
            reasons.add("run-days", f"A run lasts at most {RUN_DAYS_MAX} days.", limit=RUN_DAYS_MAX)
    return reasons


@dataclass(frozen=True, slots=True)
class Booked:
    """A reservation that a run may belong to, with its session as far as there is one."""

    reservation_id: int
    during: During
    status: Status
    opened_at: datetime | None = None
    closed_at: datetime | None = None


# What a run may fall into; of several, use that goes on is preferred to use to come or past.
_PREFERRED = {Status.IN_USE: 0, Status.CONFIRMED: 1, Status.USED: 2, Status.NO_SHOW: 3}
RUNS_BELONG_TO = frozenset(_PREFERRED)


def belongs_to(
    run: Run, booked: Iterable[Booked], *, early_minutes: int, tolerance_minutes: int
) -> Booked | None:
    """The reservation into which the start of a run falls, or None.

    A time that is reserved begins to be somebody's `early_minutes` before; a session reaches from
    its opening to its end, each `tolerance_minutes` wider, because clocks differ. Where several
    reach so far, the one whose own time it is comes first, then the one that is in use, then the
    earliest.
    """
    if run.started_at is None:
        return None
    start = run.started_at
    reached = [
        one
        for one in booked
        if one.status in _PREFERRED
        and _covers(_reach(one, early_minutes=early_minutes, wider=tolerance_minutes), start)
    ]
    return min(
        reached,
        key=lambda one: (
            not _covers(_own_time(one), start),
            _PREFERRED[one.status],
            one.during.starts_at,
            one.reservation_id,
        ),
        default=None,
    )


def _covers(reach: tuple[datetime, datetime], moment: datetime) -> bool:
    return reach[0] <= moment < reach[1]


def _own_time(one: Booked) -> tuple[datetime, datetime]:
    if one.opened_at is not None and one.closed_at is not None:
        return one.opened_at, one.closed_at
    return one.during.starts_at, one.during.ends_at


def _reach(one: Booked, *, early_minutes: int, wider: int) -> tuple[datetime, datetime]:
    early = timedelta(minutes=early_minutes)
    if one.opened_at is None:
        return one.during.starts_at - early, one.during.ends_at
    widest = timedelta(minutes=max(early_minutes, wider))
    ends_at = one.closed_at or one.during.ends_at
    return min(one.opened_at, one.during.starts_at) - widest, ends_at + timedelta(minutes=wider)


@dataclass(frozen=True, slots=True)
class Log:
    """All that an instrument's log says of one reservation: the first start, the last stop."""

    started_at: datetime
    stopped_at: datetime | None


def log_of(runs: Iterable[Run]) -> Log | None:
    """The runs of one reservation taken together; without an end while one of them goes on."""
    known = [run for run in runs if run.started_at is not None]
    if not known:
        return None
    stops = [run.stopped_at for run in known if run.stopped_at is not None]
    return Log(
        started_at=min(run.started_at for run in known if run.started_at is not None),
        stopped_at=max(stops) if len(stops) == len(known) else None,
    )


class Step(StrEnum):
    """What a log leads to in a reservation."""

    OPEN = "open"
    """The session begins when the machine did."""
    CLOSE = "close"
    """The session ends when the machine did."""
    WAIT = "wait"
    """Somebody else opens or closes it."""
    COMPARE = "compare"
    """It has ended: the two are compared."""
    EXPLAIN = "explain"
    """It counts as not taken up, and the machine ran: somebody has to say why."""


def next_step(status: Status, *, opens_sessions: bool, stopped: bool) -> Step:
    """What follows from a log in a reservation that is in `status`."""
    if status is Status.USED:
        return Step.COMPARE
    if status is Status.CONFIRMED and opens_sessions:
        return Step.OPEN
    if status is Status.IN_USE and opens_sessions and stopped:
        return Step.CLOSE
    if status in (Status.CONFIRMED, Status.IN_USE):
        return Step.WAIT
    return Step.EXPLAIN


@dataclass(frozen=True, slots=True)
class Closed:
    """A session that has ended, as it is compared with a log."""

    opened_at: datetime
    closed_at: datetime
    preparation_minutes: int
    post_minutes: int


def differences(session: Closed, log: Log, *, tolerance_minutes: int) -> list[Reason]:
    """Where a session and the instrument's log are further apart than `tolerance_minutes`.

    Preparation before the first run and post-processing after the last are use without a run.
    """
    tolerance = timedelta(minutes=tolerance_minutes)
    preparation = timedelta(minutes=session.preparation_minutes)
    post = timedelta(minutes=session.post_minutes)
    reasons = Reasons()
    if session.opened_at - log.started_at > tolerance:
        reasons.add(
            "ran-before",
            "The machine ran before the session was opened.",
            limit=session.opened_at,
            asked=log.started_at,
        )
    if log.started_at - session.opened_at > tolerance + preparation:
        reasons.add(
            "ran-later",
            "The machine started long after the session was opened.",
            limit=session.opened_at,
            asked=log.started_at,
        )
    if log.stopped_at is None:
        return reasons.found
    if log.stopped_at - session.closed_at > tolerance:
        reasons.add(
            "ran-after",
            "The machine ran after the session was closed.",
            limit=session.closed_at,
            asked=log.stopped_at,
        )
    if session.closed_at - log.stopped_at > tolerance + post:
        reasons.add(
            "stopped-earlier",
            "The machine stopped long before the session was closed.",
            limit=session.closed_at,
            asked=log.stopped_at,
        )
    return reasons.found


def state_of(run: Run, status: Status, reasons: Sequence[Reason]) -> ReadingState:
    """What is known of a run that belongs to a reservation in `status`."""
    if status is Status.NO_SHOW:
        return ReadingState.UNBOOKED
    if run.stopped_at is None:
        return ReadingState.WAITING if status is Status.CONFIRMED else ReadingState.RUNNING
    if status is not Status.USED:
        return ReadingState.WAITING
    return ReadingState.DIFFERS if reasons else ReadingState.MATCHED
