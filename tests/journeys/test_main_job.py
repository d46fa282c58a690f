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
    await leads_back(people, order_id, claim_id, invoice_number)


async def leads_back(people: People, order_id: int, claim_id: int, invoice_number: str) -> None:
    """From the bank's line back to the budget, and from the order forward to the bank's line."""
    (forward,) = (await people.auditor.reads("/audit-paths", order_id=order_id))["results"]
    line_id = forward["statement_line_id"]
    (back,) = (await people.auditor.reads("/audit-paths", statement_line_id=line_id))["results"]
    assert back == forward
    path = await people.auditor.reads(f"/audit-paths/{back['redemption_id']}")

    assert (path["service_order"]["id"], path["claim"]["claim"]["id"]) == (order_id, claim_id)
    assert sum(each["used_fen"] for each in path["budget"]) == HOUR_FEN
    assert all(check["passed"] for check in path["eligibility"])
    assert [each["number"] for each in path["invoices"]] == [invoice_number]
    assert -path["bank_line"]["amount_fen"] == path["payout"]["amount_fen"] == HOUR_FEN
    assert path["usage_log"]
    assert path["contracts"]
    assert path["evidence"]
    kinds = {entry["kind"] for entry in path["entries"]}
    assert {"voucher_redeemed", "claim_approved", "payout_instructed"} <= kinds
    accounts = await people.auditor.reads("/voucher-reconciliation")
    assert accounts["balanced"], [each for each in accounts["sums"] if each["difference_fen"]]
    report = await people.auditor.reads(
        "/voucher-report", by=["programme", "month", "service_kind"]
    )
    paid = sum(each["amounts"]["paid"] for each in report["results"])
    assert paid == sum(each["amounts"]["used"] for each in report["results"]) == HOUR_FEN
