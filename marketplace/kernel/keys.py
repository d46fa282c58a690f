"""Keys with which other systems call: told from tokens by their first letters, read by a domain.

Only routes that name a scope take keys. What a key is good for, and for how long, is known where
keys are kept; the kernel asks there, once for each request.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from marketplace.kernel.actors import Actor
from marketplace.kernel.errors import Forbidden

if TYPE_CHECKING:
    from marketplace.kernel.db import Database

KEY_WORD = "scm_"
# How long, and of how many keys, it is remembered that they were good: to count their requests.
REMEMBERED_SECONDS = 600
KEYS_REMEMBERED = 10_000


class KeyNotTaken(Forbidden):
    """The address is for people, or for keys with another scope."""

    code = "key-not-taken"
    title = "This address does not take this key"


def is_key(token: str) -> bool:
    """Whether a bearer token is a key of a system, good or not."""
    return token.startswith(KEY_WORD)


class KeyRing:
    """Reads keys, and remembers which were good lately.

    The memory lets nobody in: each request asks where keys are kept, so that a revoked key is
    refused at once. It only says for whom a request counts before anything is read, so that made-up
    keys count for the address that sends them.
    """

    def __init__(
        self,
        read: Callable[[Database, str], Awaitable[Actor]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._clock = clock
        self._good: dict[bytes, tuple[str, float]] = {}

    async def actor(self, database: Database, token: str) -> Actor:
        """Who acts by `token`.

        Raises:
            TokenRefused: when it is unknown, expired or revoked.
        """
        found = await self._read(database, token)
        if len(self._good) >= KEYS_REMEMBERED:
            self._good.clear()
        until = self._clock() + REMEMBERED_SECONDS
        self._good[_digest(token)] = (f"person:{found.person_id}", until)
        return found

    def caller(self, token: str) -> str | None:
        """For whom a request with `token` counts, or None when it was not good lately."""
        name, until = self._good.get(_digest(token), ("", 0.0))
        return name if until > self._clock() else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
