"""Policy: J.22a, J.22b. What changed terms would have made of past orders."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SetClock, shanghai_instant
from marketplace.vouchers.errors import DryRunMissing, ProgrammeMissing, ProgrammeRefused
from marketplace.vouchers.jobs import work_dry_runs
from marketplace.vouchers.queries.dry_run_tables import table_of
from marketplace.vouchers.queries.dry_runs import (
    DryRunRowsAsked,
    DryRunSearch,
    StoredDryRun,
    dry_run_rows,
    dry_runs,
    stored_dry_run,
)
from marketplace.vouchers.use_cases import AskDryRun, TermGiven, ask_dry_run
from marketplace.vouchers.use_cases import dry_runs as running
from tests.builders.parties import a_provider
from tests.builders.vouchers import (
    TEST,
    a_grant,
    a_programme,
    a_redemption,
    an_officer,
    orders_are_numbers,
)

TODAY = date(2025, 3, 3)


@pytest.fixture
async def programme_id(database: Database) -> int:
    """Two SMEs with orders of 1,000 and 3,000 CNY at one provider, and of 500 CNY at another."""
    await orders_are_numbers(database)
    programme_id = await a_programme(database)
    one, other = await a_provider(database), await a_provider(database)
    first = await a_grant(database, programme_id=programme_id)
    second = await a_grant(database, programme_id=programme_id)
    await a_redemption(database, granted=first, provider_id=one)
    await a_redemption(database, granted=first, provider_id=one, service_value_fen=300_000)
    await a_redemption(database, granted=second, provider_id=other, service_value_fen=50_000)
    return programme_id


async def tried(database: Database, programme_id: int, **changes: Any) -> StoredDryRun:
    given = {name: TermGiven(value, "proposal") for name, value in changes.items()}
    asked = await atomically(
        database, ask_dry_run, AskDryRun(programme_id, given), actor=await an_officer(database)
    )
    assert (asked.status, asked.orders) == ("waiting", 3)
    assert await work_dry_runs(database) == 1
    return await atomically(database, stored_dry_run, asked.id, actor=TEST)


async def rows_of(database: Database, run: StoredDryRun, dimension: str) -> dict[str, Any]:
    asked = DryRunRowsAsked(run.id, dimension)
    found = await atomically(database, dry_run_rows, asked, actor=TEST)
    return {row.key: (row.orders, row.before_fen, row.after_fen) for row in found.rows}


async def test_a_lower_cap_per_order_changes_the_orders_that_passed_it(
    database: Database, programme_id: int
):
    run = await tried(database, programme_id, cap_per_order_fen=100_000)

    assert run.summary is not None
    assert (run.status, run.done) == ("done", 3)
    assert run.summary["recorded_fen"] == run.summary["before_fen"] == 225_000
    assert run.summary["after_fen"] == 175_000
    assert [layer["after_fen"] for layer in run.summary["layers"]] == [87_500, 87_500]
    assert await rows_of(database, run, "service_kind") == {"research": (3, 225_000, 175_000)}
    by_provider = await rows_of(database, run, "provider")
    assert sorted(by_provider.values()) == [(1, 25_000, 25_000), (2, 200_000, 150_000)]
    [(orders, before, after)] = (await rows_of(database, run, "size")).values()
    assert (orders, before, after) == (3, 225_000, 175_000)
    assert len(await rows_of(database, run, "region")) == 1
    layers = await rows_of(database, run, "layer")
    assert list(layers.values()) == [(3, 112_500, 87_500)] * 2


@pytest.mark.parametrize(
    ("changes", "after_fen"),
    [
        ({"excluded_services": ["research"]}, 0),
        ({"service_kinds": ["testing"]}, 0),
        ({"minimum_order_fen": 100_000}, 200_000),
        ({"staff_max": 1}, 0),
        ({"rates": [{"ratio_basis_points": 1_000}]}, 90_000),
        ({"rates": [{"ratio_basis_points": 5_000, "first_use": True}]}, 300_000),
        ({"provider_regions": ["110000"]}, 0),
        ({"instrument_categories": ["0102"]}, 0),
        ({"instrument_worth_min_fen": 1}, 0),
        ({"services_within": {"opens_on": "2024-01-01", "closes_on": "2024-12-31"}}, 0),
        ({"caps": [{"scope": "instrument-year", "amount_fen": 60_000}]}, 60_000),
        ({"caps": [{"scope": "group-year", "amount_fen": 60_000}]}, 85_000),
        ({"caps": [{"scope": "sme-year", "amount_fen": 60_000}]}, 85_000),
        ({"caps": [{"scope": "grant", "amount_fen": 60_000}]}, 145_000),
        ({"stacking": {"together_max_basis_points": 4_000}}, 180_000),
        ({"face_value_fen": 20_000}, 200_000),
    ],
)
async def test_every_kind_of_term_shows_in_a_dry_run(
    database: Database, programme_id: int, changes: dict[str, Any], after_fen: int
):
    run = await tried(database, programme_id, **changes)

    assert run.summary is not None
    assert run.summary["before_fen"] == 225_000
    assert run.summary["after_fen"] == after_fen


async def test_a_cap_of_the_group_is_shared_by_the_companies_under_one_control(
    database: Database, programme_id: int
):
    async with database.engine.begin() as connection:
        await connection.execute(
            text(
                "insert into shareholding (legal_entity_id, holder, basis_points)"
                " select legal_entity_id, '张三', 6000 from organisation where id in"
                " (select organisation_id from voucher_grant)"
            )
        )

    run = await tried(database, programme_id, caps=[{"scope": "group-year", "amount_fen": 60_000}])

    assert run.summary is not None
    assert run.summary["after_fen"] == 60_000


async def test_a_dry_run_is_listed_and_read_as_a_file(database: Database, programme_id: int):
    run = await tried(database, programme_id, cap_per_order_fen=100_000)

    listed = await atomically(database, dry_runs, DryRunSearch(programme_id, "done"), actor=TEST)
    assert [each.id for each in listed.rows] == [run.id]
    found = await atomically(database, dry_run_rows, DryRunRowsAsked(run.id), actor=TEST)
    table = table_of(found.rows)
    assert table[0][0] == "dimension"
    assert len(table) == found.total + 1 == 8
    with pytest.raises(DryRunMissing):
        await atomically(database, stored_dry_run, 999_999, actor=TEST)
    with pytest.raises(ProgrammeMissing):
        await atomically(database, dry_runs, DryRunSearch(999_999), actor=TEST)


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"nonsense": TermGiven(1, "x")}, {}),
        ({"staff_max": TermGiven(1, "x")}, {"from_on": date(2025, 4, 1)}),
    ],
)
async def test_a_dry_run_that_cannot_be_is_refused(
    database: Database, changes: dict[str, TermGiven], days: dict[str, date]
):
    programme_id = await a_programme(database)
    command = AskDryRun(programme_id, changes, **days)

    with pytest.raises(ProgrammeRefused):
        await atomically(database, ask_dry_run, command, actor=await an_officer(database))


async def test_a_run_whose_worker_died_is_begun_anew(
    database: Database, programme_id: int, clock: SetClock, monkeypatch: pytest.MonkeyPatch
):
    command = AskDryRun(programme_id, {"staff_max": TermGiven(1, "x")})
    asked = await atomically(database, ask_dry_run, command, actor=await an_officer(database))
    assert await atomically(database, running._begin, None, actor=TEST) == asked.id
    assert await work_dry_runs(database) == 0
    clock.set(shanghai_instant(TODAY, 18 * 60))
    assert await work_dry_runs(database) == 1

    async def broken(*_: Any) -> None:
        raise RuntimeError("no memory")

    again = await atomically(database, ask_dry_run, command, actor=await an_officer(database))
    monkeypatch.setattr(running, "_reckon", broken)
    with pytest.raises(RuntimeError):
        await work_dry_runs(database)
    failed = await atomically(database, stored_dry_run, again.id, actor=TEST)
    assert (failed.status, failed.reason) == ("failed", "RuntimeError")
