"""What every command needs: a database that is there, a session in it, an answer in two forms."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click

from marketplace.kernel.db import Database
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.errors import DomainError
from marketplace.kernel.migrate import migrate
from marketplace.kernel.observe import configure_logging
from marketplace.kernel.settings import Settings, settings

R = TypeVar("R")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@contextmanager
def database_server(*, migrated: bool = True) -> Iterator[Settings]:
    """The settings, with `database_url` naming a server that runs.

    Without DATABASE_URL the embedded server is started (or joined) and brought to this release;
    a server of your own is migrated by `marketplace migrate` only, when you say so.
    """
    configured = settings()
    configure_logging(log_format=configured.log_format, level=configured.log_level)
    if configured.database_url:
        yield configured
        return
    server = EmbeddedPostgres(configured.data_folder)
    os.environ["DATABASE_URL"] = server.start()
    settings.cache_clear()
    try:
        if migrated:
            migrate(os.environ["DATABASE_URL"])
        yield settings()
    finally:
        server.stop()
        del os.environ["DATABASE_URL"]
        settings.cache_clear()


def run_with_database(work: Callable[[Database], Awaitable[R]]) -> R:
    """Run `work` against the configured database; a refusal becomes exit code 1."""
    with database_server() as configured:

        async def run() -> R:
            database = Database(
                configured.database_url,
                pool_size=configured.database_pool_size,
                # An operator's command may take its time; a web request may not.
                statement_timeout_seconds=3600,
            )
            try:
                return await work(database)
            finally:
                await database.close()

        try:
            return asyncio.run(run())
        except DomainError as error:
            refuse(error)


def refuse(error: DomainError) -> NoReturn:
    """Say what was wrong, each reason on its line, and exit with 1."""
    click.echo(f"{error.title}: {error.detail}" if error.detail else error.title, err=True)
    for reason in error.reasons:
        source = f" [{reason.source}]" if reason.source else ""
        click.echo(f"  - {reason.message}{source}", err=True)
    sys.exit(1)


def print_json(document: Any) -> None:
    """One JSON document on standard output, Chinese as Chinese."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
