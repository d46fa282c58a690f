"""A refunded order's voucher money comes back, wherever it is on its way to its claimant."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import errors, queries
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    DecideClawback,
    ProposeClawback,
    RedemptionReversed,
    approve_claim,
    decide_clawback,
    propose_clawback,
    reverse_redemption,
)
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    TEST,
    AClaim,
    a_claim,
    a_grant,
    a_voucher_fund,
    money_on,
    the_layers,
    the_wallet,
)

AFTER_NOTICE = datetime(2025, 3, 11, 9, 0, tzinfo=SHANGHAI)
AFTER_THE_YEAR = datetime(2026, 1, 5, 9, 0, tzinfo=SHANGHAI)


async def the_order_of(database: Database, redemption_id: int) -> int:
    async with database.engine.connect() as connection:
        found = await connection.execute(
            text(f"select order_id from redemption where id = {redemption_id}")
        )
        return int(found.scalar_one())


async def is_refunded(
    database: Database, redemption_id: int, amount_fen: int
) -> RedemptionReversed:
    order_id = await the_order_of(database, redemption_id)

    async def refund(tx: Tx, _: Any) -> RedemptionReversed:
        return await reverse_redemption(tx, order_id, amount_fen, "The result was wrong.")

    return await atomically(database, refund, None, actor=TEST)


async def the_amount(database: Database, made: AClaim) -> int:
    return (
        await atomically(database, queries.claim_page, made.claim_id, actor=TEST)
    ).claim.amount_fen


@pytest.mark.parametrize("status", ["draft", "submitted", "audited", "in_notice"])
async def test_what_is_not_approved_lowers_its_claim_and_is_the_smes_again(
    database: Database, status: str
):
    granted = await a_grant(database, amount_fen=150_000)
    made = await a_claim(database, granted=granted, redemptions=3, status=status)
    assert (await the_wallet(database, granted)).grant.status == "exhausted"

    told = await is_refunded(database, made.redemption_ids[0], 20_001)

    assert (told.restored_fen, told.to_budgets_fen, told.clawed_back_fen) == (20_001, 0, 0)
    assert await the_amount(database, made) == 150_000 - 20_001
    wallet = await the_wallet(database, granted)
    assert (wallet.grant.status, wallet.left_fen) == ("active", 20_001)
    with pytest.raises(errors.ReturnExceedsRedemption):
        await is_refunded(database, made.redemption_ids[0], 30_000)
    await is_refunded(database, made.redemption_ids[0], 29_999)
    assert await the_amount(database, made) == 100_000


async def test_after_the_vouchers_last_day_the_budgets_have_it(database: Database, clock: SetClock):
    granted = await a_grant(database)
    made = await a_claim(database, granted=granted, redemptions=1)
    layers = await the_layers(database, granted.programme_id)
    before = [await money_on(database, AccountType.PROGRAMME_BUDGET, each) for each in layers]
    clock.set(AFTER_THE_YEAR)

    told = await is_refunded(database, made.redemption_ids[0], 10_000)

    assert (told.restored_fen, told.to_budgets_fen) == (0, 10_000)
    after = [await money_on(database, AccountType.PROGRAMME_BUDGET, each) for each in layers]
    assert [now - was for now, was in zip(after, before, strict=True)] == [5_000, 5_000]


async def test_what_was_approved_is_owed_back_by_its_claimant(database: Database, clock: SetClock):
    made = await a_claim(database, redemptions=2, status="in_notice")
    await a_voucher_fund(database)
    clock.set(AFTER_NOTICE)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    await atomically(database, approve_claim, ApproveClaim(made.claim_id), actor=checker)
    fund = await money_on(database, AccountType.VOUCHER_FUND)

    told = await is_refunded(database, made.redemption_ids[0], 30_000)

    provider_id = made.provider.organisation_id
    owed = await money_on(database, AccountType.CLAWBACK_RECEIVABLE, provider_id)
    assert (told.clawed_back_fen, owed) == (30_000, 30_000)
    assert await money_on(database, AccountType.CLAWBACK_PENDING) == 30_000
    # The fund has it only when it has come in.
    assert await money_on(database, AccountType.VOUCHER_FUND) == fund
    with pytest.raises(errors.ReturnExceedsRedemption):
        await is_refunded(database, made.redemption_ids[0], 20_001)


async def test_an_order_that_no_voucher_paid_for_gives_nothing_back(database: Database):
    async def refund(tx: Tx, _: Any) -> RedemptionReversed:
        return await reverse_redemption(tx, 77_777, 1, "No.")

    with pytest.raises(errors.NothingRedeemed):
        await atomically(database, refund, None, actor=TEST)


async def test_what_was_refunded_meanwhile_is_not_clawed_back_too(
    database: Database, clock: SetClock
):
    made = await a_claim(database, redemptions=1, status="in_notice")
    await a_voucher_fund(database)
    clock.set(AFTER_NOTICE)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    await atomically(database, approve_claim, ApproveClaim(made.claim_id), actor=checker)
    proposal = ProposeClawback(made.claim_id, "The report was copied.")
    asked = await atomically(database, propose_clawback, proposal, actor=made.officer)
    await is_refunded(database, made.redemption_ids[0], 1)

    decision = DecideClawback(asked.clawback.id, True, "Seen.")
    with pytest.raises(errors.ClawbackExceedsLine):
        await atomically(database, decide_clawback, decision, actor=checker)


async def test_no_layer_gets_back_what_another_gave(database: Database):
    made = await a_claim(database, redemptions=1)
    await is_refunded(database, made.redemption_ids[0], 2)
    # One layer's half and a fen more: the whole redemption would still bear it.
    too_much = text(
        "insert into redemption_return (redemption_id, layer_id, amount_fen, cause, went_to,"
        " frees_caps, after_approval, entry_id, returned_on, reason, made_by, made_at)"
        " select redemption_id, layer_id, 25000, cause, went_to, frees_caps, after_approval,"
        " entry_id, returned_on, reason, made_by, made_at from redemption_return limit 1"
    )

    async def past_the_rules(tx: Tx, _: Any) -> None:
        await tx.execute(too_much)

    with pytest.raises(errors.LayerReturnExceeds):
        await atomically(database, past_the_rules, None, actor=TEST)
