"""What the database refuses of versions and dry runs, whatever code asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from marketplace.kernel.db import Database
from tests.builders.vouchers import a_programme

VERSION = (
    "insert into programme_version (programme_id, version, terms, starts_on, reason, status,"
    " made_by, made_at, approved_by, approved_at) values ((select max(id) from programme),"
    " {version}, '{{}}', {starts_on}, {reason}, {status}, 1, now(), {approved_by}, {approved_at})"
)
RUN = (
    "insert into programme_dry_run (programme_id, changes, terms, from_on, until_on, status,"
    " orders, done, summary, asked_by, asked_at, finished_at) values ((select max(id) from"
    " programme), '{{}}', '{{}}', '2025-01-01', {until_on}, {status}, 10, {done}, {summary}, 1,"
    " now(), {finished_at})"
)


def version(**changes: str) -> str:
    draft = {
        "version": "2",
        "starts_on": "'2026-01-01'",
        "reason": "'Less money'",
        "status": "'draft'",
        "approved_by": "null",
        "approved_at": "null",
    }
    return VERSION.format(**(draft | changes))


def run(**changes: str) -> str:
    waiting = {
        "until_on": "'2025-12-31'",
        "status": "'waiting'",
        "done": "0",
        "summary": "null",
        "finished_at": "null",
    }
    return RUN.format(**(waiting | changes))


SIGNED = {
    "status": "'approved'",
    "approved_by": "(select max(id) from person)",
    "approved_at": "'2025-12-01'",
}
CHANGE = (
    "insert into programme_layer_change (version_id, layer_id, is_new, funder, region_code,"
    " budget_year, ratio_basis_points, budget_fen, budget_before_fen) values ({version_id},"
    " {layer_id}, {is_new}, {funder}, {region_code}, {budget_year}, {ratio}, {budget}, {before})"
)
DRAFT = "(select max(id) from programme_version)"
LAYER = "(select {}(id) from programme_layer)"


def change(**changes: str) -> str:
    budget = {
        "version_id": DRAFT,
        "layer_id": LAYER.format("min"),
        "is_new": "false",
        "funder": "null",
        "region_code": "null",
        "budget_year": "null",
        "ratio": "null",
        "budget": "1",
        "before": "null",
    }
    return CHANGE.format(**(budget | changes))


def addition(**changes: str) -> str:
    new = {
        "layer_id": "null",
        "is_new": "true",
        "funder": "'zone'",
        "region_code": "'320115'",
        "ratio": "1000",
    }
    return change(**(new | changes))


BROKEN_CHANGES = [
    ("programme_layer_change_funder", addition(funder="'county'")),
    ("programme_layer_change_year", addition(budget_year="1999")),
    ("programme_layer_change_ratio", addition(ratio="0")),
    ("programme_layer_change_ratio", change(ratio="10001")),
    ("programme_layer_change_budget", change(budget="0")),
    ("programme_layer_change_before", change(before="-1")),
    ("programme_layer_change_what", change(budget="null")),
    ("programme_layer_change_what", change(layer_id="null")),
    ("programme_layer_change_what", change(funder="'zone'")),
    ("programme_layer_change_what", addition(budget="null")),
    ("programme_layer_change_once", change(layer_id=LAYER.format("max"))),
    ("programme_layer_change_new", addition(region_code="'320116'")),
]
LINE = (
    "insert into programme_dry_run_line values ((select max(id) from programme_dry_run),"
    " 'colour', 'red', '', 0, 0, 0, 0, 0, 0)"
)

BROKEN = [
    ("programme_version_number", version(version="1")),
    ("programme_version_status", version(status="'lost'")),
    ("programme_version_reason", version(reason="''")),
    ("programme_version_approved", version(status="'approved'")),
    ("programme_version_approved", version(**SIGNED | {"approved_at": "null"})),
    ("programme_version_second_person", version(**SIGNED | {"approved_by": "1"})),
    ("programme_version_ahead", version(**SIGNED | {"approved_at": "'2026-01-01 00:00+08'"})),
    ("programme_dry_run_status", run(status="'lost'")),
    ("programme_dry_run_days", run(until_on="'2024-12-31'")),
    ("programme_dry_run_progress", run(done="11")),
    ("programme_dry_run_finished", run(status="'done'")),
    ("programme_dry_run_finished", run(finished_at="now()")),
    ("programme_dry_run_line_dimension", LINE),
]


@pytest_asyncio.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection past the application to a database with a programme and a dry run of it."""
    await a_programme(database)
    connection = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    await connection.execute(run())
    yield connection
    await connection.close()


async def test_the_database_refuses_versions_and_dry_runs_that_cannot_be(
    raw: asyncpg.Connection[Any],
) -> None:
    for constraint, statement in BROKEN:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await raw.execute(statement)

        assert (constraint, statement) == (refused.value.constraint_name, statement)


async def test_a_decided_version_stays_and_no_two_start_on_one_day(
    raw: asyncpg.Connection[Any],
) -> None:
    await raw.execute(version(**SIGNED))
    for constraint, statement in (
        ("programme_version_once", version()),
        ("programme_version_start", version(**SIGNED | {"version": "3"})),
        ("programme_version_stays", "update programme_version set reason = 'other'"),
        ("programme_version_stays", "delete from programme_version"),
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await raw.execute(statement)
        assert constraint == refused.value.constraint_name
    await raw.execute(version(version="3", starts_on="'2026-02-01'"))
    with pytest.raises(asyncpg.UniqueViolationError):
        await raw.execute(version(version="4", starts_on="'2026-03-01'"))


async def test_a_version_changes_each_layer_once_and_only_while_it_is_a_draft(
    raw: asyncpg.Connection[Any],
) -> None:
    await raw.execute(version())
    await raw.execute(change(layer_id=LAYER.format("max")))
    await raw.execute(addition(region_code="'320116'"))
    for constraint, statement in BROKEN_CHANGES:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await raw.execute(statement)
        assert (constraint, statement) == (refused.value.constraint_name, statement)
    approve = (
        "update programme_version set status = 'approved', approved_at = '2025-12-01',"
        " approved_by = (select max(id) from person)"
    )
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await raw.execute(approve)
    assert refused.value.constraint_name == "programme_version_layers"
    await raw.execute("update programme_version set status = 'discarded'")
    for statement in (change(), "delete from programme_layer_change"):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await raw.execute(statement)
        assert refused.value.constraint_name == "programme_layer_change_stays"


async def test_every_named_constraint_of_versions_and_dry_runs_is_tried(
    raw: asyncpg.Connection[Any],
) -> None:
    named = await raw.fetch(
        "select conname as name from pg_constraint where contype in ('c', 'u', 'x') and"
        " conrelid::regclass::text in ('programme_version', 'programme_dry_run',"
        " 'programme_dry_run_line', 'programme_layer_change')"
    )

    tried = {constraint for constraint, _ in (*BROKEN, *BROKEN_CHANGES)}
    tried.add("programme_version_once")
    assert {row["name"] for row in named} <= tried
