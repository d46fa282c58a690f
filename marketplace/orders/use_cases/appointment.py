"""What orders ask of booking when their time changes: the rule, the reasons, the move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.booking import use_cases as booking
from marketplace.booking.queries import Reservation
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.use_cases.cancel import is_unusable
from marketplace.booking.use_cases.change import lock_calendar_of
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During
from marketplace.orders.queries.items import OrderItem
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.rescheduling import ChangeKind, Wanted
from marketplace.orders.rules.states import Mode
from marketplace.orders.use_cases.items import chosen_item, reservation_of

# Whether the fee of a late move is due, orders decide: it is of the buyer's own money.
EVERY_FEE = 10_000


@dataclass(frozen=True, slots=True)
class Appointment:
    """How the present time of an order stands with its instrument."""

    needs_approval: bool
    instrument_down: bool


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """Every reason of booking's against a time, and what would be possible instead."""

    reasons: Sequence[Reason] = ()
    alternatives: Sequence[Mapping[str, Any]] = ()


async def appointment(tx: Tx, reserved: Reservation) -> Appointment:
    """Whether the provider decides on each request of this class, and could serve as agreed."""
    found = await schedule(
        tx, reserved.instrument_id, reserved.during, user_class=reserved.user_class
    )
    return Appointment(
        needs_approval=found.terms.needs_approval,
        instrument_down=is_unusable(found, reserved.during),
    )


async def lock_time(tx: Tx, found: Order, position: int | None = None) -> None:
    """Take the calendar of an item, before its reservation, like whoever moves one.

    Raises:
        WrongMode, ItemMissing, ItemUnclear: when it is not clear which time is meant.
    """
    await lock_calendar_of(tx, reservation_of(await timed_item(tx, found, position)))


async def timed_item(tx: Tx, found: Order, position: int | None) -> OrderItem:
    """The item of an order whose time is meant: the only one on machine time, or the one named.

    Raises:
        WrongMode: for samples.
        ItemMissing, ItemUnclear: when it is not clear which item is meant.
    """
    return await chosen_item(
        tx,
        found.id,
        position,
        mode=Mode.MACHINE_TIME,
        otherwise="Samples have no reserved time that could change.",
    )


async def time_answer(tx: Tx, reserved: Reservation, wanted: Wanted) -> TimeAnswer:
    """Whether the reservation could have the time now; its own time is not in its way."""
    if wanted.kind is ChangeKind.RESCHEDULE:
        during = During(wanted.starts_at, wanted.ends_at)
        seen = await booking.preview_move(tx, booking.PreviewMove(reserved.id, during))
        return TimeAnswer(seen.reasons, seen.alternatives)
    asked = booking.PreviewExtension(reserved.id, wanted.ends_at)
    until = await booking.preview_extension(tx, asked)
    if until.allowed or until.possible_until <= reserved.ends_at:
        return TimeAnswer(until.reasons)
    possible = {
        "kind": "shorter",
        "starts_at": reserved.starts_at,
        "ends_at": until.possible_until,
        "shift_minutes": 0,
    }
    return TimeAnswer(until.reasons, [possible])


async def change_time(tx: Tx, reserved: Reservation, wanted: Wanted, *, agreed: bool) -> None:
    """Give the reservation its new time.

    `agreed`: both sides have consented, so that the time is the buyer's at once also where the
    provider decides on each request.

    Raises:
        ReservationRefused, ReservationOverlaps, EndRefused: when the time cannot be had.
        ReservationChanged: when it is not the reservation that was looked at.
    """
    if wanted.kind is ChangeKind.EXTEND:
        longer = booking.ExtendReservation(
            reserved.id, wanted.ends_at, expected_revision=reserved.revision
        )
        await booking.extend_reservation(tx, longer)
        return
    await booking.move_reservation(
        tx,
        booking.MoveReservation(
            reserved.id,
            During(wanted.starts_at, wanted.ends_at),
            expected_revision=reserved.revision,
            by_provider=agreed,
            fee_basis_points_accepted=EVERY_FEE,
        ),
    )
