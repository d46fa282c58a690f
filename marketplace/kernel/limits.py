"""Rate limits: so many requests per minute and caller, fewer for attempts to sign in.

A moving window: at no time do the last sixty seconds hold more than the limit. Several web
processes count together in Redis, by one script per request; a single process counts in memory.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send
from redis.asyncio import Redis
from redis.exceptions import RedisError

from marketplace.kernel.errors import TooMany, Unauthenticated
from marketplace.kernel.http import actor_of, bearer_token
from marketplace.kernel.keys import KeyRing, is_key

log = structlog.get_logger()

WINDOW_SECONDS = 60
# Callers kept in memory before those that went quiet are forgotten.
CALLERS_KEPT = 10_000
# A handler with `rate_limit=SIGN_IN` takes attempts to prove who one is.
SIGN_IN = "sign-in"
REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in a minute, counted under a name of its own."""

    name: str
    per_minute: int


class Windows(Protocol):
    """Where requests are counted."""

    async def wait_seconds(self, limit: Limit, caller: str) -> int:
        """Count one request: 0 when it may pass, else after how many seconds to come back."""
        ...


class MemoryWindows:
    """For one process: the moments of the last requests of each caller.

    The library's own memory keeps itself tidy with a thread per caller and sweep, a quarter of a
    millisecond per request; this costs two microseconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moments: dict[tuple[str, str], deque[float]] = {}

    async def wait_seconds(self, limit: Limit, caller: str) -> int:
        """Count one request; a refused one does not count."""
        now = self._clock()
        if len(self._moments) >= CALLERS_KEPT:
            self._forget_quiet(now)
        moments = self._moments.setdefault((limit.name, caller), deque())
        while moments and moments[0] <= now - WINDOW_SECONDS:
            moments.popleft()
        if len(moments) >= limit.per_minute:
            return max(1, math.ceil(moments[0] + WINDOW_SECONDS - now))
        moments.append(now)
        return 0

    def _forget_quiet(self, now: float) -> None:
        self._moments = {
            key: moments
            for key, moments in self._moments.items()
            if moments and moments[-1] > now - WINDOW_SECONDS
        }


class RedisWindows:
    """For several processes: counted by a script, so that no two requests share one place."""

    def __init__(self, redis: Redis) -> None:
        # The pool says where Redis is; the library asks for an address all the same.
        pool: Any = redis.connection_pool
        self._limiter = MovingWindowRateLimiter(
            RedisStorage("redis://", implementation="redispy", connection_pool=pool)
        )

    async def wait_seconds(self, limit: Limit, caller: str) -> int:
        """Count one request; without Redis it passes, because answers matter more than counts."""
        allowed = RateLimitItemPerMinute(limit.per_minute)
        try:
            if await self._limiter.hit(allowed, limit.name, caller):
                return 0
            stats = await self._limiter.get_window_stats(allowed, limit.name, caller)
        except RedisError as error:
            log.warning("rate-limit.uncounted", error=type(error).__name__)
            return 0
        return max(1, math.ceil(stats.reset_time - time.time()))


class RateLimited(ASGIMiddleware):
    """Counts a request before anything else is done for it."""

    scopes = (ScopeType.HTTP,)

    def __init__(
        self, windows: Windows, *, requests_per_minute: int, sign_ins_per_minute: int
    ) -> None:
        self._windows = windows
        self._limits = {
            REQUESTS: Limit(REQUESTS, requests_per_minute),
            SIGN_IN: Limit(SIGN_IN, sign_ins_per_minute),
        }

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """Itself: the framework copies a router with all that hangs on it, and Redis with it."""
        return self

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass the request on, or refuse it.

        Raises:
            TooMany: saying when to come back.
        """
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        name = scope["route_handler"].opt.get("rate_limit", REQUESTS)
        # An attempt to sign in counts for the address, whoever the caller says they are.
        caller = address_of(connection) if name == SIGN_IN else caller_of(connection)
        limit = self._limits[name]
        seconds = await self._windows.wait_seconds(limit, caller)
        if seconds:
            raise TooMany(
                f"At most {limit.per_minute} per minute; come back in {seconds} seconds.",
                limit=limit.per_minute,
                retry_after_seconds=seconds,
            )
        await next_app(scope, receive, send)


def rate_limited(
    redis: Redis | None, *, requests_per_minute: int, sign_ins_per_minute: int
) -> RateLimited:
    """The middleware that counts in Redis where there is one."""
    return RateLimited(
        MemoryWindows() if redis is None else RedisWindows(redis),
        requests_per_minute=requests_per_minute,
        sign_ins_per_minute=sign_ins_per_minute,
    )


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The person a good token names, the system whose key was good lately, else the address."""
    if "authorization" in connection.headers:
        # A bad token is refused later, and counts for where it came from.
        with suppress(Unauthenticated):
            token = bearer_token(connection)
            if not is_key(token):
                return f"person:{actor_of(connection).person_id}"
            ring: KeyRing = connection.app.state.key_ring
            return ring.caller(token) or address_of(connection)
    return address_of(connection)


def address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Where the request came from; of IPv6 the network, because one home has 2**64 addresses."""
    host = connection.client.host if connection.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
