"""Place a reservation: two statements when it succeeds, and no moment between check and write.

Whether the time is free is decided by PostgreSQL at the insert (`reservation_no_overlap`); nothing
is looked up before. `ON CONFLICT DO NOTHING` waits for a twin that has not committed yet (it may
still roll back) and then answers; of two such inserts one always gives way, so they never
deadlock, as plain inserts under an exclusion constraint do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy import BigInteger, DateTime, SmallInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, insert

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    OverrideNotAllowed,
    ReservationOverlaps,
    ReservationRefused,
)
from marketplace.booking.events import ReservationPlaced
from marketplace.booking.queries.reservations import Reservation, driver_range
from marketplace.booking.queries.timetables import schedule, taken
from marketplace.booking.rules.alternatives import alternatives, search_window
from marketplace.booking.rules.availability import Schedule, refusals, seat_gaps
from marketplace.booking.rules.states import Purpose, Status, UserClass, first_status
from marketplace.booking.tables import reservation as table
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Prepared, Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


@dataclass(frozen=True, slots=True)
class PlaceReservation:
    """Take `during` on an instrument, on a given seat or on any that is free.

    `override_reason` sets the overridable rules aside; only the instrument's own staff may.
    """

    instrument_id: int
    during: During
    purpose: Purpose
    organisation_id: int
    person_id: int
    user_class: UserClass | None = None
    order_id: int | None = None
    group_id: int | None = None
    series_id: int | None = None
    seat: int | None = None
    override_reason: str | None = None

    @property
    def of_class(self) -> UserClass:
        """The class of user; who does not say reserves for the own unit, or as a company."""
        if self.user_class is not None:
            return self.user_class
        external = self.purpose is Purpose.EXTERNAL
        return UserClass.ENTERPRISE if external else UserClass.OWN_UNIT


async def place_reservation(tx: Tx, command: PlaceReservation) -> Reservation:
    """Take the time, at once or as a request where the instrument needs approval.

    Raises:
        InstrumentMissing: when there is none.
        ReservationRefused: with every rule that says no, and what would be possible.
        ReservationOverlaps: when somebody else holds the time, and what would be possible.
        OverrideNotAllowed: when somebody who is not staff sets a rule aside.
    """
    return await _place(tx, command, await schedule(tx, command.instrument_id, command.during))


async def _place(tx: Tx, command: PlaceReservation, found: Schedule) -> Reservation:
    reasons = refusals(found, command.during, purpose=command.purpose, at=tx.now)
    overridden = _overridden(tx, command, found, reasons)
    if len(overridden) < len(reasons) or not _has_seat(found, command.seat):
        await _refuse(tx, command, found, reasons)
    row = _row(tx, command, found, override=bool(overridden))
    taken_seat = await _take_seat(tx, row, seats=found.terms.seats, seat=command.seat)
    if taken_seat is None:
        await _refuse(tx, command, found, ())
    placed = _placed(row, reservation_id=taken_seat[0], seat=taken_seat[1])
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
    return placed


@dataclass(frozen=True, slots=True)
class ReserveOwnTime:
    """A provider's staff take time on their own instrument: research, teaching, upkeep."""

    instrument_id: int
    during: During
    purpose: Purpose
    seat: int | None = None
    override_reason: str | None = None


async def reserve_own_time(tx: Tx, command: ReserveOwnTime) -> Reservation:
    """Take time on an instrument of the actor's own organisation.

    Raises:
        InstrumentMissing: when it belongs to others.
        ExternalTimeIsOrdered: for the purpose of serving others.
    """
    if command.purpose is Purpose.EXTERNAL:
        raise ExternalTimeIsOrdered("Make a quote and place an order; it reserves the time.")
    found = await schedule(tx, command.instrument_id, command.during)
    if found.provider_id != tx.actor.organisation_id:
        raise InstrumentMissing()
    asked = PlaceReservation(
        instrument_id=command.instrument_id,
        during=command.during,
        purpose=command.purpose,
        organisation_id=tx.actor.organisation_id,
        person_id=tx.actor.person_id,
        seat=command.seat,
        override_reason=command.override_reason,
    )
    return await _place(tx, asked, found)


def _overridden(
    tx: Tx, command: PlaceReservation, found: Schedule, reasons: Sequence[Reason]
) -> list[Reason]:
    """The reasons that this command sets aside; all of them or none."""
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
        "held_until": _held_until(tx, command) if status is Status.REQUESTED else None,
        "override_reason": command.override_reason if override else None,
        "placed_at": tx.now,
        "confirmed_at": tx.now if status is Status.CONFIRMED else None,
        "changed_at": tx.now,
    }


def _held_until(tx: Tx, command: PlaceReservation) -> datetime:
    """A request lapses after the province's hold, and never later than its own start."""
    hold = timedelta(minutes=rulebook().booking.hold_minutes.on(tx.today))
    return min(tx.now + hold, command.during.starts_at)


_COLUMNS = (
    "instrument_id, provider_id, calendar_id, seat, during, blocked, status, organisation_id, "
    "person_id, user_class, purpose, operator_id, group_id, series_id, order_id, held_until, "
    "override_reason, placed_at, confirmed_at, changed_at"
)
_TAKE = Prepared(
    insert(table)
    .on_conflict_do_nothing(constraint="reservation_no_overlap")
    .returning(table.c.id, table.c.seat),
    columns=_COLUMNS.split(", "),
)
# A random free seat: first-fit makes everybody race for the same one.
_TAKE_ANY = Prepared(
    text(
        f"""
    with free as (
      select cast(seat as smallint) as seat
        from generate_series(1, :seats) as seat
       where not exists (
         select from reservation as other
          where other.calendar_id = :calendar_id
            and other.blocked && :blocked
            and other.seat = seat.seat
            and other.status in ('held', 'offered', 'requested', 'confirmed', 'in_use'))
    ), placed as (
      insert into reservation ({_COLUMNS})
      select :instrument_id, :provider_id, :calendar_id, seat, :during, :blocked, :status,
             :organisation_id, :person_id, :user_class, :purpose, :operator_id, :group_id,
             :series_id, :order_id, :held_until, :override_reason, :placed_at, :confirmed_at,
             :changed_at
        from free
       order by random()
       limit 1
      on conflict on constraint reservation_no_overlap do nothing
      returning id, seat
    )
    select (select id from placed) as id,
           (select seat from placed) as seat,
           exists (select from free) as any_free
    """  # noqa: S608 the columns are written above
    ).bindparams(
        *(
            bindparam(name, type_=kind)
            for kind, names in (
                (BigInteger, "instrument_id provider_id calendar_id organisation_id person_id"),
                (BigInteger, "operator_id group_id series_id order_id"),
                (TSTZRANGE, "during blocked"),
                (Text, "status user_class purpose override_reason"),
                (DateTime(timezone=True), "held_until placed_at confirmed_at changed_at"),
                (SmallInteger, "seats"),
            )
            for name in names.split()
        )
    )
)


async def _take_seat(
    tx: Tx, row: dict[str, Any], *, seats: int, seat: int | None
) -> tuple[int, int] | None:
    """The new reservation's id and seat, or None when every seat asked for is taken.

    Each try that loses a seat loses it to a reservation that was made: there are at most as many
    as there are seats.
    """
    values = {
        **row,
        "during": driver_range(row["during"]),
        "blocked": driver_range(row["blocked"]),
        "seat": seat or 1,
        "seats": seats,
    }
    if seats == 1 or seat is not None:
        placed = await tx.fetch(_TAKE, values)
        return (placed[0]["id"], placed[0]["seat"]) if placed else None
    for _ in range(seats + 1):
        (tried,) = await tx.fetch(_TAKE_ANY, values)
        if tried["id"] is not None:
            return tried["id"], tried["seat"]
        if not tried["any_free"]:
            return None
    return None


def _placed(row: dict[str, Any], *, reservation_id: int, seat: int) -> Reservation:
    rest = {name: value for name, value in row.items() if name not in ("during", "blocked")}
    return Reservation(
        **rest,
        id=reservation_id,
        seat=seat,
        starts_at=row["during"].starts_at,
        ends_at=row["during"].ends_at,
        revision=0,
        decided_by=None,
        ended_at=None,
        reason=None,
    )


async def _refuse(
    tx: Tx, command: PlaceReservation, found: Schedule, reasons: Sequence[Reason]
) -> NoReturn:
    """Raise with every reason, and with what would be possible instead.

    Raises:
        ReservationOverlaps: when being taken is the only reason.
        ReservationRefused: otherwise.
    """
    during = command.during
    told = list(reasons)
    if not _has_seat(found, command.seat):
        told.append(
            Reason(
                "seat",
                f"The instrument has {found.terms.seats} seats.",
                limit=found.terms.seats,
                asked=command.seat,
            )
        )
    beside = (await taken(tx, [found], during))[found.instrument_id]
    gaps = seat_gaps(found, beside, during)
    if not told or not any(during in gap for gap in gaps):
        told.append(Reason("busy", "Somebody else holds the instrument in that time."))
    window = search_window(found.terms, during, at=tx.now)
    around = await schedule(tx, found.instrument_id, window)
    beside = (await taken(tx, [around], window))[found.instrument_id]
    offered = [
        {
            "kind": one.kind,
            "starts_at": one.during.starts_at,
            "ends_at": one.during.ends_at,
            "shift_minutes": one.shift_minutes,
        }
        for one in alternatives(around, beside, during, at=tx.now)
    ]
    refusal = ReservationRefused if told[0].rule != "busy" else ReservationOverlaps
    detail = " ".join(reason.message for reason in told)
    raise refusal(detail, reasons=told, alternatives=offered)
