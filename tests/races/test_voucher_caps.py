"""Caps, a first use and a year's last second under real concurrency, and without their guard."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.vouchers import errors
from marketplace.vouchers.jobs import expire_due_vouchers
from marketplace.vouchers.use_cases import ReleaseVoucher, release_voucher
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider
from tests.builders.vouchers import (
    TEST,
    AGrant,
    a_grant,
    a_hold,
    money_on,
    orders_are_numbers,
    the_layers,
    the_wallet,
    with_terms,
)

RACERS = 16
# Five orders of 1,000 CNY fit under the cap: the voucher pays 500 of each.
FIVE_ORDERS_FEN = 5 * 50_000


async def race(*runners: Coroutine[Any, Any, Any]) -> tuple[list[Any], list[DomainError]]:
    """Who won, and how the others were refused; a bug is raised."""
    results = await asyncio.gather(*runners, return_exceptions=True)
    for each in results:
        if isinstance(each, BaseException) and not isinstance(each, DomainError):
            raise each
    refused = [each for each in results if isinstance(each, DomainError)]
    return [each for each in results if not isinstance(each, DomainError)], refused


async def orders_race_for_a_cap(database: Database, scope: str) -> tuple[int, list[DomainError]]:
    """What the orders hold together."""
    await orders_are_numbers(database)
    granted = await a_grant(database)
    await with_terms(
        database,
        granted.programme_id,
        caps=[{"scope": scope, "amount_fen": FIVE_ORDERS_FEN}],
    )
    provider_id = await a_provider(database)
    won, refused = await race(
        *(
            a_hold(database, granted=granted, provider_id=provider_id, order_id=order_id)
            for order_id in range(1, RACERS + 1)
        )
    )
    return sum(each.amount_fen for each in won), refused


async def test_orders_that_race_for_the_last_yuan_of_a_cap_never_pass_it(database: Database):
    held_fen, refused = await orders_race_for_a_cap(database, "group-year")

    assert held_fen == FIVE_ORDERS_FEN
    assert {type(each) for each in refused} <= {errors.VoucherCapReached, errors.VoucherNotUsable}


async def test_control_without_the_counters_limit_the_orders_pass_the_cap(database: Database):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table voucher_cap drop constraint voucher_cap_room"))

    held_fen, _ = await orders_race_for_a_cap(database, "group-year")
    assert held_fen > FIVE_ORDERS_FEN


async def first_uses_race(database: Database) -> tuple[int, list[DomainError]]:
    """How many of the orders were paid as the first use."""
    await orders_are_numbers(database)
    granted = await a_grant(database)
    rates = [{"ratio_basis_points": 4_000, "first_use": True}]
    await with_terms(database, granted.programme_id, rates=rates)
    provider_id = await a_provider(database)
    won, refused = await race(
        *(
            a_hold(database, granted=granted, provider_id=provider_id, order_id=order_id)
            for order_id in range(1, 9)
        )
    )
    return sum(each.amount_fen == 80_000 for each in won), refused


async def test_a_first_use_is_one_however_many_orders_race_for_it(database: Database):
    firsts, refused = await first_uses_race(database)

    assert firsts == 1
    assert {type(each) for each in refused} <= {errors.FirstUseTaken}


async def test_control_without_its_index_a_first_use_is_paid_several_times(database: Database):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("drop index voucher_hold_first_use"))

    firsts, _ = await first_uses_race(database)
    assert firsts > 1


async def budget_of(database: Database, granted: AGrant) -> int:
    layers = await the_layers(database, granted.programme_id)
    return sum([await money_on(database, AccountType.PROGRAMME_BUDGET, each) for each in layers])


async def test_orders_at_the_years_last_second_and_the_expiry_share_every_fen(
    database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    granted = await a_grant(database, amount_fen=FIVE_ORDERS_FEN)
    provider_id = await a_provider(database)
    midnight = datetime(2026, 1, 1, tzinfo=SHANGHAI)
    clock.set(midnight - timedelta(milliseconds=1))

    async def the_year_ends() -> None:
        await asyncio.sleep(0.02)
        clock.set(midnight)
        await expire_due_vouchers(database)

    won, refused = await race(
        *(
            a_hold(database, granted=granted, provider_id=provider_id, order_id=order_id)
            for order_id in range(1, RACERS + 1)
        ),
        the_year_ends(),
    )
    held = [each for each in won if each is not None]
    # A voucher that an order had in hand at midnight is left to the next run of the expiry.
    await expire_due_vouchers(database)

    wallet = await the_wallet(database, granted)
    assert wallet.frozen_fen == 50_000 * len(held) <= FIVE_ORDERS_FEN
    assert wallet.left_fen == 0
    assert await budget_of(database, granted) == 200_000_000 - wallet.frozen_fen
    assert len(held) + len(refused) == RACERS


async def test_freed_money_is_spendable_in_the_same_moment(database: Database):
    await orders_are_numbers(database)
    granted = await a_grant(database, amount_fen=50_000)
    provider_id = await a_provider(database)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=100)
    await atomically(database, release_voucher, ReleaseVoucher(100), actor=TEST)

    won, refused = await race(
        *(
            a_hold(database, granted=granted, provider_id=provider_id, order_id=order_id)
            for order_id in range(1, 9)
        )
    )

    assert (1, 7) == (len(won), len(refused))
