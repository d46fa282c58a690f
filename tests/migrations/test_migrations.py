"""Empty → head works, twice is once, and the models say what the database has."""

import asyncio
import pkgutil
from importlib import import_module
from typing import Any

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

import marketplace
from marketplace.kernel.db import asyncpg_url
from marketplace.kernel.migrate import config, migrate
from marketplace.kernel.tables import metadata
from tests.conftest import with_database


async def _create(url: str, name: str) -> None:
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"))
    try:
        await connection.execute(f"create database {name}")
    finally:
        await connection.close()


def _load_every_table() -> None:
    for module in pkgutil.walk_packages(marketplace.__path__, "marketplace."):
        if module.name.rpartition(".")[2] == "tables":
            import_module(module.name)


async def _on(url: str, look: Any) -> Any:
    engine = create_async_engine(asyncpg_url(url))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()


def test_an_empty_database_reaches_the_head_and_a_second_upgrade_changes_nothing(
    postgres: str,
) -> None:
    asyncio.run(_create(postgres, "from_empty"))
    url = with_database(postgres, "from_empty")

    migrate(url)
    once = asyncio.run(_on(url, _schema))
    migrate(url)
    twice = asyncio.run(_on(url, _schema))

    assert once
    assert once == twice


def _schema(connection: Connection) -> list[tuple[Any, ...]]:
    rows = connection.exec_driver_sql(
        "select table_name, column_name, data_type, is_nullable from information_schema.columns"
        " where table_schema = 'public' order by 1, 2"
    )
    return [tuple(row) for row in rows]


async def test_the_models_equal_the_head(database_url: str) -> None:
    _load_every_table()

    differences = await _on(database_url, _differences)

    assert differences == []


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "target_metadata": metadata}
    )
    return [str(found) for found in compare_metadata(context, metadata)]


def test_the_revisions_are_one_chain() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config("postgresql://nowhere"))

    assert len(script.get_heads()) == 1
