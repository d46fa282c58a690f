"""PostgreSQL is stopped at once, twice, while people work: what was acknowledged is there after.

The server is one of its own, with `fsync` on, and the application logs in as the user who owns
nothing. Whoever is cut off sends the same thing again, as a client would, until it is answered.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType, Entry, post_entry
from marketplace.billing.payouts.errors import NothingToPay
from marketplace.billing.payouts.use_cases import (
    BatchStep,
    DraftBatch,
    InstructPayout,
    approve_batch,
    draft_batch,
    instruct_payout,
    send_batch,
)
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.errors import Conflict, Unavailable
from marketplace.kernel.migrate import migrate
from marketplace.kernel.roles import Standing
from marketplace.kernel.time import During, SetClock
from marketplace.orders.use_cases import PlaceOrder, place_order
from tests.builders.ledger import an_account, an_entry, do
from tests.builders.orders import CLAUSES, WEDNESDAY_MORNING, Market, a_market, a_quote
from tests.builders.payouts import Centre, a_finance_team, a_payee, money_owed
from tests.crash.test_sigkill import half_done

ORDERS = 60
# So many answers are given before each stop, and so many more at the end.
ANSWERS_BETWEEN = 120
ROUNDS = (signal.SIGQUIT, signal.SIGKILL)


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A durable server that nobody else uses, in a folder that its user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="marketplace-crash-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg")
    migrate(server.start(), application_url=server.application_url)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def database(server: EmbeddedPostgres, clock: SetClock) -> AsyncIterator[Database]:
    made = Database(server.application_url, clock=clock)
    yield made
    await made.close()


def stop_at_once(server: EmbeddedPostgres, how: signal.Signals) -> None:
    """As `pg_ctl -m immediate` does (SIGQUIT), or all of its processes without a word (SIGKILL)."""
    postmaster = int((server.home.resolve() / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    os.kill(postmaster, how)
    if how is signal.SIGKILL:
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue


@dataclass
class Load:
    """People at work, and the log of what they were told."""

    database: Database
    market: Market
    centre: Centre
    payee_id: int
    quotes: list[int]
    bank: int
    wallet: int
    orders: dict[int, int] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    payouts: dict[int, int] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    cut_off: Counter[str] = field(default_factory=Counter)
    over: bool = False

    @property
    def answers(self) -> int:
        return len(self.orders) + len(self.entries) + len(self.payouts) + len(self.batches)

    async def until_answered(self, what: str, ask: Callable[[], Awaitable[int]]) -> int | None:
        """The answer, however often it takes; None when an attempt without answer had done it."""
        asked_again = False
        while True:
            try:
                return await ask()
            except Unavailable:
                self.cut_off[what] += 1
                asked_again = True
                await asyncio.sleep(0.05)
            except Conflict:
                # What was asked without an answer was done: nothing is done twice.
                assert asked_again, what
                return None

    async def post_entries(self, worker: int) -> None:
        number = 0
        while not self.over:
            number += 1
            entry = an_entry(
                debit=self.bank, credit=self.wallet, amount_fen=1, key=f"load:{worker}:{number}"
            )

            async def ask(entry: Entry = entry) -> int:
                return (await do(self.database, post_entry, entry)).entry_id

            answered = await self.until_answered("entry", ask)
            assert answered is not None
            self.entries[entry.key] = answered

    async def place_orders(self) -> None:
        while self.quotes and not self.over:
            command = PlaceOrder(self.quotes.pop(), clauses=CLAUSES)

            async def ask(command: PlaceOrder = command) -> int:
                made = await self.market.do(place_order, command, by=self.market.buyer)
                return made.id

            answered = await self.until_answered("order", ask)
            if answered is not None:
                self.orders[command.quote_id] = answered
            await asyncio.sleep(0)

    async def instruct(self) -> None:
        number = 0
        while not self.over:
            number += 1
            command = InstructPayout(self.payee_id, 7, "claim", number, AccountType.PAYABLE)

            async def ask(command: InstructPayout = command) -> int:
                return (await do(self.database, instruct_payout, command)).id

            answered = await self.until_answered("payout", ask)
            if answered is not None:
                self.payouts[number] = answered

    async def pay(self) -> None:
        """Batches of what waits, drafted, approved by another one, and sent."""
        while not self.over:
            try:
                drafted = await self.until_answered("draft", self._draft)
            except NothingToPay:
                await asyncio.sleep(0.05)
                continue
            assert drafted is not None
            step = BatchStep(drafted)
            await self.until_answered("approve", lambda: self._approve(step))  # noqa: B023
            await self.until_answered("send", lambda: self._send(step))  # noqa: B023
            self.batches.append(drafted)

    async def _draft(self) -> int:
        command = DraftBatch()
        return (await atomically(self.database, draft_batch, command, actor=self.centre.maker)).id

    async def _approve(self, step: BatchStep) -> int:
        return (await atomically(self.database, approve_batch, step, actor=self.centre.checker)).id

    async def _send(self, step: BatchStep) -> int:
        return (await atomically(self.database, send_batch, step, actor=self.centre.maker)).id


async def a_load(database: Database) -> Load:
    market = await a_market(database, voucher_fen=1_000_000, minimum_minutes=30, seats=ORDERS)
    payee_id = await a_payee(database)
    await money_owed(database, provider_id=payee_id, amount_fen=10_000_000)
    start = WEDNESDAY_MORNING.starts_at
    slots = [start + timedelta(minutes=30 * (number % 4)) for number in range(ORDERS)]
    return Load(
        database,
        market,
        await a_finance_team(database),
        payee_id,
        [(await a_quote(market, during=During(at, at + timedelta(minutes=30)))).id for at in slots],
        bank=await an_account(database, AccountType.BANK),
        wallet=await an_account(database, AccountType.WALLET, market.buyer.organisation_id),
    )


# What was told, against what is there; each answer is what is missing of the log.
LOST = {
    "entries": "select k from unnest(cast(:log as text[]), cast(:ids as bigint[])) as l (k, i)"
    " left join entry e on e.key = k and e.id = i where e.id is null",
    "orders": "select k from unnest(cast(:log as bigint[]), cast(:ids as bigint[])) as l (k, i)"
    " left join service_order o on o.quote_id = k and o.id = i where o.id is null",
    "payouts": "select k from unnest(cast(:log as bigint[]), cast(:ids as bigint[])) as l (k, i)"
    " left join payout p on p.source_kind = 'claim' and p.source_id = k and p.id = i"
    " where p.id is null",
    "batches": "select k from unnest(cast(:log as bigint[]), cast(:ids as bigint[])) as l (k, i)"
    " left join payout_batch b on b.id = k and b.status = 'sent' where b.id is null",
}
# No fen was made or lost, nothing is held for nobody, no payout is without its entry or twice.
WRONG = {
    "trial balance": "select ledger from posting group by 1 having sum(amount_fen) <> 0",
    "held": "select a.id from account a where a.cached and a.held_fen <> (select"
    " coalesce(sum(h.amount_fen), 0) from hold h where h.account_id = a.id and not exists"
    " (select from hold_end e where e.hold_id = h.id))",
    "payouts": "select p.id from payout p where (select count(*) from entry e"
    " where e.source_kind = 'payout' and e.source_id = p.id) <> 1",
    "payable": "select 1 from account a where a.type = 'payable' and a.owner_id = :payee"
    " and -a.posted_fen <> 10000000 - (select sum(amount_fen) from payout)",
    "batches": "select b.id from payout_batch b where b.status <> 'discarded' and b.total_fen <>"
    " (select sum(p.amount_fen) from payout p where p.batch_id = b.id)",
}


async def found(database: Database, questions: dict[str, str], **values: object) -> dict[str, int]:
    async with database.engine.connect() as connection:
        counted = {
            name: len((await connection.execute(text(question), values)).all())
            for name, question in questions.items()
        }
    return {name: count for name, count in counted.items() if count}


async def lost(load: Load) -> dict[str, int]:
    logs: dict[str, dict[str, int] | dict[int, int]] = {
        "entries": load.entries,
        "orders": load.orders,
        "payouts": load.payouts,
        "batches": {batch: batch for batch in load.batches},
    }
    gone: dict[str, int] = {}
    for name, log in logs.items():
        gone |= await found(
            load.database, {name: LOST[name]}, log=list(log), ids=list(log.values())
        )
    return gone


async def until(reached: Callable[[], bool], workers: asyncio.Future[Any]) -> None:
    """Wait while people work; what went wrong with one of them is told at once."""
    while not reached():
        if workers.done():
            workers.result()
        await asyncio.sleep(0.005)


@pytest.mark.timeout(180)
async def test_nothing_that_was_acknowledged_is_lost_when_postgresql_stops_at_once(
    server: EmbeddedPostgres, database: Database
):
    assert await database.standing() is Standing.SEPARATE
    load = await a_load(database)
    workers = asyncio.gather(
        *(load.post_entries(worker) for worker in range(3)),
        *(load.place_orders() for _ in range(2)),
        load.instruct(),
        load.pay(),
    )
    try:
        for how in ROUNDS:
            told, cut_off = load.answers, load.cut_off.total()
            await until(lambda: load.answers >= told + ANSWERS_BETWEEN, workers)  # noqa: B023
            stop_at_once(server, how)
            await until(lambda: load.cut_off.total() > cut_off, workers)  # noqa: B023
            await asyncio.to_thread(server.start)
            assert await lost(load) == {}, how
            assert (await verify(database)).problems == []
        told = load.answers
        await until(lambda: load.answers >= told + ANSWERS_BETWEEN, workers)
    finally:
        load.over = True
        await asyncio.wait_for(workers, timeout=60)

    assert await lost(load) == {}
    assert await found(database, WRONG, payee=load.payee_id) == {}
    assert await half_done(database) == {}
    assert (await verify(database)).problems == []
    # The control: each kind of work was done, and work was cut off in its middle.
    assert min(len(load.orders), len(load.entries), len(load.payouts), len(load.batches)) > 0
    assert {"entry", "payout"} <= set(load.cut_off)
