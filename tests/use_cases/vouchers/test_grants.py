"""Policy: J.22a, J.22b. From an application to a voucher, within every cap and budget."""

import dataclasses
from datetime import date, datetime

import pytest

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import SuspendOrganisation, suspend_organisation
from marketplace.vouchers import errors, queries
from marketplace.vouchers.use_cases import (
    ApplyForVoucher,
    DecideApplication,
    LayerPlan,
    WithdrawApplication,
    apply_for_voucher,
    decide_application,
    withdraw_application,
)
from tests.builders.parties import an_actor, an_sme
from tests.builders.vouchers import (
    TEST,
    a_grant,
    a_programme,
    an_application,
    an_officer,
    money_on,
    the_layers,
    the_wallet,
)


async def test_a_grant_moves_money_from_each_layer_to_the_voucher(database: Database):
    granted = await a_grant(database, amount_fen=4_000_001)
    province, city = await the_layers(database, granted.programme_id)

    assert 100_000_000 - 2_000_001 == await money_on(
        database, AccountType.PROGRAMME_BUDGET, province
    )
    assert 100_000_000 - 2_000_000 == await money_on(database, AccountType.PROGRAMME_BUDGET, city)
    wallet = await the_wallet(database, granted)
    assert (wallet.issued_fen, wallet.left_fen, wallet.frozen_fen, wallet.used_fen) == (
        4_000_001,
        4_000_001,
        0,
        0,
    )
    assert wallet.grant.valid_until == date(2025, 12, 31)


async def test_an_application_says_every_rule_that_is_not_met(database: Database, clock: SetClock):
    programme_id = await a_programme(database)
    sme_id = await an_sme(database, profile_year=None, region_code="320500")
    sme = await an_actor(database, Role.SME_ADMINISTRATOR, organisation_id=sme_id)
    clock.set(datetime(2025, 12, 16, 9, 0, tzinfo=SHANGHAI))

    with pytest.raises(errors.NotEligible) as refused:
        await an_application(database, programme_id=programme_id, sme=sme)

    assert [reason.rule for reason in refused.value.reasons] == [
        "region",
        "programme-open",
        "profile-of-the-year",
        "registration-number",
        "staff",
        "sales",
        "assets",
    ]


async def test_an_application_keeps_what_every_check_found(database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)

    kept = await atomically(database, queries.application, application_id, actor=sme)

    assert all(check["passed"] for check in kept.checks)
    staff = next(check for check in kept.checks if check["rule"] == "staff")
    assert (staff["limit"], staff["asked"], staff["source"]) == (500, 40, "J.22b")


async def test_an_sme_waits_with_one_application_at_a_time(database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    first = await an_application(database, programme_id=programme_id, sme=sme)

    with pytest.raises(errors.ApplicationOpen):
        await an_application(database, programme_id=programme_id, sme=sme)

    await atomically(database, withdraw_application, WithdrawApplication(first), actor=sme)
    await an_application(database, programme_id=programme_id, sme=sme)
    with pytest.raises(errors.ApplicationDecided):
        await atomically(database, withdraw_application, WithdrawApplication(first), actor=sme)


async def test_another_smes_application_does_not_exist(database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    other = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)

    with pytest.raises(errors.ApplicationMissing):
        await atomically(
            database, withdraw_application, WithdrawApplication(application_id), actor=other
        )
    with pytest.raises(errors.ApplicationMissing):
        await atomically(database, queries.application, application_id, actor=other)


async def test_a_second_grant_of_the_same_programme_is_refused(database: Database):
    granted = await a_grant(database)

    with pytest.raises(errors.NotEligible) as refused:
        await an_application(
            database, programme_id=granted.programme_id, sme=granted.sme, asked_fen=1
        )

    assert [reason.rule for reason in refused.value.reasons] == ["once-per-programme"]


async def test_the_yearly_cap_counts_over_all_programmes_of_the_year(database: Database):
    # Jiangsu: each layer grants an SME at most 100,000 CNY a year.
    first = await a_grant(database, amount_fen=20_000_000)
    second = await a_programme(database)

    with pytest.raises(errors.NotEligible) as refused:
        await an_application(database, programme_id=second, sme=first.sme, asked_fen=2)

    assert [(reason.rule, reason.limit, reason.asked) for reason in refused.value.reasons] == [
        ("cap-per-sme-year-city", 10_000_000, 10_000_001),
        ("cap-per-sme-year-province", 10_000_000, 10_000_001),
    ]


async def test_an_officer_grants_at_most_what_was_asked_and_the_budget_holds(database: Database):
    programme_id = await a_programme(
        database, layers=(LayerPlan("province", "320000", 1_000), LayerPlan("city", "320100", 900))
    )
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(
        database, programme_id=programme_id, sme=sme, asked_fen=1_900
    )
    officer = await an_officer(database)

    with pytest.raises(errors.GrantRefused) as refused:
        await atomically(
            database, decide_application, DecideApplication(application_id, 2_001), actor=officer
        )
    assert [reason.rule for reason in refused.value.reasons] == ["asked", "budget", "budget"]

    with pytest.raises(errors.GrantRefused) as refused:
        await atomically(
            database, decide_application, DecideApplication(application_id, 1_900), actor=officer
        )
    assert [(reason.limit, reason.asked) for reason in refused.value.reasons] == [(900, 950)]

    decided = await atomically(
        database, decide_application, DecideApplication(application_id, 1_800), actor=officer
    )
    assert decided.grant_id is not None
    assert decided.application.status == "granted"
    with pytest.raises(errors.ApplicationDecided):
        await atomically(
            database, decide_application, DecideApplication(application_id, 1), actor=officer
        )


async def test_what_changed_since_the_application_counts_at_the_decision(database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    await atomically(
        database,
        suspend_organisation,
        SuspendOrganisation(sme.organisation_id, "False figures"),
        actor=TEST,
    )

    with pytest.raises(errors.GrantRefused) as refused:
        await atomically(
            database,
            decide_application,
            DecideApplication(application_id, 1_000),
            actor=await an_officer(database),
        )

    assert [reason.rule for reason in refused.value.reasons] == ["not-suspended"]


async def test_a_refusal_moves_no_money_and_tells_its_reason(database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    with pytest.raises(errors.ReasonMissing):
        await atomically(
            database,
            decide_application,
            DecideApplication(application_id, None, " "),
            actor=await an_officer(database),
        )

    decided = await atomically(
        database,
        decide_application,
        DecideApplication(application_id, None, "No research."),
        actor=await an_officer(database),
    )

    assert (decided.application.status, decided.application.reason) == ("refused", "No research.")
    province, _ = await the_layers(database, programme_id)
    assert 100_000_000 == await money_on(database, AccountType.PROGRAMME_BUDGET, province)


async def test_nobody_decides_their_own_application(database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    turned_officer = dataclasses.replace(sme, roles=frozenset({"voucher_officer"}))

    with pytest.raises(errors.SamePerson):
        await atomically(
            database,
            decide_application,
            DecideApplication(application_id, 1_000),
            actor=turned_officer,
        )


async def test_an_sme_outside_the_funding_cities_is_not_eligible(database: Database):
    programme_id = await a_programme(database)
    sme_id = await an_sme(database, region_code="320500")
    question = queries.EligibilityQuestion(programme_id, sme_id, 1_000, date(2025, 3, 3))

    async def ask(tx: Tx, asked: queries.EligibilityQuestion) -> queries.Eligibility:
        return await queries.eligibility_of(tx, asked)

    found = await atomically(database, ask, question, actor=TEST)

    assert [check.rule for check in found.checks if not check.passed] == ["region"]
    assert found.parts == ()


async def test_an_application_to_a_programme_that_is_not_there_is_missing(database: Database):
    with pytest.raises(errors.ProgrammeMissing):
        await atomically(
            database,
            apply_for_voucher,
            ApplyForVoucher(7, 1, ""),
            actor=await an_actor(database, Role.SME_ADMINISTRATOR),
        )
