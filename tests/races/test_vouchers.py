"""Money of vouchers and budgets cannot be spent twice, and here is what happens without the guard.

The guard is the limit of the ledger's account. The control takes it away in this test's own
database and shows that the same race then overdraws: so it is the guard that wins, and not luck.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import DomainError
from marketplace.parties.roles import Role
from marketplace.vouchers import errors
from marketplace.vouchers.use_cases import (
    DecideApplication,
    DraftClaim,
    LayerPlan,
    decide_application,
    draft_claim,
)
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    a_grant,
    a_hold,
    a_programme,
    a_redemption,
    an_application,
    an_officer,
    money_on,
    orders_are_numbers,
    the_layers,
    the_wallet,
)

RACERS = 32
# Ten orders of 1,000 CNY fit: the voucher pays 500 of each.
TEN_ORDERS_FEN = 10 * 50_000
# Nine grants of 20,000 CNY fit, and a rest that is no whole grant.
NINE_GRANTS_FEN = 9 * 1_000_000 + 999_999


async def without_the_ledgers_limit(database: Database) -> None:
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table account drop constraint account_min_available"))


async def race(*runners: Coroutine[Any, Any, Any]) -> tuple[int, list[DomainError]]:
    """How many won, and how the others were refused; a bug is raised."""
    results = await asyncio.gather(*runners, return_exceptions=True)
    refused = [each for each in results if isinstance(each, DomainError)]
    for each in results:
        if isinstance(each, BaseException) and not isinstance(each, DomainError):
            raise each
    return len(results) - len(refused), refused


async def orders_race_for_a_voucher(database: Database) -> tuple[int, int]:
    """How many of the orders won, and what is left of the voucher."""
    await orders_are_numbers(database)
    granted = await a_grant(database, amount_fen=TEN_ORDERS_FEN)
    provider_id = await a_provider(database)
    won, _ = await race(
        *(
            a_hold(database, granted=granted, provider_id=provider_id, order_id=order_id)
            for order_id in range(1, RACERS + 1)
        )
    )
    return won, (await the_wallet(database, granted)).left_fen


async def test_orders_that_race_for_one_voucher_never_overdraw_it(database: Database):
    assert (10, 0) == await orders_race_for_a_voucher(database)


async def test_control_without_the_ledgers_limit_the_orders_overdraw_the_voucher(
    database: Database,
):
    await without_the_ledgers_limit(database)
    won, left_fen = await orders_race_for_a_voucher(database)

    assert won > 10
    assert left_fen == TEN_ORDERS_FEN - won * 50_000 < 0


async def grants_race_for_a_budget(database: Database) -> tuple[int, list[int]]:
    """How many of the SMEs won, and what is left of each layer's budget."""
    programme_id = await a_programme(
        database,
        layers=(
            LayerPlan("province", "320000", NINE_GRANTS_FEN),
            LayerPlan("city", "320100", NINE_GRANTS_FEN),
        ),
    )
    officer = await an_officer(database)
    waiting = []
    for _ in range(RACERS):
        sme = await an_actor(database, Role.SME_ADMINISTRATOR)
        waiting.append(
            await an_application(database, programme_id=programme_id, sme=sme, asked_fen=2_000_000)
        )
    won, _ = await race(
        *(
            atomically(
                database, decide_application, DecideApplication(each, 2_000_000), actor=officer
            )
            for each in waiting
        )
    )
    return won, [
        await money_on(database, AccountType.PROGRAMME_BUDGET, layer)
        for layer in await the_layers(database, programme_id)
    ]


async def test_grants_that_race_for_one_budget_never_overdraw_it(database: Database):
    assert (9, [999_999, 999_999]) == await grants_race_for_a_budget(database)


async def test_control_without_the_ledgers_limit_the_grants_overdraw_the_budget(
    database: Database,
):
    await without_the_ledgers_limit(database)
    won, left_fen = await grants_race_for_a_budget(database)

    assert won > 9
    assert [NINE_GRANTS_FEN - won * 1_000_000] * 2 == left_fen
    assert left_fen[0] < 0


async def grants_race_for_an_sme(database: Database) -> int:
    """How many of four programmes' grants of 100,000 CNY each one SME received."""
    officer = await an_officer(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    waiting = [
        await an_application(
            database,
            programme_id=await a_programme(database),
            sme=sme,
            asked_fen=10_000_000,
        )
        for _ in range(4)
    ]
    won, refused = await race(
        *(
            atomically(
                database, decide_application, DecideApplication(each, 10_000_000), actor=officer
            )
            for each in waiting
        )
    )
    assert {type(each) for each in refused} <= {errors.VoucherYearCapReached, errors.GrantRefused}
    return won


async def test_grants_of_several_programmes_never_pass_the_yearly_cap_of_an_sme(
    database: Database,
):
    # Each layer may grant 100,000 CNY a year: two grants of 50,000 CNY from each layer.
    assert 2 == await grants_race_for_an_sme(database)


async def test_control_without_the_yearly_cap_the_grants_pass_it(database: Database):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table voucher_year drop constraint voucher_year_cap"))

    assert 2 < await grants_race_for_an_sme(database)


async def test_an_sme_receives_one_grant_of_a_programme_however_many_are_decided_at_once(
    database: Database,
):
    # Several applications cannot wait together; without that rule the grant itself is still one.
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("drop index voucher_application_open_once"))
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    officer = await an_officer(database)
    waiting = [
        await an_application(database, programme_id=programme_id, sme=sme, asked_fen=1_000)
        for _ in range(8)
    ]

    won, refused = await race(
        *(
            atomically(database, decide_application, DecideApplication(each, 1_000), actor=officer)
            for each in waiting
        )
    )

    assert (1, 7) == (won, len(refused))
    assert {type(each) for each in refused} <= {errors.AlreadyGranted, errors.GrantRefused}


async def test_two_drafts_at_once_claim_nothing_twice(database: Database):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    for _ in range(5):
        await a_redemption(database, granted=granted, provider_id=provider.organisation_id)

    won, refused = await race(
        *(atomically(database, draft_claim, DraftClaim(), actor=provider) for _ in range(8))
    )

    assert (1, 7) == (won, len(refused))
    assert all(isinstance(each, errors.NothingToClaim) for each in refused)


@pytest.mark.parametrize("repetition", range(2))
async def test_an_order_sent_many_times_at_once_is_held_once(database: Database, repetition: int):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    provider_id = await a_provider(database)

    won, refused = await race(
        *(
            a_hold(database, granted=granted, provider_id=provider_id, order_id=9_000 + repetition)
            for _ in range(8)
        )
    )

    assert 1 == won
    assert all(isinstance(each, errors.VoucherHeldBefore) for each in refused)
    assert (await the_wallet(database, granted)).frozen_fen == 50_000
