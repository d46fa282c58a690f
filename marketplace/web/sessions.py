"""Sign-ins of browsers: a cookie names a session, and the session is kept on the server.

The store knows only the digest of the cookie's value. A session begins at sign-in, with a name of
its own whatever cookie the browser brought, and ends at sign-out, after a time without use, or
when the person's password changes. Visitors who are not signed in have none.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Protocol

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from marketplace.kernel.errors import Unavailable

SESSIONS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class PageSession:
    """Who signed in with this browser, for which organisation, and when (seconds since 1970)."""

    person_id: int
    organisation_id: int
    since: int
    viewing: int = 0
    """The look at somebody else's pages that goes on, if one does."""


class SessionStore(Protocol):
    """Where sessions live."""

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep `value` for so long."""
        ...

    async def get(self, name: str, seconds: int) -> bytes | None:
        """What is kept; used now, it is kept for another `seconds`."""
        ...

    async def drop(self, name: str) -> None:
        """Forget it."""
        ...


class MemorySessions:
    """For one web process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, float]] = {}

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep it, and forget what has expired, or the oldest when there are too many."""
        now = time.monotonic()
        self._kept = {each: kept for each, kept in self._kept.items() if kept[1] > now}
        while len(self._kept) >= SESSIONS_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = (value, now + seconds)

    async def get(self, name: str, seconds: int) -> bytes | None:
        """What is kept and has not expired."""
        value, until = self._kept.get(name, (None, 0.0))
        if value is None or until <= time.monotonic():
            return None
        self._kept[name] = (value, time.monotonic() + seconds)
        return value

    async def drop(self, name: str) -> None:
        """Forget it."""
        self._kept.pop(name, None)


class RedisSessions:
    """For several web processes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep it with its expiry."""
        try:
            await self._redis.set(f"page-session:{name}", value, ex=seconds)
        except RedisError as error:
            raise Unavailable("Sign-ins are not available just now.") from error

    async def get(self, name: str, seconds: int) -> bytes | None:
        """What is kept."""
        try:
            found = await self._redis.getex(f"page-session:{name}", ex=seconds)
        except RedisError as error:
            raise Unavailable("Sign-ins are not available just now.") from error
        return found.encode() if isinstance(found, str) else found

    async def drop(self, name: str) -> None:
        """Forget it."""
        try:
            await self._redis.delete(f"page-session:{name}")
        except RedisError as error:
            raise Unavailable("Sign-ins are not available just now.") from error


class PageSessions:
    """Begins, finds and ends the sessions of browsers."""

    def __init__(self, store: SessionStore, *, idle_hours: int) -> None:
        self._store = store
        self.seconds = idle_hours * 3_600

    async def begin(self, session: PageSession) -> str:
        """Keep a session; returns the value of its cookie."""
        secret = secrets.token_urlsafe(32)
        await self._store.put(_digest(secret), msgspec.json.encode(session), self.seconds)
        return secret

    async def find(self, secret: str) -> PageSession | None:
        """The session that a cookie names, if there still is one."""
        found = await self._store.get(_digest(secret), self.seconds)
        return None if found is None else msgspec.json.decode(found, type=PageSession)

    async def end(self, secret: str) -> None:
        """Sign out."""
        await self._store.drop(_digest(secret))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
