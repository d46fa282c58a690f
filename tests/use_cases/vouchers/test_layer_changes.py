"""Policy: J.22a, J.22b. Budgets, shares and layers change by a version of two persons."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SetClock, shanghai_instant
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.errors import (
    ProgrammeRefused,
    ProgrammeStateMoved,
    ProgrammeVersionMissing,
    SamePerson,
)
from marketplace.vouchers.jobs import reconcile_programmes
from marketplace.vouchers.queries import LayerChangesAsked, ProgrammeVersion
from marketplace.vouchers.rules.layer_changes import LayerAdded, LayerChanged
from marketplace.vouchers.use_cases import (
    CloseProgramme,
    DecideVersion,
    DraftVersion,
    LayersAsked,
    SettleVoucher,
    approve_version,
    close_programme,
    discard_version,
    draft_version,
    settle_voucher,
)
from tests.builders.parties import a_provider, an_actor, an_sme
from tests.builders.vouchers import (
    TEST,
    a_grant,
    a_hold,
    a_programme,
    an_officer,
    money_on,
    orders_are_numbers,
    the_layers,
    the_wallet,
)

APRIL = date(2025, 4, 1)
BUDGET_FEN = 100_000_000
ZONE = LayerAdded("zone", "320115", 1_000, 5_000_000, "江宁区")


async def drafted(
    database: Database, programme_id: int, *changed: LayerChanged, **more: Any
) -> ProgrammeVersion:
    layers = LayersAsked(changed, more.pop("added", ()))
    command = DraftVersion(programme_id, APRIL, "财政调整", layers=layers)
    actor = more.pop("by", None) or await an_officer(database)
    return await atomically(database, draft_version, command, actor=actor)


async def approved(database: Database, version: ProgrammeVersion) -> ProgrammeVersion:
    command = DecideVersion(version.programme_id, version.version)
    return await atomically(database, approve_version, command, actor=await an_officer(database))


async def budgets(database: Database, programme_id: int) -> list[tuple[int, int, int]]:
    """Of each layer its budget, what can be granted of it, and what the ledger appropriated."""
    page = await atomically(database, queries.programme_page, programme_id, actor=TEST)
    return [
        (
            each.layer.budget_fen,
            each.available_fen,
            await money_on(database, AccountType.APPROPRIATION, each.layer.id),
        )
        for each in page.layers
    ]


async def test_a_budget_is_raised_and_lowered_by_two_persons_and_in_the_ledger(
    database: Database,
):
    granted = await a_grant(database)
    programme_id = granted.programme_id
    province, city = await the_layers(database, programme_id)
    officer = await an_officer(database)
    version = await drafted(
        database,
        programme_id,
        LayerChanged(province, budget_fen=BUDGET_FEN + 7),
        LayerChanged(city, budget_fen=2_000_000),
        by=officer,
    )
    # Nothing moves before the second person agrees; the city may fall to what it has granted.
    assert [each[0] for each in await budgets(database, programme_id)] == [BUDGET_FEN] * 2
    with pytest.raises(SamePerson):
        await atomically(database, approve_version, DecideVersion(programme_id, 2), actor=officer)
    await approved(database, version)

    assert await budgets(database, programme_id) == [
        (BUDGET_FEN + 7, BUDGET_FEN + 7 - 2_000_000, BUDGET_FEN + 7),
        (2_000_000, 0, 2_000_000),
    ]
    assert await reconcile_programmes(database)
    asked = LayerChangesAsked(programme_id, 2)
    told = await atomically(database, queries.layer_changes, asked, actor=TEST)
    assert [(each.budget_before_fen, each.budget_fen) for each in reversed(told.rows)] == [
        (BUDGET_FEN, BUDGET_FEN + 7),
        (BUDGET_FEN, 2_000_000),
    ]
    async with database.engine.connect() as connection:
        lines = await connection.execute(
            text(
                "select subject_id, (facts ->> 'budget_fen')::bigint from audit_event"
                " where subject = 'programme_layer' order by id"
            )
        )
    assert [tuple(line) for line in lines] == [
        (province, BUDGET_FEN + 7),
        (city, 2_000_000),
    ]


async def test_a_budget_is_never_lower_than_what_is_granted_held_and_used(database: Database):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=2)
    settle = SettleVoucher(2, 100_000, date(2025, 3, 3))
    await atomically(database, settle_voucher, settle, actor=TEST)
    _, city = await the_layers(database, granted.programme_id)

    with pytest.raises(ProgrammeRefused) as refused:
        await drafted(database, granted.programme_id, LayerChanged(city, budget_fen=1_999_999))
    [reason] = refused.value.reasons
    assert (reason.rule, reason.limit) == ("budget", 2_000_000)

    # What is granted between draft and approval is not taken away either.
    version = await drafted(
        database, granted.programme_id, LayerChanged(city, budget_fen=2_000_000)
    )
    await a_grant(database, programme_id=granted.programme_id, amount_fen=100_000)
    with pytest.raises(ProgrammeRefused):
        await approved(database, version)
    assert [each[0] for each in await budgets(database, granted.programme_id)] == [BUDGET_FEN] * 2


async def test_a_new_share_is_for_new_orders_and_what_is_held_keeps_its_own(
    database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    province, _ = await the_layers(database, granted.programme_id)
    await approved(
        database,
        await drafted(
            database, granted.programme_id, LayerChanged(province, ratio_basis_points=1_000)
        ),
    )
    old = await a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
    clock.set(shanghai_instant(APRIL))
    new = await a_hold(database, granted=granted, provider_id=provider_id, order_id=2)

    assert [part.amount_fen for part in old.parts] == [25_000, 25_000]
    assert [part.amount_fen for part in new.parts] == [10_000, 25_000]
    for order_id, paid_fen in ((1, 50_000), (2, 35_000)):
        command = SettleVoucher(order_id, 100_000, APRIL)
        settled = await atomically(database, settle_voucher, command, actor=TEST)
        assert settled.amount_fen == paid_fen
    # What was granted of each layer stays: 20,000 CNY of the province and as much of the city.
    assert (await the_wallet(database, granted)).grant.amount_fen == 4_000_000


async def test_a_new_layer_has_its_budget_at_once_and_pays_from_its_day_on(
    database: Database, clock: SetClock
):
    programme_id = await a_programme(database)
    before, after = [
        await an_actor(
            database,
            Role.SME_ADMINISTRATOR,
            organisation_id=await an_sme(database, region_code="320115"),
        )
        for _ in range(2)
    ]
    await approved(database, await drafted(database, programme_id, added=[ZONE]))

    assert await budgets(database, programme_id) == [
        (BUDGET_FEN, BUDGET_FEN, BUDGET_FEN),
        (BUDGET_FEN, BUDGET_FEN, BUDGET_FEN),
        (5_000_000, 5_000_000, 5_000_000),
    ]
    await a_grant(database, programme_id=programme_id, sme=before, amount_fen=600_000)
    clock.set(shanghai_instant(APRIL))
    await a_grant(database, programme_id=programme_id, sme=after, amount_fen=600_000)

    found = [each[0] - each[1] for each in await budgets(database, programme_id)]
    assert found == [300_000 + 250_000, 300_000 + 250_000, 100_000]
    assert await reconcile_programmes(database)
    command = DraftVersion(
        programme_id, date(2025, 5, 1), "again", layers=LayersAsked(added=[ZONE])
    )
    with pytest.raises(ProgrammeRefused, match="has a layer for 320115"):
        await atomically(database, draft_version, command, actor=await an_officer(database))


async def test_layers_of_more_than_the_whole_price_together_are_refused(database: Database):
    programme_id = await a_programme(database)
    province, _ = await the_layers(database, programme_id)

    with pytest.raises(ProgrammeRefused, match="more than 100 %"):
        await drafted(database, programme_id, LayerChanged(province, ratio_basis_points=9_000))


async def test_a_draft_is_for_the_centre_and_a_discarded_one_moves_nothing(database: Database):
    programme_id = await a_programme(database)
    province, _ = await the_layers(database, programme_id)
    await drafted(database, programme_id, LayerChanged(province, budget_fen=1), added=[ZONE])
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    asked = LayerChangesAsked(programme_id, 2)
    with pytest.raises(ProgrammeVersionMissing):
        await atomically(database, queries.layer_changes, asked, actor=sme)
    told = await atomically(database, queries.layer_changes, asked, actor=TEST)
    assert [(each.is_new, each.layer_id) for each in told.rows] == [(True, None), (False, province)]
    await atomically(
        database, discard_version, DecideVersion(programme_id, 2), actor=await an_officer(database)
    )

    assert await budgets(database, programme_id) == [(BUDGET_FEN, BUDGET_FEN, BUDGET_FEN)] * 2


async def test_the_budgets_of_a_closed_programme_change_no_more(database: Database):
    programme_id = await a_programme(database)
    province, _ = await the_layers(database, programme_id)
    change = LayerChanged(province, budget_fen=1)
    version = await drafted(database, programme_id, change)
    await atomically(
        database, close_programme, CloseProgramme(programme_id), actor=await an_officer(database)
    )

    with pytest.raises(ProgrammeStateMoved, match="change no more"):
        await approved(database, version)
    await atomically(
        database, discard_version, DecideVersion(programme_id, 2), actor=await an_officer(database)
    )
    with pytest.raises(ProgrammeStateMoved, match="change no more"):
        await drafted(database, programme_id, change)
    assert await reconcile_programmes(database)
