"""The month-end run settles each order as it would be settled alone, to the fen and to the line."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SetClock
from marketplace.orders.settling import accept_reviewed
from marketplace.orders.use_cases import AcceptOrder, accept_after_review
from tests.builders.booking import at_hours
from tests.builders.orders import (
    TEST,
    a_delivered_order,
    a_market,
    delivered_samples,
)
from tests.conftest import Copies, with_database

# What the books and the tables around them say, with nothing in it that depends on the order in
# which orders were settled, or on the names of who did it.
BOOKS = {
    "accounts": "select type, posted_fen, held_fen from account order by type, owner_id",
    "entries": """
        select e.kind, e.key, e.effective_on::text, e.source_kind, e.source_id,
               array_agg(a.type || ':' || p.amount_fen order by a.type)
          from entry e join posting p on p.entry_id = e.id join account a on a.id = p.account_id
         group by e.id order by e.key""",
    "ends": "select hold_id, held_fen, how, amount_fen from hold_end order by hold_id",
    "orders": """
        select id, status, settled_fen, settled_voucher_fen, settled_own_fen, ended_because
          from service_order order by id""",
    "items": """
        select order_id, position, settled_fen, settled_voucher_fen, settled_own_fen, settlement
          from order_item order by order_id, position""",
    "timeline": """
        select order_id, kind, facts from order_event where kind = 'accept' order by order_id""",
    "charges": """
        select order_id, order_position, kind, service_value_fen, voucher_fen, own_fen,
               settled_on::text, voucher_order, affiliated, counts_for_reward
          from charge_line order by order_id, order_position, kind""",
    "vouchers": "select order_id, status, settled_fen from voucher_hold order by id",
    "redemptions": """
        select r.order_id, r.service_value_fen, r.amount_fen, r.redeemed_on::text,
               array_agg(p.amount_fen order by p.layer_id)
          from redemption r join redemption_part p on p.redemption_id = r.id
         group by r.id order by r.order_id""",
    "grants": "select id, status from voucher_grant order by id",
    "sessions": "select reservation_id, settled_at is not null from usage_session order by 1",
    "audit": """
        select action, subject, subject_id, facts from audit_event
         where action in ('accept', 'redeem', 'release') order by 1, 2, 3, facts::text""",
    "told": """
        select name, payload from outbox_event
         where name in ('OrderSettled', 'VoucherRedeemed') order by 1, payload::text""",
}


async def books(database: Database) -> dict[str, list[Any]]:
    async with database.engine.connect() as connection:
        return {
            name: [tuple(row) for row in await connection.execute(text(question))]
            for name, question in BOOKS.items()
        }


async def random_orders(database: Database, seed: int, *, count: int = 8) -> list[int]:
    """Orders of two markets, with and without vouchers, by the hour and by the sample."""
    draw = random.Random(seed)
    markets = [
        await a_market(database, funds_fen=10_000_000, voucher_fen=draw.choice([30_000, 400_000])),
        await a_market(database, funds_fen=10_000_000, voucher_fen=0),
    ]
    made = []
    for day in range(count):
        market = draw.choice(markets)
        if draw.random() < 0.3:
            samples = draw.randrange(1, 8)
            order = await delivered_samples(
                market, samples=samples, tested=draw.randrange(samples + 1)
            )
        else:
            during = at_hours(2 + day, 9, 9 + draw.randrange(1, 4))
            used = draw.randrange(10, during.minutes + 1)
            order = await a_delivered_order(market, during=during, used_minutes=used)
        made.append(order.id)
    return made


async def until_all_are_due(database: Database) -> None:
    async def last(tx: Tx, _: None) -> datetime:
        ends: datetime = await tx.scalar(text("select max(review_ends_at) from service_order"))
        return ends

    ends = await atomically(database, last, None, actor=TEST)
    clock = database.clock
    assert isinstance(clock, SetClock)
    clock.set(ends + timedelta(minutes=1))


@asynccontextmanager
async def copy_of(database: Database, url: str, copies: Copies) -> AsyncIterator[Database]:
    """The same database once more, byte for byte."""
    await database.close()
    name = url.partition("?")[0].rsplit("/", 1)[1]
    await copies.copy(f"{name}_copy", of=name)
    made = Database(with_database(url, f"{name}_copy"), clock=database.clock)
    yield made
    await made.close()
    await copies.drop(f"{name}_copy")


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_many_at_once_leave_the_books_that_one_by_one_leaves(
    database, database_url, copies, seed
):
    ids = await random_orders(database, seed)
    await until_all_are_due(database)

    async with copy_of(database, database_url, copies) as alone:
        assert await accept_reviewed(database, chunk=3) == len(ids)
        for order_id in ids:
            await atomically(
                alone,
                accept_after_review,
                AcceptOrder(order_id),
                actor=system_actor("job:accept_reviewed"),
            )
        together, one_by_one = await books(database), await books(alone)

    for name in BOOKS:
        assert together[name] == one_by_one[name], name
    assert (await verify(database)).problems == []
    assert await accept_reviewed(database) == 0
