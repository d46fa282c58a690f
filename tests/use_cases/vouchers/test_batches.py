"""Policy: J.22a. Rounds of applications grant at most their amounts; layers pay in their years."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import errors, grant_errors, queries
from marketplace.vouchers.use_cases import (
    DecideApplication,
    Decided,
    LayerPlan,
    ProposeNext,
    QueueApplication,
    decide_application,
    propose_next,
    queue_application,
)
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    TEST,
    a_grant,
    a_programme,
    an_application,
    an_officer,
    with_terms,
)

SPRING = {"number": 1, "opens_on": "2025-02-01", "closes_on": "2025-03-31"}
AUTUMN = {"number": 2, "opens_on": "2025-09-01", "closes_on": "2025-09-30"}
IN_AUTUMN = datetime(2025, 9, 2, 9, 0, tzinfo=SHANGHAI)


async def in_rounds(database: Database, *, spring_fen: int = 6_000_000) -> int:
    programme_id = await a_programme(database)
    batches = [SPRING | {"amount_fen": spring_fen}, AUTUMN]
    await with_terms(database, programme_id, batches=batches)
    return programme_id


async def applied(database: Database, programme_id: int, asked_fen: int = 4_000_000) -> int:
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    return await an_application(database, programme_id=programme_id, sme=sme, asked_fen=asked_fen)


async def granted(database: Database, application_id: int, amount_fen: int = 4_000_000) -> Decided:
    command = DecideApplication(application_id, amount_fen)
    return await atomically(database, decide_application, command, actor=await an_officer(database))


async def status_of(database: Database, application_id: int) -> str:
    return (await atomically(database, queries.application, application_id, actor=TEST)).status


async def test_a_round_grants_no_more_than_its_amount(database: Database):
    programme_id = await in_rounds(database)
    first, second = await applied(database, programme_id), await applied(database, programme_id)
    await granted(database, first)

    with pytest.raises(errors.GrantRefused) as refused:
        await granted(database, second)

    [reason] = refused.value.reasons
    assert (reason.rule, reason.limit, reason.asked) == ("round", 2_000_000, 4_000_000)
    assert (await granted(database, second, 2_000_000)).grant_id is not None
    # Who applies when the round has nothing left waits in line.
    assert await status_of(database, await applied(database, programme_id)) == "waiting"


async def test_who_waits_for_a_round_comes_up_in_the_next(database: Database, clock: SetClock):
    programme_id = await in_rounds(database)
    await granted(database, await applied(database, programme_id))
    late = await applied(database, programme_id)
    officer = await an_officer(database)
    await atomically(database, queue_application, QueueApplication(late), actor=officer)

    asked = ProposeNext(programme_id)
    assert await atomically(database, propose_next, asked, actor=TEST) == []
    clock.set(IN_AUTUMN)
    assert await atomically(database, propose_next, asked, actor=TEST) == [late]

    assert (await granted(database, late)).grant_id is not None


async def test_who_waits_within_a_rounds_amount_is_not_passed(database: Database):
    programme_id = await in_rounds(database)
    await granted(database, await applied(database, programme_id))
    large = await applied(database, programme_id)
    await atomically(
        database, queue_application, QueueApplication(large), actor=await an_officer(database)
    )
    small = await applied(database, programme_id, 2_000_000)

    assert await status_of(database, small) == "waiting"
    assert await atomically(database, propose_next, ProposeNext(programme_id), actor=TEST) == []


async def test_between_two_rounds_nobody_applies(database: Database, clock: SetClock):
    programme_id = await in_rounds(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    clock.set(datetime(2025, 4, 1, 0, 0, tzinfo=SHANGHAI))

    with pytest.raises(errors.NotEligible, match="from 2025-02-01 to 2025-03-31"):
        await an_application(database, programme_id=programme_id, sme=sme)


async def race_for_a_round(database: Database) -> tuple[int, list[Any]]:
    """Eight applications of 2,000,000 are granted at once in a round of 6,000,000."""
    programme_id = await in_rounds(database)
    asked = [await applied(database, programme_id, 2_000_000) for _ in range(8)]
    found = await asyncio.gather(
        *(granted(database, each, 2_000_000) for each in asked), return_exceptions=True
    )
    refused = [each for each in found if isinstance(each, BaseException)]
    return len(found) - len(refused), refused


async def test_grants_that_race_for_a_round_never_pass_its_amount(database: Database):
    won, refused = await race_for_a_round(database)

    assert won == 3
    assert {type(each) for each in refused} <= {grant_errors.RoundUsedUp, errors.GrantRefused}


async def test_control_without_the_databases_limit_grants_pass_the_rounds_amount(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(
            text("alter table voucher_batch drop constraint voucher_batch_amount")
        )
    for module in ("decisions", "applications"):
        monkeypatch.setattr(f"marketplace.vouchers.use_cases.{module}.left_in", lambda *_: None)

    assert (await race_for_a_round(database))[0] > 3


async def test_the_database_refuses_what_passes_a_rounds_amount(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("marketplace.vouchers.use_cases.decisions.left_in", lambda *_: None)
    programme_id = await in_rounds(database, spring_fen=1_000_000)

    with pytest.raises(grant_errors.RoundUsedUp):
        await granted(database, await applied(database, programme_id))


async def test_a_layer_with_a_budget_of_another_year_pays_for_nobody_in_this_one(
    database: Database,
):
    programme_id = await a_programme(
        database,
        layers=(
            LayerPlan("province", "320000", 100_000_000, 2500, "", 2025),
            LayerPlan("province", "320000", 100_000_000, 2500, "", 2026),
        ),
    )

    made = await a_grant(database, programme_id=programme_id)

    page = await atomically(database, queries.programme_page, made.programme_id, actor=TEST)
    assert [(each.layer.budget_year, each.granted_fen) for each in page.layers] == [
        (2025, 4_000_000),
        (2026, 0),
    ]
