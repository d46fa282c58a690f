"""Let a reservation end later, as far as the next one allows, or earlier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from marketplace.booking.errors import EndRefused, ReservationNotInState
from marketplace.booking.queries.reservations import (
    Reservation,
    locked_reservation,
    reservation,
)
from marketplace.booking.queries.standing import standing
from marketplace.booking.queries.timetables import schedule, taken
from marketplace.booking.rules.availability import refusals
from marketplace.booking.rules.moving import STRETCHABLE, latest_end
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX, Schedule
from marketplace.booking.rules.standing import operators_for
from marketplace.booking.use_cases.change import lock_calendar_of
from marketplace.booking.use_cases.move import (
    against_move,
    asked_again,
    require_as_seen,
    require_not_lapsed,
    tell_override,
)
from marketplace.booking.use_cases.place import PlaceReservation, overridden_by
from marketplace.booking.use_cases.refuse import is_taken
from marketplace.booking.use_cases.times import same_state, take_time
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During

# What an earlier end may break; the rest was in order when it was placed.
_OF_THE_LENGTH = frozenset({"step", "minimum"})


@dataclass(frozen=True, slots=True)
class ExtendReservation:
    """Let it end later, also while it is used."""

    reservation_id: int
    ends_at: datetime
    expected_revision: int | None = None
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ShortenReservation:
    """Let it end earlier: the rest is free for others."""

    reservation_id: int
    ends_at: datetime
    expected_revision: int | None = None
    override_reason: str | None = None


async def extend_reservation(tx: Tx, command: ExtendReservation) -> Reservation:
    """Let it end later on its own seat, up to the next reservation and to closing time.

    Whether the actor may is for the caller to see to, as is what the added time costs.

    Raises:
        ReservationChanged: when somebody changed it since `expected_revision`.
        ReservationNotInState: when it is over, or offered and not taken.
        EndRefused: with every reason, and `possible_until`, how far it can go.
    """
    present = await _locked(tx, command.reservation_id, command.expected_revision)
    if command.ends_at <= present.ends_at:
        raise EndRefused("It ends then already.", ends_at=present.ends_at)
    asked, found = await _stretched(tx, present, command.ends_at, command.override_reason)
    person = asked.of_person(found, besides=present.id)
    who = await standing(tx, person)
    reasons = await against_move(tx, present, asked, found, who)
    overridden = overridden_by(tx, asked, found, reasons)
    extended = None
    if len(overridden) == len(reasons):
        new = replace(
            same_state(present, asked.during),
            operators=None if asked.is_hold else operators_for(who, person),
            override_reason=command.override_reason if overridden else None,
        )
        extended = await take_time(tx, present, found, new)
    if extended is None:
        told, possible_until = await _limits(tx, present, asked, found, reasons)
        raise EndRefused(
            " ".join(reason.message for reason in told),
            reasons=told,
            ends_at=present.ends_at,
            possible_until=possible_until,
        )
    tell_override(tx, present, command.override_reason, overridden)
    _audit(tx, "extend", present, extended)
    return extended


async def shorten_reservation(tx: Tx, command: ShortenReservation) -> Reservation:
    """Let it end earlier, not before now; others may take the rest once this is committed.

    Raises:
        ReservationChanged: when somebody changed it since `expected_revision`.
        ReservationNotInState: when it is over, or offered and not taken.
        EndRefused: with every reason.
    """
    present = await _locked(tx, command.reservation_id, command.expected_revision)
    earliest = max(present.starts_at + timedelta(minutes=1), tx.now)
    if not earliest <= command.ends_at < present.ends_at:
        raise EndRefused(
            "An earlier end lies after the start and not in the past.",
            earliest=earliest,
            ends_at=present.ends_at,
        )
    asked, found = await _stretched(tx, present, command.ends_at, command.override_reason)
    rules = refusals(found, asked.during, purpose=present.purpose, at=tx.now)
    reasons = [reason for reason in rules if reason.rule in _OF_THE_LENGTH]
    overridden = overridden_by(tx, asked, found, reasons)
    new = same_state(present, asked.during)
    if present.operator_id is not None:
        new = replace(new, operators=[present.operator_id])
    shorter = None
    if len(overridden) == len(reasons):
        shorter = await take_time(tx, present, found, new)
    if shorter is None:
        raise EndRefused(
            " ".join(reason.message for reason in reasons) or "Look at it again.",
            reasons=reasons,
            ends_at=present.ends_at,
        )
    tell_override(tx, present, command.override_reason, overridden)
    _audit(tx, "shorten", present, shorter)
    return shorter


@dataclass(frozen=True, slots=True)
class PreviewExtension:
    """May this reservation end then?"""

    reservation_id: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ExtensionPreview:
    """How an extension would end as things stand, of the reservation as it is at `revision`.

    `possible_until` is how far it can go without any rule set aside; its own end if nowhere.
    """

    reservation_id: int
    revision: int
    ends_at: datetime
    allowed: bool
    possible_until: datetime
    reasons: tuple[Reason, ...] = ()


async def preview_extension(tx: Tx, asked: PreviewExtension) -> ExtensionPreview:
    """What `extend_reservation` would answer; nothing changes."""
    present = await reservation(tx, asked.reservation_id)
    reasons: list[Reason] = []
    possible_until = present.ends_at
    try:
        _require_running(tx, present)
    except (EndRefused, ReservationNotInState) as refused:
        reasons.append(Reason(refused.code, refused.detail))
    if asked.ends_at <= present.ends_at:
        reasons.append(Reason("later", "An extension ends later.", limit=present.ends_at))
    elif not reasons:
        again, found = await _stretched(tx, present, asked.ends_at)
        rules = await against_move(tx, present, again, found, None)
        told, possible_until = await _limits(tx, present, again, found, rules)
        reasons.extend(told)
    return ExtensionPreview(
        reservation_id=present.id,
        revision=present.revision,
        ends_at=asked.ends_at,
        allowed=not reasons,
        possible_until=possible_until,
        reasons=tuple(reasons),
    )


async def _locked(tx: Tx, reservation_id: int, expected_revision: int | None) -> Reservation:
    await lock_calendar_of(tx, reservation_id)
    present = await locked_reservation(tx, reservation_id)
    require_as_seen(present, expected_revision)
    _require_running(tx, present)
    require_not_lapsed(tx, present)
    return present


def _require_running(tx: Tx, present: Reservation) -> None:
    if present.status not in STRETCHABLE:
        raise ReservationNotInState(
            f"It is {present.status} and keeps its time.",
            status_now=present.status.value,
            possible=sorted(STRETCHABLE),
        )
    if tx.now >= present.ends_at:
        raise EndRefused("Its time is over; reserve again.", ends_at=present.ends_at)


async def _stretched(
    tx: Tx, present: Reservation, ends_at: datetime, override_reason: str | None = None
) -> tuple[PlaceReservation, Schedule]:
    """The reservation with another end, and the schedule as far as it could ever go."""
    during = During(present.starts_at, ends_at)
    asked = asked_again(present, during, present.seat, override_reason)
    whole = During(
        present.starts_at,
        max(ends_at, present.starts_at + timedelta(minutes=RESERVATION_MINUTES_MAX)),
    )
    found = await schedule(tx, present.instrument_id, whole, user_class=present.user_class)
    return asked, found


async def _limits(
    tx: Tx,
    present: Reservation,
    asked: PlaceReservation,
    found: Schedule,
    reasons: tuple[Reason, ...],
) -> tuple[list[Reason], datetime]:
    """Every reason against the end, with who else holds the time, and how far it could go."""
    longest = timedelta(minutes=RESERVATION_MINUTES_MAX)
    reach = During(present.ends_at, max(asked.during.ends_at, present.starts_at + longest))
    beside = (await taken(tx, [found], reach, besides=present.id))[found.instrument_id]
    told = list(reasons)
    added = During(present.ends_at, asked.during.ends_at)
    if is_taken(found, beside, added, seat=present.seat):
        told.append(Reason("busy", "Somebody else holds the instrument in that time."))
    until = latest_end(found, beside, present.during, seat=present.seat, at=tx.now)
    return told, until


def _audit(tx: Tx, action: str, present: Reservation, after: Reservation) -> None:
    tx.audit(
        action,
        subject="reservation",
        subject_id=present.id,
        before=present.ends_at.isoformat(),
        after=after.ends_at.isoformat(),
        status=present.status,
    )
