"""Guests race for the last yuan of a region that takes over its part, and without the guard."""

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database
from marketplace.parties.roles import Role
from marketplace.vouchers.rules.programme_file import FOLDER, read_programme
from marketplace.vouchers.use_cases import LayerPlan, VoucherHeld
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    AGrant,
    a_grant,
    a_hold,
    a_programme,
    money_on,
    orders_are_numbers,
    the_layers,
)
from tests.races.test_voucher_caps import race

DELTA = read_programme((FOLDER / "delta-shuangchuang.toml").read_bytes())
NANJING, HEFEI = "320100", "340104"
# A sixth of 6,000 CNY is Hefei's: its budget is spent by three orders.
THREE_ORDERS_FEN = 3 * 100_000


async def guests_race(database: Database) -> tuple[int, int, list[VoucherHeld]]:
    """What Hefei's budget holds for eight companies, what is left of it, and what each holds."""
    await orders_are_numbers(database)
    programme_id = await a_programme(
        database,
        terms=DELTA.terms,
        layers=(
            LayerPlan("zone", NANJING, 100_000_000, 5000),
            LayerPlan("zone", HEFEI, THREE_ORDERS_FEN, 5000),
        ),
    )
    granted: list[AGrant] = [
        await a_grant(
            database,
            programme_id=programme_id,
            sme=await an_actor(database, Role.SME_ADMINISTRATOR),
            amount_fen=1_000_000,
        )
        for _ in range(8)
    ]
    provider_id = await a_provider(database, region_code=HEFEI)
    placed, refused = await race(
        *(
            a_hold(
                database,
                granted=each,
                provider_id=provider_id,
                order_id=order_id,
                service_value_fen=600_000,
            )
            for order_id, each in enumerate(granted, start=1)
        )
    )
    assert not refused
    [_, hefei] = await the_layers(database, programme_id)
    async with database.engine.connect() as connection:
        held = await connection.scalar(
            text(
                "select coalesce(sum(h.amount_fen), 0) from voucher_hold_part h"
                " join grant_part p on p.id = h.grant_part_id where p.layer_id = :layer"
            ),
            {"layer": hefei},
        )
    left_fen = await money_on(database, AccountType.PROGRAMME_BUDGET, hefei)
    return int(held or 0), left_fen, placed


@pytest.mark.parametrize("_", range(2))
async def test_guests_that_race_for_a_regions_budget_never_overdraw_it(database: Database, _: int):
    held_fen, left_fen, placed = await guests_race(database)

    assert (held_fen, left_fen) == (THREE_ORDERS_FEN, 0)
    # Who comes too late is held its own region's part, and told why and what it may do.
    assert sorted(each.amount_fen for each in placed) == [200_000] * 5 + [300_000] * 3
    late = [each.lacking for each in placed if each.amount_fen == 200_000]
    assert {reason.rule for reasons in late for reason in reasons} == {"host-budget"}
    assert {(reason.limit, reason.asked) for [reason] in late} == {(0, 100_000)}
    assert all("pay the rest yourself" in reason.message for [reason] in late)
    assert not any(each.lacking for each in placed if each.amount_fen == 300_000)


async def test_control_without_the_ledgers_limit_the_guests_overdraw_it(database: Database):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table account drop constraint account_min_available"))

    held, left, _ = await guests_race(database)
    assert (held > THREE_ORDERS_FEN, left < 0) == (True, True)
