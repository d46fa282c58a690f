"""Policy: J.22b. The provider's region takes over its part of a service, from its own budget."""

from dataclasses import replace
from datetime import date
from typing import Any

from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.queries.dry_runs import DryRunFound, PastOrders, dry_run
from marketplace.vouchers.queries.reports import (
    Grouping,
    ReconciliationAsked,
    ReportAsked,
    reconciliation,
    report,
)
from marketplace.vouchers.rules.limits import CostSplit
from marketplace.vouchers.rules.programme_file import FOLDER, read_programme
from marketplace.vouchers.rules.terms import terms_of
from marketplace.vouchers.use_cases import (
    LayerPlan,
    ReleaseVoucher,
    SettleVoucher,
    VoucherHeld,
    release_voucher,
    reverse_redemption,
    settle_voucher,
)
from marketplace.vouchers.use_cases.settle_many import settle_vouchers
from tests.builders.parties import a_provider, an_actor, an_sme
from tests.builders.vouchers import (
    TEST,
    AGrant,
    a_grant,
    a_hold,
    a_programme,
    money_on,
    the_layers,
    the_wallet,
)

YANGPU, HEFEI, NANHU = "310110", "340104", "330402"
ON = date(2025, 3, 3)
DELTA = read_programme((FOLDER / "delta-shuangchuang.toml").read_bytes())


async def a_zone_grant(
    database: Database, *, amount_fen: int = 2_000_000, hefei_fen: int = 2_000_000
) -> tuple[AGrant, list[int]]:
    """A company of Yangpu with a voucher; Yangpu and Hefei each pay half, split two to one."""
    programme_id = await a_programme(
        database,
        terms=DELTA.terms,
        layers=(
            LayerPlan("zone", YANGPU, 10_000_000, 5000),
            LayerPlan("zone", HEFEI, hefei_fen, 5000),
        ),
    )
    sme = await an_actor(
        database,
        Role.SME_ADMINISTRATOR,
        organisation_id=await an_sme(database, region_code=YANGPU),
    )
    granted = await a_grant(database, programme_id=programme_id, sme=sme, amount_fen=amount_fen)
    return granted, await the_layers(database, programme_id)


def parts(held: VoucherHeld) -> dict[int, int]:
    return {part.layer_id: part.amount_fen for part in held.parts}


async def is_held(database: Database, granted: AGrant, order_id: int, **asked: Any) -> VoucherHeld:
    provider_id = asked.pop("provider_id", None) or await a_provider(database, region_code=HEFEI)
    return await a_hold(
        database,
        granted=granted,
        provider_id=provider_id,
        order_id=order_id,
        **({"service_value_fen": 600_000} | asked),
    )


async def budget(database: Database, layer_id: int) -> int:
    return await money_on(database, AccountType.PROGRAMME_BUDGET, layer_id)


async def differences(database: Database) -> list[Any]:
    found = await atomically(
        database, reconciliation, ReconciliationAsked(differing=True), actor=TEST
    )
    assert not (await verify(database)).problems
    return found


async def test_of_6000_in_another_zone_the_smes_zone_pays_2000_and_the_providers_1000(
    database: Database,
):
    granted, (yangpu, hefei) = await a_zone_grant(database)
    before = await budget(database, hefei)

    held = await is_held(database, granted, 8_001)

    assert parts(held) == {yangpu: 200_000, hefei: 100_000}
    assert await budget(database, hefei) == before - 100_000
    assert (await the_wallet(database, granted)).frozen_fen == 200_000
    assert await differences(database) == []

    settle = SettleVoucher(8_001, 300_000, ON)
    settled = await atomically(database, settle_voucher, settle, actor=TEST)

    # Half as much was used: what was held beyond it is spendable again, in both zones.
    assert settled.amount_fen == 150_000
    assert await budget(database, hefei) == before - 50_000
    assert await money_on(database, AccountType.PROGRAMME_SPENT, hefei) == 50_000
    wallet = await the_wallet(database, granted)
    assert (wallet.used_fen, wallet.left_fen, wallet.returned_fen) == (100_000, 1_900_000, 0)
    assert await differences(database) == []


async def test_an_order_that_takes_nothing_frees_the_budget_of_the_providers_zone(
    database: Database,
):
    granted, (_, hefei) = await a_zone_grant(database)
    before = await budget(database, hefei)
    await is_held(database, granted, 8_001)

    await atomically(database, release_voucher, ReleaseVoucher(8_001), actor=TEST)

    assert await budget(database, hefei) == before
    assert await differences(database) == []


async def test_at_home_nobody_takes_anything_over(database: Database):
    granted, (yangpu, _) = await a_zone_grant(database)
    provider_id = await a_provider(database, region_code=YANGPU)

    held = await is_held(database, granted, 8_001, provider_id=provider_id)

    assert parts(held) == {yangpu: 300_000}


async def test_a_zone_that_is_in_no_programme_takes_over_nothing(database: Database):
    granted, (yangpu, _) = await a_zone_grant(database)
    provider_id = await a_provider(database, region_code=NANHU)

    held = await is_held(database, granted, 8_001, provider_id=provider_id)

    assert parts(held) == {yangpu: 200_000}


async def test_a_zone_pays_what_its_budget_still_holds_and_then_nothing(database: Database):
    granted, (yangpu, hefei) = await a_zone_grant(database, hefei_fen=130_000)

    first = await is_held(database, granted, 8_001)
    second = await is_held(database, granted, 8_002)
    third = await is_held(database, granted, 8_003)

    assert [parts(each) for each in (first, second, third)] == [
        {yangpu: 200_000, hefei: 100_000},
        {yangpu: 200_000, hefei: 30_000},
        {yangpu: 200_000},
    ]
    assert await budget(database, hefei) == 0
    # What was held decides: the zone's money that comes free later is no part of this order.
    await atomically(database, release_voucher, ReleaseVoucher(8_001), actor=TEST)
    settle = SettleVoucher(8_003, 600_000, ON)
    assert (await atomically(database, settle_voucher, settle, actor=TEST)).amount_fen == 200_000
    assert await differences(database) == []


async def test_beside_the_last_yuan_of_a_voucher_the_other_zone_pays_half_as_much(
    database: Database,
):
    granted, (yangpu, hefei) = await a_zone_grant(database, amount_fen=50_000)

    held = await is_held(database, granted, 8_001)

    assert parts(held) == {yangpu: 50_000, hefei: 25_000}
    assert "1 for 2 of what is left of the voucher" in " ".join(held.explanation)


async def test_a_refund_returns_each_zones_part_to_where_it_came_from(database: Database):
    granted, (_, hefei) = await a_zone_grant(database)
    before = await budget(database, hefei)
    await is_held(database, granted, 8_001)
    settle = SettleVoucher(8_001, 600_000, ON)
    await atomically(database, settle_voucher, settle, actor=TEST)

    async def refund(tx: Tx, _: None) -> None:
        await reverse_redemption(tx, 8_001, 150_000, "Half of the samples were lost.")

    await atomically(database, refund, None, actor=TEST)

    assert await budget(database, hefei) == before - 50_000
    assert (await the_wallet(database, granted)).left_fen == 2_000_000 - 100_000
    assert await differences(database) == []


async def test_orders_settled_together_split_as_orders_settled_alone(database: Database):
    granted, (_, hefei) = await a_zone_grant(database)
    for order_id in (8_001, 8_002):
        await is_held(database, granted, order_id)

    paid = await atomically(
        database,
        settle_vouchers,
        [SettleVoucher(8_001, 600_000, ON), SettleVoucher(8_002, 300_000, ON)],
        actor=TEST,
    )

    assert paid == {8_001: 300_000, 8_002: 150_000}
    assert await money_on(database, AccountType.PROGRAMME_SPENT, hefei) == 150_000
    assert await differences(database) == []


async def test_reports_show_what_a_zone_paid_for_guests(database: Database):
    granted, (yangpu, hefei) = await a_zone_grant(database)
    await is_held(database, granted, 8_001)
    settle = SettleVoucher(8_001, 600_000, ON)
    await atomically(database, settle_voucher, settle, actor=TEST)
    await is_held(database, granted, 8_002)

    found = await atomically(database, report, ReportAsked(by=(Grouping.LAYER,)), actor=TEST)

    of = {
        row.group["layer"]: {name: row.amounts[name] for name in ("issued", "held", "used")}
        for row in found.rows
    }
    assert of == {
        yangpu: {"issued": 2_000_000, "held": 200_000, "used": 200_000},
        hefei: {"issued": 100_000, "held": 100_000, "used": 100_000},
    }
    page = await atomically(database, queries.programme_page, granted.programme_id, actor=TEST)
    assert [each.granted_fen for each in page.layers] == [2_000_000, 0]
    assert [each.redeemed_fen for each in page.layers] == [200_000, 100_000]


async def test_a_dry_run_splits_past_orders_as_they_were_split(database: Database):
    granted, (yangpu, hefei) = await a_zone_grant(database)
    await is_held(database, granted, 8_001)
    settle = SettleVoucher(8_001, 600_000, ON)
    await atomically(database, settle_voucher, settle, actor=TEST)
    terms = terms_of(DELTA.terms)
    half = replace(terms, cost_split=CostSplit(1, 1))

    async def tried(tx: Tx, _: None) -> DryRunFound:
        asked = PastOrders(granted.programme_id, ON, ON)
        return await dry_run(tx, asked, terms, half)

    found = await atomically(database, tried, None, actor=TEST)

    assert (found.recorded_fen, found.total.before_fen, found.total.after_fen) == (300_000,) * 3
    assert {each.layer_id: (each.before_fen, each.after_fen) for each in found.layers} == {
        yangpu: (200_000, 150_000),
        hefei: (100_000, 150_000),
    }
