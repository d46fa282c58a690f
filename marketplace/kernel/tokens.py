"""Access tokens (JWT, minutes) and refresh tokens (opaque, rotating, kept in Redis).

A refresh token is good once. Whoever presents one that was already used has copied it, or was
copied: the whole family of tokens from that sign-in is then revoked.
In memory the store serves one process; several processes need Redis.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import jwt
import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from marketplace.kernel.actors import Actor
from marketplace.kernel.errors import Unauthenticated, Unavailable
from marketplace.kernel.time import SystemClock

ALGORITHM = "HS256"
ISSUER = "marketplace"
AUDIENCE = "marketplace-api"
LEEWAY_SECONDS = 5
SECRET_BYTES_MIN = 32


class TokenRefused(Unauthenticated):
    """The token is expired, revoked, used before, or not ours."""

    code = "token-refused"
    title = "The token is not good any more"


class RefreshTokenReused(Unauthenticated):
    """A refresh token came a second time: its whole sign-in is revoked."""

    code = "refresh-token-reused"
    title = "This refresh token was used before; sign in again"


class AccessTokens:
    """Signs and reads access tokens."""

    def __init__(self, secret: str, *, minutes: int) -> None:
        if len(secret.encode()) < SECRET_BYTES_MIN:
            raise ValueError(f"the token secret needs at least {SECRET_BYTES_MIN} bytes")
        self._secret = secret
        self.seconds = minutes * 60

    def issue(self, actor: Actor) -> str:
        """A token that says who the caller is, until it expires."""
        # The wall clock, not a transaction's: a token is used in the real world.
        now = SystemClock().now()
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": str(actor.person_id),
                "org": actor.organisation_id,
                "kind": actor.organisation_kind,
                "roles": sorted(actor.roles),
                "iat": now,
                "exp": now + timedelta(seconds=self.seconds),
                "jti": secrets.token_hex(8),
            },
            self._secret,
            algorithm=ALGORITHM,
        )

    def read(self, token: str) -> Actor:
        """The actor that `token` names.

        Raises:
            TokenRefused: expired, altered, signed by another key or with another algorithm.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "org", "roles", "kind"]},
            )
            return Actor(
                person_id=int(claims["sub"]),
                organisation_id=int(claims["org"]),
                organisation_kind=str(claims["kind"]),
                roles=frozenset(map(str, claims["roles"])),
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenRefused("It expired; use the refresh token or sign in again.") from error
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise TokenRefused("It was not issued by this platform.") from error


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a refresh token stands for: a person in one organisation, signed in at a moment.

    `signed_in_at` is in whole seconds since 1970; a password changed later ends the sign-in.
    """

    person_id: int
    organisation_id: int
    signed_in_at: int = 0


class RefreshStore(Protocol):
    """Where families of refresh tokens live: one family per sign-in, one good token each."""

    async def open(self, family: str, digest: str, sign_in: bytes, seconds: int) -> None:
        """Begin a family whose good token has `digest`."""
        ...

    async def rotate(self, family: str, digest: str, next_digest: str, seconds: int) -> bytes | int:
        """Exchange the good token, atomically: the sign-in, 0 when unknown, -1 when reused."""
        ...

    async def revoke(self, family: str) -> None:
        """End a family."""
        ...


class MemoryRefreshStore:
    """For one process without Redis: tests and a first look."""

    def __init__(self) -> None:
        self._families: dict[str, tuple[str, bytes, float]] = {}

    async def open(self, family: str, digest: str, sign_in: bytes, seconds: int) -> None:
        """Begin a family, and drop those that have expired."""
        now = time.monotonic()
        self._families = {name: kept for name, kept in self._families.items() if kept[2] > now}
        self._families[family] = (digest, sign_in, now + seconds)

    async def rotate(self, family: str, digest: str, next_digest: str, seconds: int) -> bytes | int:
        """Exchange the good token; no await inside, so nothing comes between."""
        kept = self._families.get(family)
        if kept is None or kept[2] <= time.monotonic():
            return 0
        if not hmac.compare_digest(kept[0], digest):
            del self._families[family]
            return -1
        self._families[family] = (next_digest, kept[1], time.monotonic() + seconds)
        return kept[1]

    async def revoke(self, family: str) -> None:
        """End a family."""
        self._families.pop(family, None)


_ROTATE = """
local kept = redis.call('HMGET', KEYS[1], 'digest', 'sign_in')
if not kept[1] then return 0 end
if kept[1] ~= ARGV[1] then redis.call('DEL', KEYS[1]) return -1 end
redis.call('HSET', KEYS[1], 'digest', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return kept[2]
"""


class RedisRefreshStore:
    """For several processes: one hash per family, exchanged by a script, so by one step."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._rotate = redis.register_script(_ROTATE)

    async def open(self, family: str, digest: str, sign_in: bytes, seconds: int) -> None:
        """Begin a family."""
        name = f"refresh:{family}"
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(name, mapping={"digest": digest, "sign_in": sign_in})
                pipe.expire(name, seconds)
                await pipe.execute()
        except RedisError as error:
            raise Unavailable("Sign-ins are not available just now.") from error

    async def rotate(self, family: str, digest: str, next_digest: str, seconds: int) -> bytes | int:
        """Exchange the good token."""
        try:
            answer: Any = await self._rotate(
                keys=[f"refresh:{family}"], args=[digest, next_digest, seconds]
            )
        except RedisError as error:
            raise Unavailable("Sign-ins are not available just now.") from error
        return answer if isinstance(answer, bytes | int) else str(answer).encode()

    async def revoke(self, family: str) -> None:
        """End a family."""
        try:
            await self._redis.delete(f"refresh:{family}")
        except RedisError as error:
            raise Unavailable("Sign-ins are not available just now.") from error


class RefreshTokens:
    """Issues and exchanges refresh tokens; the store never sees a token, only its digest."""

    def __init__(self, store: RefreshStore, *, days: int) -> None:
        self._store = store
        self._seconds = days * 86_400

    async def issue(self, sign_in: SignIn) -> str:
        """The first token of a new family."""
        family, secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        await self._store.open(family, _digest(secret), msgspec.json.encode(sign_in), self._seconds)
        return f"{family}.{secret}"

    async def exchange(self, token: str) -> tuple[SignIn, str]:
        """Whose token it is, and the next one.

        Raises:
            TokenRefused: unknown, expired or revoked.
            RefreshTokenReused: used before; the family is gone now.
        """
        family, _, secret = token.partition(".")
        next_secret = secrets.token_urlsafe(32)
        answer = await self._store.rotate(
            family, _digest(secret), _digest(next_secret), self._seconds
        )
        if answer == -1:
            raise RefreshTokenReused()
        if not isinstance(answer, bytes):
            raise TokenRefused("Sign in again.")
        return msgspec.json.decode(answer, type=SignIn), f"{family}.{next_secret}"

    async def revoke(self, token: str) -> None:
        """Sign out: end the family of `token`."""
        await self._store.revoke(token.partition(".")[0])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
