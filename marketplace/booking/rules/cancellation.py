"""Giving a reservation back, and not coming: which state follows, and what fee is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.booking.errors import TooLateToCancel
from marketplace.booking.rules.states import Status, require_transition


@dataclass(frozen=True, slots=True)
class CancelTerms:
    """What the rulebook said on the day the reservation was placed.

    Policy: F.booking (cancel at least 24 hours before, or pay).
    """

    late_cancel_minutes: int
    late_cancel_fee_basis_points: int
    no_show_fee_basis_points: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reservation ends without being used, and the share of its price that stays due."""

    status: Status
    fee_basis_points: int
    why: str

    @property
    def late(self) -> bool:
        """Whether it was given back too late for anybody else to use."""
        return self.status is Status.LATE_CANCELLED


def cancellation(
    status: Status,
    starts_at: datetime,
    *,
    at: datetime,
    terms: CancelTerms,
    by_provider: bool,
    instrument_down: bool,
) -> Ending:
    """The ending of a reservation that is cancelled at `at`.

    A customer cancels before the start only; the provider any time until the session is opened,
    and never at the customer's cost. Exactly at the limit is still in time.

    Raises:
        ReservationNotInState: when it is over, or being used.
        TooLateToCancel: when the customer's time has begun.
    """
    require_transition(status, Status.CANCELLED)
    if by_provider:
        return Ending(Status.CANCELLED, 0, "The provider cancelled.")
    if at >= starts_at:
        raise TooLateToCancel(
            "Ask the provider to cancel it, or let it count as not taken up.", began_at=starts_at
        )
    if status is Status.REQUESTED:
        return Ending(Status.CANCELLED, 0, "The request had not been answered.")
    if status in (Status.HELD, Status.OFFERED):
        return Ending(Status.CANCELLED, 0, "It had not been taken up.")
    if instrument_down:
        return Ending(Status.CANCELLED, 0, "The instrument was closed in that time.")
    limit = timedelta(minutes=terms.late_cancel_minutes)
    if starts_at - at >= limit:
        return Ending(Status.CANCELLED, 0, "Cancelled in time.")
    return Ending(
        Status.LATE_CANCELLED,
        terms.late_cancel_fee_basis_points,
        f"Cancelled less than {terms.late_cancel_minutes} minutes before the start.",
    )


def no_show(*, terms: CancelTerms, instrument_down: bool) -> Ending:
    """The ending of a reservation that nobody took up.

    Nobody is blamed for an instrument that was closed.
    """
    if instrument_down:
        return Ending(Status.CANCELLED, 0, "The instrument was closed in that time.")
    return Ending(
        Status.NO_SHOW,
        terms.no_show_fee_basis_points,
        "Nobody took the time up.",
    )
