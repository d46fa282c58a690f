"""Live updates, on real web processes: what happens on one is seen on the other, and by whom."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.embedded import EmbeddedRedis
from marketplace.kernel.http import Services
from marketplace.kernel.time import SystemClock, shanghai_day, shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument
from tests.builders.parties import an_actor, bearer
from tests.builders.web_process import WebProcess

API = "/api/v1"
LIVE = {"MARKETPLACE_LIVE_STREAM_SECONDS": "60"}
# Of the ten that the server grants.
SHUTDOWN_SECONDS_MAX = 5.0


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    server = EmbeddedRedis(tmp_path / "valkey")
    try:
        yield server.start()
    finally:
        server.stop()


@asynccontextmanager
async def web_processes(
    database_url: str,
    folder: Path,
    *,
    redis_url: str = "",
    count: int = 1,
    limits: dict[str, str] | None = None,
) -> AsyncIterator[list[WebProcess]]:
    found = []
    for number in range(count):
        place = folder / f"web-{number}"
        place.mkdir()
        process = WebProcess(
            database_url, str(place), redis_url=redis_url, settings=LIVE | (limits or {})
        )
        found.append(process)
    await asyncio.gather(*(each.start() for each in found))
    try:
        yield found
    finally:
        for each in found:
            each.stop()


@dataclass
class Page:
    """An open page that listens."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    comments: int = 0
    status: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def listen(self, web: WebProcess, path: str, headers: dict[str, str]) -> None:
        async with (
            httpx.AsyncClient(timeout=httpx.Timeout(10, read=30)) as client,
            client.stream("GET", f"{web.address}{API}{path}", headers=headers) as answer,
        ):
            self.status = answer.status_code
            name = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    await self._note(name, json.loads(line.removeprefix("data: ")))
                elif line.startswith(":"):
                    self.comments += 1
        self.ended.set()

    async def _note(self, name: str, data: dict[str, Any]) -> None:
        async with self._changed:
            self.events.append((name, data))
            self._changed.notify_all()

    async def heard(self, count: int, *, seconds: float = 5.0) -> list[tuple[str, dict[str, Any]]]:
        """The first `count` events, once they came."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(self.events) >= count)
        return self.events[:count]


@asynccontextmanager
async def a_page(
    web: WebProcess, path: str, headers: dict[str, str] | None = None
) -> AsyncIterator[Page]:
    page = Page()
    task = asyncio.create_task(page.listen(web, path, headers or {}))
    try:
        await page.heard(1)
        yield page
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class Lab:
    """An instrument, those who run it, and a stranger."""

    services: Services
    instrument_id: int
    technician: Actor
    stranger: Actor

    async def reserve(self, web: WebProcess, *, days: int = 2) -> dict[str, Any]:
        """Two hours of one's own, some days from today."""
        begins = shanghai_instant(shanghai_day(SystemClock().now()), 9 * 60 + days * 1440)
        ends = shanghai_instant(shanghai_day(SystemClock().now()), 11 * 60 + days * 1440)
        async with httpx.AsyncClient(base_url=web.address + API, timeout=10) as client:
            answer = await client.post(
                "/reservations",
                headers=bearer(self.services, self.technician)
                | {"Idempotency-Key": f"reserve-{days}-{time.monotonic_ns()}"},
                json={
                    "instrument_id": self.instrument_id,
                    "starts_at": begins.isoformat(),
                    "ends_at": ends.isoformat(),
                    "purpose": "own_research",
                },
            )
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def cancel(self, web: WebProcess, reservation_id: int) -> None:
        async with httpx.AsyncClient(base_url=web.address + API, timeout=10) as client:
            answer = await client.post(
                f"/reservations/{reservation_id}/cancel",
                headers=bearer(self.services, self.technician)
                | {"Idempotency-Key": f"cancel-{time.monotonic_ns()}"},
                json={"reason": "not needed any more"},
            )
        assert answer.status_code == 200, answer.text


@pytest_asyncio.fixture
async def lab(database: Database, services: Services) -> Lab:
    technician = await an_actor(database, Role.TECHNICIAN)
    instrument_id = await a_bookable_instrument(database, provider_id=technician.organisation_id)
    return Lab(services, instrument_id, technician, await an_actor(database, Role.TECHNICIAN))


async def open_streams(web: WebProcess) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{web.address}/metrics")).text
    (line,) = [each for each in text.splitlines() if each.startswith("marketplace_live_streams")]
    return float(line.rpartition(" ")[2])


async def until_streams_are(web: WebProcess, count: int) -> None:
    for _ in range(100):
        if await open_streams(web) == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{await open_streams(web)} streams are open, not {count}")


async def test_what_is_reserved_on_one_process_shows_on_the_other_within_a_second(
    lab: Lab, database_url: str, valkey: str, tmp_path: Path
):
    public = f"/instruments/{lab.instrument_id}/live"
    own = f"/providers/{lab.technician.organisation_id}/live"
    async with (
        web_processes(database_url, tmp_path, redis_url=valkey, count=2) as (here, there),
        a_page(there, public) as anybody,
        a_page(there, own, bearer(lab.services, lab.technician)) as staff,
        a_page(here, public) as beside,
    ):
        placed = await lab.reserve(here)
        began = time.monotonic()
        (_, (name, told)) = await anybody.heard(2)
        (_, (_, told_staff)) = await staff.heard(2)
        (_, (_, told_beside)) = await beside.heard(2)
        waited = time.monotonic() - began
        await lab.cancel(there, placed["id"])
        freed = (await beside.heard(3))[2][1]

    assert waited < 1.0
    assert name == "calendar"
    period = {"starts_at": told["starts_at"], "ends_at": told["ends_at"]}
    # Nothing in it says who, or which reservation it is.
    assert told == {"instrument_id": lab.instrument_id, "kind": "reserved", **period}
    assert told_beside == told
    assert told_staff == told | {
        "event": "reservation-placed",
        "reservation_id": placed["id"],
        "status": "confirmed",
    }
    assert freed == told | {"kind": "freed"}


async def test_a_client_that_leaves_is_forgotten_and_shutdown_does_not_wait_for_those_that_stay(
    lab: Lab, database_url: str, tmp_path: Path
):
    path = f"/instruments/{lab.instrument_id}/live"
    async with web_processes(database_url, tmp_path) as (web,):
        async with a_page(web, path), a_page(web, path):
            await until_streams_are(web, 2)
        await until_streams_are(web, 0)

        async with a_page(web, path) as first, a_page(web, path) as second:
            await lab.reserve(web)
            assert (await second.heard(2))[1] == (await first.heard(2))[1]
            began = time.monotonic()
            await asyncio.to_thread(web.stop)
            stopped = time.monotonic() - began
            async with asyncio.timeout(1):
                await asyncio.gather(first.ended.wait(), second.ended.wait())
    assert stopped < SHUTDOWN_SECONDS_MAX
    assert web.log_path.read_text() == ""


async def test_streams_are_bounded_by_address_and_in_all_and_end_by_themselves(
    lab: Lab, database_url: str, tmp_path: Path
):
    path = f"{API}/instruments/{lab.instrument_id}/live"
    limits = {
        "MARKETPLACE_LIVE_STREAMS_PER_ADDRESS": "2",
        "MARKETPLACE_LIVE_STREAMS_MAX": "2",
        "MARKETPLACE_LIVE_STREAM_SECONDS": "2",
    }
    async with (
        web_processes(database_url, tmp_path, limits=limits) as (web,),
        a_page(web, path.removeprefix(API)) as first,
        a_page(web, path.removeprefix(API)) as second,
        httpx.AsyncClient(base_url=web.address) as client,
    ):
        refused = await client.get(path)
        async with asyncio.timeout(5):
            await asyncio.gather(first.ended.wait(), second.ended.wait())
        head = await client.head(path)

    assert refused.status_code == 429
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert refused.headers["retry-after"] == "30"
    assert head.status_code == 200
    assert head.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert head.content == b""


async def test_pages_are_told_to_read_again_after_redis_was_away(
    lab: Lab, database_url: str, tmp_path: Path
):
    folder = tmp_path / "valkey"
    server = EmbeddedRedis(folder)
    redis_url = server.start()
    async with web_processes(database_url, tmp_path, redis_url=redis_url) as (web,):
        try:
            async with a_page(web, f"/instruments/{lab.instrument_id}/live") as page:
                await asyncio.to_thread(restarted, redis_url)
                await page.heard(2, seconds=20)
                placed = await lab.reserve(web)
                told = (await page.heard(3))[2][1]
        finally:
            server.stop()

    assert page.events[1][0] == "reload"
    assert placed["starts_at"] == told["starts_at"]


def restarted(redis_url: str) -> None:
    """Cut every connection, as a restart does."""
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.client_kill_filter(_type="pubsub")


async def test_others_may_not_listen_to_a_provider(
    api: httpx.AsyncClient, lab: Lab, services: Services
):
    path = f"{API}/providers/{lab.technician.organisation_id}/live"

    assert (await api.get(path)).status_code == 401
    assert (await api.get(path, headers=bearer(services, lab.stranger))).status_code == 404
    own = await api.get(path, headers=bearer(services, lab.technician))
    assert own.text.startswith("retry: 3000\nevent: open\n")
    missing = await api.get(f"{API}/instruments/999999/live")
    assert missing.status_code == 404
