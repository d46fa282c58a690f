"""A budget that is lowered while grants are made of it, and what happens without the guard."""

import asyncio
from datetime import date

from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import DomainError
from marketplace.parties.roles import Role
from marketplace.vouchers.errors import ProgrammeRefused
from marketplace.vouchers.rules.layer_changes import LayerChanged
from marketplace.vouchers.use_cases import (
    DecideApplication,
    DecideVersion,
    DraftVersion,
    LayersAsked,
    approve_version,
    decide_application,
    draft_version,
)
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    a_programme,
    an_application,
    an_officer,
    money_on,
    the_layers,
)
from tests.races.test_year_end import all_wait, locked

BUDGETS = "select from account where type = 'programme_budget' for update"
BUDGET_FEN = 100_000_000


async def a_grant_races_with_a_lower_budget(
    database: Database,
) -> tuple[list[DomainError], int, int]:
    """Who was refused, what is left of the province's budget, and how much that budget is."""
    programme_id = await a_programme(database)
    province, _ = await the_layers(database, programme_id)
    layers = LayersAsked([LayerChanged(province, budget_fen=1)])
    version = await atomically(
        database,
        draft_version,
        DraftVersion(programme_id, date(2025, 4, 1), "Cut", layers=layers),
        actor=await an_officer(database),
    )
    asked = await an_application(
        database,
        programme_id=programme_id,
        sme=await an_actor(database, Role.SME_ADMINISTRATOR),
    )
    officers = [await an_officer(database) for _ in range(2)]
    async with locked(database, BUDGETS):
        # Both have looked at the whole budget when the first of them takes of it.
        race = asyncio.gather(
            atomically(
                database,
                approve_version,
                DecideVersion(programme_id, version.version),
                actor=officers[0],
            ),
            atomically(
                database,
                decide_application,
                DecideApplication(asked, 4_000_000),
                actor=officers[1],
            ),
            return_exceptions=True,
        )
        await all_wait(database, 2)
    results = await race
    refused = [each for each in results if isinstance(each, DomainError)]
    assert all(isinstance(each, DomainError) for each in results if isinstance(each, Exception))
    async with database.engine.connect() as connection:
        budget_fen = await connection.scalar(
            text("select budget_fen from programme_layer where id = :id"), {"id": province}
        )
    left_fen = await money_on(database, AccountType.PROGRAMME_BUDGET, province)
    return refused, left_fen, int(budget_fen or 0)


async def test_a_budget_is_not_lowered_below_what_is_granted_in_the_same_moment(
    database: Database,
):
    [refusal], left_fen, budget_fen = await a_grant_races_with_a_lower_budget(database)

    assert (left_fen, budget_fen) in {(BUDGET_FEN - 2_000_000, BUDGET_FEN), (1, 1)}
    lowered = budget_fen == 1
    assert isinstance(refusal, ProgrammeRefused) != lowered
    if not lowered:
        assert [reason.rule for reason in refusal.reasons] == ["budget"]


async def test_control_without_the_ledgers_limit_the_budget_is_below_what_is_granted(
    database: Database,
):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table account drop constraint account_min_available"))

    refused, left_fen, budget_fen = await a_grant_races_with_a_lower_budget(database)

    assert not refused
    assert (left_fen, budget_fen) == (1 - 2_000_000, 1)
