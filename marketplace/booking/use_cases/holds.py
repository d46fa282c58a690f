"""Keep time of one's own instruments for a reason; it lapses by itself unless it is taken."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import update

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    HoldRefused,
    ReservationNotInState,
)
from marketplace.booking.events import ReservationConfirmed
from marketplace.booking.queries.reservations import (
    Reservation,
    locked_reservation,
    reservation,
)
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.states import Purpose, Status
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases.cancel import cancel_for_provider
from marketplace.booking.use_cases.change import (
    change_status,
    lock_calendar_of,
    require_provider,
)
from marketplace.booking.use_cases.move import asked_again, require_not_lapsed
from marketplace.booking.use_cases.place import PlaceReservation, place_reservation
from marketplace.booking.use_cases.standing import require_standing
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class HoldTime:
    """Keep `during` for `reason` until `lapses_minutes` before its start, or until an instant."""

    instrument_id: int
    during: During
    purpose: Purpose
    reason: str
    lapses_minutes: int | None = None
    held_until: datetime | None = None
    seat: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give held time back before it lapses."""

    reservation_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class TakeHold:
    """Turn held time into a reservation of the one who takes it."""

    reservation_id: int


async def hold_time(tx: Tx, command: HoldTime) -> Reservation:
    """Keep time on an instrument of the actor's own: it is taken for everybody else.

    The reason is also why the rules are set aside that staff may set aside.

    Raises:
        InstrumentMissing: when it belongs to others.
        ExternalTimeIsOrdered: for the purpose of serving others.
        HoldRefused: when it would lapse before now or after its start.
        ReservationRefused, ReservationOverlaps: as for any other reservation.
    """
    if command.purpose is Purpose.EXTERNAL:
        raise ExternalTimeIsOrdered("Hold it for what your own people do, and release it then.")
    held_until = _held_until(tx, command)
    await own_instrument(tx, command.instrument_id)
    held = await place_reservation(
        tx,
        PlaceReservation(
            instrument_id=command.instrument_id,
            during=command.during,
            purpose=command.purpose,
            organisation_id=tx.actor.organisation_id,
            person_id=tx.actor.person_id,
            seat=command.seat,
            override_reason=command.reason,
            held_until=held_until,
        ),
    )
    await tx.execute(
        update(table).where(table.c.id == held.id).values(reason=command.reason.strip())
    )
    tx.audit(
        "hold",
        subject="reservation",
        subject_id=held.id,
        reason=command.reason,
        held_until=held_until.isoformat(),
    )
    return replace(held, reason=command.reason.strip())


def _held_until(tx: Tx, command: HoldTime) -> datetime:
    """The instant at which it lapses: the one that is said, the start when nothing is."""
    starts_at = command.during.starts_at
    if command.held_until is not None and command.lapses_minutes is not None:
        raise HoldRefused("Say an instant, or how long before the start, and not both.")
    held_until = command.held_until or starts_at - timedelta(minutes=command.lapses_minutes or 0)
    if not tx.now < held_until <= starts_at:
        raise HoldRefused(
            "A hold lapses after now and not after its start.",
            earliest=tx.now,
            latest=starts_at,
            asked=held_until,
        )
    return held_until


async def release_hold(tx: Tx, command: ReleaseHold) -> Reservation:
    """Give the time back at once.

    Raises:
        Missing: when the instrument belongs to others.
        ReservationNotInState: when it is held no more.
    """
    present = await _hold(tx, command.reservation_id)
    await cancel_for_provider(tx, [present], reason=command.reason)
    return await reservation(tx, present.id)


async def take_hold(tx: Tx, command: TakeHold) -> Reservation:
    """Reserve the held time for the actor: standing, quotas and operators are asked now.

    The instrument's own staff held it, so it needs nobody's approval.

    Raises:
        Missing: when the instrument belongs to others.
        ReservationNotInState: when it is held no more.
        HoldLapsed: when its time was over before the platform noticed.
        ReservationRefused: with everything that stands against the person.
        OperatorBusy: when the operator was taken at the same moment.
    """
    await lock_calendar_of(tx, command.reservation_id)
    present = await _hold(tx, command.reservation_id)
    require_not_lapsed(tx, present)
    found = await schedule(tx, present.instrument_id, present.during, user_class=present.user_class)
    mine = replace(present, person_id=tx.actor.person_id, status=Status.CONFIRMED)
    asked = asked_again(mine, present.during, present.seat)
    operators = await require_standing(tx, asked.of_person(found, besides=present.id))
    await change_status(
        tx,
        present,
        Status.CONFIRMED,
        person_id=tx.actor.person_id,
        operator_id=random.choice(operators) if operators else None,  # noqa: S311 a fair turn
        held_until=None,
        confirmed_at=tx.now,
    )
    tx.audit("take", subject="reservation", subject_id=present.id)
    tx.record(
        ReservationConfirmed(
            reservation_id=present.id,
            order_id=present.order_id or 0,
            instrument_id=present.instrument_id,
        )
    )
    return await reservation(tx, present.id)


async def _hold(tx: Tx, reservation_id: int) -> Reservation:
    present = await locked_reservation(tx, reservation_id)
    require_provider(tx, present)
    if present.status is not Status.HELD:
        raise ReservationNotInState(
            f"It is {present.status} and not held.", status_now=present.status.value, possible=[]
        )
    return present
