"""Fixtures: a real PostgreSQL, migrated once, cloned for each test that asks for a database.

A clone costs some 40 ms and lets tests commit like production does: deferred constraints, races
and `atomically` behave as they do for users.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from litestar import Litestar
from pydantic import SecretStr

from marketplace.kernel.db import Database
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.http import Services
from marketplace.kernel.migrate import migrate
from marketplace.kernel.settings import Settings
from marketplace.kernel.storage import DiskFiles, use_files
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.kernel.tokens import AccessTokens, MemoryRefreshStore, RefreshTokens
from marketplace.parties import passwords

TOKEN_SECRET = "a secret for tests only, 32 bytes or more"
# A Monday morning on which every rulebook has terms and nobody is on holiday.
MONDAY_MORNING = datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI)

_names = itertools.count()

# A cost that a test run can afford; argon2id all the same.
passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name files by their parameter: an archive holds the second it was written in, and the
    processes that share the tests must find the same names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server for this test process: TEST_DATABASE_URL, or an embedded one."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("pg")
    server = EmbeddedPostgres(
        folder,
        options={"fsync": "off", "full_page_writes": "off", "max_connections": "200"},
    )
    try:
        yield server.start()
    finally:
        server.stop()


def _plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")


def with_database(url: str, name: str) -> str:
    """`url` with another database."""
    head, _, query = url.partition("?")
    return head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(_plain(url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """The name of a migrated database that nobody connects to."""
    name = f"template_{os.getpid()}"
    asyncio.run(_run(postgres, f"create database {name}"))
    migrate(with_database(postgres, name))
    return name


class Copies:
    """Copies of databases, made as cheaply as the server can.

    Its files are copied and not written page by page through the log, which costs it a fifth; where
    PostgreSQL 18 and the file system can, the kernel copies them. One connection serves them all.
    """

    def __init__(self, server: asyncpg.Connection[Any]) -> None:
        self._server = server

    async def copy(self, name: str, *, of: str) -> None:
        await self._server.execute(f"create database {name} template {of} strategy file_copy")

    async def drop(self, name: str) -> None:
        await self._server.execute(f"drop database {name} with (force)")

    async def by_the_kernel(self, *, of: str) -> None:
        """Let the kernel copy files, if a try of it works."""
        try:
            await self._server.execute("set file_copy_method = clone")
            await self.copy(f"{of}_tried", of=of)
            await self.drop(f"{of}_tried")
        except asyncpg.PostgresError:
            await self._server.execute("reset all")


@pytest_asyncio.fixture(scope="session")
async def copies(postgres: str, template: str) -> AsyncIterator[Copies]:
    """Makes and drops databases on the tests' server."""
    connection = await asyncpg.connect(_plain(postgres))
    made = Copies(connection)
    await made.by_the_kernel(of=template)
    yield made
    await connection.close()


@pytest_asyncio.fixture
async def database_url(postgres: str, template: str, copies: Copies) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of this test's own."""
    name = f"test_{os.getpid()}_{next(_names)}"
    await copies.copy(name, of=template)
    yield with_database(postgres, name)
    await copies.drop(name)


@pytest.fixture(scope="session", autouse=True)
def stored_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Uploaded files lie in a folder of this test process."""
    with use_files(DiskFiles(tmp_path_factory.mktemp("files"))):
        yield


@pytest.fixture
def clock() -> SetClock:
    """The clock of the test's database; tests move it."""
    return SetClock(MONDAY_MORNING)


@pytest_asyncio.fixture
async def database(database_url: str, clock: SetClock) -> AsyncIterator[Database]:
    """An empty, migrated database with a clock that stands still."""
    made = Database(database_url, clock=clock)
    yield made
    await made.close()


@pytest.fixture
def test_settings(tmp_path: Path) -> Settings:
    """Settings that touch nothing outside the test."""
    return Settings(
        data_folder=tmp_path,
        token_secret=SecretStr(TOKEN_SECRET),
        requests_per_minute=100_000,
        live_stream_seconds=1,
    )


@pytest.fixture
def services(database: Database) -> Services:
    """What the web process shares, with refresh tokens in memory."""
    return Services(
        database=database,
        access_tokens=AccessTokens(TOKEN_SECRET, minutes=10),
        refresh_tokens=RefreshTokens(MemoryRefreshStore(), days=14),
    )


@lru_cache(maxsize=1)
def _routes() -> Litestar:
    """The whole application, built once: its routes take longer than most tests."""
    from marketplace.app import create_app

    nowhere = Services(
        database=Database("postgresql://nobody@127.0.0.1:1/nothing"),
        access_tokens=AccessTokens(TOKEN_SECRET, minutes=10),
        refresh_tokens=RefreshTokens(MemoryRefreshStore(), days=14),
    )
    generous = Settings(requests_per_minute=1_000_000, sign_ins_per_minute=1_000_000)
    return create_app(nowhere, generous)


@pytest_asyncio.fixture
async def api(services: Services, test_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, in this event loop, that remembers no other test."""
    from marketplace.app import equip

    app = _routes()
    equip(app, services, test_settings)
    transport = httpx.ASGITransport(app=cast(Any, app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform.test") as client:
        yield client
