"""Cancel a reservation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.booking.events import ReservationCancelled
from marketplace.booking.queries.reservations import (
    Reservation,
    locked_reservation,
    reservation,
)
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.availability import BOOKABLE, Schedule, is_down
from marketplace.booking.rules.cancellation import CancelTerms, Ending, cancellation
from marketplace.booking.rules.states import Status
from marketplace.booking.use_cases.change import change_status, change_together
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During, shanghai_day
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class CancelReservation:
    """Give a reservation back; `by_provider` when the provider cannot serve."""

    reservation_id: int
    reason: str
    by_provider: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How a cancellation ended: `fee_basis_points` of the price stay due when it was late."""

    reservation: Reservation
    late: bool
    fee_basis_points: int
    why: str


async def cancel_reservation(tx: Tx, command: CancelReservation) -> Cancelled:
    """Give the time back; others may take it as soon as this is committed.

    Late is decided by the terms of the day on which the reservation was placed. Whether the actor
    may cancel is for the caller to see to: orders for its own, `directly` for the rest.

    Raises:
        ReservationNotInState: when it is used or over.
        TooLateToCancel: when the customer's time has begun.
    """
    present = await locked_reservation(tx, command.reservation_id)
    found = await schedule(tx, present.instrument_id, present.during)
    ending = cancellation(
        present.status,
        present.starts_at,
        at=tx.now,
        terms=cancel_terms(shanghai_day(present.placed_at)),
        by_provider=command.by_provider,
        instrument_down=is_unusable(found, present.during),
    )
    await change_status(tx, present, ending.status, reason=command.reason)
    _tell(tx, present, ending, reason=command.reason, by_provider=command.by_provider)
    return Cancelled(
        reservation=await reservation(tx, present.id),
        late=ending.late,
        fee_basis_points=ending.fee_basis_points,
        why=ending.why,
    )


async def cancel_for_provider(tx: Tx, presents: Sequence[Reservation], *, reason: str) -> None:
    """Give back many reservations, whose rows are locked, for the provider and free of charge.

    Raises:
        ReservationNotInState: when one of them is used or over; then none is given back.
    """
    if not presents:
        return
    await change_together(tx, presents, Status.CANCELLED, reason=reason)
    ending = Ending(Status.CANCELLED, 0, "The provider cancelled.")
    for present in presents:
        _tell(tx, present, ending, reason=reason, by_provider=True)


def _tell(tx: Tx, present: Reservation, ending: Ending, *, reason: str, by_provider: bool) -> None:
    tx.audit(
        "cancel",
        subject="reservation",
        subject_id=present.id,
        reason=reason,
        ending=ending.why,
        fee_basis_points=ending.fee_basis_points,
    )
    tx.record(
        ReservationCancelled(
            reservation_id=present.id,
            order_id=present.order_id or 0,
            instrument_id=present.instrument_id,
            late=ending.late,
            fee_basis_points=ending.fee_basis_points,
            by_provider=by_provider,
            reason=reason,
        )
    )


def cancel_terms(day: date) -> CancelTerms:
    """The terms of cancelling and not coming for reservations placed on `day`."""
    terms = rulebook().booking
    return CancelTerms(
        late_cancel_minutes=terms.late_cancel_minutes.on(day),
        late_cancel_fee_basis_points=terms.late_cancel_fee_basis_points.on(day),
        no_show_fee_basis_points=terms.no_show_fee_basis_points.on(day),
    )


def is_unusable(found: Schedule, during: During) -> bool:
    """Whether the provider could not have served `during`: closed for a part of it, or gone."""
    return found.status not in BOOKABLE or is_down(found.closures, during)
