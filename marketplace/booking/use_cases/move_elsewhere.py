"""Give a reservation of the provider's own another instrument of the provider."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.booking.errors import ReservationNotInState
from marketplace.booking.queries.reservations import Reservation, locked_reservation, reservation
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.states import Status
from marketplace.booking.use_cases.cancel import CancelReservation, cancel_reservation
from marketplace.booking.use_cases.change import lock_calendars
from marketplace.booking.use_cases.move import (
    MoveReservation,
    move_reservation,
    require_as_seen,
    require_not_lapsed,
)
from marketplace.booking.use_cases.place import PlaceReservation, place_reservation
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class MoveElsewhere:
    """Have a reservation on `instrument_id` in `during`, which may be where it is already.

    `expected_revision` is what the reservation was when somebody looked at it.
    """

    reservation_id: int
    instrument_id: int
    during: During
    expected_revision: int | None = None
    override_reason: str | None = None


async def move_elsewhere(tx: Tx, command: MoveElsewhere) -> Reservation:
    """Move it: on its own instrument as any move, to another one as a reservation anew.

    The old time is given back by the provider, free of charge, and the new one is asked of every
    rule of the other instrument; both happen, or nothing. What was one of a series is by itself
    afterwards. Whether the actor may move it is for the caller to see to: `directly`.
    Policy: J.16a, F.booking

    Raises:
        InstrumentMissing: when the instrument is not the actor's own.
        ReservationChanged: when somebody changed it since `expected_revision`.
        ReservationNotInState: when it is used or over, or only held.
        RequestLapsed: when nobody answered it in time.
        ReservationRefused: with every rule of the instrument against it, and what is possible.
        ReservationOverlaps: when somebody else holds the time, and what is possible.
    """
    seen = await reservation(tx, command.reservation_id)
    if command.instrument_id == seen.instrument_id:
        moved = MoveReservation(
            seen.id,
            command.during,
            expected_revision=command.expected_revision,
            override_reason=command.override_reason,
        )
        return await move_reservation(tx, moved)
    other = await own_instrument(tx, command.instrument_id)
    there = await schedule(tx, other.id, command.during)
    await lock_calendars(tx, (seen.calendar_id, there.calendar_id))
    present = await locked_reservation(tx, command.reservation_id)
    require_as_seen(present, command.expected_revision)
    if present.status not in (Status.REQUESTED, Status.CONFIRMED):
        raise ReservationNotInState(
            "Only what is requested or confirmed goes to another instrument.",
            status=present.status,
        )
    require_not_lapsed(tx, present)
    told = CancelReservation(present.id, f"Moved to {other.cname}.", by_provider=True)
    await cancel_reservation(tx, told)
    made = await place_reservation(
        tx,
        PlaceReservation(
            instrument_id=other.id,
            during=command.during,
            purpose=present.purpose,
            organisation_id=present.organisation_id,
            person_id=present.person_id,
            user_class=present.user_class,
            group_id=present.group_id,
            assisted=True if present.operator_id is not None else None,
            override_reason=command.override_reason,
        ),
    )
    tx.audit(
        "move-elsewhere",
        subject="reservation",
        subject_id=present.id,
        to=made.id,
        instruments=[present.instrument_id, other.id],
    )
    return made
