"""A forecast is what a run of the same day would pay, told to its provider and finance."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from marketplace.billing.rewards import queries
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.rulebook import load, rulebook_path, use_rulebook
from tests.builders.catalogue import an_instrument
from tests.builders.invoicing import a_charge
from tests.builders.parties import a_legal_entity, a_provider, an_actor, an_sme
from tests.builders.rewards import a_draft, a_graded_provider

TEST = system_actor("test")
TODAY = datetime(2025, 9, 30, 9, 0, tzinfo=SHANGHAI)


async def told(database: Database, provider_id: int) -> queries.Forecast:
    return await atomically(database, queries.forecast, provider_id, actor=TEST)


async def the_run(database: Database) -> dict[int, queries.RewardShare]:
    """The shares of a run that is drafted the same day."""
    drafted = await a_draft(database, through=TODAY.date())
    page = await atomically(database, queries.shares, queries.ShareSearch(drafted.id), actor=TEST)
    return {each.provider_id: each for each in page.results}


async def served(database: Database, provider_id: int, *fen: int, settled_on: date) -> list[int]:
    """Services of this value, each on an instrument of its own."""
    buyer_id = await an_sme(database, profile_year=None)
    machines = []
    for value in fen:
        machines.append(await an_instrument(database, provider_id=provider_id))
        await a_charge(
            database,
            provider_id=provider_id,
            buyer_id=buyer_id,
            instrument_id=machines[-1],
            voucher_fen=value // 2,
            own_fen=value - value // 2,
            settled_on=settled_on,
        )
    return machines


async def test_it_is_the_share_of_a_run_of_the_same_day_under_both_caps(
    database: Database, clock: SetClock
) -> None:
    clock.set(TODAY)
    entity = await a_legal_entity(database)
    mine = await a_graded_provider(database, grade="excellent", legal_entity_id=entity)
    sister = await a_graded_provider(database, grade="good", legal_entity_id=entity)
    other = await a_graded_provider(database, grade="good")
    for provider_id, fen in ((mine, 900_000_000), (sister, 300_000_001), (other, 77_777)):
        await served(database, provider_id, fen, settled_on=date(2025, 5, 6))

    ahead = await told(database, mine)
    small = await told(database, other)
    shares = await the_run(database)

    assert ahead.share is not None
    assert ahead.share.arithmetic == shares[mine].arithmetic
    assert ahead.share.amount_fen == shares[mine].amount_fen
    assert "legal-entity" in ahead.share.arithmetic["bound_by"]
    assert small.share is not None
    assert small.share.amount_fen == shares[other].amount_fen
    assert (ahead.year, ahead.through, ahead.if_graded) == (2025, TODAY.date(), [])


async def test_without_a_grade_it_tells_what_each_would_bring(
    database: Database, clock: SetClock
) -> None:
    clock.set(TODAY)
    provider_id = await a_provider(database)
    assert (await told(database, provider_id)).share is None
    await served(database, provider_id, 1_000_000, settled_on=date(2025, 5, 6))

    ahead = await told(database, provider_id)

    assert ahead.share is not None
    assert ahead.share.amount_fen == 0
    assert [(str(each.grade), each.amount_fen) for each in ahead.if_graded] == [
        ("excellent", 50_000),
        ("good", 30_000),
        ("qualified", 10_000),
    ]


async def test_hunan_caps_each_instrument_of_it(database: Database, clock: SetClock) -> None:
    clock.set(TODAY)
    with use_rulebook(load(rulebook_path("hunan"))):
        provider_id = await a_graded_provider(database, grade="excellent")
        large, small = await served(
            database, provider_id, 900_000_000, 100_000, settled_on=date(2025, 5, 6)
        )
        ahead = await told(database, provider_id)
        share = (await the_run(database))[provider_id]

    assert ahead.share is not None
    assert ahead.share.arithmetic == share.arithmetic
    counted = {each.instrument_id: each.counted_fen for each in ahead.instruments}
    assert counted == {large: ahead.instruments[0].cap_fen, small: 10_000}


async def test_another_provider_is_not_told(database: Database, clock: SetClock) -> None:
    clock.set(TODAY)
    provider_id = await a_provider(database)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    maker = await an_actor(database, Role.FINANCE_MAKER)

    with pytest.raises(Missing):
        await atomically(database, queries.forecast, provider_id, actor=stranger)
    with pytest.raises(Missing):
        await atomically(database, queries.forecast, provider_id + 99_999, actor=maker)
    assert (await atomically(database, queries.forecast, provider_id, actor=maker)).share is None
