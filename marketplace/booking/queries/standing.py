"""What stands against a person before they reserve: one statement, two where a quota limits them.

Where quotas apply, the first statement locks each of them for its subject and period, in one order
for everybody, until the transaction ends; only then are the sums read. Two reservations that would
pass a quota together so come one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Text, bindparam, text
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.booking.queries.reservations import driver_range
from marketplace.booking.rules.operators import Operator
from marketplace.booking.rules.quotas import (
    COUNTED,
    MINUTE,
    UNCOUNTED_PURPOSES,
    Measure,
    Period,
    QuotaUse,
    Subject,
    spans_touched,
)
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX, Hours, Schedule
from marketplace.booking.rules.standing import Qualified, Standing, StandingAsked
from marketplace.booking.rules.states import LIVE, Status
from marketplace.booking.rules.training import TrainingStatus
from marketplace.kernel.db import Prepared, Tx
from marketplace.kernel.time import During


def _words(values: Sequence[str] | frozenset[Any]) -> str:
    return ", ".join(f"'{value}'" for value in sorted(values))


# The quotas that limit who asks, each once for every period that the reservation touches.
_APPLYING = """
    select q.id, q.instrument_id, q.subject, q.user_class, q.period, q.measure, q.peak_only,
           q.at_most, p.starts_at, p.ends_at,
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

_OPERATORS = f"""
    select json_agg(json_build_array(
             o.person_id,
             (select json_agg(json_build_array(h.weekday, h.opens_minute, h.closes_minute))
                from operator_hours h
               where h.person_id = o.person_id and h.provider_id = :provider_id),
             (select json_agg(json_build_array(lower(a.during), upper(a.during)))
                from operator_absence a
               where a.person_id = o.person_id and a.during && :operators_within
                 and a.withdrawn_at is null),
             (select json_agg(json_build_array(lower(r.during), upper(r.during)))
                from reservation r
               where r.operator_id = o.person_id and r.during && :operators_within
                 and r.id is distinct from :except_id
                 and r.status in ({_words(LIVE)}))
           ) order by o.person_id)
      from operator o
     where o.instrument_id = :instrument_id
"""  # noqa: S608 the states are written in the rules

_TYPES: dict[Any, str] = {
    BigInteger: "instrument_id provider_id person_id organisation_id except_id",
    Text: "user_class",
    DateTime(timezone=True): "now",
    TSTZRANGE: "during operators_within",
    # Instants as text: for arrays of others the driver would ask the server first.
    ARRAY(Text): "periods period_starts period_ends",
    Boolean: "lock with_operators",
}


def _prepared(sql: str) -> Prepared:
    named = [
        bindparam(name, type_=kind)
        for kind, names in _TYPES.items()
        for name in names.split()
        if f":{name}" in sql
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
           case when :with_operators then ({_OPERATORS}) end as operators
    """  # noqa: S608 every value is bound
)


def _counted(subject: str) -> str:
    """What counts of `subject`, each clipped to the period: read from the subject's own index.

    Nobody reserves longer than `RESERVATION_MINUTES_MAX`, so nothing that began before reaches in.
    What waits and has lapsed does not count, whether or not the worker has ended it, and neither
    does the offer that the reservation would take over.
    """
    return f"""
      select r.id, r.instrument_id,
             greatest(lower(r.during), a.starts_at) as starts_at,
             least(upper(r.during), a.ends_at) as ends_at
        from reservation r
       where r.{subject}_id = a.subject_id
         and lower(r.during) >= a.starts_at - interval '{RESERVATION_MINUTES_MAX} minutes'
         and lower(r.during) < a.ends_at
         and upper(r.during) > a.starts_at
         and r.provider_id = :provider_id
         and (a.instrument_id is null or r.instrument_id = a.instrument_id)
         and (a.user_class is null or r.user_class = a.user_class)
         and r.status in ({_words(COUNTED)})
         and (a.period <> 'open' or r.status in ({_words(LIVE)}))
         and r.purpose not in ({_words(UNCOUNTED_PURPOSES)})
         and (r.status not in ({_words(_LAPSING)}) or r.held_until > :now)
         and r.id is distinct from :except_id
         and not (r.status = '{Status.OFFERED}' and r.instrument_id = :instrument_id
                  and r.organisation_id = :organisation_id and r.during = :during)
    """  # noqa: S608 the words are written in the rules


_LAPSING = frozenset({Status.HELD, Status.OFFERED, Status.REQUESTED})

# Of a quota of peak hours only what lies in those of the reservation's own instrument.
_PIECES = """
      select c.id, c.starts_at, c.ends_at from ({counted}) as c where not a.peak_only
      union all
      select c.id, greatest(c.starts_at, peak.starts_at), least(c.ends_at, peak.ends_at)
        from ({counted}) as c
        cross join lateral generate_series(
          date_trunc('day', c.starts_at at time zone 'Asia/Shanghai'),
          (c.ends_at - interval '1 microsecond') at time zone 'Asia/Shanghai',
          interval '1 day') as day
        join weekly_hours h
          on h.instrument_id = c.instrument_id and h.kind = 'peak'
         and h.weekday = extract(isodow from day) - 1
        cross join lateral (
          select (day + make_interval(mins => h.opens_minute)) at time zone 'Asia/Shanghai',
                 (day + make_interval(mins => h.closes_minute)) at time zone 'Asia/Shanghai'
        ) as peak(starts_at, ends_at)
       where a.peak_only and peak.starts_at < c.ends_at and peak.ends_at > c.starts_at
"""


def _sum(subject: str) -> str:
    return f"""(
      select json_build_array(
               count(distinct id), extract(epoch from coalesce(sum(ends_at - starts_at), '0')))
        from ({_PIECES.format(counted=_counted(subject))}) as pieces)"""  # noqa: S608


_USES = _prepared(
    f"""
    select a.*, case a.subject when 'person' then {_sum("person")}
                               else {_sum("organisation")} end as used
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
    return Standing(
        qualified=None if who["qualified"] is None else Qualified(_instant(who["qualified"][0])),
        is_operator=who["is_operator"],
        training=None if who["training"] is None else TrainingStatus(who["training"]),
        quotas=tuple(map(_use, await tx.fetch(_USES, values))) if who["quotas"] else (),
        operators=tuple(_operator(*each) for each in who["operators"] or ()),
    )


async def operators_of(tx: Tx, found: Schedule, within: During) -> tuple[Operator, ...]:
    """The operators of an instrument, with what they do inside `within`. One statement."""
    (row,) = await tx.fetch(
        _ONLY_OPERATORS,
        {
            "instrument_id": found.instrument_id,
            "provider_id": found.provider_id,
            "operators_within": driver_range(within),
            "except_id": None,
        },
    )
    return tuple(_operator(*each) for each in row["operators"] or ())


_ONLY_OPERATORS = _prepared(f"select ({_OPERATORS}) as operators")


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


def _use(row: Any) -> QuotaUse:
    measure = Measure(row["measure"])
    reservations, seconds = row["used"]
    in_minutes = -(-timedelta(seconds=seconds) // MINUTE)
    return QuotaUse(
        quota_id=row["id"],
        instrument_id=row["instrument_id"],
        subject=Subject(row["subject"]),
        period=Period(row["period"]),
        measure=measure,
        peak_only=row["peak_only"],
        at_most=row["at_most"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        used=reservations if measure is Measure.RESERVATIONS else in_minutes,
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
