"""How figures of machine-hours are put together: facts, chosen by a scope, summed by dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    cast,
    func,
    literal,
    select,
    union_all,
)

from marketplace.booking.queries.metering import (
    ABOUT,
    QUOTA_MEASURES,
    RESERVATION_MEASURES,
    SESSION_MEASURES,
    Span,
    kept,
    machines_of,
    metered,
    quotas,
    span,
)
from marketplace.booking.rules.machine_hours import (
    MEASURES,
    Figures,
    Grain,
    HourTerms,
    slices_of,
)
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.catalogue.queries import MACHINES
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During, shanghai_day
from marketplace.parties.queries import UNITS
from marketplace.rulebook import rulebook


class Dimension(StrEnum):
    """What figures are summed by."""

    INSTRUMENT = "instrument"
    MACHINE = "machine"
    """The services of one machine together, under the instrument whose calendar they share."""
    PROVIDER = "provider"
    LEGAL_ENTITY = "legal_entity"
    PROVINCE = "province"
    """The first two digits of GB/T 2260."""
    CITY = "city"
    """The first four."""
    REGION = "region"
    """All six."""
    CATEGORY = "category"
    """The middle class of the instrument: the first four digits of its code."""
    PURPOSE = "purpose"
    USER_CLASS = "user_class"


# A machine has one quota, whatever it runs for and for whom.
WITHOUT_QUOTA = frozenset({Dimension.PURPOSE, Dimension.USER_CLASS})
_NUMBERS = frozenset(
    {Dimension.INSTRUMENT, Dimension.MACHINE, Dimension.PROVIDER, Dimension.LEGAL_ENTITY}
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose machine-hours, of which period; None asks for all. Codes may be their beginnings."""

    period: During
    instrument_ids: tuple[int, ...] | None = None
    machine_id: int | None = None
    provider_id: int | None = None
    provider_ids: tuple[int, ...] | None = None
    legal_entity_id: int | None = None
    region: str | None = None
    category: str | None = None
    purpose: Purpose | None = None
    user_class: UserClass | None = None

    @property
    def has_quota(self) -> bool:
        """Whether whole machines are asked for, and so their quotas."""
        return self.purpose is None and self.user_class is None


def terms_of_hours(period: During) -> list[HourTerms]:
    """The dated terms that hold in `period`, each with the day from which it does.

    Policy: F.quota, F.survey, F.hours.
    """
    book = rulebook().booking
    schedules = (
        book.quota_hours_general,
        book.quota_hours_special,
        book.quota_hours_national,
        book.effective_upkeep,
    )
    first = shanghai_day(period.starts_at)
    days = {first} | {term.since for schedule in schedules for term in schedule.root}
    days |= {
        term.until + timedelta(days=1)
        for schedule in schedules
        for term in schedule.root
        if term.until is not None
    }
    last = shanghai_day(period.ends_at - timedelta(microseconds=1))
    return [
        HourTerms(
            since=day,
            general_hours=book.quota_hours_general.on(day),
            special_hours=book.quota_hours_special.on(day),
            national_hours=book.quota_hours_national.on(day),
            effective_upkeep=frozenset(book.effective_upkeep.on(day)),
        )
        for day in sorted(days)
        if first <= day <= last
    ]


# What each fact adds to, by purpose where a measure is that of one purpose.
_FACT_MEASURES = (*SESSION_MEASURES, *RESERVATION_MEASURES, *QUOTA_MEASURES)
_MACHINES = MACHINES.subquery("described")
_CALENDARS = MACHINES.subquery("machines")
_UNITS = UNITS.subquery("unit")


async def span_of(tx: Tx, scope: Scope, grain: Grain) -> Span:
    """The period of a scope, cut; and its machines where it does not ask for all."""
    slices = slices_of(scope.period, grain, terms_of_hours(scope.period))
    wanted = _instruments(scope)
    if wanted is None:
        return span(slices, None)
    # Asked by themselves: with the numbers in hand, PostgreSQL reads just their sessions.
    return span(slices, await machines_of(tx, await tx.scalars(wanted)))


def scoped(facts: FromClause, scope: Scope, *measures: str) -> Select[Any]:
    """Facts of a scope: `ABOUT`, the bucket and `measures`, joined to what names them."""
    wanted: list[ColumnElement[bool]] = []
    of = facts.c
    if scope.instrument_ids is not None:
        wanted.append(of.instrument_id.in_(scope.instrument_ids))
    for name in ("provider_id", "purpose", "user_class"):
        asked = getattr(scope, name)
        if asked is not None:
            wanted.append(of[name] == asked)
    if scope.provider_ids is not None:
        wanted.append(of.provider_id.in_(scope.provider_ids))
    if scope.machine_id is not None:
        wanted.append(of.calendar_id == scope.machine_id)
    if scope.legal_entity_id is not None:
        wanted.append(_UNITS.c.legal_entity_id == scope.legal_entity_id)
    if scope.region is not None:
        wanted.append(_UNITS.c.region_code.startswith(scope.region, autoescape=True))
    if scope.category is not None:
        wanted.append(_MACHINES.c.category_code.startswith(scope.category, autoescape=True))
    return (
        select(*(of[name] for name in (*ABOUT, "bucket", *measures)))
        .join_from(facts, _MACHINES, _MACHINES.c.instrument_id == of.instrument_id)
        .join(_UNITS, _UNITS.c.organisation_id == of.provider_id)
        .where(*wanted)
    )


async def summed(
    tx: Tx, scope: Scope, by: Sequence[Dimension], grain: Grain, *, with_quota: bool = True
) -> Select[Any]:
    """Figures by bucket and dimensions: columns `bucket`, `key_…`, `name_…` and `MEASURES`.

    Sessions, reservations and quotas are facts of one shape, so whatever they are summed by, the
    sums are of the same parts.
    """
    within = await span_of(tx, scope, grain)
    facts = [
        _shaped(metered(within).cte("metered"), SESSION_MEASURES),
        _shaped(kept(within).subquery("kept_time"), RESERVATION_MEASURES),
    ]
    if with_quota:
        facts.append(_shaped(quotas(within).subquery("quota"), QUOTA_MEASURES))
    every = union_all(*facts).cte("facts")
    chosen = scoped(every, scope, *_FACT_MEASURES)
    if Dimension.MACHINE in by:
        chosen = chosen.join(_CALENDARS, _CALENDARS.c.instrument_id == every.c.calendar_id)
    keys = {one: _key(one, every) for one in by}
    return chosen.with_only_columns(
        every.c.bucket,
        *(key.label(f"key_{one}") for one, key in keys.items()),
        *(func.max(name).label(f"name_{one}") for one in by if (name := _name(one)) is not None),
        *(_measure(name, every).label(name) for name in MEASURES),
    ).group_by(every.c.bucket, *keys.values())


def figures_of(row: Mapping[Any, Any]) -> Figures:
    """The figures of a row of `summed`."""
    return Figures(**{name: row[name] for name in MEASURES})


def _instruments(scope: Scope) -> Select[Any] | None:
    """The numbers of the instruments to which a scope narrows the question, where it does.

    An instrument stays with its provider, so what a provider served ran on its instruments.
    """
    of, wanted = _MACHINES.c, list[ColumnElement[bool]]()
    if scope.instrument_ids is not None:
        wanted.append(of.instrument_id.in_(scope.instrument_ids))
    if scope.provider_id is not None:
        wanted.append(of.provider_id == scope.provider_id)
    if scope.provider_ids is not None:
        wanted.append(of.provider_id.in_(scope.provider_ids))
    if scope.category is not None:
        wanted.append(of.category_code.startswith(scope.category, autoescape=True))
    if scope.legal_entity_id is not None:
        wanted.append(_UNITS.c.legal_entity_id == scope.legal_entity_id)
    if scope.region is not None:
        wanted.append(_UNITS.c.region_code.startswith(scope.region, autoescape=True))
    if not wanted:
        return None
    return (
        select(of.instrument_id)
        .join_from(_MACHINES, _UNITS, _UNITS.c.organisation_id == of.provider_id)
        .where(*wanted)
    )


def _shaped(facts: FromClause, measures: Sequence[str]) -> Select[Any]:
    return select(
        *(facts.c[name] for name in (*ABOUT, "bucket")),
        *(
            cast(facts.c[name], BigInteger).label(name)
            if name in measures
            else cast(literal(0), BigInteger).label(name)
            for name in _FACT_MEASURES
        ),
    )


def _measure(name: str, facts: CTE) -> ColumnElement[int]:
    of_purpose = {f"{purpose}_minutes": purpose for purpose in Purpose}
    part: ColumnElement[Any]
    if name in of_purpose:
        part = func.sum(facts.c.minutes).filter(facts.c.purpose == of_purpose[name])
    else:
        part = func.sum(facts.c[name])
    return cast(func.coalesce(part, 0), BigInteger)


def _key(one: Dimension, facts: CTE) -> ColumnElement[Any]:
    region = _UNITS.c.region_code
    keys: dict[Dimension, ColumnElement[Any]] = {
        Dimension.INSTRUMENT: facts.c.instrument_id,
        Dimension.MACHINE: facts.c.calendar_id,
        Dimension.PROVIDER: facts.c.provider_id,
        Dimension.LEGAL_ENTITY: _UNITS.c.legal_entity_id,
        Dimension.PROVINCE: func.left(region, 2, type_=Text),
        Dimension.CITY: func.left(region, 4, type_=Text),
        Dimension.REGION: cast(region, Text),
        Dimension.CATEGORY: func.left(_MACHINES.c.category_code, 4, type_=Text),
        Dimension.PURPOSE: facts.c.purpose,
        Dimension.USER_CLASS: facts.c.user_class,
    }
    return keys[one]


def _name(one: Dimension) -> ColumnElement[Any] | None:
    return {
        Dimension.INSTRUMENT: _MACHINES.c.cname,
        Dimension.MACHINE: _CALENDARS.c.cname,
        Dimension.PROVIDER: _UNITS.c.name,
        Dimension.LEGAL_ENTITY: _UNITS.c.legal_entity_name,
    }.get(one)
