"""Whatever happens to money, in any order: bank and books are the same, and no fen is lost.

Sequences are made up by Hypothesis and played by the people whose work it is; after each step the
equations are asked of PostgreSQL, in plain SQL, and of the bank that stands beside it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url, text

from marketplace.billing.ledger.queries import verify
from marketplace.kernel.db import Database
from marketplace.kernel.time import SetClock
from tests.builders.money_bank import Bank
from tests.builders.money_world import STEPS, MoneyWorld, a_money_world
from tests.builders.owner import become_owner
from tests.builders.reconciliation import the_balancing
from tests.conftest import MONDAY_MORNING, Copies, with_database

EXAMPLES = 8
# What comes late in the life of money is tried after something to try it on.
PAID = ("settle", "draft_batch", "approve_batch", "send_batch", "bank_pays", "import", "match")
WAYS = (
    ("order", "order", *PAID),
    ("order", "claim", *["wait"] * 5, "approve_claim", *PAID[1:]),
    ("order", "draft_run", "approve_run", *PAID[1:], "comes_back", "import", "match", "again"),
    ("order", *PAID, "comes_back", "import", "match", "undo", "match", "again", "draft_batch"),
    ("order", "settle", "draft_batch", "discard_batch", "draft_batch", "approve_batch",
     "send_batch", "reject", "again"),
    ("order", "correct", "draft_run", "discard_run", "draft_run", "approve_run", "correct"),
    ("stray", "fee", "top_up", "treasury", "import", "match", "by_hand", "undo", "match"),
    ("order", "wait", "close", "close", "wait", "close", "reopen", "reopen", "import"),
)  # fmt: skip
PLAYS = st.tuples(
    st.sampled_from(WAYS),
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9)), min_size=10, max_size=20),
)

MONEY = """
with money as (
  select a.type, a.owner_id, a.normal * case when a.cached then a.posted_fen else
           coalesce((select sum(p.amount_fen) from posting p where p.account_id = a.id), 0) end
         as fen
  from account a)
"""
# Each answers with rows only where something is wrong.
ALWAYS = {
    "trial balance": "select ledger from posting group by 1 having sum(amount_fen) <> 0",
    "entries balance": "select entry_id from posting group by 1 having sum(amount_fen) <> 0",
    "cached balances": """
        select a.id from account a where a.cached and a.posted_fen <> (
          select coalesce(sum(p.amount_fen), 0) from posting p where p.account_id = a.id)""",
    "held is what open holds say": """
        select a.id from account a where a.cached and a.held_fen <> (
          select coalesce(sum(h.amount_fen), 0) from hold h where h.account_id = a.id
             and not exists (select from hold_end e where e.hold_id = h.id))""",
    "the bank's account is its statements": f"""{MONEY}
        select fen from money where type = 'bank'
           and fen <> (select sum(amount_fen) from statement_line)""",
    "suspense is what nobody has explained": f"""{MONEY}
        select fen from money where type = 'bank_suspense' and fen <> (
          select coalesce(sum(amount_fen), 0) from statement_line where status = 'unmatched')""",
    "in transit is what was instructed and not confirmed": f"""{MONEY}
        select fen from money where type = 'payout_in_transit' and fen <> (
          select coalesce(sum(amount_fen), 0) from payout
           where status in ('instructed', 'batched', 'sent'))""",
    "the payable is what was earned and not paid out": f"""{MONEY}
        select m.fen from money m where m.type = 'payable' and m.fen <>
          (select coalesce(sum(c.own_fen), 0) from charge_line c
            where c.provider_id = m.owner_id)
          + (select coalesce(sum(p.amount_fen), 0) from claim c join posting q
               on q.entry_id = c.entry_id join account a on a.id = q.account_id
              cross join lateral (select -q.amount_fen as amount_fen) p
             where a.type = 'payable' and a.owner_id = m.owner_id)
          - (select coalesce(sum(p.amount_fen), 0) from payout p
              where p.organisation_id = m.owner_id and p.source_kind in ('claim', 'settlement')
                and p.status <> 'returned')""",
    "a reward is owed until its payout is instructed": f"""{MONEY}
        select m.fen from money m where m.type = 'reward_payable' and m.fen <>
          (select coalesce(sum(s.amount_fen), 0) from reward_share s join reward_run r
               on r.id = s.run_id and r.status in ('approved', 'paid')
            where s.provider_id = m.owner_id)
          - (select coalesce(sum(p.amount_fen), 0) from payout p
              where p.organisation_id = m.owner_id and p.source_kind = 'reward'
                and p.status <> 'returned')""",
    "a year's rewards stay within the cap": """
        select y.legal_entity_id from reward_year y where y.paid_fen not between 0 and y.cap_fen
           or y.paid_fen <> (
             select coalesce(sum(s.amount_fen), 0) from reward_entity_share s join reward_run r
                 on r.id = s.run_id and r.year = y.year and r.status in ('approved', 'paid')
              where s.legal_entity_id = y.legal_entity_id)""",
    "vouchers stay within their caps": """
        select used_fen from voucher_cap where used_fen not between 0 and cap_fen union all
        select granted_fen from voucher_year where granted_fen not between 0 and cap_fen""",
    "a source is paid once": """
        select source_kind, source_id from payout group by 1, 2 having count(*) > 1""",
    "a batch is its payouts": """
        select b.id from payout_batch b where b.status <> 'discarded' and b.total_fen < (
          select sum(p.amount_fen) from payout p where p.batch_id = b.id)""",
    "what a period closed with is what its days come to": """
        select p.id from period p
          cross join lateral jsonb_array_elements(p.trial_balance) l
         where p.closed_at is not null and (l->>'balance_fen')::bigint <> (
           select coalesce(sum(q.amount_fen), 0) from posting q
             join entry e on e.id = q.entry_id and e.effective_on <= p.last_on
             join account a on a.id = q.account_id and a.type = l->>'type'
            where a.ledger = p.ledger)""",
}


async def wrong(database: Database, bank: Bank) -> list[Any]:
    """Every equation that does not hold."""
    async with database.engine.connect() as connection:
        found: list[Any] = [
            (name, rows)
            for name, question in ALWAYS.items()
            if (rows := (await connection.execute(text(question))).all())
        ]
    stands = await the_balancing(database)
    if (stands.closing_fen, stands.difference_fen) != (bank.told_fen, 0):
        found.append(("the bank's own balance", bank.told_fen, stands))
    if stands.suspense_fen != stands.unexplained_fen:
        found.append(("the balancing's suspense", stands))
    return found


async def play(world: MoneyWorld, drawn: Any) -> Counter[str]:
    way, steps = drawn
    for name, number in [*((name, 1) for name in way), *steps]:
        await world.step(name, number)
        assert (faults := await wrong(world.database, world.bank)) == [], (name, number, faults)
    assert (await verify(world.database)).problems == []
    return world.done


@pytest_asyncio.fixture
async def worlds(copies: Copies, database_url: str, clock: SetClock) -> AsyncIterator[Any]:
    """The same world as often as it is asked for: each example lives in a copy of its own."""
    original = await a_money_world(Database(database_url, clock=clock))
    numbers = itertools.count()
    made: list[Database] = []

    async def copy_of(world: MoneyWorld) -> MoneyWorld:
        name = str(make_url(world.database.url).database)
        copy = f"{make_url(database_url).database}_{next(numbers)}"
        await world.database.close()
        await copies.copy(copy, of=name)
        database = Database(with_database(database_url, copy), clock=clock, pool_size=2)
        made.append(database)
        return replace(
            world,
            market=replace(world.market, database=database),
            bank=Bank(world.bank.told_fen, list(world.bank.waiting)),
            done=Counter(),
        )

    async def another(like: MoneyWorld | None = None) -> MoneyWorld:
        clock.set(MONDAY_MORNING)
        return await copy_of(like or original)

    yield another
    for database in made:
        await database.close()
        await copies.drop(str(make_url(database.url).database))
    await original.database.close()


@pytest.mark.timeout(300)
async def test_whatever_is_done_with_money_bank_and_books_agree_after_each_step(worlds):
    loop = asyncio.get_running_loop()
    done: Counter[str] = Counter()

    async def one(drawn: Any) -> None:
        done.update(await play(await worlds(), drawn))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PLAYS)
    def sequences(drawn: Any) -> None:
        # Hypothesis calls from a thread of its own; the database lives in this loop.
        asyncio.run_coroutine_threadsafe(one(drawn), loop).result(timeout=120)

    # The ways themselves first, so that each of them is walked whatever is drawn.
    for way in WAYS:
        await one((way, []))
    await asyncio.to_thread(sequences)

    # The control: each step was not only tried, it happened.
    assert {name for name in STEPS if not done[name]} == set(), done


BROKEN = {
    "update payout set amount_fen = amount_fen + 1": "in transit",
    "update account set posted_fen = posted_fen - 1 where type = 'payable'": "cached",
    "update statement_line set amount_fen = amount_fen + 1 where id = 1": "bank's account",
    "update statement_line set status = 'unmatched' where id = 1": "suspense",
    "update reward_year set paid_fen = paid_fen - 1": "rewards stay within",
    "update charge_line set own_fen = own_fen + 1, service_value_fen = service_value_fen + 1": (
        "the payable"
    ),
}


async def test_control_a_fen_that_is_lost_is_found(worlds):
    paid = await worlds()
    for name in ("order", "settle", "draft_run", "approve_run"):
        assert await paid.step(name, 1), name
    for broken, told in BROKEN.items():
        world = await worlds(paid)
        assert await wrong(world.database, world.bank) == []
        async with world.database.engine.begin() as connection:
            await become_owner(connection)
            await connection.execute(text("set local session_replication_role = replica"))
            await connection.execute(text(broken))

        found = await wrong(world.database, world.bank)
        assert [name for name, *_ in found if told in name], broken
