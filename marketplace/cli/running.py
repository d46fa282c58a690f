"""What every command needs: a database that is there, a session in it, an answer in two forms."""

from __future__ import annotations

import asyncio
import json
import os
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
from alembic.util import CommandError
from asyncpg import InterfaceError, PostgresError
from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from marketplace.kernel.db import Database
from marketplace.kernel.embedded import EmbeddedPostgres, EmbeddedServerError
from marketplace.kernel.errors import DomainError, Unavailable
from marketplace.kernel.migrate import migrate_configured
from marketplace.kernel.observe import configure_logging
from marketplace.kernel.roles import RoleMissing
from marketplace.kernel.settings import Settings, settings
from marketplace.rulebook import rulebook, rulebook_path

R = TypeVar("R")

INTERRUPTED = 130
DATABASE_SCHEMES = ("postgres", "postgresql", "postgresql+asyncpg")
# What PostgreSQL says, by the beginning of its SQLSTATE, and what an operator does about it.
DATABASE_REFUSALS = {
    "28": "does not let us in; check user and password in DATABASE_URL",
    "3D": "does not exist; create it, then run `marketplace migrate`",
    "42501": "does not allow this; `marketplace migrate` grants what is needed",
    "42P01": "is not of this release; run `marketplace migrate`",
    "42703": "is not of this release; run `marketplace migrate`",
    "53300": "has no connection left; lower MARKETPLACE_DATABASE_POOL_SIZE or raise its limit",
    "57P0": "is starting or stopping",
}

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class Operated(click.Group):
    """Commands whose failures an operator can act on: one line each, and never a traceback.

    Bugs keep their traceback: nobody but us can act on those.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; 1 when it was refused or could not, 130 when it was interrupted."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except DomainError as refusal:
            cause = refusal.__cause__
            told = _database_refusal(cause) if isinstance(refusal, Unavailable) else None
            if told or isinstance(cause, OSError):
                click.echo(f"The database {_place()} {told or 'does not answer'}.", err=True)
            else:
                refuse(refusal)
        except (EmbeddedServerError, CommandError, RoleMissing) as error:
            click.echo(str(error), err=True)
        except ArgumentError as error:
            click.echo(f"DATABASE_URL cannot be read: {error}", err=True)
        except (DBAPIError, PostgresError, InterfaceError) as error:
            told = _database_refusal(error)
            if told is None:
                raise
            click.echo(f"The database {_place()} {told}.", err=True)
        except OSError as error:
            if error.filename:
                click.echo(f"{error.filename}: {error.strerror}", err=True)
            else:
                click.echo(f"The database {_place()} does not answer: {error}", err=True)
        ctx.exit(1)


def _database_refusal(error: BaseException | None) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    sqlstate = str(getattr(cause, "sqlstate", "") or "")
    return next((told for at, told in DATABASE_REFUSALS.items() if sqlstate.startswith(at)), None)


def _place() -> str:
    """Which database it is, without its password; a host is absent for a socket."""
    url = urlsplit(settings().database_url)
    host = url.netloc.rpartition("@")[2]
    return f"{url.path.lstrip('/')} at {host}" if host else url.path.lstrip("/")


def configuration() -> Settings:
    """The settings, with everything that is wrong with them said at once."""
    try:
        found = settings()
    except ValidationError as error:
        told = [
            f"{'.'.join(map(str, each['loc'])) or 'settings'}: {each['msg']}"
            for each in error.errors()
        ]
        raise click.ClickException("\n  ".join(["wrong settings:", *told])) from error
    _require_address("DATABASE_URL", found.database_url)
    _require_address("MIGRATION_DATABASE_URL", found.migration_database_url)
    if found.migration_database_url and not found.database_url:
        raise click.ClickException("MIGRATION_DATABASE_URL stands beside DATABASE_URL, not alone")
    return found


def _require_address(name: str, address: str) -> None:
    if address and address.partition("://")[0] not in DATABASE_SCHEMES:
        raise click.ClickException(f"{name} has to begin with postgresql://")
    try:
        make_url(address or "postgresql://")
    except (ArgumentError, ValueError) as error:
        raise click.ClickException(f"{name} cannot be read: {error}") from error


def require_rulebook() -> None:
    """Refuse to start by a rulebook that is not there or not valid."""
    name = configuration().province
    try:
        rulebook()
    except (OSError, tomllib.TOMLDecodeError, ValueError) as error:
        path = rulebook_path(name)
        raise click.ClickException(
            f"the rulebook {path} cannot be used; `marketplace rulebook check {path}` says why"
        ) from error


@contextmanager
def database_server(*, migrated: bool = True) -> Iterator[Settings]:
    """The settings, with `database_url` naming a server that runs, for the application.

    Without DATABASE_URL the embedded server is started (or joined) and brought to this release;
    a server of your own is migrated by `marketplace migrate` only, when you say so.
    """
    configured = configuration()
    configure_logging(log_format=configured.log_format, level=configured.log_level)
    if configured.database_url:
        yield configured
        return
    server = EmbeddedPostgres(configured.data_folder)
    address = {"MIGRATION_DATABASE_URL": server.start(), "DATABASE_URL": server.application_url}
    os.environ |= address
    settings.cache_clear()
    try:
        if migrated:
            migrate_configured(settings())
        yield settings()
    finally:
        server.stop()
        for name in address:
            del os.environ[name]
        settings.cache_clear()


def run_with_database(work: Callable[[Database], Awaitable[R]]) -> R:
    """Run `work` against the configured database."""
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

        return asyncio.run(run())


def refuse(error: DomainError) -> None:
    """Say what was wrong, each reason on its line."""
    click.echo(f"{error.title}: {error.detail}" if error.detail else error.title, err=True)
    for reason in error.reasons:
        source = f" [{reason.source}]" if reason.source else ""
        click.echo(f"  - {reason.message}{source}", err=True)


def print_json(document: Any) -> None:
    """One JSON document on standard output, Chinese as Chinese."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
