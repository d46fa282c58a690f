"""So many requests in a minute and no more, whoever counts them."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.connection import ASGIConnection
from litestar.testing import RequestFactory
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from marketplace.app import create_app
from marketplace.kernel.embedded import EmbeddedRedis
from marketplace.kernel.http import Services
from marketplace.kernel.limits import CALLERS_KEPT, Limit, MemoryWindows, RedisWindows, address_of
from marketplace.kernel.settings import Settings
from tests.builders.parties import TEST, bearer

THREE = Limit("requests", 3)


class Moment:
    """A clock for windows."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_the_window_moves_so_that_a_minute_never_holds_more() -> None:
    moment = Moment()
    windows = MemoryWindows(moment)

    async def at(seconds: float) -> int:
        moment.seconds = seconds
        return await windows.wait_seconds(THREE, "li")

    assert [await at(second) for second in (0, 50, 59)] == [0, 0, 0]
    assert await at(59) == 1
    assert await at(60) == 0
    assert await at(60) == 50
    assert await at(110) == 0


async def test_callers_and_limits_are_counted_apart() -> None:
    windows = MemoryWindows(Moment())
    for _ in range(3):
        await windows.wait_seconds(THREE, "li")

    assert await windows.wait_seconds(THREE, "li") == 60
    assert await windows.wait_seconds(THREE, "wang") == 0
    assert await windows.wait_seconds(Limit("sign-in", 3), "li") == 0


async def test_quiet_callers_are_forgotten() -> None:
    moment = Moment()
    windows = MemoryWindows(moment)
    for number in range(CALLERS_KEPT):
        await windows.wait_seconds(THREE, str(number))
    moment.seconds += 61
    await windows.wait_seconds(THREE, "the last")

    assert len(windows._moments) == 1


def limited_api(services: Services, settings: Settings) -> httpx.AsyncClient:
    app: Any = create_app(services, settings)
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://platform.test")


async def test_one_request_too_many_gets_429_and_when_to_come_back(
    services: Services, test_settings: Settings
) -> None:
    settings = test_settings.model_copy(update={"requests_per_minute": 10})
    async with limited_api(services, settings) as api:
        answers = await asyncio.gather(
            *(api.get("/api/v1/me", headers=bearer(services, TEST)) for _ in range(12))
        )
        other = await api.get("/api/v1/me")

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(429) == 2
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert other.status_code == 401


async def test_attempts_to_sign_in_count_for_the_address(
    services: Services, test_settings: Settings
) -> None:
    settings = test_settings.model_copy(update={"sign_ins_per_minute": 2})
    attempt = {"email": "nobody@lab.cn", "password": "a wrong password"}
    async with limited_api(services, settings) as api:
        statuses = [
            (
                await api.post(
                    "/api/v1/sign-in",
                    json=attempt,
                    # Another name each time does not help.
                    headers={"Authorization": f"Bearer {number}"},
                )
            ).status_code
            for number in range(3)
        ]

    assert statuses == [401, 401, 429]


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("a-socket", "a-socket"),
    ],
)
def test_an_address_is_a_home(host: str, counted_as: str) -> None:
    scope = RequestFactory().get().scope
    scope["client"] = (host, 1)

    assert address_of(ASGIConnection(scope)) == counted_as


async def test_two_processes_count_together_in_redis(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "valkey") as server:
        one, other = Redis.from_url(server.url), Redis.from_url(server.url)
        first, second = RedisWindows(one), RedisWindows(other)

        waits = await asyncio.gather(
            *(windows.wait_seconds(THREE, "li") for windows in (first, second) for _ in range(10))
        )
        others = await first.wait_seconds(THREE, "wang")
        await one.aclose()
        await other.aclose()

    assert waits.count(0) == 3
    assert all(0 <= wait <= 60 for wait in waits)
    assert others == 0


async def test_without_redis_requests_pass_uncounted() -> None:
    gone = Redis.from_url("redis://127.0.0.1:1", retry=Retry(NoBackoff(), 0))

    assert await RedisWindows(gone).wait_seconds(THREE, "li") == 0
