"""Sessions, reservations and quotas as facts to be summed: one row each, for every slice of time.

The same rule as `rules.metering`, where the sessions lie and for any number of them: each minute
of a machine belongs to the session that was opened first, so a session counts from where the
earlier ones end. What a machine is: the calendar (`reservation.calendar_id`), because two services
of one machine share one calendar, and the guard against double booking looks at it too.

Whoever asks for some sessions only still counts with all that ran on the same machines: which
minutes a session has does not depend on the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    extract,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from marketplace.booking.rules.machine_hours import SERVICE, Slice
from marketplace.booking.rules.metering import LOOKBACK_DAYS
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.tables import (
    booking_rule,
    reservation,
    shared_calendar,
    usage_session,
)
from marketplace.catalogue.queries import MACHINES
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During

_INSTANT = DateTime(timezone=True)
_LOOKBACK = timedelta(days=LOOKBACK_DAYS)
_MOMENT = timedelta(microseconds=1)

# The time was kept for somebody to the end: used, still to be used, or nobody came.
KEPT = (Status.CONFIRMED, Status.IN_USE, Status.USED, Status.NO_SHOW)

# What a session says of its minutes; effective ones are decided by slice.
SESSION_MEASURES = (
    "minutes",
    "effective_minutes",
    "session_minutes",
    "idle_minutes",
    "overlap_minutes",
    "self_operated_minutes",
    "sessions",
    "samples",
)
RESERVATION_MEASURES = ("reserved_minutes", "no_shows", "late_cancellations")
QUOTA_MEASURES = ("quota_minutes", "national_quota_minutes")
# Who and what a fact is about.
ABOUT = ("instrument_id", "calendar_id", "provider_id", "purpose", "user_class")


@dataclass(frozen=True, slots=True)
class Machines:
    """The instruments asked for, the calendars they ever ran in, and all that ever ran in those."""

    instrument_ids: list[int]
    calendar_ids: list[int]
    service_ids: list[int]


@dataclass(frozen=True, slots=True)
class Span:
    """The period asked, its slices as a relation, and the machines it is about; None for all."""

    period: During
    starts: list[datetime]
    slices: CTE
    machines: Machines | None

    def number_of(self, at: ColumnElement[Any]) -> ColumnElement[int]:
        """The number of the slice in which an instant inside the period lies."""
        return func.width_bucket(at, bindparam("beginnings", self.starts, type_=ARRAY(_INSTANT)))


async def machines_of(tx: Tx, instrument_ids: Sequence[int]) -> Machines:
    """What has to be looked at to count the hours of these instruments."""
    shared = shared_calendar.c
    rows = await tx.execute(
        select(shared.instrument_id, shared.calendar_id).where(
            shared.calendar_id.in_(
                select(shared.calendar_id).where(_among(shared.instrument_id, instrument_ids))
            )
            | _among(shared.calendar_id, instrument_ids)
        )
    )
    pairs = rows.all()
    calendars = {*instrument_ids, *(pair.calendar_id for pair in pairs)}
    services = calendars | {pair.instrument_id for pair in pairs}
    return Machines(sorted(instrument_ids), sorted(calendars), sorted(services))


def span(slices: Sequence[Slice], machines: Machines | None) -> Span:
    """`slices`, which follow upon each other, as a relation."""
    years = [one.year for one in slices]
    columns: list[tuple[str, TypeEngine[Any], list[Any]]] = [
        ("starts_at", _INSTANT, [one.during.starts_at for one in slices]),
        ("ends_at", _INSTANT, [one.during.ends_at for one in slices]),
        ("bucket", Date(), [one.bucket for one in slices]),
        ("maintenance", Boolean(), [one.terms.counts(Purpose.MAINTENANCE) for one in slices]),
        ("test_run", Boolean(), [one.terms.counts(Purpose.TEST_RUN) for one in slices]),
        ("general", BigInteger(), [one.terms.general_hours * 60 for one in slices]),
        ("special", BigInteger(), [one.terms.special_hours * 60 for one in slices]),
        ("national", BigInteger(), [one.terms.national_hours * 60 for one in slices]),
        ("year_starts_at", _INSTANT, [year.starts_at for year in years]),
        ("year_minutes", BigInteger(), [year.minutes for year in years]),
    ]
    rows = (
        func.unnest(
            *(bindparam(f"slice_{name}", values, type_=ARRAY(of)) for name, of, values in columns)
        )
        .table_valued(
            *(column(name, of) for name, of, _ in columns), with_ordinality="n", name="slice"
        )
        .render_derived()
    )
    relation = select(*(rows.c[name] for name, _, _ in columns), rows.c.n).cte("slices")
    period = During(slices[0].during.starts_at, slices[-1].during.ends_at)
    return Span(period, [one.during.starts_at for one in slices], relation, machines)


def metered(within: Span) -> Select[Any]:
    """Closed sessions of the period: `ABOUT` and `SESSION_MEASURES` for each slice they touch.

    Sessions that wait in the problem queue do not count: nobody vouches for their length yet.

    Policy: F.hours.
    """
    ran = _counted(within).cte("counted")
    period, slices = within.period, within.slices
    first = within.number_of(func.greatest(ran.c.starts_at, period.starts_at))
    last = within.number_of(func.least(ran.c.closes_at, period.ends_at) - _MOMENT)
    number = _numbers(first, last, "number")
    effective = _inside(ran.c.starts_at, ran.c.ends_at, slices)
    counted = _inside(ran.c.counts_from, ran.c.ends_at, slices)
    opened_here = and_(ran.c.starts_at >= slices.c.starts_at, ran.c.starts_at < slices.c.ends_at)
    once = case((opened_here, 1), else_=0)
    return (
        select(
            *(ran.c[name] for name in (*ABOUT, "session_id")),
            slices.c.bucket,
            counted.label("minutes"),
            case((_effective(ran.c.purpose, slices), counted), else_=0).label("effective_minutes"),
            _inside(ran.c.starts_at, ran.c.closes_at, slices).label("session_minutes"),
            (_inside(ran.c.starts_at, ran.c.closes_at, slices) - effective).label("idle_minutes"),
            (effective - counted).label("overlap_minutes"),
            case((ran.c.self_operated, counted), else_=0).label("self_operated_minutes"),
            once.label("sessions"),
            (once * ran.c.samples).label("samples"),
        )
        .select_from(ran.join(number, true()).join(slices, slices.c.n == number.c.n))
        .where(ran.c.closes_at > period.starts_at, ran.c.starts_at < period.ends_at)
    )


def kept(within: Span) -> Select[Any]:
    """Reservations of the period: `ABOUT` and `RESERVATION_MEASURES` for each slice they touch.

    Seats are reserved each by itself, so their minutes add up; no-shows and late cancellations
    stand where the reserved time began.
    """
    about, period, slices = reservation.c, within.period, within.slices
    starts_at = func.date_trunc("minute", func.lower(about.during), type_=_INSTANT)
    ends_at = func.date_trunc("minute", func.upper(about.during), type_=_INSTANT)
    chosen = (
        select(
            *(about[name] for name in ABOUT),
            about.status,
            starts_at.label("starts_at"),
            ends_at.label("ends_at"),
        )
        .where(
            about.status.in_([*KEPT, Status.LATE_CANCELLED]),
            func.lower(about.during) >= period.starts_at - _LOOKBACK,
            func.lower(about.during) < period.ends_at,
            func.upper(about.during) > period.starts_at,
            *_only(about.instrument_id, within),
        )
        .cte("kept")
    )
    of = chosen.c
    first = within.number_of(func.greatest(of.starts_at, period.starts_at))
    last = within.number_of(
        func.greatest(func.least(of.ends_at, period.ends_at) - _MOMENT, of.starts_at)
    )
    number = _numbers(first, last, "place")
    began_here = and_(of.starts_at >= slices.c.starts_at, of.starts_at < slices.c.ends_at)
    reserved = case(
        (of.status.in_(KEPT), _inside(of.starts_at, of.ends_at, slices)), else_=literal(0)
    )
    return select(
        *(of[name] for name in ABOUT),
        slices.c.bucket,
        reserved.label("reserved_minutes"),
        _one_if(began_here, of.status == Status.NO_SHOW).label("no_shows"),
        _one_if(began_here, of.status == Status.LATE_CANCELLED).label("late_cancellations"),
    ).select_from(chosen.join(number, true()).join(slices, slices.c.n == number.c.n))


def quotas(within: Span) -> Select[Any]:
    """What each machine should run: `ABOUT` and `QUOTA_MEASURES` for each slice.

    A machine has its quota from the day it was listed until the day it was withdrawn. Services
    that share another's calendar have none of their own: the machine has only one.

    Policy: F.quota, F.survey.
    """
    machine, slices = MACHINES.subquery("machine"), within.slices.c
    listed_at, withdrawn_at = _midnight(machine.c.listed_at), _midnight(machine.c.withdrawn_at)
    starts_at = func.greatest(slices.starts_at, listed_at)
    ends_at = func.least(slices.ends_at, withdrawn_at)
    hours = case((machine.c.kind == "special", slices.special), else_=slices.general)
    return (
        select(
            machine.c.instrument_id,
            machine.c.instrument_id.label("calendar_id"),
            machine.c.provider_id,
            cast(null(), Text).label("purpose"),
            cast(null(), Text).label("user_class"),
            slices.bucket,
            _given(hours, starts_at, ends_at, slices).label("quota_minutes"),
            _given(slices.national, starts_at, ends_at, slices).label("national_quota_minutes"),
        )
        .select_from(
            machine.join(within.slices, true()).outerjoin(
                booking_rule, booking_rule.c.instrument_id == machine.c.instrument_id
            )
        )
        .where(
            machine.c.listed_at.is_not(None),
            booking_rule.c.calendar_id.is_(None),
            starts_at < ends_at,
            *_only(machine.c.instrument_id, within),
        )
    )


def _counted(within: Span) -> Select[Any]:
    """Sessions that reach into the period, with the moment from which each of them counts."""
    session, place, period = usage_session.c, reservation.c, within.period
    opened = func.date_trunc("minute", session.opened_at, type_=_INSTANT)
    effective = session.preparation_minutes + session.test_minutes + session.post_minutes
    outside = and_(place.operator_id.is_(None), place.user_class != UserClass.OWN_UNIT)
    ran = select(
        session.id.label("session_id"),
        session.instrument_id,
        place.calendar_id,
        place.provider_id,
        place.purpose,
        place.user_class,
        session.opened_at,
        opened.label("starts_at"),
        (opened + _minutes(effective)).label("ends_at"),
        (opened + _minutes(session.actual_minutes)).label("closes_at"),
        outside.label("self_operated"),
        samples_run().label("samples"),
    ).where(
        place.id == session.reservation_id,
        session.closed_at.is_not(None),
        session.problem.is_(None),
        session.opened_at >= period.starts_at - _LOOKBACK,
        session.opened_at < period.ends_at,
    )
    if within.machines is not None:
        ran = ran.where(
            _among(session.instrument_id, within.machines.service_ids),
            _among(place.calendar_id, within.machines.calendar_ids),
        )
    all_of_them = ran.subquery("ran")
    earlier = func.max(all_of_them.c.ends_at).over(
        partition_by=all_of_them.c.calendar_id,
        order_by=[all_of_them.c.opened_at, all_of_them.c.session_id],
        rows=(None, -1),
    )
    return select(all_of_them, func.greatest(all_of_them.c.starts_at, earlier).label("counts_from"))


def samples_run() -> ColumnElement[int]:
    """How many samples were run in a session, where somebody counted."""
    return func.coalesce(usage_session.c.samples_run, 0)


def _numbers(first: ColumnElement[int], last: ColumnElement[int], name: str) -> FromClause:
    series = func.generate_series(first, last).table_valued(column("n", Integer))
    return series.render_derived(name=name)


def _only(instrument_id: ColumnElement[int], within: Span) -> list[ColumnElement[bool]]:
    if within.machines is None:
        return []
    return [_among(instrument_id, within.machines.instrument_ids)]


def _among(value: ColumnElement[int], ids: Sequence[int]) -> ColumnElement[bool]:
    return value == func.any(literal(list(ids), ARRAY(BigInteger)))


def _minutes(count: ColumnElement[int]) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, 0, 0, count)


def _one_if(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return case((and_(*conditions), 1), else_=0)


def _inside(
    starts_at: ColumnElement[Any], ends_at: ColumnElement[Any], slices: CTE
) -> ColumnElement[int]:
    """Whole minutes of an interval inside a slice."""
    length = func.least(ends_at, slices.c.ends_at) - func.greatest(starts_at, slices.c.starts_at)
    return cast(func.greatest(extract("epoch", length), 0) / 60, BigInteger)


def _midnight(at: ColumnElement[Any]) -> ColumnElement[Any]:
    day = func.date_trunc("day", func.timezone("Asia/Shanghai", at))
    return func.timezone("Asia/Shanghai", day, type_=_INSTANT)


def _given(
    yearly: ColumnElement[int],
    starts_at: ColumnElement[Any],
    ends_at: ColumnElement[Any],
    slices: Any,
) -> ColumnElement[int]:
    """`rules.machine_hours.quota_minutes`: what the year has given, until the end less before."""

    def until(at: ColumnElement[Any]) -> ColumnElement[int]:
        passed = cast(extract("epoch", at - slices.year_starts_at) / 60, BigInteger)
        found: ColumnElement[int] = yearly * passed // slices.year_minutes
        return found

    return cast(until(ends_at) - until(starts_at), BigInteger)


def _effective(purpose: ColumnElement[str], slices: CTE) -> ColumnElement[bool]:
    return or_(
        purpose.in_(SERVICE),
        and_(purpose == Purpose.MAINTENANCE, slices.c.maintenance),
        and_(purpose == Purpose.TEST_RUN, slices.c.test_run),
    )
