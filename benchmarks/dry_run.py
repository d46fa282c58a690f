"""What a dry run of a rule change costs beside a plain aggregate of the same past orders.

The limit is one grouped sum over the programme's redemptions by size, region, kind of service and
provider: the same table with only its "before". The ratio travels between machines, the seconds do
not. The dry run reckons every order twice, by the rules that quote and settle vouchers.

    python -m benchmarks.dry_run [--orders 1000000] [--without 200000] [--smes 10000]
        [--providers 500]

Runs on a PostgreSQL of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import statistics
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
from sqlalchemy import text

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.migrate import migrate_async
from marketplace.kernel.time import SetClock
from marketplace.vouchers.queries import programme
from marketplace.vouchers.queries.dry_runs import DryRunFound, PastOrders, dry_run
from marketplace.vouchers.rules.limits import Cap, CapScope
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.use_cases import DraftProgramme, LayerPlan, draft_programme

YEAR = 2025
ROUNDS = 3
AT_ONCE = 250_000
ACTOR = system_actor("benchmark")

# Rows that nothing else of the platform reads: what they refer to is not asked for.
FILL = """
set session_replication_role = replica;
insert into legal_entity (uscc, name, region_code, kind, capital, registered_by, registered_at)
  select 'E' || lpad(n::text, 17, '0'), 'entity ' || n, '320100', 'company', 'social', 1, now()
  from generate_series(1, {smes} + {providers}) n;
insert into organisation (legal_entity_id, kind, name, region_code, registered_by, registered_at)
  select (select min(id) from legal_entity where name like 'entity %') + n - 1,
    case when n <= {smes} then 'sme' else 'provider' end,
    case when n <= {smes} then 'sme ' else 'provider ' end || n,
    '32' || lpad((1 + n % 13)::text, 2, '0') || '00', 1, now()
  from generate_series(1, {smes} + {providers}) n;
insert into sme_profile (organisation_id, year, staff, sales_fen, assets_fen, filed_by, filed_at)
  select id, {year}, 1 + id % 500, 1000000000, 1000000000, 1, now()
  from organisation where kind = 'sme';
insert into voucher_grant (programme_id, organisation_id, application_id, amount_fen, valid_until,
  status, granted_by, granted_at, terms_version)
  select {programme}, id, id, 10000000, '{year}-12-31', 'active', 1, now(), 1
  from organisation where kind = 'sme';
insert into grant_part (grant_id, layer_id, amount_fen)
  select g.id, l.id, 5000000 from voucher_grant g join programme_layer l using (programme_id);
"""
ORDERS = """
with past as (
  select n, $3 + abs(hashint8(n)) % {smes} as grant_id,
    $4 + abs(hashint8(n * 7919)) % {providers} as provider_id,
    1000 + abs(hashint8(n * 31)) % 200000 as fen,
    date '{year}-01-01' + (n * 365 / {orders})::integer as day,
    (array['research', 'testing', 'computing', 'pilot'])[1 + n % 4] as kind
  from generate_series($1::bigint, $2::bigint) n
), held as (
  insert into voucher_hold (order_id, grant_id, provider_id, instrument_id, service_kind,
    service_value_fen, amount_fen, settled_fen, status, held_at, ended_at, terms_version,
    counted_year)
  select n, grant_id, provider_id, 1 + n % 20000, kind, fen, fen / 2, fen / 2, 'settled', day,
    day, 1, {year}
  from past
)
insert into redemption (order_id, grant_id, provider_id, service_value_fen, amount_fen, redeemed_on)
  select n, grant_id, provider_id, fen, fen / 2, day from past
"""
# Services of the same SMEs that no voucher paid for: whom a wider rule would let in.
WITHOUT = """
with past as (
  select n, $3 + abs(hashint8(n)) % {smes} as buyer_id,
    $4 + abs(hashint8(n * 7919)) % {providers} as provider_id,
    1000 + abs(hashint8(n * 31)) % 200000 as fen,
    timestamptz '{year}-01-01 04:00+00' + (n * 364 / {without}) * interval '1 day' as at,
    (array['research', 'testing', 'computing', 'pilot'])[1 + n % 4] as kind
  from generate_series($1::bigint, $2::bigint) n
), asked as (
  insert into quote (id, buyer_id, provider_id, instrument_id, mode, samples, customer_class,
    service_kind, price_list_id, lines, total_fen, voucher_fen, own_fen, explanation, terms,
    valid_until, made_by, made_at, priced_on)
  overriding system value
  select n, buyer_id, provider_id, 1 + n % 20000, 'samples', 1, 'sme', kind, 1, '[]', fen, 0, fen,
    '{{}}', '{{}}', at + interval '1 day', 1, at, at::date
  from past
)
insert into service_order (id, quote_id, buyer_id, provider_id, buyer_legal_entity_id,
  provider_legal_entity_id, instrument_id, title, mode, status, total_fen, voucher_fen, own_fen,
  placed_by, placed_at, ended_at, settled_fen, settled_voucher_fen, settled_own_fen)
overriding system value
select 100000000 + n, n, buyer_id, provider_id, 1, 2, 1 + n % 20000, '', 'samples', 'settled', fen,
  0, fen, 1, at, at, fen, 0, fen
from past
"""
PLAIN = """
select case when p.staff <= 20 then 20 when p.staff <= 100 then 100 when p.staff <= 300 then 300
    else 500 end,
  left(o.region_code, 4), h.service_kind, r.provider_id, count(*), sum(r.service_value_fen),
  sum(r.amount_fen)
from redemption r
join voucher_grant g on g.id = r.grant_id
join voucher_hold h on h.order_id = r.order_id and h.grant_id = r.grant_id and h.status = 'settled'
join organisation o on o.id = g.organisation_id
join sme_profile p on p.organisation_id = o.id and p.year = {year}
where g.programme_id = {programme}
group by 1, 2, 3, 4
"""


async def fill(plain: asyncpg.Connection, names: dict[str, int]) -> None:
    """A year of redeemed orders, and whose they are."""
    await plain.execute(FILL.format(**names))
    grant = await plain.fetchval("select min(id) from voucher_grant")
    provider = await plain.fetchval("select min(id) from organisation where kind = 'provider'")
    for start in range(0, names["orders"], AT_ONCE):
        end = min(start + AT_ONCE, names["orders"]) - 1
        await plain.execute(ORDERS.format(**names), start, end, grant, provider)
    buyer = await plain.fetchval("select min(id) from organisation where kind = 'sme'")
    for start in range(0, names["without"], AT_ONCE):
        end = min(start + AT_ONCE, names["without"]) - 1
        await plain.execute(WITHOUT.format(**names), start + 1, end + 1, buyer, provider)
    await plain.execute("set session_replication_role = origin")
    await plain.execute("vacuum analyze")


async def a_programme(database: Database) -> int:
    """A programme of the province and all its cities."""
    layers = (LayerPlan("province", "320000", 10**12), LayerPlan("city", "320000", 10**12))
    command = DraftProgramme(
        "创新券", "Vouchers", YEAR, date(YEAR, 1, 1), date(YEAR, 12, 15), layers
    )
    return (await atomically(database, draft_programme, command, actor=ACTOR)).id


async def plain_aggregate(database: Database, names: dict[str, int]) -> float:
    """Seconds of the grouped sum, the middle of some rounds."""
    figures = []
    async with database.engine.connect() as connection:
        for _ in range(ROUNDS + 1):
            began = time.perf_counter()
            (await connection.execute(text(PLAIN.format(**names)))).all()
            figures.append(time.perf_counter() - began)
    return statistics.median(figures[1:])


async def tried(database: Database, programme_id: int, **changes: object) -> DryRunFound:
    """A dry run under the programme's terms with changes."""

    async def reckon(tx: Tx, _: None) -> DryRunFound:
        before: Terms = (await programme(tx, programme_id)).agreed
        after = dataclasses.replace(before, **changes)  # type: ignore[arg-type]
        asked = PastOrders(programme_id, date(YEAR, 1, 1), date(YEAR, 12, 31))
        return await dry_run(tx, asked, before, after)

    return await atomically(database, reckon, None, actor=ACTOR)


def most_memory() -> str:
    """The most private memory that this process had since `forget_most`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return f"{int(line.split()[1]) / 1024:.0f} MB"
    return "not readable"


def forget_most() -> None:
    """Let the highest memory count anew."""
    Path("/proc/self/clear_refs").write_text("5")


async def measure(url: str, *, orders: int, without: int, smes: int, providers: int) -> None:
    """Run everything and print it."""
    await migrate_async(url)
    database = Database(
        url,
        pool_size=2,
        statement_timeout_seconds=600,
        clock=SetClock(datetime(YEAR, 12, 31, 2, tzinfo=UTC)),
    )
    plain = await asyncpg.connect(url.replace("+asyncpg", ""))
    names = {
        "orders": orders,
        "without": max(1, without),
        "smes": smes,
        "providers": providers,
        "year": YEAR,
    }
    names["programme"] = await a_programme(database)
    began = time.perf_counter()
    await fill(plain, names)
    version = await plain.fetchval("show server_version")
    print(
        f"{orders:,} past orders and {without:,} without a voucher, of {smes:,} SMEs and"
        f" {providers:,} providers, made in"
        f" {time.perf_counter() - began:.0f} s; {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}; PostgreSQL {version}\n"
    )
    limit = await plain_aggregate(database, names)
    print(f"{'':<44} {'s':>8} {'of limit':>9} {'CPU s':>7}   memory")
    print(f"{'plain aggregate (the limit)':<44} {limit:>8.3f} {1:>9.2f}")
    by_instrument = (Cap(CapScope.INSTRUMENT_YEAR, 5_000_000),)
    for name, changes in {
        "dry run of a cap per order": {"cap_per_order_fen": 50_000},
        "dry run of a cap per instrument": {"caps": by_instrument},
    }.items():
        forget_most()
        began, cpu = time.perf_counter(), time.process_time()
        found = await tried(database, names["programme"], **changes)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        if (found.total.orders, found.let_in.seen) != (orders, names["without"]):
            raise AssertionError(f"{found.total.orders} and {found.let_in.seen} orders were read")
        print(
            f"{name:<44} {seconds:>8.3f} {seconds / limit:>9.2f} {used:>7.1f}   {most_memory()}",
            flush=True,
        )
    await plain.close()
    await database.close()


def main() -> int:
    """Start a server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000, help="past orders")
    parser.add_argument("--without", type=int, default=200_000, help="orders without a voucher")
    parser.add_argument("--smes", type=int, default=10_000)
    parser.add_argument("--providers", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedPostgres(Path(name) / "pg", options={"shared_buffers": "256MB"})
        try:
            asyncio.run(
                measure(
                    server.start(),
                    orders=max(1_000, min(asked.orders, 20_000_000)),
                    without=max(1, min(asked.without, 20_000_000)),
                    smes=max(10, asked.smes),
                    providers=max(1, asked.providers),
                )
            )
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
