"""What the detectors look at, read from the database a set at a time: prices, hours, samples."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Date, bindparam

from marketplace.kernel.db import Tx
from marketplace.vouchers.queries.guard_facts import (
    service_of,
    service_of_text,
    statement,
)
from marketplace.vouchers.rules.guards_records import (
    ListedPrice,
    MachineDay,
    SampleTimes,
    SessionSpan,
    UnitPrice,
)

_LISTED = """
select * from (
  select $service, s.price_list_id, s.service_value_fen as charged_fen,
    greatest(ceil(p.amount_fen * $quantity), p.minimum_fen)::bigint as listed_fen
  from guard_focus s
  join price p on p.price_list_id = s.price_list_id and p.customer_class = s.customer_class
    and p.unit = $unit
) s where listed_fen > 0 and charged_fen * 100 > listed_fen * :above
"""


async def listed_prices(tx: Tx, above_percent: int) -> list[ListedPrice]:
    """Services in focus that cost far more than their own list asks."""
    rows = await tx.execute(statement(_LISTED), {"above": above_percent})
    return [
        ListedPrice(service_of(row), row.price_list_id, row.charged_fen, row.listed_fen)
        for row in rows
    ]


_OUTLIERS = """
with priced as materialized (
  select $service, s.category_code, $unit as unit,
    s.service_value_fen / ($quantity)::float8 as unit_price,
    ln(s.service_value_fen / ($quantity)::float8) as price_log
  from redeemed_service s
  where s.category_code in (select category_code from guard_focus)
    and s.redeemed_on > :through - $price_days and s.service_value_fen > 0
    and $quantity > 0
),
middle as (
  select category_code, unit, count(*) as orders,
    percentile_cont(0.5) within group (order by price_log) as median
  from priced group by 1, 2 having count(*) >= :orders_min
),
spread as (
  select m.category_code, m.unit, m.orders, m.median,
    percentile_cont(0.5) within group (order by abs(p.price_log - m.median)) as mad
  from middle m join priced p using (category_code, unit) group by 1, 2, 3, 4
)
select s.*, d.median, d.mad, d.orders
from priced s join spread d using (category_code, unit)
where (s.price_log - d.median) * 100 >= :deviations * $mad_to_deviation * greatest(d.mad, $mad_min)
  and s.order_id in (select order_id from guard_focus)
"""


async def unit_prices(tx: Tx, through: date, terms: Any) -> list[UnitPrice]:
    """Unit prices in focus far above the middle of their category in the year up to `through`."""
    rows = await tx.execute(
        statement(_OUTLIERS).bindparams(bindparam("through", type_=Date)),
        {
            "through": through,
            "orders_min": terms.orders_min,
            "deviations": terms.deviations_percent,
        },
    )
    return [
        UnitPrice(
            service_of(row),
            row.category_code,
            row.unit,
            row.unit_price,
            row.median,
            row.mad,
            row.orders,
        )
        for row in rows
    ]


_IMPOSSIBLE = """
select $service, $span
from guard_focus s join usage_session u on u.reservation_id = s.reservation_id
where u.closed_at is not null
  and u.actual_minutes > extract(epoch from u.closed_at - u.opened_at) / 60 + :tolerance
"""


async def impossible_spans(tx: Tx, tolerance_minutes: int) -> list[SessionSpan]:
    """Sessions in focus with more minutes than passed."""
    rows = await tx.execute(statement(_IMPOSSIBLE), {"tolerance": tolerance_minutes})
    return [_span(row) for row in rows]


# Beginnings and ends in order, counted up and down: where the count passes the limit, too much
# runs at once.
_CROWDED = """
with own as materialized (
  select u.id, u.operator_id, u.opened_at, u.closed_at
  from usage_session u
  where u.closed_at is not null and u.opened_how = 'person'
    and u.operator_id in (
      select x.operator_id from guard_focus f
      join usage_session x on x.reservation_id = f.reservation_id)
    and u.opened_at >= (select min(x.opened_at) from guard_focus f
      join usage_session x on x.reservation_id = f.reservation_id) - interval '$session_days days'
),
step as (
  select operator_id, opened_at as at, 1 as way, id from own
  union all select operator_id, closed_at, -1, id from own
),
crowd as (
  select operator_id, at from (
    select operator_id, at, way,
      sum(way) over (partition by operator_id order by at, way, id) as running
    from step) t
  where way = 1 and running > :allowed
)
select $service, $span
from usage_session u
left join redeemed_service s on s.reservation_id = u.reservation_id
where u.id in (
  select o.id from crowd c join own o on o.operator_id = c.operator_id
    and o.opened_at <= c.at and o.closed_at > c.at)
order by u.operator_id, u.opened_at
"""


async def crowded_spans(tx: Tx, sessions_max: int) -> list[SessionSpan]:
    """Sessions of operators in focus at moments at which they ran more than anybody can."""
    rows = await tx.execute(statement(_CROWDED), {"allowed": sessions_max})
    return [_span(row) for row in rows]


def _span(row: Any) -> SessionSpan:
    return SessionSpan(
        service=None if row.order_id is None else service_of(row),
        session_id=row.session_id,
        instrument_id=row.instrument_id,
        operator_id=row.operator_id,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        actual_minutes=row.actual_minutes,
    )


# Days with hours of their own are left to the person who looks at the day.
_DAYS = """
with focus_day as (
  select distinct u.instrument_id, (u.opened_at at time zone 'Asia/Shanghai')::date as day
  from guard_focus f join usage_session u on u.reservation_id = f.reservation_id
  where u.closed_at is not null
),
run as (
  select d.instrument_id, d.day,
    sum(least(u.actual_minutes, extract(epoch from
      least(u.closed_at, (d.day + 1)::timestamp at time zone 'Asia/Shanghai')
      - greatest(u.opened_at, d.day::timestamp at time zone 'Asia/Shanghai')) / 60))::integer
      as run_minutes,
    array_agg(u.reservation_id) as reservation_ids
  from focus_day d
  join usage_session u on u.instrument_id = d.instrument_id and u.closed_at is not null
    and u.opened_at < (d.day + 1)::timestamp at time zone 'Asia/Shanghai'
    and u.opened_at > (d.day - $session_days)::timestamp at time zone 'Asia/Shanghai'
    and u.closed_at > d.day::timestamp at time zone 'Asia/Shanghai'
  group by 1, 2
),
hours as (
  select instrument_id, weekday, sum(closes_minute - opens_minute)::integer as minutes
  from opening_hours group by 1, 2
)
select r.instrument_id, r.day, r.run_minutes,
  coalesce(h.minutes, 0) * coalesce(b.seats, 1) as open_minutes,
  array(select (s.order_id, s.redemption_id, s.grant_id, s.claim_id, s.buyer_id,
                s.provider_id)::text
        from redeemed_service s where s.reservation_id = any (r.reservation_ids)
        limit $shown_max) as services
from run r
left join hours h on h.instrument_id = r.instrument_id
  and h.weekday = extract(isodow from r.day)::integer - 1
left join booking_rule b on b.instrument_id = r.instrument_id
where r.run_minutes > coalesce(h.minutes, 0) * coalesce(b.seats, 1) + :tolerance
  and exists (select from opening_hours o where o.instrument_id = r.instrument_id)
  and not exists (select from dated_hours d
                  where d.instrument_id = r.instrument_id and d.day = r.day)
"""


async def machine_days(tx: Tx, tolerance_minutes: int) -> list[MachineDay]:
    """Days of instruments in focus on which they ran longer than they were open."""
    rows = await tx.execute(statement(_DAYS), {"tolerance": tolerance_minutes})
    return [
        MachineDay(
            row.instrument_id,
            row.day,
            row.run_minutes,
            row.open_minutes,
            tuple(service_of_text(each) for each in row.services),
        )
        for row in rows
    ]


_SAMPLES = """
select $service, p.received_at, d.result_at
from guard_focus s
join sample_set p on p.order_id = s.order_id and p.received_at is not null
join lateral (
  select min(least(d.stored_at, p.tested_at)) as result_at
  from deliverable d where d.order_id = s.order_id
) d on d.result_at + make_interval(mins => :tolerance) < p.received_at
"""


async def sample_times(tx: Tx, tolerance_minutes: int) -> list[SampleTimes]:
    """Orders in focus whose result is older than their samples."""
    rows = await tx.execute(statement(_SAMPLES), {"tolerance": tolerance_minutes})
    return [SampleTimes(service_of(row), row.received_at, row.result_at) for row in rows]
