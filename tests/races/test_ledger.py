"""Many at once on one account, one key, one hold; and what happens when the guard is taken away."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from marketplace.billing.ledger.errors import HoldResolved, InsufficientFunds
from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import (
    AccountType,
    ClosePeriod,
    EntryKind,
    LedgerName,
    OpenAccount,
    PlaceHold,
    ProposePeriod,
    ReleaseHold,
    SettleHold,
    close_period,
    open_accounts,
    place_hold,
    post_entry,
    propose_period,
    release_hold,
    settle_hold,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, transaction
from marketplace.kernel.errors import DomainError
from tests.builders.ledger import (
    A_DAY,
    TEST,
    a_hold,
    a_key,
    a_payable,
    a_wallet,
    an_account,
    an_entry,
    do,
    the_balance,
)
from tests.builders.owner import become_owner
from tests.builders.parties import a_person

RACERS = 32


@pytest_asyncio.fixture
async def database(database_url, clock):
    """A pool in which every racer has a connection of its own."""
    made = Database(database_url, clock=clock, pool_size=RACERS)
    yield made
    await made.close()


async def outcomes(*racers: Any) -> Counter[str]:
    """How often each racer won, and how often each refusal came."""
    ended = await asyncio.gather(*racers, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
            raise outcome
    return Counter(
        type(outcome).__name__ if isinstance(outcome, DomainError) else "won" for outcome in ended
    )


def a_place(wallet: int, amount_fen: int = 10, key: str | None = None) -> PlaceHold:
    return PlaceHold(wallet, amount_fen, None, key or a_key(), "service_order", 1)


def a_settlement(hold_id: int, payable: int, key: str | None = None) -> SettleHold:
    return SettleHold(
        hold_id, 10, payable, EntryKind.ORDER_SETTLED, A_DAY, key or a_key(), "service_order", 1
    )


async def test_money_for_ten_is_held_by_ten_of_thirty_two(database):
    wallet = await a_wallet(database, funds_fen=100)

    seen = await outcomes(*(do(database, place_hold, a_place(wallet)) for _ in range(RACERS)))

    assert seen == {"won": 10, InsufficientFunds.__name__: RACERS - 10}
    assert (await the_balance(database, wallet)).available_fen == 0
    assert (await verify(database)).problems == []


async def test_money_for_ten_is_spent_by_ten_of_thirty_two(database):
    wallet, payable = await a_wallet(database, funds_fen=100), await a_payable(database)

    seen = await outcomes(
        *(
            do(database, post_entry, an_entry(debit=wallet, credit=payable, amount_fen=10))
            for _ in range(RACERS)
        )
    )

    assert seen == {"won": 10, InsufficientFunds.__name__: RACERS - 10}
    assert (await the_balance(database, payable)).posted_fen == 100
    assert (await verify(database)).problems == []


async def test_one_key_sent_by_thirty_two_is_one_entry(database):
    wallet = await a_wallet(database, funds_fen=0)
    bank = await an_account(database, AccountType.BANK)
    entry = an_entry(debit=bank, credit=wallet, amount_fen=7)

    posted = await asyncio.gather(*(do(database, post_entry, entry) for _ in range(RACERS)))

    assert len({one.entry_id for one in posted}) == 1
    assert sum(not one.replayed for one in posted) == 1
    assert (await the_balance(database, wallet)).posted_fen == 7


async def test_one_hold_key_sent_by_thirty_two_is_one_hold(database):
    wallet = await a_wallet(database, funds_fen=100)
    command = a_place(wallet)

    holds = await asyncio.gather(*(do(database, place_hold, command) for _ in range(RACERS)))

    assert len(set(holds)) == 1
    assert (await the_balance(database, wallet)).held_fen == 10


async def test_one_hold_is_settled_by_one_of_thirty_two(database):
    wallet, payable = await a_wallet(database, funds_fen=100), await a_payable(database)
    hold = await a_hold(database, account_id=wallet, amount_fen=10)

    seen = await outcomes(
        *(do(database, settle_hold, a_settlement(hold, payable)) for _ in range(RACERS))
    )

    assert seen == {"won": 1, HoldResolved.__name__: RACERS - 1}
    assert (await the_balance(database, wallet)).posted_fen == 90
    assert (await verify(database)).problems == []


async def test_a_hold_is_settled_or_released_and_never_both(database):
    wallet, payable = await a_wallet(database, funds_fen=100), await a_payable(database)
    holds = [await a_hold(database, account_id=wallet, amount_fen=10) for _ in range(8)]
    settling = [do(database, settle_hold, a_settlement(hold, payable)) for hold in holds]
    releasing = [do(database, release_hold, ReleaseHold(hold)) for hold in holds]

    await outcomes(*(racer for pair in zip(settling, releasing, strict=True) for racer in pair))

    async with database.engine.connect() as connection:
        ended = await connection.scalar(text("select count(*) from hold_end"))
    assert ended == len(holds)
    assert (await the_balance(database, wallet)).held_fen == 0
    assert (await verify(database)).problems == []


async def test_an_account_opened_by_thirty_two_is_one_account(database):
    opened = await asyncio.gather(
        *(an_account(database, AccountType.WALLET, 5) for _ in range(RACERS))
    )

    assert len(set(opened)) == 1


async def test_accounts_opened_together_by_thirty_two_are_the_same_accounts(database):
    names = [OpenAccount(AccountType.WALLET, n) for n in range(1, 41)]
    chance = random.Random(7)

    async def open_shuffled() -> dict[int | None, int]:
        asked = chance.sample(names, len(names))
        # Not through `atomically`, which would try again after a deadlock and hide it.
        async with transaction(database, actor=TEST) as tx:
            opened = await open_accounts(tx, asked)
        return {name.owner_id: id for name, id in zip(asked, opened, strict=True)}

    seen = await asyncio.gather(*(open_shuffled() for _ in range(RACERS)))

    assert all(each == seen[0] for each in seen)
    assert len(set(seen[0].values())) == len(names)


async def test_transfers_criss_cross_end_without_a_deadlock(database):
    wallets = [await a_wallet(database, owner_id=n, funds_fen=1_000) for n in range(6)]
    chance = random.Random(7)

    async def some_transfers() -> None:
        for _ in range(12):
            debit, credit = chance.sample(wallets, 2)
            # Not through `atomically`, which would try again after a deadlock and hide it.
            async with transaction(database, actor=TEST) as tx:
                await post_entry(tx, an_entry(debit=debit, credit=credit, amount_fen=3))

    await asyncio.gather(*(some_transfers() for _ in range(16)))

    report = await verify(database)
    assert (report.problems, report.entries) == ([], 6 + 12 * 16)


async def check_then_write(tx: Tx, wallet: int) -> None:
    """What the ledger does not do: read, decide in Python, write what was decided."""
    available_fen = await tx.scalar(
        text(f"select -posted_fen - held_fen from scratch where id = {wallet}")
    )
    if available_fen < 10:
        raise InsufficientFunds()
    await asyncio.sleep(0.01)
    await tx.execute(text(f"update scratch set held_fen = held_fen + 10 where id = {wallet}"))


@pytest.mark.parametrize("guarded", [True, False])
async def test_without_the_check_in_the_row_more_is_held_than_there_is(database, guarded):
    wallet = await a_wallet(database, funds_fen=100)
    including = "including constraints" if guarded else "excluding constraints"
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text(f"create table scratch (like account {including})"))
        await connection.execute(text("insert into scratch select * from account"))
        await connection.execute(text("grant update on scratch to public"))

    await asyncio.gather(
        *(do(database, check_then_write, wallet) for _ in range(RACERS)), return_exceptions=True
    )

    async with database.engine.connect() as connection:
        held_fen = await connection.scalar(
            text(f"select held_fen from scratch where id = {wallet}")
        )
    assert (held_fen == 100) if guarded else (held_fen > 100)


async def test_closing_a_period_waits_for_the_entry_under_way_and_counts_it(database):
    wallet = await a_wallet(database, funds_fen=0)
    bank = await an_account(database, AccountType.BANK)
    in_february = date(2025, 2, 14)
    february = ProposePeriod(LedgerName.CASH, date(2025, 2, 1), date(2025, 2, 28))
    period_id = await do(database, propose_period, february)
    checker = Actor(await a_person(database), 1, "centre")

    async with transaction(database, actor=TEST) as tx:
        entry = an_entry(debit=bank, credit=wallet, amount_fen=7, effective_on=in_february)
        await post_entry(tx, entry)
        closing = asyncio.create_task(
            do(database, close_period, ClosePeriod(period_id), actor=checker)
        )
        await asyncio.sleep(0.1)
        assert not closing.done()
    closed = await closing

    assert closed.trial_balance is not None
    assert {line["type"]: line["balance_fen"] for line in closed.trial_balance} == {
        "bank": 7,
        "wallet": -7,
    }
