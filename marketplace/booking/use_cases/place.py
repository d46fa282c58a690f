"""Place a reservation: three statements when it succeeds, and no moment between check and write.

One reads the schedule as the asking class of user has it, one how the person stands, one takes the
seat (`use_cases.seats`). In between the rules say everything that they have against it; what goes
wrong is told by `use_cases.refuse`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    OverrideNotAllowed,
)
from marketplace.booking.events import ReservationPlaced
from marketplace.booking.queries.floors import floor_reasons
from marketplace.booking.queries.reservations import Reservation
from marketplace.booking.queries.standing import standing
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.availability import Schedule, refusals
from marketplace.booking.rules.floor import whole_weeks
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX
from marketplace.booking.rules.standing import (
    Standing,
    StandingAsked,
    operators_for,
    standing_refusals,
)
from marketplace.booking.rules.states import Purpose, Status, UserClass, first_status
from marketplace.booking.rules.walk_up import walk_up_refusals
from marketplace.booking.use_cases.refuse import refuse
from marketplace.booking.use_cases.seats import SeatTaken, take_seat
from marketplace.booking.use_cases.standing import acceptable
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook

# Of a new row, what a reservation does not tell.
WRITTEN_ONLY = frozenset({"during", "blocked", "order_position"})
STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


@dataclass(frozen=True, slots=True)
class PlaceReservation:
    """Take `during` on an instrument, on a given seat or on any that is free.

    An order has one reservation for each of its items, told apart by `order_position`.
    `assisted` asks for an operator, or for none; None leaves it to the instrument's rule.
    `override_reason` sets the overridable rules aside; only the instrument's own staff may.
    With `held_until` the time is only kept until then. A `walk_up` begins in this minute: neither
    notice nor step counts.
    """

    instrument_id: int
    during: During
    purpose: Purpose
    organisation_id: int
    person_id: int
    user_class: UserClass | None = None
    order_id: int | None = None
    order_position: int = 1
    group_id: int | None = None
    series_id: int | None = None
    seat: int | None = None
    assisted: bool | None = None
    override_reason: str | None = None
    held_until: datetime | None = None
    walk_up: bool = False

    @property
    def is_hold(self) -> bool:
        """Whether the time is only kept: nobody uses it yet, so nobody's standing counts."""
        return self.held_until is not None

    @property
    def of_class(self) -> UserClass:
        """The class of user; who does not say reserves for the own unit, or as a company."""
        if self.user_class is not None:
            return self.user_class
        external = self.purpose is Purpose.EXTERNAL
        return UserClass.ENTERPRISE if external else UserClass.OWN_UNIT

    def of_person(self, found: Schedule, *, besides: int = 0) -> StandingAsked:
        """What is asked of the person's standing; `besides` is the reservation that moves."""
        return StandingAsked(
            schedule=found,
            during=self.during,
            purpose=self.purpose,
            user_class=self.of_class,
            person_id=self.person_id,
            organisation_id=self.organisation_id,
            assisted=self.assisted,
            except_id=besides or None,
        )


async def place_reservation(tx: Tx, command: PlaceReservation) -> Reservation:
    """Take the time, at once or as a request where the instrument needs approval.

    Raises:
        InstrumentMissing: when there is none.
        ReservationRefused: with every rule that says no, and what would be possible.
        ReservationOverlaps: when somebody else holds the time, and what would be possible.
        OverrideNotAllowed: when somebody who is not staff sets a rule aside.
    """
    return await _place(tx, command, await _schedule(tx, command))


async def _place(tx: Tx, command: PlaceReservation, found: Schedule) -> Reservation:
    """Reasons, override, seat, and what is told of it."""
    person = command.of_person(found)
    who = Standing() if command.is_hold else await standing(tx, person)
    reasons = await reasons_against(tx, command, found, who=who)
    overridden = overridden_by(tx, command, found, reasons)
    if len(overridden) < len(reasons) or not _has_seat(found, command.seat):
        await refuse(tx, command, found, reasons, accept=await acceptable(tx, person, who))
    row = _row(tx, command, found, override=bool(overridden))
    won = await take_seat(
        tx,
        row,
        seats=found.terms.seats,
        seat=command.seat,
        operators=None if command.is_hold else operators_for(who, person),
    )
    if won is None:
        present = await _schedule(tx, command)
        if present.calendar_id != found.calendar_id:
            return await _place(tx, command, present)
        # The last operator may have been lost instead of the last seat.
        if not command.is_hold:
            who = await standing(tx, person)
        lost = () if command.is_hold else standing_refusals(who, person, at=tx.now)
        await refuse(tx, command, found, lost, accept=await acceptable(tx, person, who))
    placed = _placed(row, won)
    _tell(tx, placed, overridden)
    return placed


async def reasons_against(
    tx: Tx,
    command: PlaceReservation,
    found: Schedule,
    *,
    besides: int = 0,
    who: Standing | None = None,
) -> tuple[Reason, ...]:
    """Everything that the rules have against a reservation, apart from who else holds the time.

    `found` is the schedule of the command's class of user; `besides` is the reservation itself
    when it moves; `who` is the person's standing where it was read. Where the provider leaves a
    floor of hours to others the weeks are locked, and where a quota limits the person, the quota.
    """
    against = walk_up_refusals if command.walk_up else refusals
    in_person: tuple[Reason, ...] = ()
    if not command.is_hold:
        person = command.of_person(found, besides=besides)
        in_person = standing_refusals(who or await standing(tx, person), person, at=tx.now)
    return (
        *against(found, command.during, purpose=command.purpose, at=tx.now),
        *in_person,
        *await floor_reasons(tx, found, command.during, purpose=command.purpose, besides=besides),
    )


async def _schedule(tx: Tx, command: PlaceReservation) -> Schedule:
    """The schedule of the whole weeks: where a floor of hours is kept, it is kept by the week."""
    during = command.during
    if during.minutes <= RESERVATION_MINUTES_MAX:
        during = whole_weeks(during)
    return await schedule(tx, command.instrument_id, during, user_class=command.of_class)


def _tell(tx: Tx, placed: Reservation, overridden: Sequence[Reason]) -> None:
    if overridden:
        tx.audit(
            "override",
            subject="reservation",
            subject_id=placed.id,
            reason=placed.override_reason,
            rules=[reason.rule for reason in overridden],
        )
    tx.record(
        ReservationPlaced(
            reservation_id=placed.id,
            order_id=placed.order_id or 0,
            instrument_id=placed.instrument_id,
            status=placed.status,
        )
    )


@dataclass(frozen=True, slots=True)
class ReserveOwnTime:
    """A provider's staff take time on their own instrument: research, teaching, upkeep."""

    instrument_id: int
    during: During
    purpose: Purpose
    seat: int | None = None
    assisted: bool | None = None
    override_reason: str | None = None


async def reserve_own_time(tx: Tx, command: ReserveOwnTime) -> Reservation:
    """Take time on an instrument of the actor's own organisation.

    Raises:
        InstrumentMissing: when it belongs to others.
        ExternalTimeIsOrdered: for the purpose of serving others.
    """
    if command.purpose is Purpose.EXTERNAL:
        raise ExternalTimeIsOrdered("Make a quote and place an order; it reserves the time.")
    asked = PlaceReservation(
        instrument_id=command.instrument_id,
        during=command.during,
        purpose=command.purpose,
        organisation_id=tx.actor.organisation_id,
        person_id=tx.actor.person_id,
        seat=command.seat,
        assisted=command.assisted,
        override_reason=command.override_reason,
    )
    found = await _schedule(tx, asked)
    if found.provider_id != tx.actor.organisation_id:
        raise InstrumentMissing()
    return await _place(tx, asked, found)


def overridden_by(
    tx: Tx, command: PlaceReservation, found: Schedule, reasons: Sequence[Reason]
) -> list[Reason]:
    """The reasons that this command sets aside; all of them or none.

    Raises:
        OverrideNotAllowed: when somebody who is not staff of the instrument does, or says no why.
    """
    possible = [reason for reason in reasons if reason.overridable]
    if command.override_reason is None or not possible:
        return []
    if tx.actor.organisation_id != found.provider_id or not tx.actor.has(*STAFF):
        raise OverrideNotAllowed(
            "Only the instrument's own staff set its rules aside.", reasons=reasons
        )
    if not command.override_reason.strip():
        raise OverrideNotAllowed("Say why the rule is set aside.", reasons=reasons)
    return possible


def _has_seat(found: Schedule, seat: int | None) -> bool:
    return seat is None or 1 <= seat <= found.terms.seats


def _row(tx: Tx, command: PlaceReservation, found: Schedule, *, override: bool) -> dict[str, Any]:
    status = first_status(needs_approval=found.terms.needs_approval, purpose=command.purpose)
    held_until = answer_by(tx, command, found) if status is Status.REQUESTED else None
    if command.is_hold:
        status, held_until = Status.HELD, command.held_until
    return {
        "instrument_id": found.instrument_id,
        "provider_id": found.provider_id,
        "calendar_id": found.calendar_id,
        "during": command.during,
        "blocked": found.blocked(command.during),
        "status": status,
        "organisation_id": command.organisation_id,
        "person_id": command.person_id,
        "user_class": command.of_class,
        "purpose": command.purpose,
        "operator_id": None,
        "group_id": command.group_id,
        "series_id": command.series_id,
        "order_id": command.order_id,
        "order_position": command.order_position,
        "held_until": held_until,
        "override_reason": command.override_reason if override else None,
        "placed_at": tx.now,
        "confirmed_at": tx.now if status is Status.CONFIRMED else None,
        "changed_at": tx.now,
    }


def answer_by(tx: Tx, command: PlaceReservation, found: Schedule) -> datetime:
    """A request lapses after the instrument's or the province's time, and never after its start."""
    minutes = found.terms.answer_minutes or rulebook().booking.hold_minutes.on(tx.today)
    return min(tx.now + timedelta(minutes=minutes), command.during.starts_at)


def _placed(row: dict[str, Any], won: SeatTaken) -> Reservation:
    rest = {name: value for name, value in row.items() if name not in WRITTEN_ONLY}
    return Reservation(
        **(rest | {"operator_id": won.operator_id}),
        id=won.reservation_id,
        seat=won.seat,
        starts_at=row["during"].starts_at,
        ends_at=row["during"].ends_at,
        revision=won.revision,
        decided_by=None,
        ended_at=None,
        reason=None,
    )
