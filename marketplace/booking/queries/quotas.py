"""Quotas: those of a provider, who has used how much, and one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Text, and_, bindparam, func, select, text, true

from marketplace.booking.queries.quota_sums import USED, pieces, used
from marketplace.booking.queries.standing import quota_use
from marketplace.booking.rules.classes import class_of
from marketplace.booking.rules.quotas import (
    END,
    Measure,
    Period,
    QuotaUse,
    Span,
    Subject,
    span_around,
    spans_touched,
)
from marketplace.booking.rules.states import UserClass
from marketplace.booking.tables import quota as table
from marketplace.booking.tables import reservation
from marketplace.catalogue.queries import visible_instrument
from marketplace.catalogue.queries.machines import MACHINES
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import During, shanghai_day
from marketplace.parties.queries import names_of_people, organisations
from marketplace.parties.roles import SEES_EVERYTHING


@dataclass(frozen=True, slots=True)
class Quota:
    """How much one person, or one organisation, may reserve in a period."""

    id: int
    provider_id: int
    instrument_id: int | None
    subject: Subject
    user_class: UserClass | None
    period: Period
    measure: Measure
    peak_only: bool
    at_most: int
    set_by: int
    set_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class QuotaSearch:
    """Which quotas to list; what is left out does not restrict."""

    instrument_id: int | None = None
    subject: Subject | None = None
    with_ended: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class QuotaPage:
    """One page of quotas, the newest first."""

    quotas: list[Quota]
    total: int


@dataclass(frozen=True, slots=True)
class QuotaUseAsked:
    """Who has used how much of a quota in the period around `day`."""

    quota_id: int
    day: date | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class SubjectUse:
    """One person or organisation, and what they used."""

    subject_id: int
    name: str
    used: int
    left: int


@dataclass(frozen=True, slots=True)
class QuotaUses:
    """A quota in one period with those who used most of it first."""

    quota: Quota
    span: Span
    uses: list[SubjectUse]
    total: int


@dataclass(frozen=True, slots=True)
class MyQuotas:
    """The caller's own quotas: for one instrument, or wherever they reserved this year."""

    instrument_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class MyQuota:
    """A quota that limits the caller, with whose instruments it is about."""

    provider_id: int
    use: QuotaUse


@dataclass(frozen=True, slots=True)
class MyQuotaPage:
    """One page of the caller's quotas."""

    quotas: list[MyQuota]
    total: int


_COLUMNS = [table.c[name] for name in Quota.__dataclass_fields__]


def made_quota(**row: Any) -> Quota:
    """A `Quota` from a row."""
    return Quota(
        **{
            **row,
            "subject": Subject(row["subject"]),
            "user_class": None if row["user_class"] is None else UserClass(row["user_class"]),
            "period": Period(row["period"]),
            "measure": Measure(row["measure"]),
        }
    )


def _visible(tx: Tx) -> Any:
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    return table.c.provider_id == tx.actor.organisation_id


async def own_quota(tx: Tx, quota_id: int) -> Quota:
    """A quota of the caller's own organisation.

    Raises:
        Missing: also when it is another provider's.
    """
    found = await tx.first(
        made_quota, select(*_COLUMNS).where(table.c.id == quota_id, _visible(tx))
    )
    if found is None:
        raise Missing("There is no such quota.")
    return found


async def quotas(tx: Tx, search: QuotaSearch) -> QuotaPage:
    """The quotas that the caller's organisation set, the newest first."""
    wanted = [_visible(tx)]
    if search.instrument_id is not None:
        wanted.append(table.c.instrument_id == search.instrument_id)
    if search.subject is not None:
        wanted.append(table.c.subject == search.subject)
    if not search.with_ended:
        wanted.append(table.c.ended_at.is_(None))
    found = await tx.all(
        made_quota,
        select(*_COLUMNS)
        .where(*wanted)
        .order_by(table.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(table).where(and_(*wanted)))
    return QuotaPage(found, total)


_USES = text(
    f"""
    with a as (
      select q.*, :starts_at as starts_at, :ends_at as ends_at from quota q where q.id = :quota_id
    ), summed as (
      select case a.subject when 'person' then pieces.person_id
                            else pieces.organisation_id end as subject_id,
             {USED} as used
        from a
        cross join lateral ({pieces("r.instrument_id = any(:instrument_ids)")}) as pieces
       group by 1, a.measure
    )
    select subject_id, used, count(*) over () as total
      from summed
     order by used desc, subject_id
     limit :limit offset :offset
    """  # noqa: S608 every value is bound
).bindparams(
    bindparam("starts_at", type_=DateTime(timezone=True)),
    bindparam("ends_at", type_=DateTime(timezone=True)),
    bindparam("now", type_=DateTime(timezone=True)),
    bindparam("instrument_ids", type_=ARRAY(BigInteger)),
)


async def quota_uses(tx: Tx, asked: QuotaUseAsked) -> QuotaUses:
    """Who has used how much of a quota in one of its periods, most first.

    Raises:
        Missing: when the quota is another provider's.
    """
    found = await own_quota(tx, asked.quota_id)
    if found.period is Period.OPEN:
        span = Span(Period.OPEN, tx.now, END)
    else:
        span = span_around(found.period, asked.day or tx.today)
    rows = await tx.execute(
        _USES,
        {
            "quota_id": found.id,
            "starts_at": span.starts_at,
            "ends_at": span.ends_at,
            "now": tx.now,
            "instrument_ids": await _instruments(tx, found),
            "limit": asked.page_size,
            "offset": (asked.page - 1) * asked.page_size,
        },
    )
    uses = rows.all()
    names = await _names(tx, found.subject, [row.subject_id for row in uses])
    return QuotaUses(
        quota=found,
        span=span,
        uses=[
            SubjectUse(
                subject_id=row.subject_id,
                name=names.get(row.subject_id, ""),
                used=row.used,
                left=max(0, found.at_most - row.used),
            )
            for row in uses
        ],
        total=uses[0].total if uses else 0,
    )


async def _instruments(tx: Tx, found: Quota) -> Sequence[int]:
    if found.instrument_id is not None:
        return [found.instrument_id]
    machines = MACHINES.subquery()
    return await tx.scalars(
        select(machines.c.instrument_id).where(machines.c.provider_id == found.provider_id)
    )


async def _names(tx: Tx, subject: Subject, ids: Sequence[int]) -> dict[int, str]:
    if subject is Subject.PERSON:
        return await names_of_people(tx, ids)
    return {each: one.name for each, one in (await organisations(tx, ids)).items()}


_MINE = text(
    f"""
    with a as (
      select q.id, q.provider_id, q.instrument_id, q.subject, q.user_class, q.period, q.measure,
             q.peak_only, q.at_most, p.starts_at, p.ends_at,
             case q.subject when 'person' then :person_id
                            else :organisation_id end as subject_id,
             count(*) over () as total
        from unnest(:provider_ids, :classes) as known(provider_id, user_class)
        join quota q on q.provider_id = known.provider_id
        join unnest(:periods, :period_starts, :period_ends) as p(period, starts_at, ends_at)
          on p.period = q.period
       where q.ended_at is null
         and (q.user_class is null or q.user_class = known.user_class)
         and (q.instrument_id is null or q.instrument_id = coalesce(:instrument_id,
                                                                    q.instrument_id))
       order by q.provider_id, q.instrument_id nulls first, q.id
       limit :limit offset :offset
    )
    select a.*, case a.subject when 'person' then {used("r.person_id = a.subject_id")}
                               else {used("r.organisation_id = a.subject_id")} end as used
      from a
     order by a.provider_id, a.instrument_id nulls first, a.id
    """  # noqa: S608 every value is bound
).bindparams(
    *(bindparam(name, type_=BigInteger) for name in ("person_id", "organisation_id")),
    bindparam("instrument_id", type_=BigInteger),
    bindparam("provider_ids", type_=ARRAY(BigInteger)),
    bindparam("now", type_=DateTime(timezone=True)),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("classes", "periods")),
    *(
        bindparam(name, type_=ARRAY(DateTime(timezone=True)))
        for name in ("period_starts", "period_ends")
    ),
)


async def my_quotas(tx: Tx, asked: MyQuotas) -> MyQuotaPage:
    """What limits the caller now: how much, how much is used and left, and until when.

    Raises:
        Missing: when there is no such instrument for the caller.
    """
    if asked.instrument_id is None:
        provider_ids = await _reserved_at(tx)
    else:
        provider_ids = [(await visible_instrument(tx, asked.instrument_id)).provider_id]
    classes = await _classes(tx, provider_ids)
    spans = spans_touched(During(tx.now, tx.now + timedelta(microseconds=1)), at=tx.now)
    rows = await tx.execute(
        _MINE,
        {
            "person_id": tx.actor.person_id,
            "organisation_id": tx.actor.organisation_id,
            "instrument_id": asked.instrument_id,
            "provider_ids": list(classes),
            "classes": list(classes.values()),
            "periods": [span.period.value for span in spans],
            "period_starts": [span.starts_at for span in spans],
            "period_ends": [span.ends_at for span in spans],
            "now": tx.now,
            "limit": asked.page_size,
            "offset": (asked.page - 1) * asked.page_size,
        },
    )
    found = rows.mappings().all()
    return MyQuotaPage(
        quotas=[MyQuota(row["provider_id"], quota_use(row)) for row in found],
        total=found[0]["total"] if found else 0,
    )


async def _reserved_at(tx: Tx) -> Sequence[int]:
    """The providers at whose instruments the caller or their organisation reserved this year."""
    began = span_around(Period.YEAR, shanghai_day(tx.now)).starts_at
    lately = func.lower(reservation.c.during) >= began
    return await tx.scalars(
        select(reservation.c.provider_id)
        .where(reservation.c.person_id == tx.actor.person_id, lately)
        .union(
            select(reservation.c.provider_id).where(
                reservation.c.organisation_id == tx.actor.organisation_id, lately
            )
        )
    )


async def _classes(tx: Tx, provider_ids: Sequence[int]) -> dict[int, UserClass]:
    """As which class of user the caller comes to each provider."""
    asks = tx.actor.organisation_id
    known = await organisations(tx, {asks, *provider_ids})
    own = known.get(asks)
    return {
        each: class_of(
            organisation_kind="" if own is None else own.kind,
            same_legal_entity=own is not None
            and known[each].legal_entity_id == own.legal_entity_id,
        )
        for each in sorted(set(provider_ids))
    }
