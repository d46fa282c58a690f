"""The catalogue's named constraints hold whatever is written, with no rule in between."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import asyncpg
import pytest
import pytest_asyncio

from marketplace.kernel.db import Database
from tests.builders.catalogue import a_csv, a_line, an_instrument, counts, imported
from tests.builders.parties import a_provider

Raw: TypeAlias = "asyncpg.Connection[Any]"


@pytest_asyncio.fixture
async def raw(database: Database) -> AsyncIterator[Raw]:
    """A connection beside the application."""
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


async def violated(raw: Raw, statement: str, *values: Any) -> str:
    """The name of the constraint that `statement` violates."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await raw.execute(statement, *values)
    return str(refused.value.constraint_name)


async def test_every_word_of_an_instrument_is_one_that_is_known(
    database: Database, raw: Raw
) -> None:
    instrument_id = await an_instrument(database)

    for column, value in {
        "category_code": "01010",
        "region_code": "32",
        "worth_fen": -1,
        "funds": "国家",
        "source": "found",
        "kind": "any",
        "share_mode": "all",
        "exemption": "because",
        "condition": "good",
        "status": "draft",
    }.items():
        statement = f"update instrument set {column} = $1 where id = $2"
        name = await violated(raw, statement, value, instrument_id)
        assert name == f"instrument_{column}"


async def test_a_listed_instrument_says_since_when(database: Database, raw: Raw) -> None:
    instrument_id = await an_instrument(database)
    statement = "update instrument set listed_at = null where id = $1"

    assert await violated(raw, statement, instrument_id) == "instrument_listed"


async def test_a_number_and_an_identifier_name_one_instrument(database: Database, raw: Raw) -> None:
    provider_id = await a_provider(database)
    one = await an_instrument(database, provider_id=provider_id)
    other = await an_instrument(database, provider_id=provider_id)

    for column in ("inner_id", "cstr"):
        statement = f"""
            update instrument set {column} = (select {column} from instrument where id = $1)
            where id = $2
        """
        assert await violated(raw, statement, one, other) == f"instrument_{column}"


async def test_hours_of_a_weekday_never_overlap(database: Database, raw: Raw) -> None:
    one, other = await an_instrument(database), await an_instrument(database)
    statement = """
        insert into opening_hours (instrument_id, weekday, opens_minute, closes_minute)
        values ($1, $2, $3, $4)
    """
    await raw.execute(statement, one, 0, 480, 720)
    await raw.execute(statement, one, 0, 720, 1080)
    await raw.execute(statement, one, 1, 480, 720)
    await raw.execute(statement, other, 0, 480, 720)

    assert await violated(raw, statement, one, 0, 719, 721) == "opening_hours_no_overlap"
    assert await violated(raw, statement, one, 7, 0, 1) == "opening_hours_weekday"
    assert await violated(raw, statement, one, 2, 60, 60) == "opening_hours_minutes"
    assert await violated(raw, statement, one, 2, 0, 1441) == "opening_hours_minutes"


async def test_a_closure_begins_and_ends(database: Database, raw: Raw) -> None:
    one = await an_instrument(database)

    for during in ("empty", "[2025-03-03,)", "(,2025-03-03)"):
        name = await violated(
            raw,
            """
            insert into closure (instrument_id, during, reason, made_by, made_at)
            values ($1, $2::text::tstzrange, '检修', 1, now())
            """,
            one,
            during,
        )
        assert name == "closure_during"


async def test_a_report_counts_every_line_once_and_stays(database: Database, raw: Raw) -> None:
    provider_id = await a_provider(database)
    report = await imported(database, provider_id, a_csv([a_line()]))
    assert counts(report) == (1, 1, 0, 0, 0)

    for statement in ("update import_batch set lines = 2", "delete from import_batch"):
        assert await violated(raw, statement) == "import_batch_append_only"
    miscounted = """
        insert into import_batch (provider_id, file_sha256, file_name, lines, added, changed,
          unchanged, refused, report, imported_by, imported_at)
        values ($1, '', '', 2, 1, 0, 0, 0, '{}', 1, now())
    """
    assert await violated(raw, miscounted, provider_id) == "import_batch_counts"
