"""Take a seat of an instrument: the insert that PostgreSQL guards, and what may stand in its way.

Whether the time is free is decided at the insert (`reservation_no_overlap`); nothing is looked up
before. `ON CONFLICT DO NOTHING` waits for a twin that has not committed yet (it may still roll
back) and then answers; of two such inserts one always gives way, so they never deadlock, as plain
inserts under an exclusion constraint do.

Only what lost an insert looks closer: a hold that lapsed is ended then, whether or not a worker
runs, and the time that was offered to the very organisation that asks is handed to it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    SmallInteger,
    Text,
    and_,
    bindparam,
    or_,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.booking.errors import OrderAlreadyReserved
from marketplace.booking.events import ReservationExpired
from marketplace.booking.queries.reservations import (
    Reservation,
    as_range,
    driver_range,
    made_reservation,
    reservation_select,
)
from marketplace.booking.rules.states import Status, require_transition
from marketplace.booking.tables import LIVE
from marketplace.booking.tables import reservation as table
from marketplace.kernel.db import Prepared, Tx

LAPSED = "Not taken up in time."


@dataclass(frozen=True, slots=True)
class SeatTaken:
    """The reservation that was written."""

    reservation_id: int
    seat: int
    revision: int = 0
    operator_id: int | None = None


_COLUMNS = (
    "instrument_id, provider_id, calendar_id, seat, during, blocked, status, organisation_id, "
    "person_id, user_class, purpose, operator_id, group_id, series_id, order_id, "
    "order_position, held_until, override_reason, placed_at, confirmed_at, changed_at"
)
_VALUES = (
    ":instrument_id, :provider_id, :calendar_id, {seat}, :during, :blocked, :status, "
    ":organisation_id, :person_id, :user_class, :purpose, :operator_id, :group_id, :series_id, "
    ":order_id, :order_position, :held_until, :override_reason, :placed_at, :confirmed_at, "
    ":changed_at"
)
# Nobody writes into a calendar that the instrument has left since its schedule was read.
IN_ITS_CALENDAR = """
    :calendar_id = coalesce(
      (select rule.calendar_id from booking_rule as rule where rule.instrument_id = :instrument_id),
      :instrument_id)"""
_TYPES = [
    bindparam(name, type_=kind)
    for kind, names in (
        (BigInteger, "instrument_id provider_id calendar_id organisation_id person_id"),
        (BigInteger, "operator_id group_id series_id order_id"),
        (TSTZRANGE, "during blocked"),
        (SmallInteger, "order_position"),
        (Text, "status user_class purpose override_reason"),
        (DateTime(timezone=True), "held_until placed_at confirmed_at changed_at"),
    )
    for name in names.split()
]
_TAKE = Prepared(
    text(
        f"""
    insert into reservation ({_COLUMNS})
    select {_VALUES.format(seat=":seat")} where {IN_ITS_CALENDAR}
    on conflict on constraint reservation_no_overlap do nothing
    returning id, seat
    """
    ).bindparams(*_TYPES, bindparam("seat", type_=SmallInteger))
)
# A random free seat: first-fit makes everybody race for the same one.
_TAKE_ANY = Prepared(
    text(
        f"""
    with free as (
      select cast(seat as smallint) as seat
        from generate_series(1, :seats) as seat
       where {IN_ITS_CALENDAR}
         and not exists (
         select from reservation as other
          where other.calendar_id = :calendar_id
            and other.blocked && :blocked
            and other.seat = seat.seat
            and other.status in ('held', 'offered', 'requested', 'confirmed', 'in_use'))
    ), placed as (
      insert into reservation ({_COLUMNS})
      select {_VALUES.format(seat="seat")}
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
    ).bindparams(*_TYPES, bindparam("seats", type_=SmallInteger))
)
# As above, with a random operator who is free. Either guard may say no (`reservation_no_overlap`,
# `reservation_operator_free`), so the conflict names neither; an order's second reservation would
# be one too, and is looked for by itself.
_TAKE_ATTENDED = Prepared(
    text(
        f"""
    with free as (
      select cast(seat as smallint) as seat
        from generate_series(1, :seats) as seat
       where {IN_ITS_CALENDAR}
         and seat = coalesce(:only_seat, seat)
         and not exists (
         select from reservation as other
          where other.calendar_id = :calendar_id
            and other.blocked && :blocked
            and other.seat = seat.seat
            and other.status in ('held', 'offered', 'requested', 'confirmed', 'in_use'))
    ), able as (
      select able.person_id
        from unnest(:operator_ids) as able(person_id)
       where not exists (
         select from reservation as other
          where other.operator_id = able.person_id
            and other.during && :during
            and other.status in ('held', 'offered', 'requested', 'confirmed', 'in_use'))
    ), placed as (
      insert into reservation ({_COLUMNS})
      select {_VALUES.format(seat="seat").replace(":operator_id", "person_id")}
        from free cross join able
       order by random()
       limit 1
      on conflict do nothing
      returning id, seat, operator_id
    )
    select (select id from placed) as id,
           (select seat from placed) as seat,
           (select operator_id from placed) as operator_id,
           exists (select from free cross join able) as any_free,
           exists (
             select from reservation as other
              where other.order_id = :order_id
                and other.order_position = :order_position) as ordered
    """  # noqa: S608 the columns are written above
    ).bindparams(
        *(each for each in _TYPES if each.key != "operator_id"),
        bindparam("seats", type_=SmallInteger),
        bindparam("only_seat", type_=SmallInteger),
        bindparam("operator_ids", type_=ARRAY(BigInteger)),
    )
)


async def take_seat(
    tx: Tx,
    row: dict[str, Any],
    *,
    seats: int,
    seat: int | None,
    operators: Sequence[int] | None = None,
) -> SeatTaken | None:
    """Write `row` on the seat asked for or on any that is free; None when every one is taken.

    What lapsed does not count as taken, and what was offered to the organisation is its own. With
    `operators` one of them who is free attends it; without any free one it is None as well.
    """
    if operators:
        won = await _insert_attended(tx, row, seats=seats, seat=seat, operators=operators)
        row = row | {"operator_id": random.choice(operators)}  # noqa: S311 a fair turn
    else:
        won = await _insert(tx, row, seats=seats, seat=seat)
    if won is not None:
        return won
    in_the_way = await _yielding(tx, row, seat=seat)
    for present in in_the_way:
        if not _has_lapsed(tx, present):
            return await _take_over(tx, present, row)
    if not in_the_way:
        return None
    await end_lapsed(tx, in_the_way)
    if operators:
        return await _insert_attended(tx, row, seats=seats, seat=seat, operators=operators)
    return await _insert(tx, row, seats=seats, seat=seat)


async def _insert(tx: Tx, row: dict[str, Any], *, seats: int, seat: int | None) -> SeatTaken | None:
    """Each try that loses a seat loses it to a reservation that was made: at most one per seat."""
    values = {
        **row,
        "during": driver_range(row["during"]),
        "blocked": driver_range(row["blocked"]),
        "seat": seat or 1,
        "seats": seats,
    }
    if seats == 1 or seat is not None:
        placed = await tx.fetch(_TAKE, values)
        return SeatTaken(placed[0]["id"], placed[0]["seat"]) if placed else None
    for _ in range(seats + 1):
        (tried,) = await tx.fetch(_TAKE_ANY, values)
        if tried["id"] is not None:
            return SeatTaken(tried["id"], tried["seat"])
        if not tried["any_free"]:
            return None
    return None


async def _insert_attended(
    tx: Tx, row: dict[str, Any], *, seats: int, seat: int | None, operators: Sequence[int]
) -> SeatTaken | None:
    """Each try that is lost is lost to a reservation that was made, of a seat or an operator.

    Raises:
        OrderAlreadyReserved: when the order has another reservation.
    """
    values = {
        **row,
        "during": driver_range(row["during"]),
        "blocked": driver_range(row["blocked"]),
        "only_seat": seat,
        "seats": seats,
        "operator_ids": list(operators),
    }
    for _ in range(seats + len(operators)):
        (tried,) = await tx.fetch(_TAKE_ATTENDED, values)
        if tried["id"] is not None:
            return SeatTaken(tried["id"], tried["seat"], operator_id=tried["operator_id"])
        if tried["ordered"]:
            raise OrderAlreadyReserved()
        if not tried["any_free"]:
            return None
    return None


def _has_lapsed(tx: Tx, present: Reservation) -> bool:
    return present.held_until is not None and present.held_until <= tx.now


async def _yielding(tx: Tx, row: dict[str, Any], *, seat: int | None) -> list[Reservation]:
    """What gives way to `row`, its rows locked: what lapsed, and the organisation's own offer."""
    wanted = [
        # Said again for the planner: the index of live reservations answers it.
        LIVE,
        table.c.calendar_id == row["calendar_id"],
        table.c.blocked.op("&&")(as_range(row["blocked"])),
        or_(
            and_(
                table.c.status.in_([Status.HELD, Status.OFFERED, Status.REQUESTED]),
                table.c.held_until <= tx.now,
            ),
            and_(
                # An offer takes nothing over: a colleague's is not one's own.
                row["status"] != Status.OFFERED,
                table.c.status == Status.OFFERED,
                table.c.instrument_id == row["instrument_id"],
                table.c.organisation_id == row["organisation_id"],
                table.c.during == as_range(row["during"]),
            ),
        ),
    ]
    if seat is not None:
        wanted.append(table.c.seat == seat)
    return await tx.all(
        made_reservation,
        reservation_select().where(*wanted).order_by(table.c.id).with_for_update(),
    )


async def end_lapsed(tx: Tx, lapsed: list[Reservation]) -> None:
    """End holds, offers and requests that lapsed, whose rows are locked, and tell of each."""
    for present in lapsed:
        require_transition(present.status, Status.EXPIRED)
    await tx.execute(
        update(table)
        .where(table.c.id.in_([present.id for present in lapsed]))
        .values(
            status=Status.EXPIRED,
            ended_at=tx.now,
            reason=LAPSED,
            revision=table.c.revision + 1,
            changed_at=tx.now,
        )
    )
    for present in lapsed:
        tx.record(
            ReservationExpired(
                reservation_id=present.id,
                order_id=present.order_id or 0,
                instrument_id=present.instrument_id,
            )
        )


async def _take_over(tx: Tx, offered: Reservation, row: dict[str, Any]) -> SeatTaken:
    """Turn the offer of a freed time, whose row is locked, into the reservation that was asked."""
    require_transition(offered.status, Status(row["status"]))
    kept = {"instrument_id", "provider_id", "calendar_id", "during", "blocked", "organisation_id"}
    if row["operator_id"] is not None and offered.operator_id is not None:
        # Whoever was kept for the offer attends it.
        row = row | {"operator_id": offered.operator_id}
    await tx.execute(
        update(table)
        .where(table.c.id == offered.id)
        .values(
            {name: value for name, value in row.items() if name not in kept}
            | {"revision": offered.revision + 1}
        )
    )
    return SeatTaken(offered.id, offered.seat, offered.revision + 1, row["operator_id"])
