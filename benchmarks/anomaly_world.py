"""A year of honest voucher services with known fraud among them: what detectors are measured on.

The honest part holds what looks like fraud and is none: small common holders, holders of earlier
days, incubators, loyal customers, big single orders, files without a number, single no-shows. Of
each kind of fraud there are `cases`; `Truth` says which orders they are.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg

from marketplace.rulebook import rulebook
from marketplace.vouchers.rules.anomalies import AnomalyKind, Finding, SubjectKind

CAP_FEN = 1_000_000
YEAR_STARTS = "2024-03-01"
YEAR_ENDS = "2024-12-31"
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


@dataclass
class Truth:
    """Which orders (or, where there is none, organisations) each injected case is about."""

    cases: dict[AnomalyKind, list[frozenset[int]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def note(self, kind: AnomalyKind, subjects: Iterable[int]) -> None:
        """One case."""
        self.cases[kind].append(frozenset(subjects))


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


class Forger:
    """Turns honest orders into cases of fraud, and other honest ones into near misses."""

    def __init__(
        self, plain: asyncpg.Connection, services: int, cases: int, places: int, seed: int
    ) -> None:
        self._plain = plain
        self._cases = cases
        # Orders far apart from each other, machine time and samples in turn; each is used once.
        step = max(1, services // places)
        ids = range(step, services + 1, step)
        self._machine = (each - each % 10 + 1 for each in ids)
        self._samples = (each - each % 10 + 8 for each in ids)
        self._ids = itertools.count(900_001)
        self._chance = random.Random(seed)
        self.truth = Truth()

    async def forge(self) -> Truth:
        """Every kind of fraud, and its near misses."""
        for case in range(self._cases):
            await self._ties()
            await self._papers()
            await self._split()
            await self._ring()
            await self._cluster()
            await self._prices()
            await self._hours(case)
            await self._burst()
            await self._no_shows()
            await self._identities(case)
        return self.truth

    def _orders(self, number: int, *, samples: bool = False) -> list[int]:
        return list(itertools.islice(self._samples if samples else self._machine, number))

    async def _run(self, statement: str, *arguments: object) -> None:
        await self._plain.execute(statement, *arguments)

    async def _alike(self, orders: list[int], *, instrument: bool = True) -> None:
        """The others get the first order's pair, and its instrument where asked."""
        first, others = orders[0], orders[1:]
        same = ", instrument_id = f.instrument_id" if instrument else ""
        await self._run(
            "update service_order o set buyer_id = f.buyer_id, provider_id = f.provider_id,"
            " buyer_legal_entity_id = f.buyer_legal_entity_id,"
            f" provider_legal_entity_id = f.provider_legal_entity_id{same}"
            " from service_order f where f.id = $1 and o.id = any ($2)",
            first,
            others,
        )
        await self._run(
            "update redemption r set grant_id = f.grant_id, provider_id = f.provider_id,"
            " redeemed_on = f.redeemed_on from redemption f where f.id = $1 and r.id = any ($2)",
            first,
            others,
        )

    async def _entity(self, name: str) -> int:
        new = next(self._ids)
        await self._run(
            "insert into legal_entity (id, uscc, name, region_code, kind, capital,"
            " registered_by, registered_at) overriding system value"
            " values ($1::bigint, '93320000' || lpad(($1::bigint)::text, 10, '0'), $2,"
            " '320100', 'company', 'social', 1, now())",
            new,
            f"{name}{new}",
        )
        return new

    async def _hold(
        self, holder: int, held: int, basis_points: int, until: str | None = None
    ) -> None:
        await self._run(
            "insert into shareholding (legal_entity_id, holder, holder_id, basis_points,"
            " valid_from, valid_until) select $2::bigint, uscc, $1::bigint, $3::integer,"
            " '2020-01-01', $4::text::date from legal_entity where id = $1::bigint",
            holder,
            held,
            basis_points,
            until,
        )

    async def _ties(self) -> None:
        for chain, until, tied in (
            ((9_000, 8_000), None, True),
            ((6_000, 6_000), None, False),
            ((9_000, 9_000), "2023-12-31", False),
        ):
            (order,) = self._orders(1)
            row = await self._plain.fetchrow(
                "select buyer_legal_entity_id, provider_legal_entity_id from service_order"
                " where id = $1",
                order,
            )
            assert row is not None, "the order is one that was made"
            top, middle = await self._entity("控股"), await self._entity("投资")
            await self._hold(top, row[1], 7_000)
            await self._hold(top, middle, chain[0], until)
            await self._hold(middle, row[0], chain[1] - 2_000 * (not tied and until is None))
            if tied:
                self.truth.note(AnomalyKind.AFFILIATED_PARTIES, [order])

    async def _papers(self) -> None:
        for kind, document in (
            (AnomalyKind.DUPLICATE_CONTRACT, "contract"),
            (AnomalyKind.DUPLICATE_PAYMENT_PROOF, "payment-proof"),
        ):
            orders = self._orders(2)
            for shown, order in zip(("ht-{0}/07", "HT {0}—07.pdf"), orders, strict=True):
                await self._run(
                    "update claim_evidence set reference = $3 where order_id = $1 and kind = $2",
                    order,
                    document,
                    shown.format(8_000_000 + orders[0]),
                )
            self.truth.note(kind, orders)
        orders = self._orders(2)
        await self._run(
            "update deliverable d set sha256 = f.sha256 from deliverable f"
            " where f.order_id = $1 and d.order_id = $2",
            *orders,
        )
        self.truth.note(AnomalyKind.DUPLICATE_RESULT, orders)
        for slip in (True, False):
            orders = self._orders(2)
            await self._alike(orders, instrument=False)
            first = await self._plain.fetchval(
                "select number from invoice where order_id = $1", orders[0]
            )
            await self._run(
                "update invoice i set buyer_id = f.buyer_id, provider_id = f.provider_id,"
                " amount_fen = f.amount_fen, issued_on = f.issued_on,"
                " number = coalesce($3, i.number) from invoice f"
                " where f.order_id = $1 and i.order_id = $2",
                *orders,
                self._slipped(first) if slip else None,
            )
            # A slip is made over papers that are all there; else nothing was done a second time.
            if not slip:
                await self._run("delete from usage_session where id = $1", orders[1])
            self.truth.note(AnomalyKind.DUPLICATE_INVOICE, orders)

    def _slipped(self, number: str) -> str:
        """The number with one wrong digit, anywhere after the year, the region and the channel."""
        place = self._chance.randrange(5, 20)
        wrong = (int(number[place]) + self._chance.randrange(1, 10)) % 10
        return f"{number[:place]}{wrong}{number[place + 1 :]}"

    async def _split(self) -> None:
        for apart, split in ((4, True), (45, False)):
            orders = self._orders(3)
            await self._alike(orders)
            await self._run(
                "update redemption set amount_fen = $2::bigint, service_value_fen = $2::bigint * 4"
                " where id = any ($1)",
                orders,
                CAP_FEN * 9 // 10,
            )
            await self._run(
                "update service_order o set placed_at = f.placed_at + $3::integer *"
                " array_position($2::bigint[], o.id) * interval '1 day'"
                " from service_order f where f.id = $1 and o.id = any ($2)",
                orders[0],
                orders[1:],
                apart,
            )
            # What such sums pay for is a sample each that the list has a price for.
            await self._run(
                "update quote set starts_at = made_at, ends_at = made_at + make_interval(secs =>"
                " 3600.0 * $2::bigint * 4 / p.amount_fen) from price p where quote.id = any ($1)"
                " and p.price_list_id = quote.price_list_id and p.unit = 'hour'",
                orders,
                CAP_FEN * 9 // 10,
            )
            if split:
                self.truth.note(AnomalyKind.SPLIT_ORDERS, orders)

    async def _ring(self) -> None:
        """A sum goes round two to four houses, in one order or two each, within weeks.

        Each keeps a little of it, and has as much other trade again, or less.
        """
        members = [await self._entity("环") for _ in range(self._chance.randint(2, 4))]
        orders, amount = [], self._chance.randint(200_000, 900_000)
        began = self._chance.randint(30, 120)
        for place, buyer in enumerate(members):
            seller = members[(place + 1) % len(members)]
            parts = self._chance.randint(1, 2)
            for order in self._orders(parts):
                ago = began - self._chance.randint(0, 28)
                await self._between(order, buyer, seller, amount // parts, ago)
                orders.append(order)
            await self._other_trade(buyer, int(amount * self._chance.uniform(0, 1)), 1)
            amount = int(amount * self._chance.uniform(0.9, 1))
        self.truth.note(AnomalyKind.CIRCULAR_TRADE, orders)

    async def _cluster(self) -> None:
        """Four honest houses in one park that have each other do what they cannot do themselves:
        a third of their trade, all over the year."""
        members = [await self._entity("园") for _ in range(4)]
        for buyer in members:
            for seller in self._chance.sample([each for each in members if each != buyer], 2):
                (order,) = self._orders(1)
                amount = int(60_000 * self._chance.lognormvariate(0, 0.7))
                await self._between(order, buyer, seller, amount, self._chance.randint(1, 300))
            await self._other_trade(buyer, 250_000, 4)

    async def _other_trade(self, entity: int, amount: int, orders: int) -> None:
        """The house buys from others and sells to others, all over the half year."""
        for order in self._orders(orders):
            ago = self._chance.randint(1, 179)
            await self._between(order, entity, None, amount // orders + 1, ago)
        for order in self._orders(orders):
            ago = self._chance.randint(1, 179)
            await self._between(order, None, entity, amount // orders + 1, ago)

    async def _between(
        self, order: int, buyer: int | None, seller: int | None, amount: int, days_ago: int
    ) -> None:
        """Change who bought the service of whom (None: who it was), for how much and when."""
        await self._run(
            "update service_order set buyer_legal_entity_id = coalesce($2, buyer_legal_entity_id),"
            " provider_legal_entity_id = coalesce($3, provider_legal_entity_id) where id = $1",
            order,
            buyer,
            seller,
        )
        await self._run(
            "update redemption set service_value_fen = $2::bigint, amount_fen = $2::bigint / 4,"
            " redeemed_on = $3::text::date - $4::integer where id = $1",
            order,
            amount,
            YEAR_ENDS,
            days_ago,
        )
        # So long that its own list asks as much.
        await self._run(
            "update quote set starts_at = made_at, ends_at = made_at + make_interval(secs"
            " => 3600.0 * $2::bigint / p.amount_fen) from price p where quote.id = $1"
            " and p.price_list_id = quote.price_list_id and p.unit = 'hour'",
            order,
            amount,
        )

    async def _prices(self) -> None:
        for kind, factor, own_list in (
            (AnomalyKind.PRICE_ABOVE_LIST, 2, False),
            (AnomalyKind.PRICE_OUTLIER, 40, True),
        ):
            (order,) = self._orders(1)
            await self._run(
                "update redemption set service_value_fen = service_value_fen * $2::integer"
                " where id = $1",
                order,
                factor,
            )
            if own_list:
                await self._run("update quote set price_list_id = 999999999 where id = $1", order)
            self.truth.note(kind, [order])

    async def _hours(self, case: int) -> None:
        (order,) = self._orders(1)
        await self._run(
            "update usage_session set actual_minutes = actual_minutes + 300 where id = $1", order
        )
        self.truth.note(AnomalyKind.SESSION_IMPOSSIBLE, [order])
        orders = self._orders(5)
        await self._run(
            "update usage_session s set opened_at = f.opened_at, closed_at = f.closed_at,"
            " actual_minutes = f.actual_minutes, test_minutes = 0, operator_id = $3"
            " from usage_session f where f.id = $1 and s.id = any ($2)",
            orders[0],
            orders,
            5_000_000 + case,
        )
        self.truth.note(AnomalyKind.OPERATOR_OVERLAP, orders)
        (order,) = self._orders(1)
        await self._run(
            "update usage_session set opened_at = date_trunc('day', opened_at at time zone"
            " 'Asia/Shanghai') at time zone 'Asia/Shanghai' + interval '10 minutes',"
            " closed_at = date_trunc('day', opened_at at time zone 'Asia/Shanghai')"
            " at time zone 'Asia/Shanghai' + interval '1430 minutes', actual_minutes = 1420"
            " where id = $1",
            order,
        )
        self.truth.note(AnomalyKind.HOURS_ABOVE_OPENING, [order])
        (order,) = self._orders(1, samples=True)
        await self._run(
            "update deliverable d set stored_at = s.received_at - interval '1 day'"
            " from sample_set s where s.order_id = $1 and d.order_id = $1",
            order,
        )
        self.truth.note(AnomalyKind.RESULT_BEFORE_SAMPLES, [order])

    async def _burst(self) -> None:
        orders = self._orders(4)
        await self._alike(orders, instrument=False)
        await self._run(
            "update redemption set redeemed_on = $2::text::date - 2 where id = any ($1)",
            orders,
            YEAR_ENDS,
        )
        await self._run(
            "update voucher_grant g set amount_fen = s.fen from"
            " (select grant_id, sum(amount_fen) as fen from redemption where id = any ($1)"
            "  group by 1) s where g.id = s.grant_id",
            orders,
        )
        self.truth.note(AnomalyKind.BURST_BEFORE_EXPIRY, orders)

    async def _no_shows(self) -> None:
        for number in (2, 1):
            orders = self._orders(number)
            await self._alike(orders, instrument=False)
            await self._run(
                "update redemption set redeemed_on = $2::text::date - 60 where id = any ($1)",
                orders,
                YEAR_ENDS,
            )
            await self._run("update reservation set status = 'no_show' where id = any ($1)", orders)
            await self._run("delete from usage_session where id = any ($1)", orders)
            if number > 1:
                self.truth.note(AnomalyKind.SETTLED_NO_SHOW, orders)

    async def _identities(self, case: int) -> None:
        for first, number in ((100_001 + case * 20, 5), (100_011 + case * 20, 3)):
            ids = list(range(first, first + number))
            await self._run(
                "update legal_entity set address = case when id % 2 = 0 then $2 else $3 end"
                " where id = any ($1)",
                ids,
                f"软件大道{first}号 A座",
                f"软件大道 {first}号Ａ座",
            )
            if number > 3:
                self.truth.note(AnomalyKind.SHARED_IDENTITY, ids)


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
