"""A worker is killed in the middle of settling thousands of orders; another goes on from there."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.kernel.db import Database
from marketplace.orders.settling import accept_reviewed
from tests.builders.many_orders import many_delivered
from tests.builders.orders import a_market
from tests.builders.settler_process import SettlerProcess

ORDERS = 1_600

# What each order must have once and only once when it is settled; the number of those that do not.
WRONG = """
    select count(*) filter (where o.status <> 'settled') as unsettled,
           count(*) filter (where (select count(*) from hold_end e
             where e.hold_id = o.own_hold_id and e.how = 'settled') <> 1) as own_not_once,
           count(*) filter (where (select count(*) from entry e
             where e.source_kind = 'service_order' and e.source_id = o.id) <> 1) as entries,
           count(*) filter (where (select count(*) from redemption r
             where r.order_id = o.id) <> 1) as redemptions,
           count(*) filter (where (select count(*) from charge_line c
             where c.order_id = o.id) <> 1) as charges,
           count(*) filter (where (select count(*) from order_event e
             where e.order_id = o.id and e.kind = 'accept') <> 1) as told
      from service_order o
"""


async def counted(database: Database, question: str) -> dict[str, int]:
    async with database.engine.connect() as connection:
        return dict((await connection.execute(text(question))).mappings().one())


@pytest.mark.timeout(300)
async def test_a_killed_worker_posts_nothing_twice_and_leaves_nothing_out(
    database, clock, database_url, tmp_path: Path
):
    market = await a_market(database, funds_fen=200_000_000, voucher_fen=10_000_000)
    await many_delivered(market, ORDERS, samples=1)
    clock.set(clock.now() + timedelta(days=30))

    first = SettlerProcess(database_url, clock.now(), tmp_path, number=1)
    try:
        while (await counted(database, STATUS))["settled"] == 0:
            assert first.process.poll() is None, "it ended before it was killed"
            await asyncio.sleep(0.01)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(timeout=30)
    finally:
        first.stop()
    half = (await counted(database, STATUS))["settled"]
    assert 0 < half < ORDERS

    # Two go on at once, and share what is left.
    done = await asyncio.gather(accept_reviewed(database), accept_reviewed(database))

    assert sum(done) == ORDERS - half
    assert set((await counted(database, WRONG)).values()) == {0}
    assert await counted(database, HELD) == {"held": 0}
    assert (await verify(database)).problems == []
    assert await accept_reviewed(database) == 0
    assert await counted(database, RUNS) == {"settled": ORDERS, "unfinished": 1}


STATUS = "select count(*) filter (where status = 'settled') as settled from service_order"
HELD = "select sum(held_fen)::bigint as held from account"
RUNS = """
    select sum(settled)::int as settled,
           (count(*) filter (where finished_at is null))::int as unfinished
      from settlement_run
"""
