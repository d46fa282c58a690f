"""What groups bought from each other, and what orders took of the money that caps limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, Integer, Text, bindparam, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.kernel.db import Tx
from marketplace.parties.queries import group_names
from marketplace.rulebook.guards import Rings, SplitOrders
from marketplace.vouchers import tables
from marketplace.vouchers.queries.guard_facts import service_of, set_by_set, statement
from marketplace.vouchers.queries.programmes import FIRST_VERSION
from marketplace.vouchers.rules.limits import CapScope
from marketplace.vouchers.rules.rings import Dealing, Trade
from marketplace.vouchers.rules.splitting import CappedPart
from marketplace.vouchers.rules.terms import Terms, terms_of

# Only sales that are a given part of what their buyer bought and of what their provider sold: the
# others make no ring, and honest trade between large houses is almost all of them.
_TRADES = """
with named as (select * from unnest(:ids, :groups) as given (id, group_id)),
trade as materialized (
  select coalesce(b.group_id, o.buyer_legal_entity_id) as buyer_group,
    coalesce(p.group_id, o.provider_legal_entity_id) as provider_group,
    r.id as redemption_id, r.service_value_fen
  from redemption r
  join service_order o on o.id = r.order_id
  left join named b on b.id = o.buyer_legal_entity_id
  left join named p on p.id = o.provider_legal_entity_id
  where r.redeemed_on > :through - cast(:days as integer) and r.redeemed_on <= :through
    and r.excluded_at is null
),
bought as (
  select buyer_group as id, sum(service_value_fen) as fen from trade
  where buyer_group <> provider_group group by 1
),
sold as (
  select provider_group as id, sum(service_value_fen) as fen from trade
  where buyer_group <> provider_group group by 1
),
leg as (
  select t.buyer_group, t.provider_group, greatest(b.fen, p.fen)::bigint as whole_fen
  from (
    select buyer_group, provider_group, sum(service_value_fen) as fen from trade
    where buyer_group <> provider_group
      and buyer_group in (select id from sold) and provider_group in (select id from bought)
    group by 1, 2
  ) t
  join bought b on b.id = t.buyer_group
  join sold p on p.id = t.provider_group
  where t.fen * 10000 >= greatest(b.fen, p.fen) * cast(:share as integer)
)
select l.buyer_group, l.provider_group, l.whole_fen, s.service_value_fen as amount_fen,
  s.redeemed_on, $service
from leg l
join trade t using (buyer_group, provider_group)
join redeemed_service s using (redemption_id)
order by l.buyer_group, l.provider_group, s.redeemed_on, s.redemption_id
"""


async def trades(tx: Tx, through: date, terms: Rings) -> list[Trade]:
    """Sales between groups that both buy and sell, in the days up to `through`, if they are much
    of what either side trades."""
    names = await group_names(tx, through)
    rows = await set_by_set(
        tx,
        statement(_TRADES).bindparams(
            bindparam("ids", type_=ARRAY(BigInteger)),
            bindparam("groups", type_=ARRAY(BigInteger)),
            bindparam("through", type_=Date),
        ),
        {
            "ids": list(names),
            "groups": list(names.values()),
            "through": through,
            "days": terms.window_days,
            "share": terms.suspect.share_basis_points,
        },
    )
    dealings: dict[tuple[int, int, int], list[Dealing]] = defaultdict(list)
    for row in rows:
        dealings[row.buyer_group, row.provider_group, row.whole_fen].append(
            Dealing(row.redeemed_on, row.amount_fen, service_of(row))
        )
    return [Trade(*key, tuple(each)) for key, each in dealings.items()]


@dataclass(frozen=True, slots=True)
class _CapRow:
    """A cap on one funder's part (empty: on all), for one kind of buyer under one version."""

    programme_id: int
    terms_version: int
    beneficiary: str
    first_use: bool
    scope: CapScope
    funder: str
    cap_fen: int


# What one SME may hold unspent limits no order, and nobody is trained in two halves.
_SCOPES = tuple(scope for scope in CapScope if scope not in (CapScope.HELD, CapScope.PERSON))


async def _caps(tx: Tx) -> list[_CapRow]:
    """The caps under which the services in focus were paid, the lowest of each kind."""
    under = (await tx.execute(text(_UNDER))).all()
    terms = await _all_terms(tx, {row.programme_id for row in under})
    caps = []
    for row in under:
        of_version = terms.get((row.programme_id, row.terms_version))
        if of_version is None:
            continue
        lowest: dict[tuple[CapScope, str], int] = {}
        for scope in _SCOPES:
            for cap in of_version.caps_on(
                scope, beneficiary=row.beneficiary, first_use=row.first_use
            ):
                if cap.service_kinds:
                    continue
                key = scope, cap.funder or ""
                lowest[key] = min(cap.amount_fen, lowest.get(key, cap.amount_fen))
        caps += [
            _CapRow(
                row.programme_id,
                row.terms_version,
                row.beneficiary,
                row.first_use,
                scope,
                funder,
                fen,
            )
            for (scope, funder), fen in lowest.items()
        ]
    return caps


async def _all_terms(tx: Tx, programme_ids: Collection[int]) -> dict[tuple[int, int], Terms]:
    """Every version of programmes' terms, by programme and version."""
    first, later = tables.programme.c, tables.programme_version.c
    rows = await tx.execute(
        select(first.id, literal(FIRST_VERSION).label("version"), first.terms)
        .where(first.id.in_(programme_ids))
        .union_all(
            select(later.programme_id, later.version, later.terms).where(
                later.programme_id.in_(programme_ids), later.status == "approved"
            )
        )
    )
    return {(row.id, row.version): terms_of(row.terms) for row in rows}


_UNDER = """
select distinct g.programme_id, coalesce(h.terms_version, g.terms_version) as terms_version,
  g.beneficiary, coalesce(h.first_use, false) as first_use
from guard_focus f
join voucher_grant g on g.id = f.grant_id
left join voucher_hold h on h.order_id = f.order_id and h.grant_id = f.grant_id
  and h.status <> 'released'
"""
# Orders of the buyers and providers in focus, and their part of each cap. Left out first is what
# can be near no cap: small orders of pairs whose whole trade is below two pieces of the lowest one.
# What a cap adds up is then filled as a whole: what stays far below the cap all its life is nowhere
# near it in a month.
_CAPPED = """
with cap as materialized (
  select * from unnest(:programme_id, :terms_version, :beneficiary, :first_use, :scope, :funder,
      :cap_fen)
    as c (programme_id, terms_version, beneficiary, first_use, scope, funder, cap_fen)
),
named as (select * from unnest(:ids, :groups) as given (id, group_id)),
concerned as materialized (
  select distinct coalesce(n.group_id, f.buyer_legal_entity_id) as buyer_group, f.provider_id
  from guard_focus f left join named n on n.id = f.buyer_legal_entity_id
),
paid as materialized (
  select r.id as redemption_id, o.buyer_id, o.provider_id, o.instrument_id, r.order_id,
    r.grant_id, r.amount_fen, g.application_id, g.programme_id, g.beneficiary,
    coalesce(n.group_id, o.buyer_legal_entity_id) as buyer_group,
    coalesce(h.first_use, false) as first_use,
    coalesce(h.terms_version, g.terms_version) as terms_version,
    (o.placed_at at time zone 'Asia/Shanghai')::date as placed_on,
    coalesce(h.counted_year,
      extract(year from o.placed_at at time zone 'Asia/Shanghai')::integer) as year
  from redemption r
  join service_order o on o.id = r.order_id
  join voucher_grant g on g.id = r.grant_id
  left join named n on n.id = o.buyer_legal_entity_id
  left join voucher_hold h on h.order_id = r.order_id and h.grant_id = r.grant_id
    and h.status <> 'released'
  where r.excluded_at is null
    and (coalesce(n.group_id, o.buyer_legal_entity_id), o.provider_id)
      in (select buyer_group, provider_id from concerned)
),
large as (
  select buyer_group, provider_id from paid group by 1, 2
  having sum(amount_fen) * 10000
    >= 2 * cast(:near as integer) * (select min(cap_fen) from cap where scope <> 'order')
),
kept as materialized (
  select * from paid
  where amount_fen * 10000
      >= cast(:near as integer) * (select min(cap_fen) from cap where scope = 'order')
    or (buyer_group, provider_id) in (select buyer_group, provider_id from large)
),
part as materialized (
  select k.*, '' as funder from kept k
  union all
  select p.redemption_id, p.buyer_id, p.provider_id, p.instrument_id, p.order_id, p.grant_id,
    x.amount_fen, p.application_id, p.programme_id, p.beneficiary, p.buyer_group, p.first_use,
    p.terms_version, p.placed_on, p.year, l.funder
  from kept p
  join redemption_part x on x.redemption_id = p.redemption_id
  join programme_layer l on l.id = x.layer_id
  where exists (select from cap where cap.funder <> '')
),
capped as (
  select p.redemption_id, p.placed_on, p.amount_fen, c.scope, c.funder, c.cap_fen,
    case when c.scope in ('order', 'application', 'grant')
      then array[p.programme_id, p.buyer_id, p.provider_id, p.instrument_id]
      else array[p.programme_id, p.buyer_group, p.provider_id,
        case when c.scope = 'instrument-year' then 0 else p.instrument_id end]
    end as unit,
    case c.scope when 'order' then array[p.order_id]
      when 'application' then array[p.application_id]
      when 'grant' then array[p.grant_id]
      when 'sme-year' then array[p.year, p.buyer_id]
      when 'group-year' then array[p.year]
      else array[p.year, p.instrument_id] end as piece
  from part p
  join cap c using (programme_id, terms_version, beneficiary, first_use, funder)
  where c.scope <> 'order' or p.amount_fen < c.cap_fen
    and p.amount_fen * 10000 >= c.cap_fen * cast(:near as integer)
),
filled as (
  select scope, funder, unit, piece from capped
  group by 1, 2, 3, 4 having sum(amount_fen) * 10000 >= min(cap_fen) * cast(:near as integer)
),
several as (
  select scope, funder, unit from filled group by 1, 2, 3 having count(*) > 1
)
select c.scope, c.funder, c.unit, c.piece, c.placed_on, c.amount_fen as part_fen, c.cap_fen,
  $service
from capped c
join several using (scope, funder, unit)
join redeemed_service s using (redemption_id)
"""


async def capped_parts(tx: Tx, through: date, terms: SplitOrders) -> list[CappedPart]:
    """What orders took of money under any cap of their terms, where several pieces come near it."""
    caps = await _caps(tx)
    names = await group_names(tx, through)
    types: dict[str, Any] = {
        "programme_id": BigInteger,
        "terms_version": Integer,
        "beneficiary": Text,
        "first_use": Boolean,
        "scope": Text,
        "funder": Text,
        "cap_fen": BigInteger,
    }
    rows = await set_by_set(
        tx,
        statement(_CAPPED).bindparams(
            bindparam("ids", type_=ARRAY(BigInteger)),
            bindparam("groups", type_=ARRAY(BigInteger)),
            *(bindparam(name, type_=ARRAY(kind)) for name, kind in types.items()),
        ),
        {
            "ids": list(names),
            "groups": list(names.values()),
            "near": terms.near_basis_points,
            **{name: [getattr(cap, name) for cap in caps] for name in types},
        },
    )
    return [
        CappedPart(
            service_of(row),
            CapScope(row.scope),
            row.funder,
            tuple(row.unit),
            tuple(row.piece),
            row.placed_on,
            row.part_fen,
            row.cap_fen,
        )
        for row in rows
    ]
