"""What is left of a voucher goes back to its budgets on the day after its last, once."""

import asyncio
from datetime import date, datetime

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.vouchers.jobs import expire_due_vouchers
from marketplace.vouchers.use_cases import (
    ReleaseVoucher,
    SettleVoucher,
    release_voucher,
    settle_voucher,
)
from tests.builders.parties import a_provider
from tests.builders.vouchers import (
    TEST,
    a_grant,
    a_hold,
    a_programme,
    money_on,
    orders_are_numbers,
    the_layers,
    the_wallet,
)

LAST_MINUTE = datetime(2025, 12, 31, 23, 59, tzinfo=SHANGHAI)
NEXT_DAY = datetime(2026, 1, 1, 0, 20, tzinfo=SHANGHAI)


async def budgets(database: Database, programme_id: int) -> list[int]:
    return [
        await money_on(database, AccountType.PROGRAMME_BUDGET, layer)
        for layer in await the_layers(database, programme_id)
    ]


async def test_vouchers_expire_after_their_last_day_and_running_it_twice_is_running_it_once(
    database: Database, clock: SetClock
):
    programme_id = await a_programme(database)
    granted = [await a_grant(database, programme_id=programme_id) for _ in range(3)]

    clock.set(LAST_MINUTE)
    assert 0 == await expire_due_vouchers(database)
    clock.set(NEXT_DAY)
    assert 3 == await expire_due_vouchers(database)
    assert 0 == await expire_due_vouchers(database)

    assert [100_000_000, 100_000_000] == await budgets(database, programme_id)
    for each in granted:
        wallet = await the_wallet(database, each)
        assert (wallet.grant.status, wallet.left_fen, wallet.returned_fen) == (
            "expired",
            0,
            4_000_000,
        )


async def test_two_workers_at_once_return_everything_once(database: Database, clock: SetClock):
    programme_id = await a_programme(database)
    for _ in range(8):
        await a_grant(database, programme_id=programme_id)
    clock.set(NEXT_DAY)

    done = await asyncio.gather(*(expire_due_vouchers(database) for _ in range(4)))

    assert 8 == sum(done)
    assert [100_000_000, 100_000_000] == await budgets(database, programme_id)


async def test_what_an_order_holds_is_used_or_follows_when_the_order_ends(
    database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=2)
    clock.set(NEXT_DAY)

    assert 0 == await expire_due_vouchers(database)
    wallet = await the_wallet(database, granted)
    assert (wallet.grant.status, wallet.frozen_fen, wallet.left_fen) == ("active", 100_000, 0)

    settle = SettleVoucher(1, 60_000, date(2026, 1, 1))
    await atomically(database, settle_voucher, settle, actor=TEST)
    assert 0 == await expire_due_vouchers(database)
    await atomically(database, release_voucher, ReleaseVoucher(2), actor=TEST)
    assert 1 == await expire_due_vouchers(database)

    wallet = await the_wallet(database, granted)
    assert (wallet.grant.status, wallet.used_fen, wallet.returned_fen) == (
        "expired",
        30_000,
        3_970_000,
    )
    assert [100_000_000 - 15_000] * 2 == await budgets(database, granted.programme_id)
