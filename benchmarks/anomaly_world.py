"""A year of honest voucher services with known fraud among them: what detectors are measured on.

The honest part holds what looks like fraud and is none: universities that hold companies which buy
from other universities, houses that are each other's loyal customers, parks whose laboratories
serve each other, invoices of one sum and day with numbers that follow each other, small common
holders, holders of earlier days, incubators, big single orders, files without a number, single
no-shows. Of each kind of fraud there are `cases`; `Truth` says which orders they are.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from benchmarks.anomaly_forger import CAP_FEN, YEAR_ENDS, Forger, Truth
from marketplace.rulebook import rulebook
from marketplace.vouchers.rules.anomalies import AnomalyKind, Finding, SubjectKind

YEAR_STARTS = "2024-03-01"
DAYS = 300
CATEGORIES = 5

PARTIES = """
set session_replication_role = replica;
insert into person (id, email, name, password_hash, password_changed_at, registered_at)
  overriding system value
  select n, 'p' || n || '@example.com', '操作员' || n, 'x', now(), now()
  from generate_series(2, {operators} + 2) n;
insert into legal_entity (id, uscc, name, region_code, kind, capital, legal_representative,
    address, phone, registered_by, registered_at)
  overriding system value
  select n, '91320000' || lpad(n::text, 10, '0'), '单位' || n, '320100', 'company', 'social',
    '代表' || n, '南京市中山路' || n || '号', '025-' || lpad(n::text, 8, '0'), 1, now()
  from generate_series(1001, 1000 + {providers}) n
  union all
  select n, '92320000' || lpad(n::text, 10, '0'), '企业' || n, '320100', 'company', 'social',
    '法人' || n, '苏州市人民路' || n || '号', '0512-' || lpad(n::text, 8, '0'), 1, now()
  from generate_series(100001, 100000 + {smes}) n;
insert into organisation (id, legal_entity_id, kind, name, region_code, registered_by,
    registered_at)
  overriding system value
  select id, id, case when id > 100000 then 'sme' else 'provider' end, name, '320100', 1, now()
  from legal_entity where id > 1000;
-- Four SMEs of ten were founded by a university or institute that holds most of them: such houses
-- buy through many hands from each other, and sell to each other.
insert into shareholding (legal_entity_id, holder, holder_id, basis_points, valid_from)
  select s.id, p.uscc, p.id, 5100 + s.id % 49 * 100, '2015-01-01'
  from legal_entity s join legal_entity p on p.id = 1001 + (s.id - 100001) % {providers}
  where s.id > 100000 and (s.id - 100001) % 10 < 4;
insert into instrument (id, provider_id, inner_id, cstr, cname, category_code, worth_fen, funds,
    customs_supervised, kind, share_mode, condition, region_code, status, registered_at,
    changed_at, content_sha256, search)
  overriding system value
  select n, 1001 + (n - 1) % {providers}, 'I' || n, 'C' || n, '仪器' || n,
    lpad((n % {categories})::text, 6, '0'), 60000000, 'own', false, 'general', 'external',
    'normal', '320100', 'unlisted', now(), now(), sha256('x'), ''::tsvector
  from generate_series(1, {instruments}) n;
insert into opening_hours (instrument_id, weekday, opens_minute, closes_minute)
  select n, d, 480, 1080 from generate_series(1, {instruments}) n, generate_series(0, 6) d;
insert into price_list (id, instrument_id, version, cost_sheet_id, state_set, notice_ends_on,
    in_force_from, filed_by, filed_at)
  overriding system value
  select n, n, 1, 1, false, '2023-12-01', '2024-01-01', 1, now()
  from generate_series(1, {instruments}) n;
insert into price (price_list_id, customer_class, unit, amount_fen, minimum_fen, minutes_per_unit)
  select n, 'sme', u, ((20000 + n % {categories} * 9000)
    * (0.6 + abs(hashint8(n * 31)) % 1000 / 1000.0))::bigint, 0,
    case u when 'sample' then 30 end
  from generate_series(1, {instruments}) n, unnest(array['hour', 'sample']) u;
insert into programme (id, name, name_en, year, opens_on, closes_on, valid_until, terms, status,
    made_by, made_at, approved_by, approved_at)
  overriding system value
  values (1, '2024', '2024', 2024, '2024-01-01', '2024-12-01', '{ends}',
    '{terms}', 'open', 1, now(), 2, now());
insert into programme_layer (id, programme_id, funder, region_code, ratio_basis_points, budget_fen)
  overriding system value values (1, 1, 'province', '320000', 2500, 1000000000000);
insert into voucher_application (id, programme_id, organisation_id, asked_fen, purpose, status,
    checks, made_by, made_at)
  overriding system value
  select n, 1, n, 10000000, 'x', 'granted', '[]', 1, now()
  from generate_series(100001, 100000 + {smes}) n;
insert into voucher_grant (id, programme_id, organisation_id, application_id, amount_fen,
    valid_until, status, granted_by, granted_at, terms_version)
  overriding system value
  select n, 1, n, n, 10000000, '{ends}', 'active', 2, now(), 1
  from generate_series(100001, 100000 + {smes}) n;
"""

# Each instrument serves twice a day at most. Every fifth order is one of a loyal customer, who has
# the same number of samples tested each time and gets its invoices of a day one after the other;
# loyal are SMEs of the house next door, and that house's neighbour is loyal in turn. Nobody buys
# from the house that holds it.
SERVICES = """
create unlogged table made as
select n as id, 1 + n % {instruments} as instrument_id,
  1001 + (n % {instruments}) % {providers} as provider_id,
  100001 + case when k % 10 < 4 and k % {providers} = n % {instruments} % {providers}
    then (k + 1) % {smes} else k end as buyer_id,
  case when n % 10 < 7 then 'machine_time' else 'samples' end as mode,
  1 + case when n % 5 = 0 then n % {instruments} else abs(hashint8(n * 17)::bigint) end % 20
    as samples,
  60 + abs(hashint8(n * 13)::bigint) % 120 as minutes,
  (timestamp '{starts} 09:00' + make_interval(
     days => (n / {instruments} * {days} / greatest(1, {services} / {instruments}))::integer,
     hours => (n / {instruments} % 2 * 4)::integer)) at time zone 'Asia/Shanghai' as starts_at
from generate_series({first}::bigint, {last}::bigint) n
cross join lateral (
  select case when n % 5 = 0
    then (n % {instruments} + {smes} + case n % {instruments} % 2 when 0 then 1 else -1 end)
    else abs(hashint8(n)::bigint) end % {smes} as k) buyer;
alter table made add column value_fen bigint;
update made m set value_fen = ceil(p.amount_fen
    * case mode when 'samples' then samples else minutes / 60.0 end
    * case when m.id % 20 = 0 then 1.2 else 1 end)
  from price p where p.price_list_id = m.instrument_id and p.unit =
    case mode when 'samples' then 'sample' else 'hour' end;
insert into quote (id, buyer_id, provider_id, instrument_id, mode, starts_at, ends_at, samples,
    customer_class, service_kind, price_list_id, lines, total_fen, voucher_fen, own_fen,
    explanation, terms, valid_until, made_by, made_at, priced_on)
  overriding system value
  select id, buyer_id, provider_id, instrument_id, mode,
    case mode when 'machine_time' then starts_at end,
    case mode when 'machine_time' then starts_at + minutes * interval '1 minute' end,
    case mode when 'samples' then samples end, 'sme', 'research', instrument_id, '[]', value_fen,
    value_fen / 4, value_fen - value_fen / 4, '[]', '{{}}', starts_at, 1,
    starts_at - interval '1 day', starts_at::date
  from made;
insert into service_order (id, quote_id, buyer_id, provider_id, buyer_legal_entity_id,
    provider_legal_entity_id, instrument_id, title, mode, status, total_fen, voucher_fen, own_fen,
    placed_by, placed_at, ended_at, settled_fen, settled_voucher_fen, settled_own_fen,
    reservation_id)
  overriding system value
  select id, id, buyer_id, provider_id, buyer_id, provider_id, instrument_id, 'x', mode, 'settled',
    value_fen, value_fen / 4, value_fen - value_fen / 4, 2, starts_at - interval '1 day', starts_at,
    value_fen, value_fen / 4, value_fen - value_fen / 4,
    case mode when 'machine_time' then id end
  from made;
insert into reservation (id, instrument_id, provider_id, calendar_id, seat, during, blocked,
    status, organisation_id, person_id, user_class, purpose, order_id, placed_at, ended_at,
    changed_at)
  overriding system value
  select id, instrument_id, provider_id, instrument_id, 1,
    tstzrange(starts_at, starts_at + minutes * interval '1 minute'),
    tstzrange(starts_at, starts_at + minutes * interval '1 minute'), 'used', buyer_id, 2,
    'enterprise', 'external', id, starts_at - interval '1 day', starts_at, starts_at
  from made where mode = 'machine_time';
insert into usage_session (id, reservation_id, instrument_id, opened_at, closed_at,
    reserved_minutes, actual_minutes, billable_minutes, preparation_minutes, test_minutes,
    post_minutes, operator_id, opened_how, closed_how)
  overriding system value
  select id, id, instrument_id, starts_at, starts_at + minutes * interval '1 minute', minutes,
    minutes, minutes, 0, minutes, 0, 2 + instrument_id / 2, 'person', 'person'
  from made where mode = 'machine_time';
insert into sample_set (order_id, samples, description, hazards, disposal, received, received_at)
  select id, samples, 'x', '', 'return', samples, starts_at from made where mode = 'samples';
insert into redemption (id, order_id, grant_id, provider_id, service_value_fen, amount_fen,
    redeemed_on)
  overriding system value
  select id, id, buyer_id, provider_id, value_fen, least(value_fen / 4, {cap}),
    starts_at::date + 3
  from made;
insert into redemption_part (redemption_id, layer_id, amount_fen)
  select id, 1, least(value_fen / 4, {cap}) from made;
insert into claim_evidence (redemption_id, order_id, kind, sha256, reference, attached_by,
    attached_at)
  select id, id, k, encode(sha256((k || id)::bytea), 'hex'),
    case when id % 3 = 0 then k || '.pdf'
      else upper(left(k, 2)) || '-2024-' || lpad(id::text, 9, '0') end, 1, starts_at
  from made, unnest(array['contract', 'payment-proof']) k;
insert into invoice (order_id, provider_id, buyer_id, number, amount_fen, issued_on, recorded_by,
    recorded_at)
  select id, provider_id, buyer_id, '24322' || lpad((
      (starts_at::date - date '2024-01-01') * 983741237::bigint
      + case when id % 5 = 0 then instrument_id * 4177 + id / {instruments} % 2
        else 300000000 + id * 7919 % 600000000 end)::text, 15, '0'), value_fen,
    starts_at::date + 3, 1, starts_at
  from made;
insert into deliverable (order_id, name, media_type, sha256, size_bytes, stored_by, stored_at,
    content)
  select id, 'report.pdf', 'application/pdf', encode(sha256(('r' || id)::bytea), 'hex'), 1, 1,
    starts_at + interval '5 hours', '\\x00'
  from made;
drop table made;
"""
AT_ONCE = 250_000


@dataclass(frozen=True)
class Quality:
    """How many cases were found, and how many findings are cases."""

    cases: int
    found: int
    findings: int
    right: int

    @property
    def recall(self) -> float:
        """Of the cases, the part that was found."""
        return self.found / self.cases if self.cases else 1.0

    @property
    def precision(self) -> float:
        """Of the findings, the part that is a case."""
        return self.right / self.findings if self.findings else 1.0


def measured(findings: Iterable[Finding], truth: Truth) -> dict[AnomalyKind, Quality]:
    """Recall and precision of each kind."""
    by_kind: dict[AnomalyKind, list[set[int]]] = defaultdict(list)
    for each in findings:
        wanted = (
            SubjectKind.ORGANISATION
            if each.kind is AnomalyKind.SHARED_IDENTITY
            else SubjectKind.ORDER
        )
        by_kind[each.kind].append({about.id for about in each.subjects if about.kind is wanted})
    answer = {}
    for kind in AnomalyKind:
        cases, found = truth.cases.get(kind, []), by_kind[kind]
        answer[kind] = Quality(
            cases=len(cases),
            found=sum(any(case <= subjects for subjects in found) for case in cases),
            findings=len(found),
            right=sum(any(case & subjects for case in cases) for subjects in found),
        )
    return answer


def _terms() -> dict[str, Any]:
    """What the province's rulebook says, with the cap that the cases are made for."""
    terms = dict(rulebook().voucher.snapshot(date(2024, 1, 1)))
    return terms | {"cap_per_order_fen": {"value": CAP_FEN, "source": "J.gap"}}


async def build(plain: asyncpg.Connection, *, services: int, cases: int, seed: int = 1) -> Truth:
    """Fill an empty migrated database; what is true about it."""
    providers = max(20, services // 2_000)
    names = {
        "services": services,
        "providers": providers,
        "instruments": providers * 4,
        "operators": providers * 4,
        "smes": max(300, services // 50),
        "categories": CATEGORIES,
        "cap": CAP_FEN,
        "terms": json.dumps(_terms(), ensure_ascii=False).replace("'", "''"),
        "days": DAYS,
        "starts": YEAR_STARTS,
        "ends": YEAR_ENDS,
    }
    await plain.execute(PARTIES.format(**names))
    for first in range(1, services + 1, AT_ONCE):
        last = min(first + AT_ONCE - 1, services)
        await plain.execute(SERVICES.format(first=first, last=last, **names))
    await plain.execute("analyze")
    truth = await Forger(plain, services, cases, places=cases * 150, seed=seed).forge()
    await plain.execute("set session_replication_role = origin")
    await plain.execute("vacuum analyze")
    return truth
