"""How fast the month-end run settles orders, beside plain SQL that writes the same rows.

    python -m benchmarks.settlement [--orders 10000] [--markets 20]

Orders for samples in many markets, each with a hold on a wallet and one on a voucher, all due at
once. The limit writes what the run wrote (entries, postings, ends of holds, charges, redemptions,
events, audit lines, and the settled orders and items) once more into the same tables without their
triggers, constraints that look elsewhere, or anything computed: set by set, one statement a table.
PostgreSQL is durable (fsync and synchronous_commit on) and shares the machine with the run; the
ratio travels between machines, the rates do not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import asyncpg

from marketplace.billing.ledger.queries import verify
from marketplace.kernel.db import Database
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.migrate import migrate_async
from marketplace.kernel.storage import DiskFiles, use_files
from marketplace.kernel.time import SetClock
from marketplace.orders.settling import accept_reviewed
from tests.builders.many_orders import many_delivered
from tests.builders.orders import a_market
from tests.conftest import MONDAY_MORNING

# Rows that the run inserts, and those that it changes.
INSERTED = (
    "entry",
    "posting",
    "hold_end",
    "charge_line",
    "redemption",
    "redemption_part",
    "order_event",
    "audit_event",
    "outbox_event",
)
CHANGED = ("service_order", "order_item", "voucher_hold", "account")


async def marks(driver: asyncpg.Connection) -> dict[str, int]:
    """How many rows each table has before the run."""
    return {table: await driver.fetchval(f"select count(*) from {table}") for table in INSERTED}


async def raw_limit(driver: asyncpg.Connection, before: dict[str, int]) -> tuple[float, int]:
    """Seconds that plain SQL takes for the same rows, and how many there are.

    Each goes to a table of the same columns and indexes that nothing refers to; the changed ones
    are changed in a copy, by their key.
    """
    rows = 0
    for table in INSERTED:
        await driver.execute(f"create table raw_{table} (like {table} including indexes)")
        await driver.execute(
            f"create temporary table new_{table} as select * from {table} offset {before[table]}"
        )
    for table in CHANGED:
        await driver.execute(f"create table raw_{table} (like {table} including indexes)")
        await driver.execute(f"insert into raw_{table} select * from {table}")
    await driver.execute("vacuum analyze")
    began = time.perf_counter()
    async with driver.transaction():
        for table in INSERTED:
            done = await driver.execute(f"insert into raw_{table} select * from new_{table}")
            rows += int(done.split()[-1])
        for table in CHANGED:
            key = "order_id, position" if table == "order_item" else "id"
            column = {
                "service_order": "status = 'settled', settled_fen = t.settled_fen",
                "order_item": "settled_fen = t.settled_fen, settlement = t.settlement",
                "voucher_hold": "status = 'settled', settled_fen = t.settled_fen",
                "account": "posted_fen = t.posted_fen, held_fen = t.held_fen",
            }[table]
            match = " and ".join(f"r.{name} = t.{name}" for name in key.split(", "))
            done = await driver.execute(
                f"update raw_{table} r set {column} from {table} t where {match}"
            )
            rows += int(done.split()[-1])
    return time.perf_counter() - began, rows


async def measure(url: str, *, orders: int, markets: int) -> None:
    """Fill, settle, write again; print the figures."""
    await migrate_async(url)
    clock = SetClock(MONDAY_MORNING)
    database = Database(url, clock=clock, statement_timeout_seconds=600)
    each = orders // markets
    for _ in range(markets):
        market = await a_market(database, funds_fen=10**9, voucher_fen=10_000_000)
        await many_delivered(market, each, samples=1)
    clock.set(clock.now() + timedelta(days=30))
    driver = await asyncpg.connect(url.replace("+asyncpg", ""))
    await driver.execute("vacuum analyze")
    before = await marks(driver)
    began = time.perf_counter()
    settled = await accept_reviewed(database)
    seconds = time.perf_counter() - began
    held = await driver.fetchval("select sum(held_fen)::bigint from account")
    raw_seconds, rows = await raw_limit(driver, before)
    problems = (await verify(database)).problems
    print(
        f"{settled:,} orders of {markets} markets settled in {seconds:.1f} s, {rows:,} rows"
        f" written; held after: {held}; ledger verified: {not problems}"
    )
    print(f"{'':28}{'s':>8}{'orders/s':>12}{'of raw':>8}")
    for name, took in (("the same rows, plain SQL", raw_seconds), ("month-end run", seconds)):
        print(f"{name:28}{took:8.2f}{settled / took:12,.0f}{raw_seconds / took:8.2f}")
    await driver.close()
    await database.close()


def main() -> None:
    """Start a PostgreSQL of its own and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--markets", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "pg", options={"shared_buffers": "256MB"})
        try:
            url = server.start()
            with use_files(DiskFiles(Path(folder) / "files")):
                load = os.getloadavg()[0]
                print(f"{os.cpu_count()} cores, load {load:.1f} before; fsync and sync commit on")
                asyncio.run(measure(url, orders=asked.orders, markets=asked.markets))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
