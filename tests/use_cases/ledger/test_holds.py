"""Holding money, and the one thing that becomes of each hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from marketplace.billing.ledger.errors import (
    AccountMissing,
    HoldExceeded,
    HoldMissing,
    HoldOver,
    HoldResolved,
    InsufficientFunds,
    KeyReusedForOtherEntry,
)
from marketplace.billing.ledger.queries import Balance, open_holds, verify
from marketplace.billing.ledger.use_cases import (
    AccountType,
    EntryKind,
    PlaceHold,
    ReleaseHold,
    SettleHold,
    place_hold,
    release_hold,
    settle_hold,
)
from tests.builders.ledger import (
    A_DAY,
    a_hold,
    a_key,
    a_payable,
    a_posted_entry,
    a_wallet,
    an_account,
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


async def test_held_money_lies_there_and_is_not_available(database):
    wallet = await a_wallet(database, funds_fen=100)

    hold_id = await a_hold(database, account_id=wallet, amount_fen=60)

    assert await the_balance(database, wallet) == Balance(100, 60, 40)
    held = await do(database, open_holds, wallet)
    assert [(hold.id, hold.amount_fen) for hold in held] == [(hold_id, 60)]
    with pytest.raises(InsufficientFunds):
        await a_hold(database, account_id=wallet, amount_fen=41)
    with pytest.raises(InsufficientFunds):
        await a_posted_entry(
            database, debit=wallet, credit=await a_payable(database), amount_fen=41
        )
    with pytest.raises(AccountMissing):
        await a_hold(database, account_id=999)


async def test_the_same_key_is_the_same_hold(database):
    wallet = await a_wallet(database, funds_fen=100)
    command = PlaceHold(wallet, 60, None, a_key(), "service_order", 1)

    first = await do(database, place_hold, command)
    again = await do(database, place_hold, command)

    assert first == again
    assert (await the_balance(database, wallet)).held_fen == 60
    with pytest.raises(KeyReusedForOtherEntry):
        await do(database, place_hold, PlaceHold(wallet, 61, None, command.key, "service_order", 1))


@pytest.mark.parametrize("amount_fen", [1, 59, 60])
async def test_settling_takes_what_was_used_and_releases_the_rest(database, amount_fen):
    wallet = await a_wallet(database, funds_fen=100)
    payable = await a_payable(database)
    hold_id = await a_hold(database, account_id=wallet, amount_fen=60)
    command = settlement(hold_id, amount_fen, payable)

    posted = await do(database, settle_hold, command)
    again = await do(database, settle_hold, command)

    assert posted is not None
    assert again is not None
    assert (again.entry_id, again.replayed) == (posted.entry_id, True)
    rest = 100 - amount_fen
    assert await the_balance(database, wallet) == Balance(rest, 0, rest)
    assert (await the_balance(database, payable)).posted_fen == amount_fen
    assert (await verify(database)).problems == []


async def test_a_hold_on_an_account_opened_after_the_other_settles_the_same_way(database):
    payable = await a_payable(database)
    wallet = await a_wallet(database, funds_fen=100)
    hold_id = await a_hold(database, account_id=wallet, amount_fen=60)

    await do(database, settle_hold, settlement(hold_id, 60, payable))

    assert (await the_balance(database, wallet)).posted_fen == 40


async def test_settling_nothing_releases_the_hold(database):
    wallet = await a_wallet(database, funds_fen=100)
    hold_id = await a_hold(database, account_id=wallet, amount_fen=60)
    command = settlement(hold_id, 0, await a_payable(database))

    assert await do(database, settle_hold, command) is None
    assert await do(database, settle_hold, command) is None
    assert await the_balance(database, wallet) == Balance(100, 0, 100)


async def test_no_more_is_settled_than_was_held(database):
    wallet = await a_wallet(database, funds_fen=100)
    hold_id = await a_hold(database, account_id=wallet, amount_fen=60)

    for amount_fen in (61, -1):
        with pytest.raises(HoldExceeded):
            await do(
                database, settle_hold, settlement(hold_id, amount_fen, await a_payable(database))
            )


async def test_a_hold_ends_once(database):
    wallet = await a_wallet(database, funds_fen=100)
    payable = await a_payable(database)
    settled = await a_hold(database, account_id=wallet, amount_fen=20)
    released = await a_hold(database, account_id=wallet, amount_fen=20)
    await do(database, settle_hold, settlement(settled, 20, payable))

    assert await do(database, release_hold, ReleaseHold(released))
    assert not await do(database, release_hold, ReleaseHold(released))
    with pytest.raises(HoldResolved):
        await do(database, release_hold, ReleaseHold(settled))
    for hold_id in (settled, released):
        with pytest.raises(HoldResolved):
            await do(database, settle_hold, settlement(hold_id, 20, payable))
    with pytest.raises(HoldMissing):
        await do(database, release_hold, ReleaseHold(999))
    with pytest.raises(HoldMissing):
        await do(database, settle_hold, settlement(999, 20, payable))


async def test_a_key_of_another_entry_settles_nothing(database):
    wallet = await a_wallet(database, funds_fen=100)
    payable = await a_payable(database)
    first = await a_hold(database, account_id=wallet, amount_fen=20)
    second = await a_hold(database, account_id=wallet, amount_fen=20)
    command = settlement(first, 20, payable)
    await do(database, settle_hold, command)

    with pytest.raises(KeyReusedForOtherEntry):
        await do(database, settle_hold, settlement(second, 20, payable, key=command.key))

    assert (await the_balance(database, wallet)).held_fen == 20


async def test_a_hold_that_ran_out_settles_nothing_even_before_it_is_ended(database, clock):
    wallet = await a_wallet(database, funds_fen=100)
    expires_at = clock.now() + timedelta(minutes=30)
    hold_id = await a_hold(database, account_id=wallet, amount_fen=60, expires_at=expires_at)
    clock.set(expires_at)

    with pytest.raises(HoldOver):
        await do(database, settle_hold, settlement(hold_id, 60, await a_payable(database)))


async def test_voucher_money_is_held_and_used_in_its_own_ledger(database):
    appropriation = await an_account(database, AccountType.APPROPRIATION, 1)
    budget = await an_account(database, AccountType.PROGRAMME_BUDGET, 1)
    voucher = await an_account(database, AccountType.VOUCHER, 5)
    spent = await an_account(database, AccountType.PROGRAMME_SPENT, 1)
    kind = EntryKind.BUDGET_APPROPRIATED
    await a_posted_entry(database, debit=appropriation, credit=budget, amount_fen=1_000, kind=kind)
    granted = EntryKind.VOUCHER_GRANTED
    await a_posted_entry(database, debit=budget, credit=voucher, amount_fen=300, kind=granted)
    hold_id = await a_hold(database, account_id=voucher, amount_fen=300)
    redeemed = EntryKind.VOUCHER_REDEEMED

    command = settlement(hold_id, 200, spent, kind=redeemed)
    await do(database, settle_hold, command)

    assert (await the_balance(database, budget)).posted_fen == 700
    assert (await the_balance(database, voucher)).available_fen == 100
    assert (await the_balance(database, spent)).posted_fen == 200
    with pytest.raises(InsufficientFunds):
        await a_posted_entry(database, debit=budget, credit=voucher, amount_fen=701)
