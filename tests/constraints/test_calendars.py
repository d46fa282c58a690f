"""The named constraints of calendars hold whatever is written, with no rule in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from marketplace.kernel.db import Database
from tests.builders.booking import a_bookable_instrument

FEED = {
    "kind": "person",
    "organisation_id": 1,
    "person_id": 1,
    "instrument_id": None,
    "name": "x",
    "secret_sha256": b"x" * 32,
    "made_at": "now",
    "revoked_at": None,
    "revoked_by": None,
}
SOURCE = {
    "provider_id": 1,
    "kind": "push",
    "name": "x",
    "url": None,
    "due_at": None,
    "failures": 0,
    "failed_at": None,
    "error": None,
    "made_by": 1,
    "made_at": "now",
    "changed_at": "now",
}
TIME = {"uid": "a", "recurrence_id": "", "during": "[2025-03-05,2025-03-06)"}


@pytest_asyncio.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


async def write(raw: asyncpg.Connection[Any], table: str, row: dict[str, Any]) -> Any:
    """Insert a row whose values are written as text, but for bytes."""
    columns, values, casts = [], [], []
    for place, (column, value) in enumerate(row.items(), 1):
        columns.append(column)
        values.append(value if isinstance(value, bytes) or value is None else str(value))
        kind = await raw.fetchval(
            "select format_type(atttypid, null) from pg_attribute"
            " where attrelid = $1::text::regclass and attname = $2",
            table,
            column,
        )
        casts.append(f"${place}" if kind == "bytea" else f"${place}::text::{kind}")
    return await raw.fetchrow(
        f"insert into {table} ({', '.join(columns)}) values ({', '.join(casts)}) returning *",
        *values,
    )


async def refused(
    raw: asyncpg.Connection[Any], constraint: str, table: str, row: dict[str, Any]
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as found:
        await write(raw, table, row)
    assert found.value.constraint_name == constraint


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("calendar_feed_secret", {}),
        ("calendar_feed_kind", {"kind": "everybody"}),
        ("calendar_feed_instrument", {"kind": "instrument"}),
        ("calendar_feed_name", {"name": ""}),
        ("calendar_feed_digest", {"secret_sha256": b"in plain text"}),
        ("calendar_feed_revoked", {"revoked_at": "now"}),
    ],
)
async def test_a_feed_that_cannot_be_is_not_stored(
    raw: asyncpg.Connection[Any], constraint: str, changes: dict[str, Any]
):
    await write(raw, "calendar_feed", FEED)
    other = {"secret_sha256": b"y" * 32} if changes else {}

    await refused(raw, constraint, "calendar_feed", FEED | other | changes)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("busy_source_name", {}),
        ("busy_source_kind", {"name": "y", "kind": "post"}),
        ("busy_source_url", {"name": "y", "kind": "url", "due_at": "now"}),
        ("busy_source_url", {"name": "y", "url": "https://calendar.example/"}),
        ("busy_source_due", {"name": "y", "due_at": "now"}),
        ("busy_source_failed", {"name": "y", "failures": 1}),
    ],
)
async def test_an_outside_calendar_that_cannot_be_is_not_stored(
    database: Database, raw: asyncpg.Connection[Any], constraint: str, changes: dict[str, Any]
):
    mine = SOURCE | {"instrument_id": await a_bookable_instrument(database)}
    await write(raw, "busy_source", mine)

    await refused(raw, constraint, "busy_source", mine | changes)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("outside_busy_pkey", {}),
        ("outside_busy_during", {"uid": "b", "during": "empty"}),
        ("outside_busy_during", {"uid": "b", "during": "[2025-03-05,)"}),
        ("outside_busy_source", {"uid": "b", "instrument_id": 1}),
    ],
)
async def test_a_busy_time_belongs_to_its_calendar_and_ends_some_day(
    database: Database, raw: asyncpg.Connection[Any], constraint: str, changes: dict[str, Any]
):
    instrument_id = await a_bookable_instrument(database)
    source = await write(raw, "busy_source", SOURCE | {"instrument_id": instrument_id})
    time = TIME | {"source_id": source["id"], "instrument_id": instrument_id}
    await write(raw, "outside_busy", time)
    if "instrument_id" in changes:
        changes = changes | {"instrument_id": await a_bookable_instrument(database)}

    await refused(raw, constraint, "outside_busy", time | changes)
    await raw.execute("delete from busy_source")
    assert await raw.fetchval("select count(*) from outside_busy") == 0
