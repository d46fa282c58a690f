"""Refresh tokens are good once, in memory and in Redis alike; a copy kills the whole sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from marketplace.kernel.actors import Actor
from marketplace.kernel.embedded import EmbeddedRedis
from marketplace.kernel.errors import Unavailable
from marketplace.kernel.tokens import (
    AccessTokens,
    MemoryRefreshStore,
    RedisRefreshStore,
    RefreshTokenReused,
    RefreshTokens,
    SignIn,
    TokenRefused,
)
from tests.conftest import TOKEN_SECRET

SIGN_IN = SignIn(person_id=5, organisation_id=6, signed_in_at=1_741_000_000)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    yield server.start()
    server.stop()


@pytest_asyncio.fixture(params=["memory", "redis"])
async def tokens(request, redis_url) -> AsyncIterator[RefreshTokens]:
    if request.param == "memory":
        yield RefreshTokens(MemoryRefreshStore(), days=1)
        return
    redis = Redis.from_url(redis_url)
    yield RefreshTokens(RedisRefreshStore(redis), days=1)
    await redis.aclose()


async def test_each_token_is_good_once_and_names_who_signed_in(tokens):
    token = await tokens.issue(SIGN_IN)

    for _ in range(3):
        sign_in, token = await tokens.exchange(token)
        assert sign_in == SIGN_IN


async def test_a_token_used_twice_ends_the_sign_in_also_for_the_one_who_was_copied(tokens):
    stolen = await tokens.issue(SIGN_IN)
    _, fresh = await tokens.exchange(stolen)

    with pytest.raises(RefreshTokenReused):
        await tokens.exchange(stolen)
    with pytest.raises(TokenRefused):
        await tokens.exchange(fresh)


async def test_of_two_that_exchange_the_same_token_at_once_one_wins_and_the_family_dies(tokens):
    token = await tokens.issue(SIGN_IN)

    outcomes = await asyncio.gather(
        *(tokens.exchange(token) for _ in range(8)), return_exceptions=True
    )

    won = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert len(won) == 1
    with pytest.raises(TokenRefused):
        await tokens.exchange(won[0][1])


async def test_a_sign_out_ends_the_family_and_leaves_others_alone(tokens):
    mine, other = await tokens.issue(SIGN_IN), await tokens.issue(SIGN_IN)

    await tokens.revoke(mine)

    with pytest.raises(TokenRefused):
        await tokens.exchange(mine)
    assert (await tokens.exchange(other))[0] == SIGN_IN


@pytest.mark.parametrize("nonsense", ["", ".", "a.b", "x" * 5000, "汉字.汉字"])
async def test_a_token_that_was_never_issued_is_refused(tokens, nonsense):
    with pytest.raises(TokenRefused):
        await tokens.exchange(nonsense)


async def test_without_its_redis_a_sign_in_is_unavailable_and_not_a_bug():
    nowhere = Redis.from_url("redis://127.0.0.1:1/0")

    with pytest.raises(Unavailable):
        await RefreshTokens(RedisRefreshStore(nowhere), days=1).issue(SIGN_IN)
    await nowhere.aclose()


def test_an_access_token_of_another_secret_is_refused_and_a_short_secret_too():
    actor = Actor(5, 6, "sme", frozenset({"buyer"}))
    token = AccessTokens("x" * 32, minutes=1).issue(actor)

    with pytest.raises(TokenRefused):
        AccessTokens(TOKEN_SECRET, minutes=1).read(token)
    with pytest.raises(ValueError, match="at least 32 bytes"):
        AccessTokens("short", minutes=1)
