"""Bringing a database to the schema of this release, with Alembic."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

from marketplace.kernel.db import asyncpg_url

# Two processes that migrate at once take turns on this advisory lock.
MIGRATION_LOCK = 4_862_021


def migrations_folder() -> Path:
    """Where the migrations lie: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent.parent
    beside = package.parent / "migrations"
    return beside if (beside / "env.py").exists() else package / "migrations"


def config(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    made = Config()
    made.set_main_option("script_location", str(migrations_folder()))
    made.set_main_option("path_separator", "os")
    made.attributes["url"] = asyncpg_url(url)
    return made


def migrate(url: str, *, revision: str = "head") -> None:
    """Upgrade the database at `url`; nothing happens when it is up to date."""
    command.upgrade(config(url), revision)


async def migrate_async(url: str, *, revision: str = "head") -> None:
    """`migrate` from inside a running event loop."""
    await asyncio.to_thread(migrate, url, revision=revision)


def sql(script: str) -> None:
    """Run a script of several statements inside the migration's transaction.

    asyncpg prepares what goes through SQLAlchemy, and a prepared statement is one statement only;
    its simple protocol takes a script whole.
    """
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    await_only(driver.execute(script))


async def run(url: str, upgrade) -> None:  # type: ignore[no-untyped-def]  # alembic's callback
    """Open one connection, take the lock, and hand it to Alembic. Called by `migrations/env.py`."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"select pg_advisory_xact_lock({MIGRATION_LOCK})")
        await connection.run_sync(upgrade)
    await engine.dispose()
