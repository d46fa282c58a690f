"""When instruments can be used and what is taken of them: one statement each, for any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, any_, bindparam, func, literal, or_, select
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.booking.queries.reservations import driver_range
from marketplace.booking.rules.schedule import (
    BookingTerms,
    ClassHours,
    ClassTerms,
    Closed,
    ClosureKind,
    DatedHours,
    Hours,
    PriorityHours,
    Schedule,
    Taken,
)
from marketplace.booking.rules.states import Status, UserClass
from marketplace.booking.tables import (
    LIVE,
    booking_rule,
    class_terms,
    dated_hours,
    outside_busy,
    reservation,
    weekly_hours,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.queries.schedules import SCHEDULES, closures_of
from marketplace.kernel.db import Prepared, Tx
from marketplace.kernel.time import During, shanghai_day
from marketplace.parties.queries import require_own_or_staff
from marketplace.rulebook import rulebook

FIRM = frozenset({Status.CONFIRMED, Status.IN_USE})
BUSY_OUTSIDE = "Taken in a calendar outside the platform."


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


def _listed(table: Any, *columns: Any, where: Any = True) -> Any:
    """The rows of `table` for each instrument as one JSON array; NULL where there are none."""
    return (
        select(func.json_agg(func.json_build_array(*columns)))
        .where(table.c.instrument_id == _OPEN.c.instrument_id, where)
        .scalar_subquery()
    )


def _machine() -> Any:
    """Every instrument in whose calendar this one stands: a closure of one shuts them all."""
    sharing = booking_rule.alias("sharing")
    calendar = func.coalesce(booking_rule.c.calendar_id, _OPEN.c.instrument_id)
    others = select(sharing.c.instrument_id).where(sharing.c.calendar_id == calendar)
    return func.array_append(
        func.array(others.correlate(booking_rule, _OPEN).scalar_subquery()),
        calendar,
        type_=ARRAY(BigInteger),
    )


def _busy_outside() -> Any:
    taken = outside_busy.c
    return (
        select(
            func.json_agg(func.json_build_array(func.lower(taken.during), func.upper(taken.during)))
        )
        .where(
            taken.instrument_id == any_(_machine()),
            taken.during.op("&&")(bindparam("around", type_=TSTZRANGE)),
        )
        .scalar_subquery()
    )


_week = weekly_hours.c
_of_class = class_terms.c
# Binds `instrument_ids`, `around`, and the days `first_day` and `last_day` that it touches.
_SCHEDULES = Prepared(
    select(
        _OPEN,
        *(booking_rule.c[name] for name in _TERMS),
        closures_of(_machine()).label("closures"),
        _busy_outside().label("outside"),
        _listed(
            class_terms,
            _of_class.user_class,
            _of_class.may_book,
            _of_class.notice_minutes,
            _of_class.horizon_days,
            _of_class.maximum_minutes,
            _of_class.needs_approval,
        ).label("classes"),
        _listed(
            weekly_hours,
            _week.kind,
            _week.weekday,
            _week.opens_minute,
            _week.closes_minute,
            _week.user_class,
            _week.lapses_minutes,
        ).label("weekly"),
        _listed(
            dated_hours,
            dated_hours.c.day,
            dated_hours.c.opens_minute,
            dated_hours.c.closes_minute,
            where=dated_hours.c.day.between(bindparam("first_day"), bindparam("last_day")),
        ).label("dated"),
    ).outerjoin_from(_OPEN, booking_rule, booking_rule.c.instrument_id == _OPEN.c.instrument_id)
)


async def schedules(
    tx: Tx,
    instrument_ids: Sequence[int],
    around: During,
    *,
    classes: Mapping[int, UserClass] | None = None,
) -> dict[int, Schedule]:
    """When each instrument can be used, with its closures in `around`, in one statement.

    With `classes`, by instrument, each is the schedule of that class of user.
    """
    rows = await tx.fetch(
        _SCHEDULES,
        {
            "instrument_ids": list(instrument_ids),
            "around": driver_range(around),
            "first_day": shanghai_day(around.starts_at),
            "last_day": shanghai_day(around.ends_at),
        },
    )
    found = {row["instrument_id"]: _schedule(row, tx.today, around) for row in rows}
    if classes is None:
        return found
    return {
        instrument_id: one.for_class(classes[instrument_id]) if instrument_id in classes else one
        for instrument_id, one in found.items()
    }


def _schedule(row: Any, today: date, around: During) -> Schedule:
    if row["step_minutes"] is None:
        terms = province_terms(today)
    else:
        terms = BookingTerms(*(row[name] for name in _TERMS))
    class_hours, priority, peak = _weekly(row["weekly"] or ())
    return Schedule(
        instrument_id=row["instrument_id"],
        provider_id=row["provider_id"],
        status=row["status"],
        open_to_others=row["share_mode"] == "external",
        terms=terms,
        hours=tuple(Hours(*hours) for hours in row["hours"] or ()),
        closures=(
            *(
                Closed(_during(starts_at, ends_at), reason, kind)
                for starts_at, ends_at, reason, kind in row["closures"] or ()
            ),
            *(
                Closed(_during(*times), BUSY_OUTSIDE, ClosureKind.OUTSIDE)
                for times in row["outside"] or ()
            ),
        ),
        dated=tuple(
            DatedHours(date.fromisoformat(day), *minutes) for day, *minutes in row["dated"] or ()
        ),
        class_terms=tuple(
            ClassTerms(UserClass(of_class), *terms) for of_class, *terms in row["classes"] or ()
        ),
        class_hours=class_hours,
        priority=priority,
        peak=peak,
        around=around,
    )


def _weekly(
    rows: Sequence[Any],
) -> tuple[tuple[ClassHours, ...], tuple[PriorityHours, ...], tuple[Hours, ...]]:
    """Hours of classes, priority hours and peak hours, from rows of `weekly_hours`."""
    if not rows:
        return (), (), ()
    of_class, priority, peak = [], [], []
    for kind, weekday, opens, closes, user_class, lapses in rows:
        if kind == "class":
            of_class.append(ClassHours(weekday, opens, closes, UserClass(user_class)))
        elif kind == "priority":
            priority.append(PriorityHours(weekday, opens, closes, lapses))
        else:
            peak.append(Hours(weekday, opens, closes))
    return tuple(of_class), tuple(priority), tuple(peak)


def _during(starts_at: str, ends_at: str) -> During:
    return During(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))


async def schedule(
    tx: Tx, instrument_id: int, around: During, *, user_class: UserClass | None = None
) -> Schedule:
    """When one instrument can be used, by one class of user when it is given.

    Raises:
        Missing: when there is no such instrument.
    """
    classes = None if user_class is None else {instrument_id: user_class}
    found = (await schedules(tx, [instrument_id], around, classes=classes)).get(instrument_id)
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
    require_visible(tx, found)
    return found.terms


async def visible_class_terms(tx: Tx, instrument_id: int) -> tuple[ClassTerms, ...]:
    """What differs for each class of user of an instrument that the actor may see.

    Raises:
        Missing: when there is none for the actor.
    """
    found = await schedule(tx, instrument_id, _this_minute(tx))
    require_visible(tx, found)
    return found.class_terms


def _this_minute(tx: Tx) -> During:
    return During(tx.now, tx.now + timedelta(minutes=1))


def require_visible(tx: Tx, found: Schedule) -> None:
    """Nothing, when the instrument is listed or its provider or staff ask.

    Raises:
        Missing: for everybody else.
    """
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
        reservation.c.status,
        reservation.c.held_until,
    )
    .join_from(_asked, reservation, reservation.c.calendar_id == _asked.c.id)
    .where(
        LIVE,
        reservation.c.blocked.op("&&")(bindparam("within", type_=reservation.c.blocked.type)),
        reservation.c.id != bindparam("besides"),
        # What has lapsed is in nobody's way, whether or not the worker has ended it.
        or_(
            reservation.c.status.in_([literal(status.value) for status in sorted(FIRM)]),
            reservation.c.held_until > bindparam("now", type_=DateTime(timezone=True)),
        ),
    )
)


async def taken(
    tx: Tx, found: Sequence[Schedule], within: During, *, besides: int = 0
) -> dict[int, list[Taken]]:
    """What live reservations block of each instrument, near enough to be in the way.

    `besides` is a reservation that is not in its own way when it moves.
    """
    by_calendar: dict[int, list[Taken]] = {one.calendar_id: [] for one in found}
    if not by_calendar:
        return {}
    # A neighbour outside the window is in the way when the newcomer's buffers reach it.
    reach = within.widened(
        before_minutes=max(one.terms.before_minutes for one in found),
        after_minutes=max(one.terms.after_minutes for one in found),
    )
    rows = await tx.fetch(
        _TAKEN,
        {
            "instrument_ids": list(by_calendar),
            "within": driver_range(reach),
            "besides": besides,
            "now": tx.now,
        },
    )
    for calendar_id, seat, starts_at, ends_at, status, held_until in rows:
        # What was confirmed in time lapses no more.
        lapses_at = None if status in FIRM else held_until
        by_calendar[calendar_id].append(Taken(seat, During(starts_at, ends_at), status, lapses_at))
    return {one.instrument_id: by_calendar[one.calendar_id] for one in found}
