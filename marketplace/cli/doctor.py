"""`marketplace doctor`: is everything that this installation needs there, and safe?"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

import click
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from marketplace.cli.running import json_option, print_json, run_with_database
from marketplace.kernel.db import Database
from marketplace.kernel.migrate import release_revision
from marketplace.kernel.roles import Standing
from marketplace.kernel.settings import settings

STANDINGS = {
    Standing.SEPARATE: "the application's user owns nothing",
    Standing.TAKEN: (
        "the application logs in as the owner and gives up that right; whoever could send any "
        "statement could take it back: name the owner in MIGRATION_DATABASE_URL only"
    ),
    Standing.OWNER: (
        "the application works as the owner of the tables: only triggers keep what is "
        "append-only; see docs/operations.md, Roles in the database"
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `ok`, `warning` or `wrong`."""

    what: str
    state: str
    told: str


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look at the database, its roles and Redis, and say what is wrong; then exit code 1.

    A warning is something to put right that stops nothing.
    """
    found = run_with_database(examined)
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        for each in found:
            click.echo(f"{each.state:>7}  {each.what}: {each.told}")
    sys.exit(1 if any(each.state == "wrong" for each in found) else 0)


async def examined(database: Database) -> list[Finding]:
    """Everything that was found, in the order of looking."""
    return [finding async for finding in _look(database)]


async def _look(database: Database) -> AsyncIterator[Finding]:
    async with database.engine.connect() as connection:
        version = await connection.scalar(text("show server_version"))
        revision = await connection.scalar(text("select version_num from alembic_version"))
    yield Finding("database", "ok", f"PostgreSQL {version}")
    needed = release_revision()
    yield Finding(
        "schema",
        "ok" if revision == needed else "wrong",
        f"at {revision}" + ("" if revision == needed else f", this release needs {needed}"),
    )
    standing = await database.standing()
    yield Finding("role", "ok" if standing is Standing.SEPARATE else "warning", STANDINGS[standing])
    address = settings().redis_url
    if not address:
        yield Finding("redis", "ok", "none: one web process, sign-ins live in it")
        return
    try:
        async with Redis.from_url(address) as redis:
            await redis.ping()
    except (RedisError, OSError) as error:
        yield Finding("redis", "wrong", f"does not answer: {error}")
    else:
        yield Finding("redis", "ok", "answers")
