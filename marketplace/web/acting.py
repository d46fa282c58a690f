"""What pages do: one use case for one form, once however often the form is sent, then onwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from litestar import Response
from litestar.response import Redirect

from marketplace.kernel import idempotency
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, retried, transaction
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import request_id_of, services
from marketplace.web.forms import Typed, typed
from marketplace.web.rendering import go
from marketplace.web.visitor import PageRequest, visitor_of

C = TypeVar("C")
R = TypeVar("R")

KEY_FIELD = "_key"
# What a form asks for: the use case, and its command.
StepAsked = Callable[[Typed], tuple[Callable[[Tx, Any], Awaitable[Any]], Any]]


async def act(
    request: PageRequest,
    form: Typed,
    use_case: Callable[[Tx, C], Awaitable[R]],
    command: C,
    *,
    to: Callable[[R], str] | str,
    said: tuple[str, str],
) -> Redirect:
    """Run `use_case` for a form and send the browser on to a page that tells `said`.

    A form with a key (`{{ parts.key() }}`) counts once: sent again, by a second click or after a
    lost answer, it leads to the same page and does nothing more.

    Raises:
        DomainError: what the use case refuses; the page shows it where it happened.
    """
    visitor = visitor_of(request)
    database, request_id = services(request).database, request_id_of(request)
    key = None
    if form.raw(KEY_FIELD):
        key = idempotency.key_of(
            header=form.raw(KEY_FIELD),
            actor=visitor.actor,
            method="POST",
            path=request.url.path,
            body=_content(form),
        )

    async def once() -> str:
        return await _once(database, visitor.actor, request_id, key, use_case, command, to)

    return go(await retried(once), said=said, visitor=visitor)


async def take(
    request: PageRequest,
    asked: StepAsked,
    *,
    to: Callable[[Typed], str] | str,
    said: tuple[str, str],
    again: Callable[[Typed, DomainError], Awaitable[Response[Any]]],
) -> Response[Any]:
    """Read a form and do what it asks; refused, `again` shows its page with what was typed.

    `to` may depend on the form: one step is taken from several pages, and leads back to its own.
    """
    form = await typed(request, visitor_of(request).speech)
    try:
        use_case, command = asked(form)
        form.require()
        onwards = to if isinstance(to, str) else to(form)
        return await act(request, form, use_case, command, to=onwards, said=said)
    except DomainError as error:
        return await again(form, error)


class _Undone(Exception):
    """Carries the result of a rehearsal out of its transaction, which nothing survives."""

    def __init__(self, result: Any) -> None:
        self.result = result


async def rehearse(
    request: PageRequest, use_case: Callable[[Tx, C], Awaitable[R]], command: C
) -> R:
    """What `use_case` would answer just now; whatever it writes is undone.

    So a page can show a price, and every reason against it, exactly as acting would.

    Raises:
        DomainError: what the use case refuses.
    """
    actor, request_id = visitor_of(request).actor, request_id_of(request)

    async def once() -> R:
        try:
            async with transaction(
                services(request).database, actor=actor, request_id=request_id
            ) as tx:
                raise _Undone(await use_case(tx, command))
        except _Undone as undone:
            return cast("R", undone.result)

    return await retried(once)


async def _once(
    database: Database,
    actor: Actor,
    request_id: str,
    key: idempotency.Key | None,
    use_case: Callable[[Tx, C], Awaitable[R]],
    command: C,
    to: Callable[[R], str] | str,
) -> str:
    async with transaction(database, actor=actor, request_id=request_id) as tx:
        if key is not None:
            stored = await idempotency.stored_answer(tx, key)
            if stored is not None:
                return stored.body.decode()
        result = await use_case(tx, command)
        address = to if isinstance(to, str) else to(result)
        if key is not None:
            await idempotency.store_answer(tx, key, status=303, body=address.encode())
    return address


def _content(form: Typed) -> bytes:
    fields = sorted((name, form.all(name)) for name in set(form.fields))
    return repr(fields).encode()
