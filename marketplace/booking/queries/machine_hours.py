"""Machine-hours: figures by whatever one sums by, and the sessions behind one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, cast, func, literal, null, select, union_all

from marketplace.booking.queries.figures import (
    WITHOUT_QUOTA,
    Dimension,
    Scope,
    figures_of,
    scoped,
    span_of,
    summed,
)
from marketplace.booking.queries.metering import SESSION_MEASURES, metered
from marketplace.booking.rules.machine_hours import MEASURES, Figures, Grain
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.tables import reservation, usage_session
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.parties.roles import SEES_EVERYTHING, Role

READS_ALL = (Role.EVALUATOR, Role.ADMINISTRATOR, *SEES_EVERYTHING)


@dataclass(frozen=True, slots=True)
class HoursAsked:
    """Figures of a scope, summed by up to three dimensions and by stretches of the period."""

    scope: Scope
    by: tuple[Dimension, ...] = ()
    grain: Grain = Grain.TOTAL
    page: int = 1
    page_size: int = 200


@dataclass(frozen=True, slots=True)
class HoursRow:
    """The figures of one group in one stretch; `names` says what its ids are called."""

    keys: Mapping[Dimension, int | str]
    names: Mapping[Dimension, str]
    bucket: date | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class HoursFound:
    """A page of rows, how many there are, and the figures of all of them together."""

    rows: list[HoursRow]
    total: int
    figures: Figures
    has_quota: bool


@dataclass(frozen=True, slots=True)
class SessionsAsked:
    """The sessions behind a figure: the scope is that of the row."""

    scope: Scope
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class MeteredSession:
    """One session and what of it falls into the period."""

    session_id: int
    reservation_id: int
    instrument_id: int
    calendar_id: int
    provider_id: int
    organisation_id: int
    purpose: Purpose
    user_class: UserClass
    opened_at: datetime
    closed_at: datetime
    preparation_minutes: int
    test_minutes: int
    post_minutes: int
    minutes: int
    effective_minutes: int
    session_minutes: int
    idle_minutes: int
    overlap_minutes: int
    self_operated_minutes: int
    samples: int


@dataclass(frozen=True, slots=True)
class SessionsFound:
    """A page of sessions, how many there are, and the machine time of all of them."""

    rows: list[MeteredSession]
    total: int
    minutes: int
    effective_minutes: int


async def machine_hours(tx: Tx, asked: HoursAsked) -> HoursFound:
    """A page of figures, and the figures of all pages: the sums of the same parts.

    Staff of a provider see their own instruments; whose role it is to see everything sees all.

    Policy: F.hours, F.quota, F.survey.
    """
    scope = replace(asked.scope, provider_id=provider_seen(tx.actor, asked.scope.provider_id))
    return await _found(tx, scope, asked)


async def months_of_everybody(tx: Tx, period: During) -> HoursFound:
    """The machine-hours of all instruments by month: sums that anybody may know.

    Policy: F.hours
    """
    scope = Scope(period)
    return await _found(tx, scope, HoursAsked(scope, grain=Grain.MONTH))


async def _found(tx: Tx, scope: Scope, asked: HoursAsked) -> HoursFound:
    has_quota = scope.has_quota and not WITHOUT_QUOTA & set(asked.by)
    found = (await summed(tx, scope, asked.by, asked.grain, with_quota=has_quota)).cte("summed")
    names = [column.name for column in found.c]
    order = ["bucket", *(f"key_{one}" for one in asked.by)]
    page = (
        select(literal(0).label("of_all"), *found.c)
        .order_by(*(found.c[name] for name in order))
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size)
        .subquery("page")
    )
    whole = [
        cast(func.coalesce(func.sum(found.c[name]), 0), BigInteger).label(name)
        if name in MEASURES
        else cast(null(), found.c[name].type).label(name)
        for name in names
    ]
    both = union_all(
        select(*page.c), select(func.count().label("of_all"), *whole).select_from(found)
    ).subquery("both")
    # The last row sums them all: it is the only one without a stretch.
    rows = await tx.execute(
        select(both).order_by(
            both.c.bucket.asc().nulls_last(), *(both.c[name] for name in order[1:])
        )
    )
    *listed, all_of_them = rows.mappings().all()
    return HoursFound(
        rows=[_row(row, asked) for row in listed],
        total=all_of_them["of_all"],
        figures=figures_of(all_of_them),
        has_quota=has_quota,
    )


def provider_seen(actor: Actor, asked: int | None) -> int | None:
    """The provider whose hours are shown: one's own, or whichever was asked for."""
    if actor.has("system", *READS_ALL) or asked == actor.organisation_id:
        return asked
    # An organisation's own number, when others ask for another's: they find nothing there.
    return actor.organisation_id if asked is None else 0


async def sessions_behind(tx: Tx, asked: SessionsAsked) -> SessionsFound:
    """The sessions of which a figure is the sum, in the order in which they were opened.

    Policy: F.hours.
    """
    scope = replace(asked.scope, provider_id=provider_seen(tx.actor, asked.scope.provider_id))
    within = await span_of(tx, scope, Grain.TOTAL)
    facts = metered(within).cte("facts")
    own, place = usage_session.c, reservation.c
    parts = (
        scoped(facts, scope, *SESSION_MEASURES).add_columns(facts.c.session_id).subquery("parts")
    )
    sums = (
        select(
            parts.c.session_id,
            *(
                cast(func.sum(parts.c[name]), BigInteger).label(name)
                for name in SESSION_MEASURES
                if name != "sessions"
            ),
        )
        .group_by(parts.c.session_id)
        .cte("sums")
    )
    found = await tx.execute(
        select(
            *(own[name] for name in _OF_SESSION),
            place.calendar_id,
            place.provider_id,
            place.organisation_id,
            place.purpose,
            place.user_class,
            *(column for column in sums.c),
            func.count().over().label("total"),
            cast(func.sum(sums.c.minutes).over(), BigInteger).label("all_minutes"),
            cast(func.sum(sums.c.effective_minutes).over(), BigInteger).label("all_effective"),
        )
        .join_from(sums, usage_session, own.id == sums.c.session_id)
        .join(reservation, place.id == own.reservation_id)
        .order_by(own.opened_at, own.id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size)
    )
    rows = found.mappings().all()
    return SessionsFound(
        rows=[
            MeteredSession(**{name: row[name] for name in MeteredSession.__dataclass_fields__})
            for row in rows
        ],
        total=rows[0]["total"] if rows else 0,
        minutes=rows[0]["all_minutes"] if rows else 0,
        effective_minutes=rows[0]["all_effective"] if rows else 0,
    )


_OF_SESSION = (
    "reservation_id",
    "instrument_id",
    "opened_at",
    "closed_at",
    "preparation_minutes",
    "test_minutes",
    "post_minutes",
)


@dataclass(frozen=True, slots=True)
class MachineMinutesAsked:
    """Whose machine time of which period; None asks for all."""

    period: During
    instrument_ids: tuple[int, ...] | None = None
    provider_id: int | None = None
    by_month: bool = False


@dataclass(frozen=True, slots=True)
class MachineMinutes:
    """Machine time of one instrument for one purpose, in one month when asked by month.

    `effective_minutes` is what of it counts as effective by the term of its days.
    """

    instrument_id: int
    provider_id: int
    purpose: Purpose
    month: date | None
    minutes: int
    effective_minutes: int


async def machine_minutes(tx: Tx, asked: MachineMinutesAsked) -> list[MachineMinutes]:
    """Machine time by instrument and purpose, overlaps counted once, clipped to the period.

    For other domains that sum over everything; nothing is hidden from them.

    Policy: F.hours.
    """
    scope = Scope(asked.period, asked.instrument_ids, provider_id=asked.provider_id)
    grain = Grain.MONTH if asked.by_month else Grain.TOTAL
    facts = scoped(
        metered(await span_of(tx, scope, grain)).cte("facts"), scope, "minutes", "effective_minutes"
    ).subquery("chosen")
    of = facts.c
    month = of.bucket if asked.by_month else cast(null(), Date)
    keys = (of.instrument_id, of.provider_id, of.purpose)
    rows = await tx.execute(
        select(
            *keys,
            month.label("month"),
            cast(func.sum(of.minutes), BigInteger).label("minutes"),
            cast(func.sum(of.effective_minutes), BigInteger).label("effective_minutes"),
        )
        .group_by(*keys, of.bucket)
        .having(func.sum(of.minutes) > 0)
        .order_by(of.instrument_id, of.bucket, of.purpose)
    )
    return [
        MachineMinutes(**{**row, "purpose": Purpose(row["purpose"])}) for row in rows.mappings()
    ]


def _row(row: Mapping[Any, Any], asked: HoursAsked) -> HoursRow:
    return HoursRow(
        keys={one: row[f"key_{one}"] for one in asked.by},
        names={one: row[f"name_{one}"] for one in asked.by if f"name_{one}" in row},
        bucket=None if asked.grain is Grain.TOTAL else row["bucket"],
        figures=figures_of(row),
    )
