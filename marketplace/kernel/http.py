"""The edge: who is calling, may they, and one transaction per request with its stored answer.

A controller is three lines: parse, `perform` one use case (or `read` one query), present.
Deny by default: a handler without `allow(...)` or `public()` fails the application's start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard
from redis.asyncio import Redis

from marketplace.kernel import idempotency
from marketplace.kernel.actors import NOBODY, Actor
from marketplace.kernel.db import Database, Tx, atomically, retried, transaction
from marketplace.kernel.errors import Forbidden, Unauthenticated
from marketplace.kernel.keys import KeyNotTaken, KeyRing, is_key
from marketplace.kernel.tokens import AccessTokens, RefreshTokens

C = TypeVar("C")
R = TypeVar("R")
S = TypeVar("S")

ApiRequest = Request[Any, Any, State]


@dataclass(frozen=True, slots=True)
class Services:
    """What a web process shares between requests; lives in `app.state.services`."""

    database: Database
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    redis: Redis | None = None


def services(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """The shared services of the process that answers."""
    found: Services = connection.app.state.services
    return found


def actor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
    """Who is calling, from the bearer token.

    Raises:
        Unauthenticated: without a token.
        TokenRefused: with a bad one.
        KeyNotTaken: with a key, where the route takes none.
    """
    known: Actor | None = connection.scope["state"].get("actor")
    if known is not None:
        return known
    token = bearer_token(connection)
    if is_key(token):
        raise KeyNotTaken("It is for people: sign in, or call an address that takes keys.")
    actor = services(connection).access_tokens.read(token)
    connection.scope["state"]["actor"] = actor
    return actor


def bearer_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """What the caller sent to say who they are.

    Raises:
        Unauthenticated: when nothing was sent.
    """
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send an Authorization header with a bearer token.")
    return token.strip()


async def _system_of(connection: ASGIConnection[Any, Any, Any, Any], scope: str) -> Actor:
    """The system that calls with a key, which needs `scope`.

    Raises:
        TokenRefused: when the key is unknown, expired or revoked.
        KeyNotTaken: when it is good for other things.
    """
    ring: KeyRing = connection.app.state.key_ring
    actor = await ring.actor(services(connection).database, bearer_token(connection))
    if scope not in actor.scopes:
        raise KeyNotTaken(
            f"The key needs the scope {scope}.", needed=scope, scopes=sorted(actor.scopes)
        )
    connection.scope["state"]["actor"] = actor
    return actor


def _by_key(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    return "authorization" in connection.headers and is_key(bearer_token(connection))


def allow(*roles: str, scope: str | None = None) -> dict[str, Any]:
    """Handler arguments: only these roles may call. `@get(..., **allow(Role.BUYER))`.

    With a `scope`, systems whose key has it may call too.
    """
    names = frozenset(map(str, roles))

    # Guards that do not wait are async all the same: others would each cost a trip to a thread.
    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if scope is not None and _by_key(connection):
            await _system_of(connection, scope)
        elif not actor_of(connection).has(*names):
            raise Forbidden(
                "This needs another role; sign in for the organisation in which you hold it.",
                roles=sorted(names),
            )

    guards: list[Guard] = [guard]
    opt = {"roles": names, "scope": scope}
    return {"guards": guards, "opt": opt, "security": [{"bearer": []}]}


def signed_in(*, scope: str | None = None) -> dict[str, Any]:
    """Handler arguments: anybody who is signed in may call, and systems whose key has `scope`."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if scope is not None and _by_key(connection):
            await _system_of(connection, scope)
        else:
            actor_of(connection)

    guards: list[Guard] = [guard]
    opt = {"roles": "signed-in", "scope": scope}
    return {"guards": guards, "opt": opt, "security": [{"bearer": []}]}


def public(*, scope: str | None = None) -> dict[str, Any]:
    """Handler arguments: anybody may call, signed in or not.

    A system that calls with a key all the same needs `scope` in it: so its requests count for it.
    """
    if scope is None:
        return {"opt": {"roles": "public"}}

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if _by_key(connection):
            await _system_of(connection, scope)

    guards: list[Guard] = [guard]
    return {"guards": guards, "opt": {"roles": "public", "scope": scope}}


async def perform(
    request: ApiRequest,
    use_case: Callable[[Tx, C], Awaitable[R]],
    command: C,
    *,
    present: Callable[[R], S],
    status: int = 201,
) -> Response[S]:
    """Run `use_case` once for this request and its retries, and answer what it made.

    A POST needs an `Idempotency-Key`; its answer is stored in the same transaction.
    """
    actor = actor_of(request)
    database = services(request).database
    request_id = request_id_of(request)
    if request.method != "POST":
        result = await atomically(database, use_case, command, actor=actor, request_id=request_id)
        return Response(content=present(result), status_code=status)
    key = idempotency.key_of(
        header=request.headers.get("idempotency-key"),
        actor=actor,
        method=request.method,
        path=request.url.path,
        body=await request.body(),
    )
    return await retried(
        lambda: _once(database, key, use_case, command, present, status, request_id)
    )


async def _once(
    database: Database,
    key: idempotency.Key,
    use_case: Callable[[Tx, C], Awaitable[R]],
    command: C,
    present: Callable[[R], S],
    status: int,
    request_id: str,
) -> Response[S]:
    async with transaction(database, actor=key.actor, request_id=request_id) as tx:
        stored = await idempotency.stored_answer(tx, key)
        if stored is not None:
            return Response(
                content=stored.body,  # type: ignore[arg-type]  # already encoded
                status_code=stored.status,
                media_type="application/json",
                headers={"Idempotency-Replayed": "true"},
            )
        answer = present(await use_case(tx, command))
        body = msgspec.json.encode(answer)
        await idempotency.store_answer(tx, key, status=status, body=body)
    return Response(
        content=body,  # type: ignore[arg-type]  # encoded once, sent and stored alike
        status_code=status,
        media_type="application/json",
    )


async def read(
    request: ApiRequest,
    query: Callable[[Tx, C], Awaitable[R]],
    question: C,
    *,
    actor: Actor | None = None,
) -> R:
    """Answer a question in one snapshot; nothing is written.

    Pass `actor=NOBODY` on public routes; elsewhere the bearer token says who asks.
    """
    return await atomically(
        services(request).database,
        query,
        question,
        actor=actor or actor_of(request),
        request_id=request_id_of(request),
    )


def caller_or_nobody(request: ApiRequest) -> Actor:
    """Who is calling a public route: the signed-in actor when a token was sent, else nobody."""
    if "authorization" in request.headers:
        return actor_of(request)
    return NOBODY


def request_id_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The id that this request carries through logs, audit lines and problems."""
    return str(connection.scope["state"].get("request_id", ""))
