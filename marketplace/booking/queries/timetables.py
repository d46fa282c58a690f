"""When instruments are free, for any number of them in two statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, bindparam, func, select

from marketplace.booking.queries.reservations import driver_range
from marketplace.booking.rules.availability import (
    BookingTerms,
    Closed,
    Hours,
    Schedule,
    Taken,
    free_intervals,
)
from marketplace.booking.rules.intervals import common, minutes_of
from marketplace.booking.rules.timetable import Busy, timetable
from marketplace.booking.tables import LIVE, booking_rule, reservation
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.queries.schedules import SCHEDULES
from marketplace.kernel.db import Prepared, Tx
from marketplace.kernel.time import During, shanghai_instant
from marketplace.parties.queries import require_own_or_staff
from marketplace.rulebook import rulebook

WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Window:
    """The availability of one instrument in one period."""

    instrument_id: int
    during: During


@dataclass(frozen=True, slots=True)
class Availability:
    """Where a reservation may lie, and why the rest of the period is not free."""

    instrument_id: int
    during: During
    terms: BookingTerms
    free: tuple[During, ...]
    busy: tuple[Busy, ...]


@dataclass(frozen=True, slots=True)
class WeekOf:
    """Seven days from `day` for each instrument."""

    instrument_ids: Sequence[int]
    day: date


@dataclass(frozen=True, slots=True)
class FreeIn:
    """Instruments free in a window: for the whole of it, or for `minutes` on end inside it."""

    instrument_ids: Sequence[int]
    during: During
    minutes: int | None = None


def province_terms(day: date) -> BookingTerms:
    """The booking terms of the rulebook: for instruments that have no rule of their own."""
    terms = rulebook().booking
    return BookingTerms(
        step_minutes=terms.step_minutes.on(day),
        minimum_minutes=terms.minimum_minutes.on(day),
        maximum_minutes=terms.maximum_minutes.on(day),
        notice_minutes=terms.notice_minutes.on(day),
        horizon_days=terms.horizon_days.on(day),
    )


_TERMS = tuple(BookingTerms.__dataclass_fields__)
_OPEN = SCHEDULES.subquery("open")
_SCHEDULES = Prepared(
    select(_OPEN, *(booking_rule.c[name] for name in _TERMS)).outerjoin_from(
        _OPEN, booking_rule, booking_rule.c.instrument_id == _OPEN.c.instrument_id
    )
)


async def schedules(tx: Tx, instrument_ids: Sequence[int], around: During) -> dict[int, Schedule]:
    """When each instrument can be used, with its closures in `around`, in one statement."""
    rows = await tx.fetch(
        _SCHEDULES, {"instrument_ids": list(instrument_ids), "around": driver_range(around)}
    )
    return {row["instrument_id"]: _schedule(row, tx.today) for row in rows}


def _schedule(row: Any, today: date) -> Schedule:
    if row["step_minutes"] is None:
        terms = province_terms(today)
    else:
        terms = BookingTerms(*(row[name] for name in _TERMS))
    return Schedule(
        instrument_id=row["instrument_id"],
        provider_id=row["provider_id"],
        status=row["status"],
        open_to_others=row["share_mode"] == "external",
        terms=terms,
        hours=tuple(Hours(*hours) for hours in row["hours"]),
        closures=tuple(
            Closed(
                During(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at)), reason
            )
            for starts_at, ends_at, reason in row["closures"]
        ),
    )


async def schedule(tx: Tx, instrument_id: int, around: During) -> Schedule:
    """When one instrument can be used.

    Raises:
        Missing: when there is no such instrument.
    """
    found = (await schedules(tx, [instrument_id], around)).get(instrument_id)
    if found is None:
        raise InstrumentMissing()
    return found


async def booking_terms(tx: Tx, instrument_id: int) -> BookingTerms:
    """The booking rule in force for an instrument: its own, or the province's.

    Raises:
        Missing: when there is no such instrument.
    """
    return (await schedule(tx, instrument_id, _this_minute(tx))).terms


async def visible_booking_terms(tx: Tx, instrument_id: int) -> BookingTerms:
    """`booking_terms` of a listed instrument, or of any that the actor may see.

    Raises:
        Missing: when there is none for the actor.
    """
    found = await schedule(tx, instrument_id, _this_minute(tx))
    _require_visible(tx, found)
    return found.terms


def _this_minute(tx: Tx) -> During:
    return During(tx.now, tx.now + timedelta(minutes=1))


def _require_visible(tx: Tx, found: Schedule) -> None:
    if found.status != "listed":
        require_own_or_staff(tx, found.provider_id, missing=InstrumentMissing)


_asked = (
    func.unnest(bindparam("instrument_ids", type_=ARRAY(BigInteger)))
    .table_valued("id", name="asked")
    .render_derived()
)
_TAKEN = Prepared(
    select(
        reservation.c.calendar_id,
        reservation.c.seat,
        func.lower(reservation.c.blocked).label("starts_at"),
        func.upper(reservation.c.blocked).label("ends_at"),
    )
    .join_from(_asked, reservation, reservation.c.calendar_id == _asked.c.id)
    .where(
        LIVE, reservation.c.blocked.op("&&")(bindparam("within", type_=reservation.c.blocked.type))
    )
)


async def taken(tx: Tx, found: Sequence[Schedule], within: During) -> dict[int, list[Taken]]:
    """What live reservations block of each instrument, near enough to be in the way."""
    by_calendar: dict[int, list[Taken]] = {one.calendar_id: [] for one in found}
    if not by_calendar:
        return {}
    # A neighbour outside the window is in the way when the newcomer's buffers reach it.
    reach = within.widened(
        before_minutes=max(one.terms.before_minutes for one in found),
        after_minutes=max(one.terms.after_minutes for one in found),
    )
    rows = await tx.fetch(
        _TAKEN, {"instrument_ids": list(by_calendar), "within": driver_range(reach)}
    )
    for calendar_id, seat, starts_at, ends_at in rows:
        by_calendar[calendar_id].append(Taken(seat, During(starts_at, ends_at)))
    return {one.instrument_id: by_calendar[one.calendar_id] for one in found}


async def availability(tx: Tx, window: Window) -> Availability:
    """Free time of one instrument, and why the rest is not free. Two statements.

    Raises:
        Missing: when there is no such instrument, or it is not listed and not the actor's.
    """
    found = await schedule(tx, window.instrument_id, window.during)
    _require_visible(tx, found)
    beside = (await taken(tx, [found], window.during))[found.instrument_id]
    times = timetable(found, beside, window.during, at=tx.now)
    return Availability(
        instrument_id=found.instrument_id,
        during=window.during,
        terms=found.terms,
        free=times.free,
        busy=times.busy,
    )


async def week_strips(tx: Tx, week: WeekOf) -> dict[int, tuple[int, ...]]:
    """Free minutes on each of seven days for each instrument. Two statements for any number."""
    days = [
        During(
            shanghai_instant(week.day + timedelta(days=ahead)),
            shanghai_instant(week.day + timedelta(days=ahead + 1)),
        )
        for ahead in range(WEEK_DAYS)
    ]
    within = During(days[0].starts_at, days[-1].ends_at)
    free = await _free(tx, week.instrument_ids, within)
    return {
        instrument_id: tuple(minutes_of(common(stretches, [day])) for day in days)
        for instrument_id, stretches in free.items()
    }


async def free_among(tx: Tx, asked: FreeIn) -> set[int]:
    """Those of the instruments that can be reserved in the window. Two statements."""
    free = await _free(tx, asked.instrument_ids, asked.during)
    wanted = timedelta(minutes=asked.minutes) if asked.minutes else None
    length = wanted or asked.during.ends_at - asked.during.starts_at
    return {
        instrument_id
        for instrument_id, stretches in free.items()
        if any(one.ends_at - one.starts_at >= length for one in stretches)
    }


async def _free(tx: Tx, instrument_ids: Sequence[int], within: During) -> dict[int, list[During]]:
    found = await schedules(tx, instrument_ids, within)
    beside = await taken(tx, list(found.values()), within)
    return {
        instrument_id: free_intervals(one, beside[instrument_id], within, at=tx.now)
        for instrument_id, one in found.items()
    }
