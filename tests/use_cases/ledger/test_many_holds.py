"""Settling many holds at once does to each what settling it alone does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from marketplace.billing.ledger.errors import (
    HoldExceeded,
    HoldMissing,
    HoldOver,
    HoldResolved,
    KeyReusedForOtherEntry,
)
from marketplace.billing.ledger.queries import Balance, verify
from marketplace.billing.ledger.use_cases import (
    EntryKind,
    SettleHold,
    settle_hold,
    settle_holds,
)
from tests.builders.ledger import (
    A_DAY,
    a_hold,
    a_key,
    a_payable,
    a_wallet,
    do,
    the_balance,
)


def settlement(hold_id: int, amount_fen: int, credit_account_id: int, **changes) -> SettleHold:
    asked: dict[str, Any] = {
        "hold_id": hold_id,
        "amount_fen": amount_fen,
        "credit_account_id": credit_account_id,
        "kind": EntryKind.ORDER_SETTLED,
        "effective_on": A_DAY,
        "key": a_key(),
        "source_kind": "service_order",
        "source_id": 1,
    }
    return SettleHold(**(asked | changes))


async def test_what_was_used_is_posted_and_the_rest_is_free_of_many_wallets_at_once(database):
    first = await a_wallet(database, owner_id=900, funds_fen=1_000)
    second = await a_wallet(database, owner_id=901, funds_fen=1_000)
    payable = await a_payable(database, owner_id=902)
    holds = [
        await a_hold(database, account_id=wallet, amount_fen=300)
        for wallet in (first, second, first, second)
    ]

    entries = await do(
        database,
        settle_holds,
        [
            settlement(hold, used, payable)
            for hold, used in zip(holds, (300, 0, 100, 200), strict=True)
        ],
    )

    assert [entry is None for entry in entries] == [False, True, False, False]
    assert await the_balance(database, first) == Balance(600, 0, 600)
    assert await the_balance(database, second) == Balance(800, 0, 800)
    assert await the_balance(database, payable) == Balance(600, 0, 600)
    assert (await verify(database)).problems == []


async def test_one_that_cannot_be_settled_keeps_all_others_unsettled(database, clock):
    wallet = await a_wallet(database, funds_fen=1_000)
    payable = await a_payable(database)
    good = await a_hold(database, account_id=wallet, amount_fen=100)
    gone = await a_hold(database, account_id=wallet, amount_fen=100)
    await do(database, settle_hold, settlement(gone, 100, payable, key="taken"))
    until = clock.now() + timedelta(hours=1)
    short = await a_hold(database, account_id=wallet, amount_fen=100, expires_at=until)
    clock.set(clock.now() + timedelta(hours=2))

    refused = [
        (settlement(gone, 100, payable), HoldResolved),
        (settlement(short, 100, payable), HoldOver),
        (settlement(4_000_000, 100, payable), HoldMissing),
        (settlement(good, 101, payable), HoldExceeded),
        (settlement(good, 50, payable, key="taken"), KeyReusedForOtherEntry),
    ]
    for bad, refusal in refused:
        beside = [] if bad.hold_id == good else [settlement(good, 100, payable)]
        with pytest.raises(refusal):
            await do(database, settle_holds, [*beside, bad])

    assert (await the_balance(database, payable)).posted_fen == 100
    assert (await the_balance(database, wallet)).held_fen == 200
    assert await do(database, settle_holds, []) == []
