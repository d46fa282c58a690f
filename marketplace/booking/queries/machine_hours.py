"""Machine-hours from closed sessions, computed where the sessions lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, bindparam, text

from marketplace.booking.rules.states import Purpose
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.parties.roles import SEES_EVERYTHING, Role


@dataclass(frozen=True, slots=True)
class MachineMinutesAsked:
    """Whose machine-hours of which period; None asks for all."""

    period: During
    instrument_ids: tuple[int, ...] | None = None
    provider_id: int | None = None
    by_month: bool = False


@dataclass(frozen=True, slots=True)
class MachineMinutes:
    """Effective minutes of one instrument for one purpose, in one month when asked by month."""

    instrument_id: int
    provider_id: int
    purpose: Purpose
    month: date | None
    minutes: int


@dataclass(frozen=True, slots=True)
class MachineHours:
    """A page of machine-hours."""

    asked: MachineMinutesAsked
    page: int = 1
    page_size: int = 200


@dataclass(frozen=True, slots=True)
class MachineHoursFound:
    """The rows of one page, how many there are in all, and what all of them sum to."""

    rows: list[MachineMinutes]
    total: int
    total_minutes: int


# The same rule as `rules.metering.machine_minutes`, for any number of sessions: each minute of an
# instrument belongs to the session that was opened first, so a session counts from where the
# earlier ones end. No session is longer than 60 days, so none that began before can reach in.
_MINUTES = """
    with ran as (
      select s.id, s.instrument_id, r.provider_id, r.purpose, s.opened_at,
             date_trunc('minute', s.opened_at) as starts_at,
             date_trunc('minute', s.opened_at) + make_interval(
               mins => s.preparation_minutes + s.test_minutes + s.post_minutes) as ends_at
        from usage_session s
        join reservation r on r.id = s.reservation_id
       where s.closed_at is not null and s.problem is null
         and s.opened_at >= cast(:starts_at as timestamptz) - interval '60 days'
         and s.opened_at < :ends_at
         and (cast(:instrument_ids as bigint[]) is null or s.instrument_id = any(:instrument_ids))
         and (cast(:provider_id as bigint) is null or r.provider_id = :provider_id)
    ), counted as (
      select ran.*,
             greatest(starts_at, max(ends_at) over (
               partition by instrument_id order by opened_at, id
               rows between unbounded preceding and 1 preceding)) as counts_from
        from ran
    ), clipped as (
      select id, instrument_id, provider_id, purpose,
             greatest(counts_from, :starts_at) as starts_at,
             least(ends_at, :ends_at) as ends_at
        from counted
       where counts_from < ends_at and counts_from < :ends_at and ends_at > :starts_at
    ), months as (
      select clipped.*, month
        from clipped
       cross join lateral generate_series(
         date_trunc('month', starts_at at time zone 'Asia/Shanghai'),
         (ends_at - interval '1 microsecond') at time zone 'Asia/Shanghai',
         interval '1 month') as month
       where cast(:by_month as boolean)
      union all
      select clipped.*, null from clipped where not cast(:by_month as boolean)
    ), summed as (
    select instrument_id, provider_id, purpose, cast(month as date) as month,
           cast(sum(extract(epoch from
             least(ends_at, coalesce((month + interval '1 month') at time zone 'Asia/Shanghai',
                                     ends_at))
             - greatest(starts_at, coalesce(month at time zone 'Asia/Shanghai', starts_at))
           )) / 60 as bigint) as minutes
      from months
     group by instrument_id, provider_id, purpose, month
    )
"""
_BOUND = (
    bindparam("starts_at", type_=DateTime(timezone=True)),
    bindparam("ends_at", type_=DateTime(timezone=True)),
    bindparam("instrument_ids", type_=ARRAY(BigInteger)),
    bindparam("provider_id", type_=BigInteger),
    bindparam("by_month", type_=Boolean),
)
_ALL = text(
    f"{_MINUTES} select * from summed order by instrument_id, month, purpose"  # noqa: S608 bound
).bindparams(*_BOUND)
_PAGE = text(
    f"""{_MINUTES}
    select summed.*, count(*) over () as total, cast(sum(minutes) over () as bigint) as whole
      from summed
     order by instrument_id, month, purpose
     limit :limit offset :offset
    """  # noqa: S608 every value is bound
).bindparams(*_BOUND)


async def machine_minutes(tx: Tx, asked: MachineMinutesAsked) -> list[MachineMinutes]:
    """Effective minutes by instrument and purpose, overlaps counted once, clipped to the period.

    Sessions that wait in the problem queue do not count: nobody vouches for their length yet.

    Policy: F.hours.
    """
    rows = await tx.execute(_ALL, _bound(asked))
    return [_row(row) for row in rows.mappings()]


async def machine_hours(tx: Tx, search: MachineHours) -> MachineHoursFound:
    """A page of machine-minutes by instrument, month and purpose, and the sum of all pages.

    A provider sees its own; whose role it is to see everything sees all.
    """
    asked = search.asked
    if not tx.actor.has(Role.EVALUATOR, *SEES_EVERYTHING):
        asked = replace(asked, provider_id=tx.actor.organisation_id)
    page = {
        "limit": search.page_size,
        "offset": (search.page - 1) * search.page_size,
    }
    rows = (await tx.execute(_PAGE, {**_bound(asked), **page})).mappings().all()
    return MachineHoursFound(
        rows=[
            _row({name: row[name] for name in MachineMinutes.__dataclass_fields__}) for row in rows
        ],
        total=rows[0]["total"] if rows else 0,
        total_minutes=rows[0]["whole"] if rows else 0,
    )


def _bound(asked: MachineMinutesAsked) -> dict[str, Any]:
    ids = asked.instrument_ids
    return {
        "starts_at": asked.period.starts_at,
        "ends_at": asked.period.ends_at,
        "instrument_ids": None if ids is None else list(ids),
        "provider_id": asked.provider_id,
        "by_month": asked.by_month,
    }


def _row(row: Mapping[Any, Any]) -> MachineMinutes:
    return MachineMinutes(**{**row, "purpose": Purpose(row["purpose"])})
