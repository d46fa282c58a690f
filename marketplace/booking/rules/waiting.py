"""Waiting for time that comes free: who may wait, which time fits a wish, how long it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.booking.errors import EntryNotInState
from marketplace.booking.rules.alternatives import aligned
from marketplace.booking.rules.availability import refusals
from marketplace.booking.rules.intervals import common, without
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.states import Purpose, Status
from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.time import During, shanghai_instant

DAY_MINUTES = 1440
WEEKDAYS = (0, 1, 2, 3, 4, 5, 6)
# What is wrong with a wish whichever time it gets; hours, notice and closures depend on the time.
WHICHEVER_TIME = frozenset(
    {"instrument-status", "not-shared", "class", "step", "minimum", "maximum"}
)


class EntryStatus(StrEnum):
    """The life of an entry in a waiting list. The first two are open."""

    WAITING = "waiting"
    """In the list, for the next time that fits."""
    OFFERED = "offered"
    """A time is kept for it, until the offer lapses."""
    TAKEN = "taken"
    """The time that was offered was taken."""
    WITHDRAWN = "withdrawn"
    """Who waited does not wait any more."""
    LAPSED = "lapsed"
    """No time came free while it could still be used."""
    CLOSED = "closed"
    """Offers were not answered, or the instrument is gone."""


class Outcome(StrEnum):
    """What became of an offered time."""

    ACCEPTED = "accepted"
    """It is reserved, or requested where the provider approves."""
    DECLINED = "declined"
    """Who waited did not want it."""
    LAPSED = "lapsed"
    """Nobody answered in time."""
    WITHDRAWN = "withdrawn"
    """The provider took it back, or whoever waited left the list."""


OPEN = frozenset({EntryStatus.WAITING, EntryStatus.OFFERED})

TRANSITIONS: dict[EntryStatus, frozenset[EntryStatus]] = {
    EntryStatus.WAITING: frozenset(
        {EntryStatus.OFFERED, EntryStatus.WITHDRAWN, EntryStatus.LAPSED, EntryStatus.CLOSED}
    ),
    EntryStatus.OFFERED: frozenset(
        {EntryStatus.WAITING, EntryStatus.TAKEN, EntryStatus.WITHDRAWN, EntryStatus.CLOSED}
    ),
    EntryStatus.TAKEN: frozenset(),
    EntryStatus.WITHDRAWN: frozenset(),
    EntryStatus.LAPSED: frozenset(),
    EntryStatus.CLOSED: frozenset(),
}


def require_entry_in(status: EntryStatus, *wanted: EntryStatus) -> None:
    """Nothing, when an entry is in one of the states in which a step is possible.

    Raises:
        EntryNotInState: with what it is instead.
    """
    if status not in wanted:
        raise EntryNotInState(
            f"It is {status}, and would have to be {' or '.join(sorted(wanted))}.",
            status_now=status.value,
            possible=sorted(TRANSITIONS[status]),
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """`minutes` on end, anywhere in `during`, on these weekdays and between these hours of a day.

    Hours are minutes after midnight in Shanghai; Monday is 0.
    """

    during: During
    minutes: int
    weekdays: tuple[int, ...] = WEEKDAYS
    earliest_minute: int = 0
    latest_minute: int = DAY_MINUTES


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """How long an offered time is kept, and how much of that there must be to decide."""

    offer_minutes: int
    decide_minutes: int


def welcome(wish: Wish) -> list[During]:
    """The times inside the wish's window on its weekdays and between its hours.

    Whole days beside each other are joined, so that a night may lie in them. Hours that end before
    they begin are no hours.
    """
    if wish.earliest_minute >= wish.latest_minute:
        return []
    days = [
        During(
            shanghai_instant(day, wish.earliest_minute), shanghai_instant(day, wish.latest_minute)
        )
        for day in wish.during.days()
        if day.weekday() in wish.weekdays
    ]
    return common([wish.during], days)


def earliest_fit(
    wish: Wish,
    free: Sequence[During],
    *,
    step_minutes: int,
    not_before: datetime,
    let_go: Sequence[During] = (),
) -> During | None:
    """The first time of the wish's length that is free and welcome, or None.

    `free` are stretches as `free_intervals` has them: each lies on one seat, so that two of them
    are never joined. Nothing of `let_go`, what was offered before and not taken, is offered again.
    """
    wanted = without(welcome(wish), let_go)
    fits = [
        fit
        for stretch in free
        for part in common([stretch], wanted)
        if (fit := _first_in(part, wish.minutes, step_minutes, not_before)) is not None
    ]
    return min(fits, default=None)


def _first_in(part: During, minutes: int, step_minutes: int, not_before: datetime) -> During | None:
    starts_at = aligned(max(part.starts_at, not_before), step_minutes)
    ends_at = starts_at + timedelta(minutes=minutes)
    return During(starts_at, ends_at) if ends_at <= part.ends_at else None


def first_start(schedule: Schedule, *, at: datetime, terms: OfferTerms) -> datetime:
    """The earliest start of a time that can still be offered: after notice and time to decide."""
    return at + timedelta(minutes=schedule.terms.notice_minutes + terms.decide_minutes)


def kept_until(
    during: During, schedule: Schedule, *, at: datetime, terms: OfferTerms
) -> datetime | None:
    """Until when an offered time is kept, or None when too little is left to decide.

    Never past the notice of who waits: the answer must still be a reservation that is possible.

    Policy: J.16a (instruments are not left idle while somebody waits for them).
    """
    last = during.starts_at - timedelta(minutes=schedule.terms.notice_minutes)
    until = min(at + timedelta(minutes=terms.offer_minutes), last)
    return until if until - at >= timedelta(minutes=terms.decide_minutes) else None


def waiting_refusals(
    schedule: Schedule, wish: Wish, *, purpose: Purpose, at: datetime, terms: OfferTerms
) -> tuple[Reason, ...]:
    """Every reason why nobody can wait for this, as far as the instrument and the wish go.

    `schedule` is the one of the class of user that waits.

    Policy: J.14, J.15, J.16a.
    """
    starts_at = aligned(max(wish.during.starts_at, at), schedule.terms.step_minutes)
    probe = During(starts_at, starts_at + timedelta(minutes=wish.minutes))
    found = Reasons(
        [
            reason
            for reason in refusals(schedule, probe, purpose=purpose, at=at)
            if reason.rule in WHICHEVER_TIME
        ]
    )
    _require_reachable(found, schedule, wish, at, terms)
    if not any(one.minutes >= wish.minutes for one in welcome(wish)):
        found.add(
            "window",
            f"No {wish.minutes} minutes on end lie on these days and between these hours.",
            asked=wish.minutes,
        )
    return tuple(found.found)


def _require_reachable(
    found: Reasons, schedule: Schedule, wish: Wish, at: datetime, terms: OfferTerms
) -> None:
    last_start = wish.during.ends_at - timedelta(minutes=wish.minutes)
    first = first_start(schedule, at=at, terms=terms)
    if wish.during.ends_at <= at:
        found.add("past", "The window is over.", asked=wish.during.ends_at)
    elif last_start < first:
        found.add(
            "notice",
            f"A time is offered at least {schedule.terms.notice_minutes + terms.decide_minutes}"
            " minutes before it begins.",
            limit=first,
            asked=last_start,
        )
    horizon = at + timedelta(days=schedule.terms.horizon_days)
    if wish.during.starts_at > horizon:
        found.add(
            "horizon",
            f"Reservations open {schedule.terms.horizon_days} days ahead.",
            limit=horizon,
            asked=wish.during.starts_at,
        )


def is_over(wish: Wish, *, at: datetime, terms: OfferTerms) -> bool:
    """Whether no time of the wish's window could be offered any more, whatever comes free."""
    needed = timedelta(minutes=wish.minutes + terms.decide_minutes)
    return wish.during.ends_at - at < needed


def outcome_of(reservation: Status) -> Outcome | None:
    """What became of an offer, told by its reservation; None while it stands."""
    match reservation:
        case Status.OFFERED:
            return None
        case Status.EXPIRED:
            return Outcome.LAPSED
        case Status.CANCELLED | Status.REJECTED:
            return Outcome.WITHDRAWN
        case _:
            return Outcome.ACCEPTED


def entry_after(outcome: Outcome, *, offers_lapsed: int, lapsed_max: int) -> EntryStatus:
    """What becomes of an entry whose offer ended: it waits on, unless it was taken or ignored.

    `offers_lapsed` counts this one too.
    """
    if outcome is Outcome.ACCEPTED:
        return EntryStatus.TAKEN
    if outcome is Outcome.LAPSED and offers_lapsed >= lapsed_max:
        return EntryStatus.CLOSED
    return EntryStatus.WAITING
