"""Move a reservation to another time, and say beforehand whether and at what fee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from marketplace.booking.errors import (
    HoldLapsed,
    MoveFeeNotAccepted,
    RequestLapsed,
    ReservationChanged,
    ReservationNotInState,
    TooLateToMove,
)
from marketplace.booking.queries.reservations import (
    Reservation,
    locked_reservation,
    reservation,
)
from marketplace.booking.queries.standing import standing
from marketplace.booking.queries.timetables import schedule, taken
from marketplace.booking.rules.moving import (
    MoveFee,
    MoveTerms,
    move_fee,
    reasons_for_stretch,
    require_movable,
    status_after_move,
)
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.standing import Standing, operators_for
from marketplace.booking.rules.states import Status
from marketplace.booking.use_cases.cancel import is_unusable
from marketplace.booking.use_cases.change import is_by_provider, lock_calendar_of
from marketplace.booking.use_cases.place import (
    PlaceReservation,
    answer_by,
    overridden_by,
    reasons_against,
)
from marketplace.booking.use_cases.refuse import is_taken, refusal_of
from marketplace.booking.use_cases.standing import acceptable
from marketplace.booking.use_cases.times import NewTime, take_time
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Reason
from marketplace.kernel.time import During, shanghai_day
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class MoveReservation:
    """Give a reservation another time, on a given seat, or its own or any that is free.

    `expected_revision` is what the reservation was when somebody looked at it. `by_provider` says
    that the provider asks for the move, whoever sends it; its staff need not say so.
    `fee_basis_points_accepted` is the share of the price that who moves late agrees to lose.
    """

    reservation_id: int
    during: During
    seat: int | None = None
    expected_revision: int | None = None
    override_reason: str | None = None
    by_provider: bool = False
    fee_basis_points_accepted: int = 0


async def move_reservation(tx: Tx, command: MoveReservation) -> Reservation:
    """Move it: every booking rule is asked again for the new time, its old time aside.

    The customer moves before the start only, and late only at the fee of the day on which it was
    placed; collecting it is for the caller. Where the instrument needs approval a confirmed time
    that a customer moves is a request again. Whether the actor may move it is for the caller to
    see to: orders for its own, `directly` for the rest.

    Raises:
        ReservationChanged: when somebody changed it since `expected_revision`.
        ReservationNotInState: when it is used or over, or offered and not taken.
        TooLateToMove: when the customer's time has begun.
        MoveFeeNotAccepted: when the move has a fee that is not accepted.
        ReservationRefused: with every rule against the new time, and what would be possible.
        ReservationOverlaps: when somebody else holds it, and what would be possible.
    """
    await lock_calendar_of(tx, command.reservation_id)
    present = await locked_reservation(tx, command.reservation_id)
    require_as_seen(present, command.expected_revision)
    by_provider = command.by_provider or is_by_provider(tx, present)
    require_movable(present.status, present.starts_at, at=tx.now, by_provider=by_provider)
    require_not_lapsed(tx, present)
    if command.during == present.during and command.seat in (None, present.seat):
        return present
    fee = await fee_of_move(tx, present, by_provider=by_provider)
    if fee.basis_points > command.fee_basis_points_accepted:
        raise MoveFeeNotAccepted(
            f"{fee.why} {fee.basis_points / 100:g} % of its price stay due; agree to it first.",
            fee_basis_points=fee.basis_points,
            accepted=command.fee_basis_points_accepted,
        )
    asked = asked_again(present, command.during, command.seat, command.override_reason)
    moved = await _move(tx, present, asked, by_provider=by_provider)
    tx.audit(
        "move",
        subject="reservation",
        subject_id=present.id,
        before=[present.starts_at.isoformat(), present.ends_at.isoformat()],
        after=[moved.starts_at.isoformat(), moved.ends_at.isoformat()],
        status=moved.status,
        by_provider=by_provider,
        fee_basis_points=fee.basis_points,
    )
    return moved


async def _move(
    tx: Tx, present: Reservation, asked: PlaceReservation, *, by_provider: bool
) -> Reservation:
    found = await schedule(tx, present.instrument_id, asked.during, user_class=present.user_class)
    person = asked.of_person(found, besides=present.id)
    who = await standing(tx, person)
    reasons = await against_move(tx, present, asked, found, who)
    overridden = overridden_by(tx, asked, found, reasons)
    moved = None
    if len(overridden) == len(reasons):
        new = replace(
            _new_time(tx, present, asked, found, by_provider=by_provider),
            operators=None if asked.is_hold else operators_for(who, person),
            override_reason=asked.override_reason if overridden else None,
        )
        moved = await take_time(tx, present, found, new)
        if moved is None:
            # What was lost is a seat, or the last operator, or the calendar that it stood in.
            who = await standing(tx, person)
            reasons = await against_move(tx, present, asked, found, who)
            reasons = tuple(one for one in reasons if one not in overridden)
    if moved is None:
        accept = await acceptable(tx, person, who)
        raise await refusal_of(tx, asked, found, reasons, accept=accept, besides=present.id)
    tell_override(tx, present, asked.override_reason, overridden)
    return moved


async def against_move(
    tx: Tx, present: Reservation, asked: PlaceReservation, found: Schedule, who: Standing | None
) -> tuple[Reason, ...]:
    """What the rules have against another time for `present`, apart from who else holds it."""
    return reasons_for_stretch(
        await reasons_against(tx, asked, found, besides=present.id, who=who),
        before=present.during,
        after=asked.during,
    )


def tell_override(
    tx: Tx, present: Reservation, why: str | None, overridden: Sequence[Reason]
) -> None:
    """Keep which rules staff set aside, and why."""
    if overridden:
        tx.audit(
            "override",
            subject="reservation",
            subject_id=present.id,
            reason=why,
            rules=[reason.rule for reason in overridden],
        )


def _new_time(
    tx: Tx, present: Reservation, asked: PlaceReservation, found: Schedule, *, by_provider: bool
) -> NewTime:
    status = status_after_move(
        present.status,
        needs_approval=found.terms.needs_approval,
        purpose=present.purpose,
        by_provider=by_provider,
    )
    held_until = None
    if status is Status.REQUESTED:
        held_until = answer_by(tx, asked, found)
    elif present.held_until is not None:
        held_until = min(present.held_until, asked.during.starts_at)
    confirmed_at = present.confirmed_at if status is present.status else None
    return NewTime(asked.during, status, held_until, confirmed_at, seat=asked.seat)


@dataclass(frozen=True, slots=True)
class PreviewMove:
    """May this reservation have that time, and what does it cost?"""

    reservation_id: int
    during: During
    seat: int | None = None
    by_provider: bool = False


@dataclass(frozen=True, slots=True)
class MovePreview:
    """How a move would end as things stand, of the reservation as it is at `revision`.

    `fee_basis_points` of the price of the present time stay due; `status` is what the reservation
    would be. Not allowed: every reason, and what would be possible instead.
    """

    reservation_id: int
    revision: int
    during: During
    allowed: bool
    status: Status
    fee_basis_points: int
    fee_why: str
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[Mapping[str, Any], ...] = ()


async def preview_move(tx: Tx, asked: PreviewMove) -> MovePreview:
    """What `move_reservation` would answer; nothing changes."""
    present = await reservation(tx, asked.reservation_id)
    by_provider = asked.by_provider or is_by_provider(tx, present)
    again = asked_again(present, asked.during, asked.seat)
    found = await schedule(tx, present.instrument_id, asked.during, user_class=present.user_class)
    rules = await against_move(tx, present, again, found, None)
    beside = (await taken(tx, [found], asked.during, besides=present.id))[found.instrument_id]
    refusal: DomainError | None = None
    if rules or is_taken(found, beside, asked.during, seat=asked.seat):
        refusal = await refusal_of(tx, again, found, rules, besides=present.id)
    reasons = (*_standing_still(tx, present, by_provider), *(refusal.reasons if refusal else ()))
    fee = await fee_of_move(tx, present, by_provider=by_provider)
    return MovePreview(
        reservation_id=present.id,
        revision=present.revision,
        during=asked.during,
        allowed=not reasons,
        status=_new_time(tx, present, again, found, by_provider=by_provider).status,
        fee_basis_points=fee.basis_points,
        fee_why=fee.why,
        reasons=reasons,
        alternatives=refusal.alternatives if refusal else (),
    )


def _standing_still(tx: Tx, present: Reservation, by_provider: bool) -> Sequence[Reason]:
    """Why the reservation has to stay where it is, whatever the new time."""
    try:
        require_movable(present.status, present.starts_at, at=tx.now, by_provider=by_provider)
        require_not_lapsed(tx, present)
    except (ReservationNotInState, TooLateToMove, RequestLapsed, HoldLapsed) as refused:
        return [Reason(refused.code, refused.detail)]
    return []


async def fee_of_move(tx: Tx, present: Reservation, *, by_provider: bool) -> MoveFee:
    """What moving it now costs, by the terms of the day on which it was placed."""
    day = shanghai_day(present.placed_at)
    due = _fee(tx, present, day, by_provider=by_provider, down=False)
    if not due.basis_points:
        return due
    found = await schedule(tx, present.instrument_id, present.during)
    down = is_unusable(found, present.during)
    return _fee(tx, present, day, by_provider=by_provider, down=down)


def _fee(tx: Tx, present: Reservation, day: date, *, by_provider: bool, down: bool) -> MoveFee:
    terms = rulebook().booking
    return move_fee(
        present.status,
        present.starts_at,
        at=tx.now,
        terms=MoveTerms(
            late_minutes=terms.late_cancel_minutes.on(day),
            fee_basis_points=terms.late_move_fee_basis_points.on(day),
        ),
        by_provider=by_provider,
        instrument_down=down,
    )


def asked_again(
    present: Reservation,
    during: During,
    seat: int | None = None,
    override_reason: str | None = None,
) -> PlaceReservation:
    """The reservation as if it were placed for `during`."""
    return PlaceReservation(
        instrument_id=present.instrument_id,
        during=during,
        purpose=present.purpose,
        organisation_id=present.organisation_id,
        person_id=present.person_id,
        user_class=present.user_class,
        order_id=present.order_id,
        seat=seat,
        assisted=True if present.operator_id is not None else None,
        override_reason=override_reason,
        held_until=present.held_until if present.status is Status.HELD else None,
    )


def require_as_seen(present: Reservation, expected_revision: int | None) -> None:
    """Nothing, when it is as it was when somebody looked at it.

    Raises:
        ReservationChanged: with what it is now.
    """
    if expected_revision is not None and present.revision != expected_revision:
        raise ReservationChanged(
            "Look at it again.", revision=present.revision, expected=expected_revision
        )


def require_not_lapsed(tx: Tx, present: Reservation) -> None:
    """Nothing, when its time is still kept for it.

    Raises:
        HoldLapsed: when it was held too long.
        RequestLapsed: when nobody answered it in time.
    """
    # A request that was confirmed keeps the instant by which it was.
    if present.held_until is None or present.held_until > tx.now:
        return
    if present.status is Status.HELD:
        raise HoldLapsed("Reserve the time again.", held_until=present.held_until)
    if present.status is Status.REQUESTED:
        raise RequestLapsed("Ask for it again.", held_until=present.held_until)
