"""Policy: J.22a, J.22b. Whom a wider rule lets in: orders of SMEs that no voucher paid for."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel.db import Database, atomically
from marketplace.orders.use_cases import AcceptOrder, accept_order, place_order
from marketplace.rulebook import rulebook
from marketplace.vouchers.jobs import work_dry_runs
from marketplace.vouchers.queries.dry_runs import (
    DryRunRowsAsked,
    StoredDryRun,
    dry_run_rows,
    stored_dry_run,
)
from marketplace.vouchers.rules.let_in import ASSUMED
from marketplace.vouchers.use_cases import AskDryRun, TermGiven, ask_dry_run
from tests.builders.orders import (
    Market,
    a_delivered_order,
    a_market,
    a_quote,
    an_order_of,
)
from tests.builders.owner import become_owner
from tests.builders.vouchers import TEST, a_programme, an_officer, with_terms

SERVICE_FEN = 80_000
"""Two hours of 400 CNY, settled without a voucher."""


async def a_market_without_vouchers(database: Database, **terms: Any) -> tuple[Market, int]:
    """A settled order of an SME that has no voucher, and a programme under these terms."""
    market = await a_market(database, voucher_fen=0)
    snapshot = dict(rulebook().voucher.snapshot(date(2025, 1, 1)))
    snapshot |= {name: {"value": value, "source": "J.22b"} for name, value in terms.items()}
    programme_id = await a_programme(database, terms=snapshot)
    delivered = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    return market, programme_id


async def tried(database: Database, programme_id: int, **changes: Any) -> StoredDryRun:
    given = {name: TermGiven(value, "proposal") for name, value in changes.items()}
    asked = await atomically(
        database, ask_dry_run, AskDryRun(programme_id, given), actor=await an_officer(database)
    )
    assert await work_dry_runs(database) == 1
    run = await atomically(database, stored_dry_run, asked.id, actor=TEST)
    assert run.status == "done", run.reason
    return run


async def let_in(database: Database, programme_id: int, **changes: Any) -> dict[str, Any]:
    run = await tried(database, programme_id, **changes)
    assert run.summary is not None
    found: dict[str, Any] = run.summary["let_in"]
    assert found.pop("assumed") == list(ASSUMED)
    return found


NOBODY = {"orders_before": 0, "orders_after": 0, "before_fen": 0, "after_fen": 0}
ONE_IN = {
    "seen": 1,
    "orders_before": 0,
    "orders_after": 1,
    "before_fen": 0,
    "after_fen": SERVICE_FEN // 2,
    "let_in": 1,
    "let_in_fen": SERVICE_FEN // 2,
    "unknown": {},
}


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"staff_max": 1}, {"staff_max": 500}),
        ({"excluded_services": ["research-and-development"]}, {"excluded_services": []}),
        ({"buyer_regions": ["320500"]}, {"buyer_regions": None}),
        ({"minimum_order_fen": SERVICE_FEN + 1}, {"minimum_order_fen": SERVICE_FEN}),
    ],
)
async def test_a_wider_rule_shows_the_orders_that_it_lets_in(
    database: Database, narrow: dict[str, Any], wide: dict[str, Any]
):
    _, programme_id = await a_market_without_vouchers(database, **narrow)

    assert await let_in(database, programme_id, **wide) == ONE_IN


async def test_the_orders_that_are_let_in_are_told_row_by_row(database: Database):
    market, programme_id = await a_market_without_vouchers(database, staff_max=1)
    run = await tried(database, programme_id, staff_max=500)

    async def rows(dimension: str) -> list[tuple[str, int, int, int, int]]:
        asked = DryRunRowsAsked(run.id, dimension)
        found = await atomically(database, dry_run_rows, asked, actor=TEST)
        return [
            (row.key, row.orders_before, row.orders_after, row.before_fen, row.after_fen)
            for row in found.rows
        ]

    told = (0, 1, 0, SERVICE_FEN // 2)
    assert await rows("let_in_service_kind") == [("research-and-development", *told)]
    assert await rows("let_in_provider") == [(str(market.manager.organisation_id), *told)]
    assert [row[1:] for row in await rows("let_in_size")] == [told]
    assert [row[1:] for row in await rows("let_in_region")] == [told]
    assert [row[1:] for row in await rows("let_in_layer")] == [(0, 1, 0, SERVICE_FEN // 4)] * 2
    assert await rows("let_in_unknown") == []
    assert (run.summary or {})["orders"] == 0


async def test_whoever_could_have_had_a_voucher_before_is_not_let_in_by_the_change(
    database: Database,
):
    _, programme_id = await a_market_without_vouchers(database)

    found = await let_in(database, programme_id, cap_per_order_fen=10_000)

    assert (found["let_in"], found["orders_before"], found["orders_after"]) == (0, 1, 1)
    assert (found["before_fen"], found["after_fen"]) == (SERVICE_FEN // 2, 10_000)


@pytest.mark.parametrize(
    ("eligible", "missing"),
    [
        ({"certificates": ["high-tech"]}, ["certificate-high-tech"]),
        ({"capital_max_fen": 10**9}, ["capital"]),
        ({"founded_from": "2020-01-01", "staff_max": 100_000}, ["founded"]),
    ],
)
async def test_of_whom_a_fact_is_not_known_nobody_says_that_it_is_let_in(
    database: Database, eligible: dict[str, Any], missing: list[str]
):
    _, programme_id = await a_market_without_vouchers(database, staff_max=1)

    found = await let_in(database, programme_id, beneficiaries=[{"kind": "company"} | eligible])

    unknown = dict.fromkeys(missing, 1)
    assert found == NOBODY | {"seen": 1, "let_in": 0, "let_in_fen": 0, "unknown": unknown}


async def test_an_sme_without_a_profile_of_the_year_is_not_known_either(database: Database):
    _, programme_id = await a_market_without_vouchers(database)
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("delete from sme_profile"))

    found = await let_in(database, programme_id, staff_max=400)

    assert (found["let_in"], found["seen"]) == (0, 1)
    assert "profile-of-the-year" in found["unknown"]


async def test_what_a_voucher_did_not_pay_for_is_let_in_up_to_what_is_left_of_it(
    database: Database,
):
    market = await a_market(database, voucher_fen=30_000)
    async with database.engine.connect() as connection:
        programme_id = int(await connection.scalar(text("select max(id) from programme")) or 0)
    await with_terms(database, programme_id, excluded_services=["research-and-development"])
    quote = await a_quote(market, use_voucher=False)
    placed = await market.do(place_order, an_order_of(quote), by=market.buyer)
    async with database.engine.begin() as connection:
        # Ended as it would be after its service.
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(
            text(
                "update service_order set status = 'settled', ended_at = placed_at,"
                " settled_fen = total_fen, settled_own_fen = own_fen, settled_voucher_fen = 0"
                f" where id = {placed.id}"
            )
        )

    found = await let_in(database, programme_id, excluded_services=[])

    assert (found["let_in"], found["let_in_fen"]) == (1, 30_000)
