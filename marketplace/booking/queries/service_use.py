"""Use of a provider's instruments in a period, as service records need it.

A record tells how long one service took: its own preparation, test and post-processing. Machine-
hours count a minute of a machine once; where services ran together the two differ by the overlap,
which is told beside them so that the one can be reconciled with the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
)

from marketplace.booking.queries.figures import Scope, scoped, span_of
from marketplace.booking.queries.metering import metered
from marketplace.booking.rules.machine_hours import SERVICE, Grain
from marketplace.booking.rules.metering import LOOKBACK_DAYS
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.tables import booking_rule, reservation, usage_session
from marketplace.catalogue.queries import MACHINES
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class UseAsked:
    """A provider's instruments in a period."""

    provider_id: int
    period: During


@dataclass(frozen=True, slots=True)
class OrderUse:
    """The session of an order that ended in the period: whole, also where it began before."""

    order_id: int
    instrument_id: int
    ended_at: datetime
    sessions: int
    minutes: int
    attended: bool
    needs_training: bool


@dataclass(frozen=True, slots=True)
class UseDay:
    """Use without an order on one day, of one instrument, for one purpose, by one organisation."""

    instrument_id: int
    day: date
    purpose: Purpose
    user_class: UserClass
    organisation_id: int
    last_minute: datetime
    sessions: int
    minutes: int
    attended: bool
    needs_training: bool


@dataclass(frozen=True, slots=True)
class UseTotals:
    """Minutes of the period by which records are reconciled with machine-hours.

    What sessions took inside the period: `own_minutes` without an order, `order_minutes` with one,
    `upkeep_minutes` for maintenance and test runs; together `machine_minutes + overlap_minutes`.
    `before_minutes` and `after_minutes`: sessions of orders that ended in the period took so much
    before it, and sessions that ended after it took so much inside.
    """

    machine_minutes: int
    overlap_minutes: int
    own_minutes: int
    order_minutes: int
    upkeep_minutes: int
    before_minutes: int
    after_minutes: int
    sessions_in_doubt: int


_SESSION, _PLACE = usage_session.c, reservation.c
_EFFECTIVE = _SESSION.preparation_minutes + _SESSION.test_minutes + _SESSION.post_minutes
_ATTENDED = _PLACE.operator_id.is_not(None)
_TRAINING = func.coalesce(booking_rule.c.qualification, "none") != "none"


async def order_use(tx: Tx, asked: UseAsked) -> list[OrderUse]:
    """Sessions of orders that ended in the period, summed by order.

    Policy: F.record.
    """
    return await tx.all(
        OrderUse,
        select(
            _PLACE.order_id,
            _SESSION.instrument_id,
            func.max(_SESSION.closed_at).label("ended_at"),
            func.count().label("sessions"),
            cast(func.sum(_EFFECTIVE), BigInteger).label("minutes"),
            func.bool_or(_ATTENDED).label("attended"),
            func.bool_or(_TRAINING).label("needs_training"),
        )
        .select_from(_used())
        .where(*_ended(asked), _PLACE.order_id.is_not(None))
        .group_by(_PLACE.order_id, _SESSION.instrument_id)
        .order_by(_PLACE.order_id),
    )


async def use_days(tx: Tx, asked: UseAsked) -> list[UseDay]:
    """Use without an order for research, teaching or others, by day: days on which something ran.

    Policy: F.record.
    """
    facts = await _facts(tx, asked, Grain.DAY)
    parts = facts.c
    keys = (
        parts.instrument_id,
        parts.bucket,
        parts.purpose,
        parts.user_class,
        _PLACE.organisation_id,
    )
    day_ends = func.timezone("Asia/Shanghai", parts.bucket + cast(literal(1), Integer))
    last_minute = func.least(
        func.max(_SESSION.closed_at), func.max(day_ends) - func.make_interval(0, 0, 0, 0, 0, 1)
    )
    ran = func.sum(parts.minutes + parts.overlap_minutes)
    rows = await tx.execute(
        select(
            parts.instrument_id,
            parts.bucket.label("day"),
            parts.purpose,
            parts.user_class,
            _PLACE.organisation_id,
            last_minute.label("last_minute"),
            func.count(parts.session_id.distinct()).label("sessions"),
            cast(ran, BigInteger).label("minutes"),
            func.bool_or(_ATTENDED).label("attended"),
            func.bool_or(_TRAINING).label("needs_training"),
        )
        .select_from(_with_session(facts))
        .where(_PLACE.order_id.is_(None), parts.purpose.in_(SERVICE))
        .group_by(*keys)
        .having(ran > 0)
        .order_by(*keys)
    )
    return [
        UseDay(
            **{
                **row,
                "purpose": Purpose(row["purpose"]),
                "user_class": UserClass(row["user_class"]),
            }
        )
        for row in rows.mappings()
    ]


async def use_totals(tx: Tx, asked: UseAsked) -> UseTotals:
    """The sums by which service records are reconciled with machine-hours.

    Policy: F.hours, F.record.
    """
    facts = await _facts(tx, asked, Grain.TOTAL)
    parts, period = facts.c, asked.period
    ran = parts.minutes + parts.overlap_minutes
    ordered = _PLACE.order_id.is_not(None)
    service = parts.purpose.in_(SERVICE)
    inside = await tx.execute(
        select(
            _sum(parts.minutes).label("machine_minutes"),
            _sum(parts.overlap_minutes).label("overlap_minutes"),
            _sum(ran, ~ordered, service).label("own_minutes"),
            _sum(ran, ordered).label("order_minutes"),
            _sum(ran, ~ordered, ~service).label("upkeep_minutes"),
            _sum(ran, ordered, _SESSION.closed_at >= period.ends_at).label("after_minutes"),
            _sum(ran, ordered, _SESSION.closed_at < period.ends_at).label("ended_inside"),
        ).select_from(_with_session(facts))
    )
    sums = dict(inside.mappings().one())
    whole = await tx.scalar(
        select(func.coalesce(func.sum(_EFFECTIVE), 0))
        .select_from(_used())
        .where(*_ended(asked), ordered)
    )
    in_doubt = await tx.scalar(
        select(func.count())
        .select_from(_used())
        .where(
            _PLACE.provider_id == asked.provider_id,
            _SESSION.instrument_id.in_(_own(asked)),
            _SESSION.opened_at < period.ends_at,
            or_(
                _SESSION.closed_at.is_(None),
                and_(_SESSION.problem.is_not(None), _SESSION.closed_at > period.starts_at),
            ),
        )
    )
    ended_inside = sums.pop("ended_inside")
    return UseTotals(**sums, before_minutes=whole - ended_inside, sessions_in_doubt=in_doubt)


async def _facts(tx: Tx, asked: UseAsked, grain: Grain) -> Any:
    scope = Scope(asked.period, provider_id=asked.provider_id)
    facts = metered(await span_of(tx, scope, grain)).cte("facts")
    chosen: Select[Any] = scoped(facts, scope, "minutes", "overlap_minutes")
    return chosen.add_columns(facts.c.session_id).cte("parts")


def _with_session(facts: Any) -> Any:
    return (
        facts.join(usage_session, _SESSION.id == facts.c.session_id)
        .join(reservation, _PLACE.id == _SESSION.reservation_id)
        .outerjoin(booking_rule, booking_rule.c.instrument_id == _SESSION.instrument_id)
    )


def _used() -> Any:
    return usage_session.join(reservation, _PLACE.id == _SESSION.reservation_id).outerjoin(
        booking_rule, booking_rule.c.instrument_id == _SESSION.instrument_id
    )


def _own(asked: UseAsked) -> Select[Any]:
    machine = MACHINES.subquery("machine").c
    return select(machine.instrument_id).where(machine.provider_id == asked.provider_id)


def _ended(asked: UseAsked) -> list[ColumnElement[bool]]:
    """Sessions that ended in the period, and of which nobody doubts when."""
    period = asked.period
    lookback = func.make_interval(0, 0, 0, LOOKBACK_DAYS)
    return [
        _PLACE.provider_id == asked.provider_id,
        _SESSION.instrument_id.in_(_own(asked)),
        _SESSION.problem.is_(None),
        _SESSION.opened_at >= literal(period.starts_at) - lookback,
        _SESSION.opened_at < period.ends_at,
        _SESSION.closed_at >= period.starts_at,
        _SESSION.closed_at < period.ends_at,
    ]


def _sum(value: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    total: ColumnElement[Any] = func.sum(value)
    if conditions:
        total = func.sum(value).filter(*conditions)
    return cast(func.coalesce(total, 0), BigInteger)
