"""Rewards are paid once and never above the cap, whoever approves at the same moment.

The control takes the guard away in this test's own database and shows that the same two approvals
then pay an entity twice: so it is the guard that wins, and not luck.
"""

import asyncio

import pytest
from sqlalchemy import text

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import (
    DraftedAtOnce,
    DraftOpen,
    RewardCapPassed,
    RunNotDraft,
)
from marketplace.billing.rewards.use_cases import ApproveRun, approve_run
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically, transaction
from tests.builders.invoicing import a_charge
from tests.builders.owner import become_owner
from tests.builders.parties import a_legal_entity
from tests.builders.rewards import (
    a_checker,
    a_draft,
    a_graded_provider,
    a_maker,
    a_reward_fund,
)

RACERS = 8
CAP_FEN = 500_000_00
SYSTEM = system_actor("test")


async def an_entity_at_its_cap(database: Database) -> int:
    """A legal entity whose one unit has earned more than the cap."""
    await a_reward_fund(database)
    legal_entity_id = await a_legal_entity(database)
    provider_id = await a_graded_provider(database, legal_entity_id=legal_entity_id)
    await a_charge(database, provider_id=provider_id, own_fen=20_000_000_00)
    return legal_entity_id


async def paid_to(database: Database, legal_entity_id: int) -> int:
    question = queries.EntityYear(legal_entity_id, 2025)
    return (await atomically(database, queries.entity_statement, question, actor=SYSTEM)).paid_fen


async def test_of_many_who_approve_a_run_at_once_one_pays_it(database):
    legal_entity_id = await an_entity_at_its_cap(database)
    drafted = await a_draft(database)
    checkers = [await a_checker(database) for _ in range(RACERS)]

    results = await asyncio.gather(
        *(
            atomically(database, approve_run, ApproveRun(drafted.id), actor=checker)
            for checker in checkers
        ),
        return_exceptions=True,
    )

    refused = [each for each in results if isinstance(each, BaseException)]
    assert RACERS - 1 == len(refused)
    assert {RunNotDraft} == {type(each) for each in refused}
    assert CAP_FEN == await paid_to(database, legal_entity_id)


async def test_of_many_who_draft_a_year_at_once_one_gets_its_draft(database):
    makers = [await a_maker(database) for _ in range(RACERS)]

    results = await asyncio.gather(
        *(a_draft(database, actor=maker) for maker in makers), return_exceptions=True
    )

    refused = [each for each in results if isinstance(each, BaseException)]
    assert RACERS - 1 == len(refused)
    assert {type(each) for each in refused} <= {DraftOpen, DraftedAtOnce}


async def two_drafts_of_one_year(database: Database) -> list[queries.RewardRun]:
    """What the index on drafts refuses: it is taken away, so that the cap stands alone."""
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("drop index reward_run_one_draft"))
    return [await a_draft(database), await a_draft(database)]


async def approve_second_while_first_is_open(
    database: Database, drafts: list[queries.RewardRun]
) -> queries.RewardRun:
    """Both have read that nothing was paid before either is committed."""
    first, second = [await a_checker(database) for _ in drafts]
    async with transaction(database, actor=first) as tx:
        await approve_run(tx, ApproveRun(drafts[0].id))
        racing = asyncio.create_task(
            atomically(database, approve_run, ApproveRun(drafts[1].id), actor=second)
        )
        await until_somebody_waits(database)
    return await racing


async def until_somebody_waits(database: Database) -> None:
    waiting = text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        " and datname = current_database()"
    )
    for _ in range(200):
        async with database.engine.connect() as connection:
            await become_owner(connection)
            if (await connection.execute(waiting)).scalar():
                return
        await asyncio.sleep(0.02)
    raise AssertionError("the second approval did not wait for the first")


async def test_the_cap_holds_for_two_runs_approved_at_once(database):
    legal_entity_id = await an_entity_at_its_cap(database)
    drafts = await two_drafts_of_one_year(database)

    with pytest.raises(RewardCapPassed):
        await approve_second_while_first_is_open(database, drafts)

    assert CAP_FEN == await paid_to(database, legal_entity_id)


async def test_without_the_check_the_same_two_runs_pay_twice(database):
    legal_entity_id = await an_entity_at_its_cap(database)
    drafts = await two_drafts_of_one_year(database)
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table reward_year drop constraint reward_year_cap"))

    await approve_second_while_first_is_open(database, drafts)

    assert 2 * CAP_FEN == await paid_to(database, legal_entity_id)
