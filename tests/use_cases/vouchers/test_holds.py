"""Policy: J.22b. Held at the order, settled to what was used, the rest spendable at once."""

from datetime import date, datetime

import pytest

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.errors import OrganisationMissing
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import SuspendOrganisation, suspend_organisation
from marketplace.vouchers import errors, queries
from marketplace.vouchers.use_cases import (
    ReleaseVoucher,
    SettleVoucher,
    release_voucher,
    settle_voucher,
)
from tests.builders.parties import a_legal_entity, a_provider, an_actor, an_sme
from tests.builders.vouchers import (
    TEST,
    a_grant,
    a_hold,
    money_on,
    the_layers,
    the_wallet,
)

ON = date(2025, 3, 3)


async def settled(database: Database, order_id: int, used_fen: int) -> int:
    command = SettleVoucher(order_id, used_fen, ON)
    return (await atomically(database, settle_voucher, command, actor=TEST)).amount_fen


async def test_a_hold_freezes_what_each_layer_would_pay(database: Database):
    granted = await a_grant(database)
    held = await a_hold(database, granted=granted, provider_id=await a_provider(database))

    assert held.amount_fen == 50_000
    assert [(part.funder, part.amount_fen) for part in held.parts] == [
        ("province", 25_000),
        ("city", 25_000),
    ]
    wallet = await the_wallet(database, granted)
    assert (wallet.frozen_fen, wallet.left_fen) == (50_000, 3_950_000)


@pytest.mark.parametrize(
    ("used_fen", "paid_fen"),
    [
        (100_000, 50_000),
        (60_000, 30_000),
        (99_999, 49_998),
        # More than was ordered: never above the hold.
        (140_000, 50_000),
        (0, 0),
    ],
)
async def test_a_settlement_pays_the_ratio_of_what_was_really_used(
    database: Database, used_fen: int, paid_fen: int
):
    granted = await a_grant(database)
    await a_hold(database, granted=granted, provider_id=await a_provider(database), order_id=7_001)

    assert paid_fen == await settled(database, 7_001, used_fen)
    wallet = await the_wallet(database, granted)
    assert (wallet.used_fen, wallet.frozen_fen, wallet.left_fen) == (
        paid_fen,
        0,
        4_000_000 - paid_fen,
    )
    spent = [
        await money_on(database, AccountType.PROGRAMME_SPENT, layer)
        for layer in await the_layers(database, granted.programme_id)
    ]
    assert sum(spent) == paid_fen


async def test_a_released_hold_is_spendable_at_once(database: Database):
    granted = await a_grant(database, amount_fen=50_000)
    provider_id = await a_provider(database)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=7_001)
    with pytest.raises(errors.VoucherNotUsable, match="Nothing is left"):
        await a_hold(database, granted=granted, provider_id=provider_id)

    await atomically(database, release_voucher, ReleaseVoucher(7_001), actor=TEST)

    again = await a_hold(database, granted=granted, provider_id=provider_id)
    assert again.amount_fen == 50_000


async def test_a_hold_ends_once(database: Database):
    granted = await a_grant(database)
    await a_hold(database, granted=granted, provider_id=await a_provider(database), order_id=7_001)
    await settled(database, 7_001, 100_000)

    with pytest.raises(errors.VoucherHoldEnded):
        await settled(database, 7_001, 100_000)
    with pytest.raises(errors.VoucherHoldEnded):
        await atomically(database, release_voucher, ReleaseVoucher(7_001), actor=TEST)
    with pytest.raises(errors.VoucherHoldMissing):
        await settled(database, 7_002, 100_000)


async def test_an_order_is_held_for_once(database: Database):
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=7_001)

    with pytest.raises(errors.VoucherHeldBefore):
        await a_hold(database, granted=granted, provider_id=provider_id, order_id=7_001)


async def test_a_voucher_with_less_than_its_ratio_left_pays_the_rest(database: Database):
    granted = await a_grant(database, amount_fen=30_000)
    held = await a_hold(database, granted=granted, provider_id=await a_provider(database))

    assert held.amount_fen == 30_000


async def test_a_voucher_used_to_the_last_fen_is_exhausted(database: Database):
    granted = await a_grant(database, amount_fen=50_000)
    await a_hold(database, granted=granted, provider_id=await a_provider(database), order_id=7_001)
    await settled(database, 7_001, 100_000)

    assert (await the_wallet(database, granted)).grant.status == "exhausted"


async def test_every_reason_why_a_voucher_may_not_pay_is_told(database: Database, clock: SetClock):
    granted = await a_grant(database)
    provider_id = await an_affiliated_provider(database, granted.sme.organisation_id)
    clock.set(datetime(2026, 1, 1, 0, 0, tzinfo=SHANGHAI))
    await atomically(
        database, suspend_organisation, SuspendOrganisation(provider_id, "Fraud"), actor=TEST
    )

    with pytest.raises(errors.VoucherNotUsable) as refused:
        await a_hold(
            database,
            granted=granted,
            provider_id=provider_id,
            service_kind="statutory-test",
        )

    assert [reason.rule for reason in refused.value.reasons] == [
        "valid",
        "provider-suspended",
        "excluded-service",
        "not-affiliated",
    ]


async def an_affiliated_provider(database: Database, sme_id: int) -> int:
    async def legal_entity_of(tx, organisation_id):
        from marketplace.parties.queries import organisation

        return (await organisation(tx, organisation_id)).legal_entity_id

    legal_entity_id = await atomically(database, legal_entity_of, sme_id, actor=TEST)
    return await a_provider(database, legal_entity_id=legal_entity_id)


async def test_the_same_legal_representative_is_an_affiliation(database: Database):
    owner = {"legal_representative": "王明"}
    sme_id = await an_sme(database, legal_entity_id=await a_legal_entity(database, **owner))
    sme = await an_actor(database, Role.SME_ADMINISTRATOR, organisation_id=sme_id)
    granted = await a_grant(database, sme=sme)
    provider_id = await a_provider(
        database, legal_entity_id=await a_legal_entity(database, **owner)
    )

    with pytest.raises(errors.VoucherNotUsable, match="王明"):
        await a_hold(database, granted=granted, provider_id=provider_id)


async def test_an_sme_without_a_voucher_is_told_so(database: Database):
    sme_id = await an_sme(database)
    question = queries.VoucherQuestion(sme_id, await a_provider(database), "research", 100_000, ON)
    found = await atomically(database, queries.voucher_part, question, actor=TEST)

    assert (found.grant_id, found.total_fen) == (None, 0)
    assert [reason.rule for reason in found.refusals] == ["voucher"]


async def test_the_question_tells_the_same_amount_as_the_hold_takes_and_why(database: Database):
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    question = queries.VoucherQuestion(
        granted.sme.organisation_id, provider_id, "research", 100_000, ON
    )
    found = await atomically(database, queries.voucher_part, question, actor=TEST)
    held = await a_hold(database, granted=granted, provider_id=provider_id)

    assert found.total_fen == held.amount_fen
    assert found.layers == held.parts
    assert found.explanation[0] == "Province: 25 % of 1,000.00 CNY is 250.00 CNY (J.22b)."


async def test_another_smes_wallet_does_not_exist(database: Database):
    granted = await a_grant(database)
    other = await an_actor(database, Role.SME_ADMINISTRATOR)

    with pytest.raises(OrganisationMissing):
        await atomically(database, queries.wallet, granted.sme.organisation_id, actor=other)


async def test_many_questions_at_once_are_answered_like_each_alone(database: Database):
    granted = await a_grant(database)
    buyer = granted.sme.organisation_id
    asked = [
        (1, await a_provider(database), 100_000),
        (2, await an_affiliated_provider(database, buyer), 100_000),
        (3, await a_provider(database), 1),
    ]

    together = await atomically(
        database,
        queries.voucher_parts,
        queries.ManyVoucherQuestions(
            buyer, "research", ON, tuple(queries.ServiceValue(*each) for each in asked)
        ),
        actor=TEST,
    )

    for key, provider_id, value_fen in asked:
        alone = queries.VoucherQuestion(buyer, provider_id, "research", value_fen, ON)
        assert together[key] == await atomically(database, queries.voucher_part, alone, actor=TEST)
    assert [together[key].total_fen for key in (1, 2, 3)] == [50_000, 0, 0]
