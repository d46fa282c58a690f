"""Answer requests: one, or many at once, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.booking.errors import (
    RequestLapsed,
    ReservationBelongsToOrder,
    ReservationNotInState,
    SecondPersonNeeded,
)
from marketplace.booking.events import ReservationConfirmed, ReservationRejected
from marketplace.booking.queries.reservations import (
    Reservation,
    locked_reservation,
    locked_reservations,
    reservation,
    reservations_by_id,
)
from marketplace.booking.rules.states import Status
from marketplace.booking.use_cases.change import change_together, require_provider
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing

# As many requests as are answered at once.
ANSWERS_MAX = 100


@dataclass(frozen=True, slots=True)
class ApproveReservation:
    """The provider says yes."""

    reservation_id: int


@dataclass(frozen=True, slots=True)
class RejectReservation:
    """The provider says no, and why."""

    reservation_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class ApproveRequests:
    """The provider says yes to each of these, as far as it may."""

    reservation_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RejectRequests:
    """The provider says no to each of these, as far as it may, and why."""

    reservation_ids: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """How one of several requests was answered: what it is now, or why it was not answered."""

    reservation_id: int
    reservation: Reservation | None
    refusal: DomainError | None = None


async def approve_reservation(tx: Tx, command: ApproveReservation) -> Reservation:
    """Confirm a request: its time has been kept since it was placed, so nobody can be in it.

    Raises:
        Missing: when the instrument belongs to others.
        ReservationNotInState: when it is no request any more.
        RequestLapsed: when the answer comes after `held_until`.
        SecondPersonNeeded: when the actor asked for it.
    """
    present = await locked_reservation(tx, command.reservation_id)
    _require_request(tx, present)
    _require_in_time(tx, present)
    await _approve(tx, [present])
    return await reservation(tx, present.id)


async def reject_reservation(tx: Tx, command: RejectReservation) -> Reservation:
    """Say no to a request; its time is free at once.

    Raises:
        Missing: when the instrument belongs to others.
        ReservationNotInState: when it is no request any more.
        SecondPersonNeeded: when the actor asked for it.
    """
    present = await locked_reservation(tx, command.reservation_id)
    _require_request(tx, present)
    await _reject(tx, [present], command.reason)
    return await reservation(tx, present.id)


async def approve_requests(tx: Tx, command: ApproveRequests) -> list[Answered]:
    """Confirm each that can be, and say of each other why not, in the order in which they came.

    Those under an order are confirmed with their order.
    """
    found = await _locked(tx, command.reservation_ids)
    refused = {one.id: why for one in found if (why := _why_not(tx, one, in_time=True))}
    await _approve(tx, [one for one in found if one.id not in refused])
    return await _answers(tx, command.reservation_ids, refused)


async def reject_requests(tx: Tx, command: RejectRequests) -> list[Answered]:
    """Turn each down that can be, and say of each other why not, in the order in which they came.

    Those under an order are turned down with their order.
    """
    found = await _locked(tx, command.reservation_ids)
    refused = {one.id: why for one in found if (why := _why_not(tx, one, in_time=False))}
    await _reject(tx, [one for one in found if one.id not in refused], command.reason)
    return await _answers(tx, command.reservation_ids, refused)


async def _locked(tx: Tx, reservation_ids: Sequence[int]) -> list[Reservation]:
    if len(reservation_ids) > ANSWERS_MAX:
        raise ValueError(f"at most {ANSWERS_MAX} requests are answered at once")
    return await locked_reservations(tx, reservation_ids)


def _why_not(tx: Tx, present: Reservation, *, in_time: bool) -> DomainError | None:
    try:
        _require_request(tx, present)
        if present.order_id is not None:
            raise ReservationBelongsToOrder(
                f"Answer order {present.order_id}; its reservation follows.",
                order_id=present.order_id,
            )
        if in_time:
            _require_in_time(tx, present)
    except DomainError as refusal:
        return refusal
    return None


async def _answers(
    tx: Tx, reservation_ids: Sequence[int], refused: dict[int, DomainError]
) -> list[Answered]:
    now = await reservations_by_id(tx, reservation_ids)
    answers = []
    for reservation_id in dict.fromkeys(reservation_ids):
        present = now.get(reservation_id)
        refusal = refused.get(reservation_id)
        if present is None or isinstance(refusal, Missing):
            answers.append(Answered(reservation_id, None, Missing("There is no such reservation.")))
        else:
            answers.append(Answered(reservation_id, present, refusal))
    return answers


def _require_request(tx: Tx, present: Reservation) -> None:
    require_provider(tx, present)
    if present.status is not Status.REQUESTED:
        raise ReservationNotInState(
            f"It is {present.status} and no request.", status_now=present.status.value, possible=[]
        )
    if present.person_id == tx.actor.person_id:
        raise SecondPersonNeeded("A colleague decides what you asked for.")


def _require_in_time(tx: Tx, present: Reservation) -> None:
    if present.held_until is not None and present.held_until <= tx.now:
        raise RequestLapsed("Ask for it again.", held_until=present.held_until)


async def _approve(tx: Tx, requests: Sequence[Reservation]) -> None:
    if not requests:
        return
    await change_together(
        tx,
        requests,
        Status.CONFIRMED,
        confirmed_at=tx.now,
        decided_by=tx.actor.person_id,
        held_until=None,
    )
    for present in requests:
        tx.audit("approve", subject="reservation", subject_id=present.id)
        tx.record(
            ReservationConfirmed(
                reservation_id=present.id,
                order_id=present.order_id or 0,
                instrument_id=present.instrument_id,
            )
        )


async def _reject(tx: Tx, requests: Sequence[Reservation], reason: str) -> None:
    if not requests:
        return
    await change_together(
        tx, requests, Status.REJECTED, decided_by=tx.actor.person_id, reason=reason
    )
    for present in requests:
        tx.audit("reject", subject="reservation", subject_id=present.id, reason=reason)
        tx.record(
            ReservationRejected(
                reservation_id=present.id,
                order_id=present.order_id or 0,
                instrument_id=present.instrument_id,
                reason=reason,
            )
        )
