"""Policy: J.22a. A programme's money is there only after a second person approved it."""

from datetime import date

import pytest

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, atomically
from marketplace.parties.roles import Role
from marketplace.vouchers import errors, queries
from marketplace.vouchers.use_cases import (
    ApproveProgramme,
    CloseProgramme,
    DraftProgramme,
    LayerPlan,
    approve_programme,
    close_programme,
    draft_programme,
)
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    a_programme,
    an_application,
    an_officer,
    money_on,
    the_layers,
)


async def test_a_budget_enters_the_ledger_when_a_second_person_approves(database: Database):
    programme_id = await a_programme(database, approved=False)
    province, city = await the_layers(database, programme_id)

    assert 0 == await money_on(database, AccountType.PROGRAMME_BUDGET, province)

    approved = await atomically(
        database,
        approve_programme,
        ApproveProgramme(programme_id),
        actor=await an_officer(database),
    )

    assert approved.status == "open"
    assert approved.valid_until == date(2025, 12, 31)
    for layer in (province, city):
        assert 100_000_000 == await money_on(database, AccountType.PROGRAMME_BUDGET, layer)
        assert 100_000_000 == await money_on(database, AccountType.APPROPRIATION, layer)


async def test_nobody_approves_the_programme_they_drafted(database: Database):
    officer = await an_officer(database)
    command = DraftProgramme(
        "券",
        "Vouchers",
        2025,
        date(2025, 1, 1),
        date(2025, 6, 30),
        (LayerPlan("province", "320000", 1),),
    )
    drafted = await atomically(database, draft_programme, command, actor=officer)

    with pytest.raises(errors.SamePerson):
        await atomically(database, approve_programme, ApproveProgramme(drafted.id), actor=officer)


async def test_a_programme_is_approved_once(database: Database):
    programme_id = await a_programme(database)

    with pytest.raises(errors.ProgrammeStateMoved):
        await atomically(
            database,
            approve_programme,
            ApproveProgramme(programme_id),
            actor=await an_officer(database),
        )


async def test_a_draft_says_everything_that_is_wrong_with_it(database: Database):
    command = DraftProgramme(
        "券",
        "Vouchers",
        2025,
        date(2025, 7, 1),
        date(2024, 6, 30),
        (LayerPlan("zone", "320500", 1), LayerPlan("city", "430100", 1)),
    )

    with pytest.raises(errors.ProgrammeRefused) as refused:
        await atomically(database, draft_programme, command, actor=await an_officer(database))

    assert [reason.rule for reason in refused.value.reasons] == ["days", "year", "funder", "region"]


async def test_layers_that_stack_above_everything_are_refused(database: Database):
    layers = (
        LayerPlan("province", "320000", 1),
        LayerPlan("city", "320500", 1),
        LayerPlan("city", "320583", 1),
    )
    # 25 % three times is no stacking problem; five layers over one place would be.
    await a_programme(database, layers=layers)
    too_much = (
        *layers,
        LayerPlan("province", "320500", 1),
        LayerPlan("province", "320583", 1),
    )

    with pytest.raises(errors.ProgrammeRefused, match="100 %"):
        await a_programme(database, layers=too_much)


async def test_a_name_is_used_once_a_year_and_a_layer_once_a_programme(database: Database):
    await a_programme(database, name="2025年券")

    with pytest.raises(errors.ProgrammeExists):
        await a_programme(database, name="2025年券")
    with pytest.raises(errors.LayerTwice):
        await a_programme(
            database,
            layers=(LayerPlan("city", "320100", 1), LayerPlan("city", "320100", 2)),
        )


async def test_a_rulebook_without_terms_for_the_day_opens_no_programme(database: Database):
    with pytest.raises(errors.ProgrammeRefused) as refused:
        await a_programme(
            database, year=2019, opens_on=date(2019, 1, 1), closes_on=date(2019, 6, 30)
        )

    assert "layers" in " ".join(reason.message for reason in refused.value.reasons)


async def test_a_programme_closes_when_nobody_waits_for_a_decision(database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    await an_application(database, programme_id=programme_id, sme=sme)
    officer = await an_officer(database)

    with pytest.raises(errors.ProgrammeStateMoved, match="1 applications wait"):
        await atomically(database, close_programme, CloseProgramme(programme_id), actor=officer)

    empty = await a_programme(database)
    closed = await atomically(database, close_programme, CloseProgramme(empty), actor=officer)

    assert closed.status == "closed"
    with pytest.raises(errors.ProgrammeStateMoved):
        await atomically(database, close_programme, CloseProgramme(empty), actor=officer)


async def test_a_draft_does_not_exist_for_an_sme(database: Database):
    programme_id = await a_programme(database, approved=False)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)

    with pytest.raises(errors.ProgrammeMissing):
        await atomically(database, queries.programme_page, programme_id, actor=sme)
