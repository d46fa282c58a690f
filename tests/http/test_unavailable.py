"""What the platform leans on is gone: 503 and when to come back, never a 500, nothing half-done."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import text

from marketplace.app import create_app
from marketplace.billing.ledger.queries import verify
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Unavailable
from marketplace.kernel.http import Services
from marketplace.kernel.settings import Settings
from marketplace.kernel.tokens import AccessTokens, RedisRefreshStore, RefreshTokens
from marketplace.parties.roles import Role
from tests.builders.owner import become_owner
from tests.builders.parties import PASSWORD, a_person, a_uscc, an_actor, bearer
from tests.conftest import TOKEN_SECRET, _run
from tests.http.refusals import SIGN_IN_BOOKKEEPING, nothing_changes, refused

API = "/api/v1"
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"
EVERYBODY = Actor(2, 2, "centre", frozenset(map(str, Role)))
_keys = itertools.count()


@asynccontextmanager
async def an_api(services: Services, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application over other services."""
    app: Any = create_app(services, settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform.test") as client:
        yield client


def services_over(
    database: Database, *, refresh_tokens: RefreshTokens, redis: Redis | None = None
) -> Services:
    return Services(database, AccessTokens(TOKEN_SECRET, minutes=10), refresh_tokens, redis)


def a_legal_entity() -> dict[str, str]:
    """A body with which one is registered."""
    return {
        "uscc": a_uscc(),
        "name": "南京某某有限公司",
        "region_code": "320100",
        "kind": "company",
        "capital": "social",
    }


async def ask(
    api: httpx.AsyncClient, services: Services, actor: Actor = EVERYBODY
) -> dict[str, httpx.Response]:
    """One request of each kind: open to all, read, written, the ledger's own snapshot."""
    headers = bearer(services, actor)
    return {
        "public": await api.get(f"{API}/instruments"),
        "read": await api.get(f"{API}/legal-entities", headers=headers),
        "written": await api.post(
            f"{API}/legal-entities",
            json=a_legal_entity(),
            headers=headers | {"Idempotency-Key": f"k{next(_keys)}"},
        ),
        "verified": await api.get(f"{API}/ledger/verify", headers=headers),
        "signed in": await api.post(
            f"{API}/sign-in", json={"email": "new@lab.cn", "password": PASSWORD}
        ),
    }


def all_unavailable(answers: dict[str, httpx.Response]) -> None:
    """Each says so, and when to come back."""
    for why, answer in answers.items():
        assert refused(answer, 503, "unavailable")["detail"], why
        assert int(answer.headers["retry-after"]) >= 1, why


async def test_nobody_is_told_to_sign_in_before_anything_else(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{API}/me")

    refused(answer, 401, "unauthenticated")


async def test_without_a_database_everything_is_unavailable_and_nothing_is_a_bug(
    services: Services, test_settings: Settings
) -> None:
    gone = services_over(Database(NO_DATABASE), refresh_tokens=services.refresh_tokens)

    async with an_api(gone, test_settings) as api:
        all_unavailable(await ask(api, gone))
        ready = await api.get("/health/ready")
        alive = await api.get("/health/live")

    assert (ready.status_code, alive.status_code) == (503, 200)
    with pytest.raises(Unavailable):
        await verify(gone.database)


async def test_a_pool_that_is_exhausted_makes_nobody_wait_for_ever(
    database_url: str, database: Database, services: Services, test_settings: Settings
) -> None:
    small = Database(database_url, pool_size=1)
    pool: Any = small.engine.pool
    pool._timeout = 0.05
    busy = services_over(small, refresh_tokens=services.refresh_tokens)
    async with an_api(busy, test_settings) as api:
        async with nothing_changes(database), small.engine.connect():
            all_unavailable(await ask(api, busy))
        # The one connection is free again.
        assert (await api.get(f"{API}/instruments")).status_code == 200
    await small.close()


async def test_a_statement_without_end_is_ended_and_told(database_url: str) -> None:
    impatient = Database(database_url, statement_timeout_seconds=1)

    async def sleep(tx: Tx, _: None) -> None:
        await tx.execute(text("select pg_sleep(20)"))

    with pytest.raises(Unavailable):
        await atomically(impatient, sleep, None, actor=system_actor("test"))
    await impatient.close()


@pytest_asyncio.fixture
async def everybody(database: Database) -> Actor:
    """A person who exists and holds every role."""
    actor = await an_actor(database, Role.ADMINISTRATOR)
    return Actor(actor.person_id, actor.organisation_id, "centre", EVERYBODY.roles)


async def end_connections(postgres: str, database: Database, *, wait: bool) -> None:
    """What a restart of PostgreSQL does to those who are connected; `wait` until they heard it."""
    name, milliseconds = database.engine.url.database, 5_000 if wait else 0
    await _run(
        postgres,
        f"select pg_terminate_backend(pid, {milliseconds})"
        f" from pg_stat_activity where datname = '{name}'",
    )
    if wait:
        await asyncio.sleep(0.05)


async def test_after_a_restart_of_the_database_no_request_is_lost(
    api: httpx.AsyncClient, services: Services, database: Database, postgres: str, everybody: Actor
) -> None:
    async def at_once(method: str, path: str) -> list[int]:
        answers = await asyncio.gather(
            *(
                api.request(
                    method,
                    f"{API}{path}",
                    json=a_legal_entity() if method == "POST" else None,
                    headers=bearer(services, everybody) | {"Idempotency-Key": f"k{next(_keys)}"},
                )
                for _ in range(5)
            )
        )
        return [answer.status_code for answer in answers]

    await at_once("GET", "/legal-entities")
    for method, path, status in (
        ("POST", "/legal-entities", 201),
        ("GET", "/legal-entities", 200),
        ("GET", "/instruments", 200),
    ):
        await end_connections(postgres, database, wait=True)
        assert await at_once(method, path) == [status] * 5


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("through_driver", [False, True])
async def test_a_connection_lost_in_the_middle_is_unavailable_and_leaves_nothing(
    database: Database, postgres: str, wait: bool, through_driver: bool
) -> None:
    async def lose_it(tx: Tx, _: None) -> None:
        await become_owner(tx)
        await tx.execute(text("create table half_done ()"))
        await end_connections(postgres, database, wait=wait)
        if through_driver:
            driver = await tx.raw()
            with contextlib.suppress(Exception):
                await driver.execute("select 1")
            await driver.execute("select 1")
        else:
            await tx.execute(text("select 1"))

    async with nothing_changes(database):
        with pytest.raises(Unavailable):
            await atomically(database, lose_it, None, actor=system_actor("test"))


async def test_without_redis_nobody_signs_in_and_whoever_is_in_goes_on(
    services: Services, test_settings: Settings, database: Database, everybody: Actor
) -> None:
    await a_person(
        database,
        email="li@lab.cn",
        organisation_id=everybody.organisation_id,
        roles=(Role.ADMINISTRATOR,),
    )
    redis = Redis.from_url("redis://127.0.0.1:1", retry=Retry(NoBackoff(), 0))
    gone = services_over(
        database, refresh_tokens=RefreshTokens(RedisRefreshStore(redis), days=14), redis=redis
    )
    token = {"refresh_token": "a.b"}

    async with (
        an_api(gone, test_settings) as api,
        nothing_changes(database, but=SIGN_IN_BOOKKEEPING),
    ):
        signed_in = await api.post(
            f"{API}/sign-in", json={"email": "li@lab.cn", "password": PASSWORD}
        )
        refreshed = await api.post(f"{API}/sign-in/refresh", json=token)
        signed_out = await api.post(f"{API}/sign-out", json=token)
        me = await api.get(f"{API}/me", headers=bearer(gone, everybody))
        ready = await api.get("/health/ready")

    all_unavailable({"in": signed_in, "refreshed": refreshed, "out": signed_out})
    assert me.status_code == 200, me.text
    assert ready.status_code == 503
