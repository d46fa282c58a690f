"""Bringing a database to the schema of this release, with Alembic."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

from marketplace.kernel.db import asyncpg_url
from marketplace.kernel.roles import Login, grant_application
from marketplace.kernel.settings import Settings

# Two processes that migrate at once take turns on this advisory lock.
MIGRATION_LOCK = 4_862_021


def migrations_folder() -> Path:
    """Where the migrations lie: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent.parent
    beside = package.parent / "migrations"
    return beside if (beside / "env.py").exists() else package / "migrations"


def config(url: str, *, login: Login | None = None) -> Config:
    """Alembic's configuration for the database at `url`, which `login` will work on."""
    made = Config()
    made.set_main_option("script_location", str(migrations_folder()))
    made.set_main_option("path_separator", "os")
    made.attributes["url"] = asyncpg_url(url)
    made.attributes["login"] = login
    return made


@lru_cache(maxsize=1)
def release_revision() -> str | None:
    """The newest migration that this release knows."""
    return ScriptDirectory.from_config(config("")).get_current_head()


def migrate(url: str, *, revision: str = "head", application_url: str = "") -> None:
    """Upgrade the database at `url` as its owner; nothing happens when it is up to date.

    Args:
        url: with the owner's user, who migrates.
        revision: how far.
        application_url: with the user that the application connects as, who is let in; without
            one, or with the same, the owner takes on the application's role instead.

    Raises:
        RoleMissing: when that user is not there, or cannot be let in by this owner.
    """
    owner, other = make_url(url), make_url(application_url or url)
    login = None
    if other.username and other.username != owner.username:
        login = Login(other.username, str(other.password or ""))
    command.upgrade(config(url, login=login), revision)


def migrate_configured(settings: Settings) -> None:
    """`migrate` as the owner that the settings name, for the user that they name."""
    migrate(
        settings.migration_database_url or settings.database_url,
        application_url=settings.database_url,
    )


async def migrate_async(url: str) -> None:
    """`migrate` from inside a running event loop."""
    await asyncio.to_thread(migrate, url)


def sql(script: str) -> None:
    """Run a script of several statements inside the migration's transaction.

    asyncpg prepares what goes through SQLAlchemy, and a prepared statement is one statement only;
    its simple protocol takes a script whole.
    """
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    await_only(driver.execute(script))


async def run(  # type: ignore[no-untyped-def]  # alembic's callback
    url: str, upgrade, *, login: Login | None
) -> None:
    """Open one connection, take the lock, and hand it to Alembic. Called by `migrations/env.py`.

    What the application may do with the tables is brought up to date in the same transaction.
    """
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"select pg_advisory_xact_lock({MIGRATION_LOCK})")
        await connection.run_sync(upgrade)
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await grant_application(driver, login=login)
    await engine.dispose()
