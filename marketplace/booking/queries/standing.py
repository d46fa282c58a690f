"""What stands against a person before they reserve: one statement, two where a quota limits them.

Where quotas apply, the first statement locks each of them for its subject and period, in one order
for everybody, until the transaction ends; only then are the sums read. Two reservations that would
pass a quota together so come one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Text, bindparam, text
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.booking.queries.quota_sums import used, words
from marketplace.booking.queries.reservations import driver_range
from marketplace.booking.rules.operators import Operator
from marketplace.booking.rules.quotas import (
    Measure,
    Period,
    QuotaUse,
    Subject,
    spans_touched,
)
from marketplace.booking.rules.schedule import Hours, Schedule
from marketplace.booking.rules.standing import Qualified, Standing, StandingAsked, Suspended
from marketplace.booking.rules.states import LIVE, Status
from marketplace.booking.rules.training import TrainingStatus
from marketplace.kernel.db import Prepared, Tx
from marketplace.kernel.time import During

# The quotas that limit who asks, each once for every period that the reservation touches.
_APPLYING = """
    select q.id, q.provider_id, q.instrument_id, q.subject, q.user_class, q.period, q.measure,
           q.peak_only, q.at_most, p.starts_at, p.ends_at,
           case q.subject when 'person' then :person_id else :organisation_id end as subject_id
      from quota q
      join unnest(:periods, cast(:period_starts as timestamptz[]),
                  cast(:period_ends as timestamptz[])) as p(period, starts_at, ends_at)
        on p.period = q.period
     where q.provider_id = :provider_id
       and (q.instrument_id is null or q.instrument_id = :instrument_id)
       and (q.user_class is null or q.user_class = :user_class)
       and q.ended_at is null
"""


# What was offered to the very organisation that asks is no reason against its reservation.
_OWN_OFFER = f"""(r.status = '{Status.OFFERED}' and r.instrument_id = :instrument_id
                  and r.organisation_id = :organisation_id and r.during = :during)"""


def _operators(instrument_id: str, provider_id: str, *, own_offer: str = "false") -> str:
    """The operators of an instrument as JSON: each with hours, absences and what they attend."""
    return f"""
    select json_agg(json_build_array(
             o.person_id,
             (select json_agg(json_build_array(h.weekday, h.opens_minute, h.closes_minute))
                from operator_hours h
               where h.person_id = o.person_id and h.provider_id = {provider_id}),
             (select json_agg(json_build_array(lower(a.during), upper(a.during)))
                from operator_absence a
               where a.person_id = o.person_id and a.during && :operators_within
                 and a.withdrawn_at is null),
             (select json_agg(json_build_array(lower(r.during), upper(r.during)))
                from reservation r
               where r.operator_id = o.person_id and r.during && :operators_within
                 and r.id is distinct from :except_id and not {own_offer}
                 and r.status in ({words(LIVE)}))
           ) order by o.person_id)
      from operator o
     where o.instrument_id = {instrument_id}
    """  # noqa: S608 the states are written in the rules


_TYPES: dict[Any, str] = {
    BigInteger: "instrument_id provider_id person_id organisation_id except_id",
    Text: "user_class",
    DateTime(timezone=True): "now",
    TSTZRANGE: "during operators_within",
    # Instants as text: for arrays of others the driver would ask the server first.
    ARRAY(Text): "periods period_starts period_ends",
    ARRAY(BigInteger): "instrument_ids provider_ids",
    Boolean: "lock with_operators",
}


def _prepared(sql: str) -> Prepared:
    named = [
        bindparam(name, type_=kind)
        for kind, names in _TYPES.items()
        for name in names.split()
        if re.search(rf":{name}\b", sql)
    ]
    return Prepared(text(sql).bindparams(*named))


# A key is taken once, and the smallest first: who waits for one holds none that comes after it.
_WHO = _prepared(
    f"""
    with keys as materialized (
      select distinct hashtextextended(
               concat_ws(':', 'quota', id, subject_id, extract(epoch from case period
                 when 'open' then null else starts_at end)), 0) as key
        from ({_APPLYING}) as applying
    ), locked as materialized (
      select case when :lock then pg_advisory_xact_lock(key) end
        from (select key from keys order by key offset 0) as in_order
    )
    select (select count(*) from locked) as quotas,
           (select s.ends_at
              from suspension s
             where s.person_id = :person_id and s.starts_at <= :now and s.ends_at > :now
               and s.lifted_at is null) as suspended_until,
           (select json_build_array(q.valid_until)
              from qualification q
             where q.instrument_id = :instrument_id and q.person_id = :person_id
               and q.revoked_at is null) as qualified,
           (select t.status
              from training_request t
             where t.instrument_id = :instrument_id and t.person_id = :person_id
               and t.status in ('asked', 'scheduled')) as training,
           exists (
             select from operator o
              where o.instrument_id = :instrument_id and o.person_id = :person_id
           ) as is_operator,
           case when :with_operators then (
             {_operators(":instrument_id", ":provider_id", own_offer=_OWN_OFFER)}
           ) end as operators
    """  # noqa: S608 every value is bound
)


def _used(subject: str) -> str:
    """What `subject` uses, without what the reservation is itself: it moves, or takes an offer."""
    return used(
        f"""r.{subject}_id = a.subject_id
         and r.id is distinct from :except_id
         and not {_OWN_OFFER}"""
    )


_USES = _prepared(
    f"""
    select a.*, case a.subject when 'person' then {_used("person")}
                               else {_used("organisation")} end as used
      from ({_APPLYING}) as a
     order by a.id, a.starts_at
    """  # noqa: S608 every value is bound
)


async def standing(tx: Tx, asked: StandingAsked, *, lock: bool = True) -> Standing:
    """What stands against `asked`; nothing at all for upkeep, without a statement.

    With `lock`, the quotas that apply stay locked until the transaction ends.
    """
    if asked.is_upkeep:
        return Standing()
    values = _values(tx, asked, lock=lock)
    (who,) = await tx.fetch(_WHO, values)
    suspended_until = who["suspended_until"]
    return Standing(
        suspended=None if suspended_until is None else Suspended(suspended_until),
        qualified=None if who["qualified"] is None else Qualified(_instant(who["qualified"][0])),
        is_operator=who["is_operator"],
        training=None if who["training"] is None else TrainingStatus(who["training"]),
        quotas=tuple(map(quota_use, await tx.fetch(_USES, values))) if who["quotas"] else (),
        operators=tuple(_operator(*each) for each in who["operators"] or ()),
    )


async def operators_of(
    tx: Tx, found: Schedule, within: During, *, besides: int | None = None
) -> tuple[Operator, ...]:
    """The operators of an instrument, with what they do inside `within`. One statement.

    `besides` is a reservation that keeps nobody from attending it.
    """
    among = await operators_among(tx, [found], within, besides=besides)
    return among[found.instrument_id]


_AMONG = _prepared(
    f"""
    select one.instrument_id,
           ({_operators("one.instrument_id", "one.provider_id")}) as operators
      from unnest(:instrument_ids, :provider_ids) as one(instrument_id, provider_id)
    """  # noqa: S608 every value is bound
)


async def operators_among(
    tx: Tx, some: Sequence[Schedule], within: During, *, besides: int | None = None
) -> dict[int, tuple[Operator, ...]]:
    """The operators of each instrument, in one statement for any number; none for none."""
    if not some:
        return {}
    rows = await tx.fetch(
        _AMONG,
        {
            "instrument_ids": [one.instrument_id for one in some],
            "provider_ids": [one.provider_id for one in some],
            "operators_within": driver_range(within),
            "except_id": besides,
        },
    )
    return {
        row["instrument_id"]: tuple(_operator(*each) for each in row["operators"] or ())
        for row in rows
    }


def _values(tx: Tx, asked: StandingAsked, *, lock: bool) -> dict[str, Any]:
    spans = spans_touched(asked.during, at=tx.now)
    return {
        "instrument_id": asked.schedule.instrument_id,
        "provider_id": asked.schedule.provider_id,
        "person_id": asked.person_id,
        "organisation_id": asked.organisation_id,
        "user_class": asked.user_class,
        "now": tx.now,
        "during": driver_range(asked.during),
        "except_id": asked.except_id,
        "periods": [span.period.value for span in spans],
        "period_starts": [span.starts_at.isoformat() for span in spans],
        "period_ends": [span.ends_at.isoformat() for span in spans],
        "lock": lock,
        "with_operators": asked.may_be_assisted,
        "operators_within": driver_range(asked.operators_within),
    }


def quota_use(row: Any) -> QuotaUse:
    """A quota with what is used of it, from a row that has both."""
    return QuotaUse(
        quota_id=row["id"],
        instrument_id=row["instrument_id"],
        subject=Subject(row["subject"]),
        period=Period(row["period"]),
        measure=Measure(row["measure"]),
        peak_only=row["peak_only"],
        at_most=row["at_most"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        used=row["used"],
    )


def _operator(person_id: int, hours: Any, away: Any, busy: Any) -> Operator:
    return Operator(
        person_id,
        hours=tuple(Hours(*each) for each in hours or ()),
        away=tuple(_during(*each) for each in away or ()),
        busy=tuple(_during(*each) for each in busy or ()),
    )


def _during(starts_at: str, ends_at: str) -> During:
    return During(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))


def _instant(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)
