"""Policy: J.22b. Several vouchers on one order: held, settled and released together."""

from datetime import date, datetime

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import errors, queries
from marketplace.vouchers.use_cases import (
    ReleaseVoucher,
    SettleVoucher,
    release_voucher,
    settle_voucher,
)
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import TEST, AGrant, a_grant, a_hold, a_programme, with_terms

ON = date(2025, 3, 3)


async def two_grants(
    database: Database, *, first_fen: int = 20_000, second_fen: int = 60_000
) -> tuple[AGrant, AGrant]:
    first = await a_grant(database, amount_fen=first_fen)
    second = await a_grant(
        database, sme=first.sme, programme_id=await a_programme(database), amount_fen=second_fen
    )
    return first, second


async def held_rows(database: Database, order_id: int) -> list[tuple[int, str, int, int | None]]:
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select grant_id, status, amount_fen, settled_fen from voucher_hold"
                " where order_id = :order_id order by id"
            ),
            {"order_id": order_id},
        )
        return [tuple(row) for row in rows]


async def caps(database: Database) -> dict[tuple[str, str], int]:
    async with database.engine.connect() as connection:
        rows = await connection.execute(text("select kind, funder, used_fen from voucher_cap"))
        return {(row.kind, row.funder): row.used_fen for row in rows}


async def test_two_vouchers_pay_together_and_each_is_redeemed_for_itself(database: Database):
    first, second = await two_grants(database)
    held = await a_hold(
        database, granted=first, provider_id=await a_provider(database), order_id=7_001
    )

    assert held.amount_fen == 70_000
    assert [(each.grant_id, each.amount_fen) for each in held.vouchers] == [
        (first.grant_id, 20_000),
        (second.grant_id, 50_000),
    ]
    assert any("valid until 2025-12-31" in each for each in held.explanation)

    settle = SettleVoucher(7_001, 50_000, ON)
    settled = await atomically(database, settle_voucher, settle, actor=TEST)

    # Half of what was used from each, and together no more than all of it.
    assert (settled.amount_fen, len(settled.redemption_ids)) == (45_000, 2)
    assert await held_rows(database, 7_001) == [
        (first.grant_id, "settled", 20_000, 20_000),
        (second.grant_id, "settled", 50_000, 25_000),
    ]
    assert not (await verify(database)).problems


async def test_all_vouchers_of_an_order_are_released_together(database: Database):
    first, second = await two_grants(database)
    provider_id = await a_provider(database)
    await a_hold(database, granted=first, provider_id=provider_id, order_id=7_001)

    await atomically(database, release_voucher, ReleaseVoucher(7_001), actor=TEST)

    wallet = await atomically(database, queries.wallet, first.sme.organisation_id, actor=first.sme)
    assert {each.grant.id: each.left_fen for each in wallet} == {
        first.grant_id: 20_000,
        second.grant_id: 60_000,
    }
    assert set((await caps(database)).values()) == {0}
    with pytest.raises(errors.VoucherHoldEnded):
        await atomically(database, release_voucher, ReleaseVoucher(7_001), actor=TEST)


async def test_an_order_holds_one_set_of_vouchers_even_when_the_first_is_used_up(
    database: Database,
):
    first, _ = await two_grants(database)
    provider_id = await a_provider(database)
    await a_hold(
        database, granted=first, provider_id=provider_id, order_id=7_001, service_value_fen=40_000
    )

    with pytest.raises(errors.VoucherHeldBefore):
        await a_hold(database, granted=first, provider_id=provider_id, order_id=7_001)


async def test_the_buyer_chooses_vouchers_by_hand(database: Database):
    first, second = await two_grants(database)
    provider_id = await a_provider(database)
    held = await a_hold(
        database, granted=first, provider_id=provider_id, grant_ids=(second.grant_id,)
    )
    assert [each.grant_id for each in held.vouchers] == [second.grant_id]

    foreign = await a_grant(database)
    with pytest.raises(errors.VoucherNotUsable) as refused:
        await a_hold(
            database, granted=first, provider_id=provider_id, grant_ids=(foreign.grant_id,)
        )
    assert [reason.rule for reason in refused.value.reasons] == ["voucher-chosen"]


async def test_a_programme_that_excludes_another_leaves_the_better_one(database: Database):
    first, second = await two_grants(database, first_fen=60_000, second_fen=20_000)
    await with_terms(database, first.programme_id, code="first")
    await with_terms(
        database,
        second.programme_id,
        code="second",
        stacking={"excludes_programmes": ["first"]},
    )
    held = await a_hold(database, granted=first, provider_id=await a_provider(database))

    assert [each.grant_id for each in held.vouchers] == [first.grant_id]
    assert any("may not be combined" in each for each in held.explanation)


async def test_vouchers_of_a_face_value_are_used_whole_and_settled_whole(database: Database):
    granted = await a_grant(database, amount_fen=4_000_000)
    await with_terms(database, granted.programme_id, face_value_fen=500_000)
    provider_id = await a_provider(database)
    held = await a_hold(
        database,
        granted=granted,
        provider_id=provider_id,
        order_id=7_001,
        service_value_fen=2_300_000,
    )
    # Half of 23,000 CNY is 11,500: two pieces of 5,000.
    assert held.amount_fen == 1_000_000

    settle = SettleVoucher(7_001, 1_900_000, ON)
    settled = await atomically(database, settle_voucher, settle, actor=TEST)
    assert settled.amount_fen == 500_000


async def test_a_first_use_is_paid_better_once(database: Database):
    granted = await a_grant(database)
    await with_terms(
        database,
        granted.programme_id,
        rates=[{"ratio_basis_points": 4_000, "first_use": True}],
    )
    provider_id = await a_provider(database)

    first = await a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
    second = await a_hold(database, granted=granted, provider_id=provider_id, order_id=2)
    assert (first.amount_fen, second.amount_fen) == (80_000, 50_000)

    await atomically(database, settle_voucher, SettleVoucher(1, 50_000, ON), actor=TEST)
    assert (await held_rows(database, 1))[0][3] == 40_000


async def test_a_cap_of_an_instrument_counts_what_is_held_and_then_what_was_used(
    database: Database,
):
    granted = await a_grant(database)
    await with_terms(
        database,
        granted.programme_id,
        caps=[{"scope": "instrument-year", "amount_fen": 70_000}],
    )
    provider_id = await a_provider(database)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
    assert (await caps(database))["instrument-year", ""] == 50_000

    second = await a_hold(database, granted=granted, provider_id=provider_id, order_id=2)
    assert second.amount_fen == 20_000
    with pytest.raises(errors.VoucherNotUsable, match="instrument and year"):
        await a_hold(database, granted=granted, provider_id=provider_id, order_id=3)

    await atomically(database, settle_voucher, SettleVoucher(1, 60_000, ON), actor=TEST)
    assert (await caps(database))["instrument-year", ""] == 30_000 + 20_000
    third = await a_hold(database, granted=granted, provider_id=provider_id, order_id=3)
    assert third.amount_fen == 20_000


async def test_steps_over_a_year_go_on_where_the_last_order_left_them(database: Database):
    granted = await a_grant(database)
    await with_terms(
        database,
        granted.programme_id,
        steps_over="sme-year",
        ratio_steps=[
            {"up_to_fen": 100_000, "ratio_basis_points": 10_000},
            {"ratio_basis_points": 5_000},
        ],
    )
    provider_id = await a_provider(database)
    first = await a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
    second = await a_hold(database, granted=granted, provider_id=provider_id, order_id=2)

    assert (first.amount_fen, second.amount_fen) == (50_000, 25_000)
    settle = SettleVoucher(2, 100_000, ON)
    assert 25_000 == (await atomically(database, settle_voucher, settle, actor=TEST)).amount_fen


@pytest.mark.parametrize(
    ("at", "pays"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, 999_000, tzinfo=SHANGHAI), True),
        (datetime(2026, 1, 1, 0, 0, tzinfo=SHANGHAI), False),
    ],
)
async def test_a_voucher_pays_until_the_last_millisecond_of_its_last_day(
    database: Database, clock: SetClock, at: datetime, pays: bool
):
    granted = await a_grant(database, sme=await an_actor(database, Role.SME_ADMINISTRATOR))
    provider_id = await a_provider(database)
    clock.set(at)

    if pays:
        assert (await a_hold(database, granted=granted, provider_id=provider_id)).amount_fen
        return
    with pytest.raises(errors.VoucherNotUsable) as refused:
        await a_hold(database, granted=granted, provider_id=provider_id, on=date(2025, 12, 31))
    assert [reason.rule for reason in refused.value.reasons] == ["valid"]
