"""Clients of the real server that are slow, or leave in the middle: nothing is half-done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from sqlalchemy import text

from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.catalogue import a_csv, a_line
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor, bearer
from tests.builders.web_process import WebProcess
from tests.http.refusals import contents, nothing_changes

API = "/api/v1"
INSTRUMENT = {
    "inner_id": "A-1",
    "cname": "激光共聚焦显微镜",
    "category_code": "010801",
    "worth_fen": 320_000_000,
    "funds": "local",
    "kind": "general",
    "share_mode": "external",
    "condition": "normal",
    "customs_supervised": False,
}


@pytest_asyncio.fixture
async def web(database_url: str, tmp_path: Path) -> AsyncIterator[WebProcess]:
    process = WebProcess(database_url, str(tmp_path))
    await process.start()
    yield process
    process.stop()


class Client:
    """One connection, byte by byte."""

    def __init__(self, web: WebProcess, token: dict[str, str]) -> None:
        self.web, self.token = web, token

    async def open(self, path: str, *, key: str, length: int | None) -> None:
        """Connect and send the head; `length` None: in chunks."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.web.port)
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        head = (
            f"POST {API}{path} HTTP/1.1",
            "Host: platform.test",
            size,
            f"Authorization: {self.token['Authorization']}",
            f"Idempotency-Key: {key}",
        )
        await self.send("\r\n".join((*head, "", "")).encode())

    async def send(self, part: bytes) -> None:
        self.writer.write(part)
        await self.writer.drain()

    async def status(self) -> int:
        """That of the answer."""
        line = await asyncio.wait_for(self.reader.readline(), 20)
        return int(line.split()[1])

    async def leave(self, *, rudely: bool = False) -> None:
        if rudely:
            self.writer.transport.abort()
        self.writer.close()


async def settled(database: Database) -> None:
    """Wait until the server has no transaction open."""
    busy = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and state <> 'idle'"
    )
    for _ in range(200):
        async with database.engine.connect() as connection:
            await become_owner(connection)  # Others see nothing of what sessions do.
            if await connection.scalar(text(busy)) == 0:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("the server is still at work")


async def test_a_client_that_leaves_or_dawdles_leaves_nothing_half_done(
    web: WebProcess, database: Database, services: Services
) -> None:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    client = Client(web, bearer(services, manager))
    one = json.dumps(INSTRUMENT).encode()
    many = a_csv([a_line(innerId=f"B-{number}") for number in range(400)])

    async with nothing_changes(database):
        for body, path in ((one, "/instruments"), (many, "/instruments/imports")):
            for rudely in (False, True):
                await client.open(path, key="half", length=len(body))
                await client.send(body[: len(body) // 2])
                await asyncio.sleep(0.1)
                await client.leave(rudely=rudely)
                await client.open(path, key="chunks", length=None)
                await client.send(b"%x\r\n%b\r\n" % (len(body), body))
                await client.leave(rudely=rudely)
        await client.open("/instruments", key="none", length=100)
        await client.leave()
        await asyncio.sleep(0.2)
        await settled(database)

    await slow_but_whole(client, one)
    await gone_before_the_answer(client, database, many)
    assert "Traceback" not in web.log_path.read_text()


async def slow_but_whole(client: Client, body: bytes) -> None:
    """Who sends slowly is served like everybody, and holds up nobody meanwhile."""
    await client.open("/instruments", key="slow", length=len(body))
    for start in range(0, len(body), 32):
        await client.send(body[start : start + 32])
        await asyncio.sleep(0.02)
    other = Client(client.web, client.token)
    await other.open("/nowhere", key="other", length=0)
    assert await other.status() == 404
    await other.leave()
    assert await client.status() == 201
    await client.leave()


async def gone_before_the_answer(client: Client, database: Database, body: bytes) -> None:
    """The whole file was sent, nobody waits: it lands whole or not at all, and once only."""
    before = (await contents(database))["instrument"][0]
    await client.open("/instruments/imports", key="gone", length=len(body))
    await client.send(body)
    await client.leave(rudely=True)
    await asyncio.sleep(0.2)
    await settled(database)
    landed = (await contents(database))["instrument"][0] - before
    assert landed in (0, 400)

    await client.open("/instruments/imports", key="gone", length=len(body))
    await client.send(body)
    assert await client.status() == 201
    await client.leave()
    assert (await contents(database))["instrument"][0] - before == 400
