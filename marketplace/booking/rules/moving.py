"""Giving a reservation another time: who may, what it costs, and how far its end can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.booking.errors import ReservationNotInState, TooLateToMove
from marketplace.booking.rules.availability import seat_gaps
from marketplace.booking.rules.hours import kept_hours, open_intervals
from marketplace.booking.rules.intervals import without
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX, Schedule, Taken
from marketplace.booking.rules.states import Purpose, Status, first_status
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During

# What still has a time to come that can be another one.
MOVABLE = frozenset({Status.HELD, Status.REQUESTED, Status.CONFIRMED})
# What can end later or earlier; while it is used too.
STRETCHABLE = MOVABLE | {Status.IN_USE}
# Rules about the start say nothing against an end that changes.
_OF_THE_START = frozenset({"past", "notice", "horizon"})


@dataclass(frozen=True, slots=True)
class MoveTerms:
    """What the rulebook said on the day the reservation was placed.

    Policy: F.booking (cancel or change at least 24 hours before, or pay).
    """

    late_minutes: int
    fee_basis_points: int


@dataclass(frozen=True, slots=True)
class MoveFee:
    """The share of the price of the time given back that stays due, and why."""

    basis_points: int
    why: str


def require_movable(
    status: Status, starts_at: datetime, *, at: datetime, by_provider: bool
) -> None:
    """Nothing, when the reservation may have another time.

    A customer moves before the start only; the provider any time until the session is opened.

    Raises:
        ReservationNotInState: when it is used or over, or offered and not taken yet.
        TooLateToMove: when the customer's time has begun.
    """
    if status not in MOVABLE:
        raise ReservationNotInState(
            f"It is {status} and keeps its time.",
            status_now=status.value,
            possible=sorted(MOVABLE),
        )
    if not by_provider and at >= starts_at:
        raise TooLateToMove(
            "Ask the provider to move it, or let it count as not taken up.", began_at=starts_at
        )


def move_fee(
    status: Status,
    starts_at: datetime,
    *,
    at: datetime,
    terms: MoveTerms,
    by_provider: bool,
    instrument_down: bool,
) -> MoveFee:
    """What moving costs: late is what is late for a cancellation; exactly at the limit is not.

    The provider pays nothing and charges nothing for what it asks for itself.

    Policy: F.booking
    """
    if by_provider:
        return MoveFee(0, "The provider asks for it.")
    if status is not Status.CONFIRMED:
        return MoveFee(0, "The provider has not confirmed it yet.")
    if instrument_down:
        return MoveFee(0, "The instrument is closed in that time.")
    if starts_at - at >= timedelta(minutes=terms.late_minutes):
        return MoveFee(0, "Moved in time.")
    return MoveFee(
        terms.fee_basis_points,
        f"Moved less than {terms.late_minutes} minutes before the start.",
    )


def status_after_move(
    status: Status, *, needs_approval: bool, purpose: Purpose, by_provider: bool
) -> Status:
    """What a moved reservation is: who needs approval for a time needs it for another one too.

    The provider's own move is its approval. A request that needs none at its new time, because
    another class of hours or rule holds there, stays a request: it was put to the provider.
    """
    if status is not Status.CONFIRMED or by_provider:
        return status
    return first_status(needs_approval=needs_approval, purpose=purpose)


def reasons_for_stretch(
    reasons: Sequence[Reason], *, before: During, after: During
) -> tuple[Reason, ...]:
    """Those of `reasons` that count when a reservation moves from `before` to `after`.

    Where the start stays, nothing that is said of starts counts: it was in time when it was made.
    """
    if before.starts_at != after.starts_at:
        return tuple(reasons)
    return tuple(reason for reason in reasons if reason.rule not in _OF_THE_START)


def latest_end(
    schedule: Schedule,
    beside: Sequence[Taken],
    during: During,
    *,
    seat: int,
    at: datetime,
) -> datetime:
    """The latest end to which `during` could be extended on its seat; its own end if to none.

    `schedule` is the one of the customer's class; `beside` holds everybody else. The time between
    has to be open and free, with room for this instrument's cleaning before the next one comes,
    and no longer than the instrument is reserved at a time.
    """
    longest = min(schedule.terms.maximum_minutes, RESERVATION_MINUTES_MAX)
    limit = during.starts_at + timedelta(minutes=longest)
    if limit <= during.ends_at:
        return during.ends_at
    after = During(during.ends_at, limit)
    shut = [closure.during for closure in schedule.closures]
    kept = [one.during for one in kept_hours(schedule, after, at=at)]
    usable = without(open_intervals(schedule, after), [*shut, *kept])
    gaps = seat_gaps(schedule, beside, after)
    free = gaps[seat - 1] if seat <= len(gaps) else []
    ends = [
        part.ends_at
        for one in usable
        for gap in free
        if (part := one.clip(gap)) is not None and part.starts_at == during.ends_at
    ]
    if not ends:
        return during.ends_at
    step = timedelta(minutes=schedule.terms.step_minutes)
    steps = (max(ends) - during.starts_at) // step
    return max(during.ends_at, during.starts_at + steps * step)
