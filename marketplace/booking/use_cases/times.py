"""Write another time into a reservation, under the constraint that guards every time.

One UPDATE keeps the reservation's own seat where that is free, or takes another. What PostgreSQL
refuses at that moment, because somebody else was first, is a seat less and no broken transaction.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, SmallInteger, Text, bindparam, text, update
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.exc import DBAPIError

from marketplace.booking.errors import OperatorBusy, ReservationOverlaps
from marketplace.booking.events import ReservationMoved
from marketplace.booking.queries.reservations import (
    Reservation,
    as_range,
    made_reservation,
    reservation,
    reservation_select,
)
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.states import Status
from marketplace.booking.tables import reservation as table
from marketplace.booking.tables import usage_session
from marketplace.booking.use_cases.seats import IN_ITS_CALENDAR, end_lapsed
from marketplace.kernel.db import Tx, translated
from marketplace.kernel.time import During

_MOVE = text(
    f"""
    update reservation as mine
       set calendar_id = :calendar_id, seat = free.seat, during = :during, status = :status,
           -- An early start blocks the time from then on, whatever becomes of the end.
           blocked = case mine.status when 'in_use'
             then tstzrange(least(lower(mine.blocked), lower(:blocked)), upper(:blocked))
             else :blocked end,
           operator_id = :operator_id, held_until = :held_until, confirmed_at = :confirmed_at,
           decided_by = case :status when mine.status then mine.decided_by end,
           override_reason = coalesce(:override_reason, mine.override_reason),
           revision = mine.revision + 1, changed_at = :now
      from (
        select cast(seat as smallint) as seat
          from generate_series(1, :seats) as seat
         where (cast(:only_seat as smallint) is null or seat = :only_seat)
           and {IN_ITS_CALENDAR}
           and not exists (
             select from reservation as other
              where other.calendar_id = :calendar_id
                and other.blocked && :blocked
                and other.seat = seat.seat
                and other.id <> :id
                and other.status in ('held', 'offered', 'requested', 'confirmed', 'in_use'))
         order by seat <> :present_seat, random()
         limit 1) as free
     where mine.id = :id
    returning mine.id
    """  # noqa: S608 the condition is written in the code
).bindparams(
    *(
        bindparam(name, type_=kind)
        for kind, names in (
            (BigInteger, "id instrument_id calendar_id operator_id"),
            (TSTZRANGE, "during blocked"),
            (Text, "status override_reason"),
            (DateTime(timezone=True), "held_until confirmed_at now"),
            (SmallInteger, "seats only_seat present_seat"),
        )
        for name in names.split()
    )
)


@dataclass(frozen=True, slots=True)
class NewTime:
    """What a reservation becomes.

    `operators` are those who could attend it, None where nobody has to; `seat` is the one it must
    have, None for its own if that is free and any other if not.
    """

    during: During
    status: Status
    held_until: datetime | None
    confirmed_at: datetime | None
    seat: int | None = None
    operators: Sequence[int] | None = None
    override_reason: str | None = None


async def take_time(
    tx: Tx, present: Reservation, found: Schedule, new: NewTime
) -> Reservation | None:
    """Write the new time and tell of it; None when no seat or no operator is free then.

    `present` is locked, and so is its calendar (`lock_calendar_of`).
    """
    won = await _try(tx, present, found, new)
    if not won and await _end_lapsed(tx, present, found, new):
        won = await _try(tx, present, found, new)
    if not won:
        return None
    if present.status is Status.IN_USE:
        await tx.execute(
            update(usage_session)
            .where(usage_session.c.reservation_id == present.id)
            .values(reserved_minutes=max(1, new.during.minutes))
        )
    moved = await reservation(tx, present.id)
    tx.record(
        ReservationMoved(
            reservation_id=moved.id,
            order_id=moved.order_id or 0,
            instrument_id=moved.instrument_id,
            starts_at=moved.starts_at,
            ends_at=moved.ends_at,
            before_starts_at=present.starts_at,
            before_ends_at=present.ends_at,
            revision=moved.revision,
        )
    )
    return moved


async def _try(tx: Tx, present: Reservation, found: Schedule, new: NewTime) -> bool:
    """Each try that is lost is lost to a reservation that was made, of a seat or an operator."""
    left: list[int | None] = [None]
    if new.operators:
        left = [one for one in new.operators if one == present.operator_id]
        others = [one for one in new.operators if one != present.operator_id]
        left += random.sample(others, len(others))
    tries = found.terms.seats + len(left)
    while left and tries:
        tries -= 1
        try:
            async with tx.connection.begin_nested():
                result = await tx.execute(_MOVE, _values(tx, present, found, new, left[0]))
                return result.first() is not None
        except DBAPIError as error:
            meaning = translated(error)
            if isinstance(meaning, OperatorBusy):
                left = left[1:]
            elif not isinstance(meaning, ReservationOverlaps):
                raise
    return False


def _values(
    tx: Tx, present: Reservation, found: Schedule, new: NewTime, operator_id: int | None
) -> dict[str, object]:
    return {
        "id": present.id,
        "instrument_id": present.instrument_id,
        "calendar_id": found.calendar_id,
        "operator_id": operator_id,
        "during": as_range(new.during),
        "blocked": as_range(found.blocked(new.during)),
        "status": new.status.value,
        "override_reason": new.override_reason,
        "held_until": new.held_until,
        "confirmed_at": new.confirmed_at,
        "now": tx.now,
        "seats": found.terms.seats,
        "only_seat": new.seat,
        "present_seat": present.seat,
    }


async def _end_lapsed(tx: Tx, present: Reservation, found: Schedule, new: NewTime) -> bool:
    """End what lapsed in the way of the new time; whether there was anything."""
    lapsed = await tx.all(
        made_reservation,
        reservation_select()
        .where(
            table.c.calendar_id == found.calendar_id,
            table.c.blocked.op("&&")(as_range(found.blocked(new.during))),
            table.c.id != present.id,
            table.c.status.in_([Status.HELD, Status.OFFERED, Status.REQUESTED]),
            table.c.held_until <= tx.now,
        )
        .order_by(table.c.id)
        .with_for_update(),
    )
    if lapsed:
        await end_lapsed(tx, lapsed)
    return bool(lapsed)


def same_state(present: Reservation, during: During) -> NewTime:
    """Another time and nothing else: its state, its seat and its deadline stay."""
    held_until = present.held_until and min(present.held_until, during.starts_at)
    return NewTime(during, present.status, held_until, present.confirmed_at, seat=present.seat)


def attended_by(new: NewTime, operators: Sequence[int] | None) -> NewTime:
    """`new` with those who could attend it."""
    return replace(new, operators=operators)
