"""What `marketplace doctor` says of roles, and how `marketplace migrate` brings them about."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from marketplace.kernel.db import Database
from marketplace.kernel.roles import APPLICATION_ROLE, Standing
from tests.cli.conftest import Command


@dataclass(frozen=True)
class Managed:
    """An empty database on a server where somebody else made the users."""

    owner: str
    application: str
    sql: asyncpg.Connection


def _as(url: str, user: str, database: str) -> str:
    return make_url(url).set(username=user, database=database).render_as_string(hide_password=False)


@pytest_asyncio.fixture
async def managed(postgres: str, tmp_path) -> AsyncIterator[Managed]:
    """The owner owns the database and is no superuser, nor may create roles."""
    server = await asyncpg.connect(postgres.replace("+asyncpg", ""))
    name = f"managed_{id(tmp_path)}"
    owner, application = f"{name}_owner", f"{name}_application"
    for user in (owner, application):
        await server.execute(f"create role {user} login")
    await server.execute(f"create database {name} owner {owner}")
    url = _as(postgres, "marketplace", name)
    sql = await asyncpg.connect(url.replace("+asyncpg", ""))
    for extension in ("btree_gist", "btree_gin", "pg_trgm"):
        await sql.execute(f"create extension {extension}")
    yield Managed(_as(postgres, owner, name), _as(postgres, application, name), sql)
    await sql.close()
    await server.execute(f"drop database {name} with (force)")
    for user in (owner, application):
        await server.execute(f"drop role {user}")
    await server.close()


async def tried(database: Database, *statements: str) -> None:
    async with database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def said(command: Command, **environment: str) -> dict[str, str]:
    told = await command("doctor", "--json", **environment)
    assert told.exit_code == 0, told.output
    return {each["what"]: each["state"] for each in json.loads(told.stdout)}


async def test_a_single_address_is_good_enough_and_two_are_better(operate: Command):
    assert await said(operate) == {
        "database": "ok",
        "schema": "ok",
        "role": "warning",
        "redis": "ok",
    }
    told = await operate("doctor")
    assert "name the owner in MIGRATION_DATABASE_URL only" in told.stdout


async def test_an_owner_who_may_create_no_role_works_as_the_owner_and_is_told_so(
    marketplace: Command, managed: Managed
):
    done = await marketplace("migrate", DATABASE_URL=managed.owner)

    assert done.exit_code == 0, done.output
    told = await marketplace("doctor", DATABASE_URL=managed.owner)
    assert told.exit_code == 0
    assert "works as the owner of the tables: only triggers" in told.stdout


async def test_two_addresses_keep_the_owner_out_of_the_application(
    marketplace: Command, managed: Managed
):
    user = make_url(managed.application).username
    addresses = {"DATABASE_URL": managed.application, "MIGRATION_DATABASE_URL": managed.owner}
    early = await marketplace("migrate", **addresses)
    assert early.exit_code == 1
    assert "left to one who may" in early.stderr
    refused = await marketplace("ledger", "verify", DATABASE_URL=managed.application)
    assert refused.exit_code == 1

    await managed.sql.execute(f"grant {APPLICATION_ROLE} to {user}")
    for _ in range(2):
        done = await marketplace("migrate", **addresses)
        assert done.exit_code == 0, done.output

    assert (await said(marketplace, DATABASE_URL=managed.application))["role"] == "ok"
    verified = await marketplace("ledger", "verify", DATABASE_URL=managed.application)
    assert verified.exit_code == 0, verified.output
    database = Database(managed.application)
    try:
        assert await database.standing() is Standing.SEPARATE
        for way_back in ("set role none", f"set role {make_url(managed.owner).username}"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                await tried(database, way_back, "delete from audit_event")
    finally:
        await database.close()


async def test_a_user_who_is_not_there_is_said_so(marketplace: Command, managed: Managed):
    nobody = make_url(managed.owner).set(username="nobody_known")
    told = await marketplace(
        "migrate",
        DATABASE_URL=nobody.render_as_string(hide_password=False),
        MIGRATION_DATABASE_URL=managed.owner,
    )
    assert told.exit_code == 1
    assert "names the user nobody_known, who is not there" in told.stderr


async def test_a_user_whom_the_owner_may_create_is_created(
    marketplace: Command, managed: Managed, postgres: str
):
    owner = make_url(managed.owner).set(username="marketplace")
    user = f"{make_url(managed.application).username}_2"
    address = owner.set(username=user, password='it\'s % "secret"')
    addresses = {
        "DATABASE_URL": address.render_as_string(hide_password=False),
        "MIGRATION_DATABASE_URL": owner.render_as_string(hide_password=False),
    }
    try:
        done = await marketplace("migrate", **addresses)
        assert done.exit_code == 0, done.output
        assert (await said(marketplace, **addresses))["role"] == "ok"
    finally:
        await managed.sql.execute(f"drop owned by {user}")
        await managed.sql.execute(f"drop role {user}")
