"""Approve or reject a request."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.booking.errors import RequestLapsed, SecondPersonNeeded
from marketplace.booking.events import ReservationConfirmed, ReservationRejected
from marketplace.booking.queries.reservations import (
    Reservation,
    locked_reservation,
    reservation,
)
from marketplace.booking.rules.states import Status, require_transition
from marketplace.booking.use_cases.change import change_status, require_provider
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class ApproveReservation:
    """The provider says yes."""

    reservation_id: int


@dataclass(frozen=True, slots=True)
class RejectReservation:
    """The provider says no, and why."""

    reservation_id: int
    reason: str


async def approve_reservation(tx: Tx, command: ApproveReservation) -> Reservation:
    """Confirm a request: its time has been kept since it was placed, so nobody can be in it.

    Raises:
        Missing: when the instrument belongs to others.
        ReservationNotInState: when it is no request any more.
        RequestLapsed: when the answer comes after `held_until`.
        SecondPersonNeeded: when the actor asked for it.
    """
    present = await _request(tx, command.reservation_id, Status.CONFIRMED)
    if present.held_until is not None and present.held_until <= tx.now:
        raise RequestLapsed("Ask for it again.", held_until=present.held_until)
    await change_status(
        tx, present, Status.CONFIRMED, confirmed_at=tx.now, decided_by=tx.actor.person_id
    )
    tx.audit("approve", subject="reservation", subject_id=present.id)
    tx.record(
        ReservationConfirmed(
            reservation_id=present.id,
            order_id=present.order_id or 0,
            instrument_id=present.instrument_id,
        )
    )
    return await reservation(tx, present.id)


async def reject_reservation(tx: Tx, command: RejectReservation) -> Reservation:
    """Say no to a request; its time is free at once.

    Raises:
        Missing: when the instrument belongs to others.
        ReservationNotInState: when it is no request any more.
        SecondPersonNeeded: when the actor asked for it.
    """
    present = await _request(tx, command.reservation_id, Status.REJECTED)
    await change_status(
        tx, present, Status.REJECTED, decided_by=tx.actor.person_id, reason=command.reason
    )
    tx.audit("reject", subject="reservation", subject_id=present.id, reason=command.reason)
    tx.record(
        ReservationRejected(
            reservation_id=present.id,
            order_id=present.order_id or 0,
            instrument_id=present.instrument_id,
            reason=command.reason,
        )
    )
    return await reservation(tx, present.id)


async def _request(tx: Tx, reservation_id: int, following: Status) -> Reservation:
    present = await locked_reservation(tx, reservation_id)
    require_provider(tx, present)
    require_transition(present.status, following)
    if present.person_id == tx.actor.person_id:
        raise SecondPersonNeeded("A colleague decides what you asked for.")
    return present
