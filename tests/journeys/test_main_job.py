"""The main job, told once, through HTTP: from an imported instrument to books that are closed.

Everybody signs in with a password and acts in their own role; what needs two people has two.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.time import SetClock
from tests.journeys import market, money
from tests.journeys.market import HOUR_FEN
from tests.journeys.people import People, at, everybody


@pytest.fixture
async def people(api: httpx.AsyncClient, database: Database, clock: SetClock) -> People:
    """Those who take part."""
    return await everybody(api, database, clock)


async def test_the_main_job_from_an_imported_instrument_to_books_that_are_closed(people: People):
    instrument_id = await market.imports_an_instrument(people)
    await market.publishes(people, instrument_id)
    await market.grants_a_voucher(people)
    await people.days_pass(at(2025, 3, 3, 9))
    await money.money_arrives(people)
    await money.names_a_bank_account(people)

    quote = await market.finds_and_quotes(people, instrument_id)
    order_id = await market.orders(people, quote)
    digest = await market.serves(people, order_id)
    invoice_number = await market.settles(people, order_id, digest)

    claim_id = await money.redeems(people, invoice_number)
    owed = [await money.is_owed(people, each) for each in ("payable", "payout_in_transit")]
    assert [HOUR_FEN, HOUR_FEN] == owed
    await people.maker.posts("/payouts/settlements", {})
    await money.pays_out(people, HOUR_FEN, HOUR_FEN)
    await people.days_pass(people.clock.now() + timedelta(hours=1))
    assert "paid" == (await people.manager.reads(f"/claims/{claim_id}"))["claim"]["status"]

    grade = await money.evaluates(people)
    assert grade == "qualified"
    reward_fen = await money.rewards(people, grade)
    assert 2 * HOUR_FEN // 100 == reward_fen
    await people.days_pass(people.clock.now() + timedelta(hours=1))
    await money.pays_out(people, reward_fen)

    await money.signs_the_books_off(people)

    story = await people.auditor.reads(f"/orders/{order_id}")
    assert ("settled", 2 * HOUR_FEN) == (story["order"]["status"], story["order"]["settled_fen"])
    assert story["deliverables"] == []
