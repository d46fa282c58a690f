"""What is told beforehand of a sanction is what the database then does, whoever is under it."""

from datetime import date, datetime

import httpx
import pytest

from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import Services
from marketplace.kernel.time import SHANGHAI, SetClock, shanghai_day
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.use_cases.sanctions import (
    AppealSanction,
    DecideAppeal,
    appeal_sanction,
    decide_appeal,
)
from tests.builders.parties import an_actor, bearer
from tests.builders.vouchers import TEST, AGrant, a_grant, a_hold
from tests.use_cases.vouchers.test_sanctions import is_imposed

LAST_DAY = date(2025, 4, 30)


async def is_told_and_done(
    database: Database, clock: SetClock, granted: AGrant, provider_id: int
) -> bool:
    """Whether the voucher pays: the preview and a hold in the same moment say the same."""
    question = queries.VoucherQuestion(
        granted.sme.organisation_id, provider_id, "research", 1_000, shanghai_day(clock.now())
    )
    told = await atomically(database, queries.voucher_part, question, actor=granted.sme)
    try:
        await a_hold(database, granted=granted, provider_id=provider_id, service_value_fen=1_000)
    except DomainError:
        done = False
    else:
        done = True
    assert (told.total_fen > 0) is done
    if not done:
        assert any("sanction" in reason.message for reason in told.refusals)
    return done


@pytest.mark.parametrize("whose", ["sme", "provider"])
async def test_the_preview_and_the_hold_agree_until_the_sanction_is_over(
    api: httpx.AsyncClient, services: Services, database: Database, clock: SetClock, whose: str
):
    granted = await a_grant(database)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    party = granted.sme if whose == "sme" else provider
    provider_id = provider.organisation_id
    assert await is_told_and_done(database, clock, granted, provider_id)

    first = await is_imposed(database, party, ends_on=LAST_DAY)
    assert not await is_told_and_done(database, clock, granted, provider_id)
    appeal = AppealSanction(first.id, "The report is ours.")
    await atomically(database, appeal_sanction, appeal, actor=party)
    assert not await is_told_and_done(database, clock, granted, provider_id)
    answer = DecideAppeal(first.id, True, "It is.")
    decider = await an_actor(database, Role.FINANCE_CHECKER)
    await atomically(database, decide_appeal, answer, actor=decider)
    assert await is_told_and_done(database, clock, granted, provider_id)

    # The party reads what became of it.
    shown = await api.get(f"/api/v1/sanctions/{first.id}", headers=bearer(services, party))
    assert {name: shown.json()[name] for name in ("status", "appeal_answer", "ends_on")} == {
        "status": "lifted",
        "appeal_answer": "It is.",
        "ends_on": "2025-04-30",
    }

    await is_imposed(database, party, ends_on=LAST_DAY)
    clock.set(datetime(2025, 4, 30, 23, 59, 59, tzinfo=SHANGHAI))
    assert not await is_told_and_done(database, clock, granted, provider_id)
    clock.set(datetime(2025, 5, 1, 0, 0, tzinfo=SHANGHAI))
    assert await is_told_and_done(database, clock, granted, provider_id)
    assert (await atomically(database, queries.voucher_of, granted.grant_id, actor=TEST)).left_fen
