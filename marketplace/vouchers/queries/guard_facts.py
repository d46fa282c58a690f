"""What the detectors look at, read from the database a set at a time: trade, papers, parties.

A run first writes down the services in its focus (`focus_on`); every question starts from them and
looks for what belongs together in all that was ever redeemed. What is asked is a superset of what
the rules find: the rules decide.

The services are read through the view `redeemed_service`, which joins a redemption with its order
and its quote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from string import Template
from typing import Any

from sqlalchemy import BigInteger, Date, Executable, Row, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.kernel.db import Tx
from marketplace.parties.queries import (
    Pair,
    PairOnDay,
    affected_by_register,
    affiliations_on,
    possible_ties,
)
from marketplace.rulebook.guards import GuardSection
from marketplace.vouchers.rules.anomalies import Service
from marketplace.vouchers.rules.guards import (
    Absence,
    LastDays,
    SharedMark,
    Tie,
)
from marketplace.vouchers.rules.guards_records import MAD_MIN, MAD_TO_DEVIATION

# So many services are named with a sum over many.
SHOWN_MAX = 20
# Prices are compared with those of so many days.
PRICE_DAYS = 365
# The longest that a session may reach back.
SESSION_DAYS = 3

# What the statements have in common.
WORDS = {
    "service": "s.order_id, s.redemption_id, s.grant_id, s.claim_id, s.buyer_id, s.provider_id",
    "shown_max": SHOWN_MAX,
    "price_days": PRICE_DAYS,
    "session_days": SESSION_DAYS,
    "mad_min": MAD_MIN,
    "mad_to_deviation": MAD_TO_DEVIATION,
    "unit": "case s.mode when 'samples' then 'sample' else 'hour' end",
    "quantity": (
        "case s.mode when 'samples' then s.samples"
        " else extract(epoch from s.ends_at - s.starts_at) / 3600 end"
    ),
    "span": (
        "u.id as session_id, u.instrument_id, u.operator_id, u.opened_at, u.closed_at,"
        " u.actual_minutes"
    ),
}


def statement(template: str) -> TextClause:
    """A statement with what all of them have in common filled in."""
    return text(Template(template).substitute(WORDS))


async def set_by_set(tx: Tx, asked: Executable, given: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """The rows of a question over everything: whole sets are joined, never one row after another.

    How many documents or orders have anything in common cannot be guessed, and a nested loop over
    all of them takes for ever where the guess was one.
    """
    await tx.execute(text("set local enable_nestloop = off"))
    rows = (await tx.execute(asked, given)).all()
    await tx.execute(text("set local enable_nestloop to default"))
    return rows


@dataclass(frozen=True, slots=True)
class Focus:
    """Which services a run looks at: those of a claim, those since a day, or all."""

    claim_id: int | None = None
    since: date | None = None


_FOCUS = """
create temp table guard_focus on commit drop as
  select distinct on (order_id) *, (placed_at at time zone 'Asia/Shanghai')::date as placed_on
  from redeemed_service where {chosen} order by order_id, redemption_id
"""
_SINCE = """
  redeemed_on >= :since
  or redemption_id in (select redemption_id from claim_evidence where attached_at >= :since)
  or order_id in (
    select o.id from organisation u join service_order o on u.id in (o.buyer_id, o.provider_id)
    where u.legal_entity_id = any (:changed))
"""


async def focus_on(tx: Tx, focus: Focus) -> int:
    """Write down the services that a run looks at; how many orders they are."""
    # What a run sorts and joins is large, and it is alone; a year takes longer than a page may.
    await tx.execute(text("set local work_mem = '64MB'"))
    if focus.claim_id is None:
        await tx.execute(text("set local statement_timeout = '10min'"))
    await tx.execute(text("drop table if exists pg_temp.guard_focus"))
    if focus.claim_id is not None:
        chosen = f"claim_id = {int(focus.claim_id)}"
    elif focus.since is not None:
        changed = await affected_by_register(tx, focus.since)
        chosen = _SINCE.replace(":since", f"date '{focus.since.isoformat()}'").replace(
            ":changed", "'{" + ",".join(str(int(each)) for each in changed) + "}'::bigint[]"
        )
    else:
        chosen = "true"
    made = await tx.execute(text(_FOCUS.replace("{chosen}", chosen)))
    await tx.execute(text("create index on guard_focus (order_id)"))
    await tx.execute(text("analyze guard_focus"))
    return made.rowcount


def service_of(row: Any) -> Service:
    """The service that a row is about."""
    return Service(
        order_id=row.order_id,
        redemption_id=row.redemption_id,
        grant_id=row.grant_id,
        claim_id=row.claim_id,
        buyer_id=row.buyer_id,
        provider_id=row.provider_id,
    )


async def ties(tx: Tx) -> list[Tie]:
    """Services in focus whose parties were tied on the day of the order."""
    asked = await tx.execute(
        text(
            "select distinct buyer_legal_entity_id as one, provider_legal_entity_id as other"
            " from guard_focus"
        )
    )
    possible = await possible_ties(tx, [Pair(row.one, row.other) for row in asked])
    if not possible:
        return []
    rows = await tx.execute(
        statement(
            "select $service, s.buyer_legal_entity_id, s.provider_legal_entity_id, s.placed_on"
            " from guard_focus s join unnest(:ones, :others) p (one, other)"
            " on p.one = s.buyer_legal_entity_id and p.other = s.provider_legal_entity_id"
        ).bindparams(
            bindparam("ones", type_=ARRAY(BigInteger)),
            bindparam("others", type_=ARRAY(BigInteger)),
        ),
        {
            "ones": [each.legal_entity_id for each in possible],
            "others": [each.other_id for each in possible],
        },
    )
    services: dict[PairOnDay, list[Service]] = {}
    for row in rows:
        pair = PairOnDay(row.buyer_legal_entity_id, row.provider_legal_entity_id, row.placed_on)
        services.setdefault(pair, []).append(service_of(row))
    tied = await affiliations_on(tx, list(services))
    by_pair: dict[tuple[int, int, str, str, tuple[int, ...]], list[Service]] = {}
    for pair in sorted(services, key=lambda each: each.on):
        found = tied[pair]
        if found is not None:
            key = (
                pair.legal_entity_id,
                pair.other_id,
                str(found.kind),
                found.detail,
                found.shareholding_ids,
            )
            by_pair.setdefault(key, []).extend(services[pair])
    return [Tie(*key, tuple(found)) for key, found in by_pair.items()]


def service_of_text(given: str) -> Service:
    """The service that a row in text says."""
    order, redemption, grant, claim, buyer, provider = given.strip("()").split(",")
    return Service(
        int(order),
        int(redemption),
        int(grant),
        int(claim) if claim else None,
        int(buyer),
        int(provider),
    )


_BURSTS = """
with last as (
  select $service, s.amount_fen, s.valid_until
  from redeemed_service s
  where s.grant_id in (select grant_id from guard_focus)
    and s.redeemed_on > s.valid_until - cast(:last_days as integer)
)
select s.*, sum(s.amount_fen) over w as last_fen, g.amount_fen as granted_fen
from last s join voucher_grant g on g.id = s.grant_id
where (s.grant_id, s.provider_id) in (
  select grant_id, provider_id from last join voucher_grant v on v.id = grant_id
  group by 1, 2, v.amount_fen
  having count(*) >= :orders and sum(last.amount_fen) * 10000 >= v.amount_fen * :share)
window w as (partition by s.grant_id, s.provider_id)
order by s.grant_id, s.provider_id, s.order_id
"""


async def last_days(tx: Tx, terms: Any) -> list[LastDays]:
    """What grants in focus spent with one provider in their last days, where it is much."""
    rows = await tx.execute(
        statement(_BURSTS),
        {
            "last_days": terms.last_days,
            "orders": terms.orders,
            "share": terms.share_basis_points,
        },
    )
    by_pair: dict[tuple[int, int], list[Any]] = {}
    for row in rows:
        by_pair.setdefault((row.grant_id, row.provider_id), []).append(row)
    return [
        LastDays(
            tuple(service_of(row) for row in found),
            int(found[0].last_fen),
            found[0].granted_fen,
            found[0].valid_until,
        )
        for found in by_pair.values()
    ]


_ABSENCES = """
select $service, s.redeemed_on,
  case when s.order_status = 'no_show' or r.status = 'no_show'
    then 'Nobody came to the reservation.' else 'No session was run.' end as because
from redeemed_service s
left join reservation r on r.id = s.reservation_id
where (s.buyer_id, s.provider_id) in (
    select f.buyer_id, f.provider_id
    from guard_focus f left join reservation o on o.id = f.reservation_id
    where f.order_status = 'no_show' or o.status = 'no_show'
       or (o.id is not null
           and not exists (select from usage_session u where u.reservation_id = o.id)))
  and s.redeemed_on > :through - cast(:days as integer)
  and (s.order_status = 'no_show' or r.status = 'no_show'
       or (r.id is not null
           and not exists (select from usage_session u where u.reservation_id = r.id)))
"""


async def absences(tx: Tx, through: date, window_days: int) -> list[Absence]:
    """What pairs in focus settled without anybody having come."""
    rows = await tx.execute(
        statement(_ABSENCES).bindparams(bindparam("through", type_=Date)),
        {"through": through, "days": window_days},
    )
    return [Absence(service_of(row), row.redeemed_on, row.because) for row in rows]


_MARKS = """
with sme as (
  select o.id as organisation_id, o.legal_entity_id, e.address, e.phone, e.legal_representative
  from organisation o join legal_entity e on e.id = o.legal_entity_id
  where o.kind = 'sme' and exists (
    select from voucher_application a where a.organisation_id = o.id)
),
mark as (
  select 'address' as what, name_key(address) as key, address as shown, sme.*
  from sme where address <> ''
  union all
  select 'telephone number', regexp_replace(phone, '[^0-9]', '', 'g'), phone, sme.*
  from sme where phone <> ''
  union all
  select 'legal representative', name_key(legal_representative), legal_representative, sme.*
  from sme where legal_representative <> ''
)
select what, key, min(shown) as shown, array_agg(distinct organisation_id) as organisation_ids,
  array(select a.id from voucher_application a
        where a.organisation_id = any (array_agg(distinct mark.organisation_id))
          and a.status = 'submitted' order by a.id) as application_ids
from mark where key <> '' group by what, key
having count(distinct legal_entity_id) >= :smes
"""


async def shared_marks(tx: Tx, smes: int) -> list[SharedMark]:
    """Addresses, numbers and representatives that many SMEs with vouchers give."""
    rows = await tx.execute(text(_MARKS), {"smes": smes})
    return [
        SharedMark(
            row.what, row.key, row.shown, tuple(row.organisation_ids), tuple(row.application_ids)
        )
        for row in rows
    ]


def window_start(through: date, terms: GuardSection) -> date:
    """The first day that the next run looks at again."""
    return through - timedelta(days=terms.look_back_days.on(through))


__all__: Sequence[str] = (
    "Focus",
    "absences",
    "focus_on",
    "last_days",
    "shared_marks",
    "ties",
    "window_start",
)
