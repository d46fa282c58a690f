"""Systems of a campus that talk with the platform: their keys, outside calendars, logs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries.outside_busy import (
    Conflict,
    ConflictSearch,
    Source,
    SourceSearch,
)
from marketplace.booking.rules.busy_sources import SourceKind
from marketplace.booking.use_cases import (
    AddSource,
    ChangeSource,
    RefreshSource,
    RemoveSource,
    add_source,
    change_source,
    refresh_source,
    remove_source,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx, atomically
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read, request_id_of, services
from marketplace.kernel.time import shanghai_instant
from marketplace.parties import queries as parties
from marketplace.parties.roles import Scope
from marketplace.parties.use_cases import (
    ApiKeyMade,
    MakeApiKey,
    make_api_key,
    revoke_api_key,
)
from marketplace.web.acting import act
from marketplace.web.areas.provider.own import choices, own_list
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

HERE = "/provider/systems"
PAGE_SIZE = 50
KEY_DAYS = 365


@dataclass(frozen=True, slots=True)
class Systems:
    """Outside calendars with how they fare, what they collide with, and the keys of systems."""

    sources: list[Source]
    total: int
    conflicts: list[Conflict]
    conflicts_total: int
    keys: list[parties.ApiKey]
    instruments: list[catalogue.Instrument]
    now: Any

    @property
    def names(self) -> dict[int, catalogue.Instrument]:
        """Instruments by their numbers."""
        return {each.id: each for each in self.instruments}


async def systems(tx: Tx, number: int) -> Systems:
    """Of the actor's organisation; keys only for who may make them."""
    found = await booking.sources(tx, SourceSearch(page=number, page_size=PAGE_SIZE))
    hit = await booking.conflicts(tx, ConflictSearch(page_size=PAGE_SIZE))
    keys: list[parties.ApiKey] = []
    if tx.actor.has(*MANAGER):
        own = parties.KeySearch(organisation_id=tx.actor.organisation_id, page_size=PAGE_SIZE)
        keys = list((await parties.api_keys(tx, own)).rows)
    return Systems(
        found.sources, found.total, hit.conflicts, hit.total, keys, await own_list(tx), tx.now
    )


@get("/provider/systems", **members(*STAFF))
async def show_systems(request: PageRequest) -> Response[Any]:
    """How each connection fares, and what is to be looked at."""
    return await _shown(request)


@post("/provider/systems/keys", **members(*MANAGER))
async def send_key(request: PageRequest) -> Response[Any]:
    """Make a key; it is shown in this answer and nowhere else."""
    visitor = visitor_of(request)
    form = await typed(request, visitor.speech)
    scopes = frozenset(each for each in Scope if form.ticked(f"scope-{each}"))
    if not scopes:
        form.wrong("scopes", "请至少勾选一项权限", "Tick at least one")
    until = form.day("expires")
    name = form.text("name", length_max=100)
    try:
        form.require()
        assert until is not None
        made = await atomically(
            services(request).database,
            make_api_key,
            MakeApiKey(name, scopes, shanghai_instant(until)),
            actor=visitor.actor,
            request_id=request_id_of(request),
        )
    except DomainError as error:
        return await _shown(request, form, told(error, visitor.speech), error.status)
    return await _shown(request, made=made)


@post("/provider/systems/keys/{key_id:int}/revoke", **members(*MANAGER))
async def send_revocation(request: PageRequest, key_id: FromPath[int]) -> Response[Any]:
    """Let that system in no more."""
    said = ("密钥已作废", "The key opens nothing any more.")
    return await _step(request, lambda _: (revoke_api_key, key_id), said)


@post("/provider/systems/calendars", **members(*STAFF))
async def send_source(request: PageRequest) -> Response[Any]:
    """Keep an instrument out of the times of another calendar."""

    def asked(form: Typed) -> tuple[Callable[[Tx, Any], Awaitable[Any]], Any]:
        kind = form.choice("kind", list(SourceKind))
        command = AddSource(
            form.whole("instrument", least=1, most=2**53) or 0,
            SourceKind(kind or SourceKind.URL),
            form.text("calendar", length_max=100),
            form.text("url", length_max=2_000, needed=kind == SourceKind.URL) or None,
        )
        return add_source, command

    said = ("日历已接入", "The calendar is connected.")
    return await _step(request, asked, said)


@post("/provider/systems/calendars/{source_id:int}", **members(*STAFF))
async def send_source_step(request: PageRequest, source_id: FromPath[int]) -> Response[Any]:
    """Fetch it now, pause or resume it, or remove it."""
    await read(request, booking.own_source, source_id)

    def asked(form: Typed) -> tuple[Callable[[Tx, Any], Awaitable[Any]], Any]:
        step = form.choice("step", ("refresh", "pause", "resume", "remove"))
        if step == "refresh":
            return refresh_source, RefreshSource(source_id)
        if step == "remove":
            return remove_source, RemoveSource(source_id)
        return change_source, ChangeSource(source_id, paused=step == "pause")

    return await _step(request, asked, ("已办理", "Done."))


Asked = Callable[[Typed], tuple[Callable[[Tx, Any], Awaitable[Any]], Any]]


async def _step(request: PageRequest, asked: Asked, said: tuple[str, str]) -> Response[Any]:
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    try:
        use_case, command = asked(form)
        form.require()
        return await act(request, form, use_case, command, to=HERE, said=said)
    except DomainError as error:
        if isinstance(error, Missing):
            raise
        return await _shown(request, form, told(error, speech), error.status)


async def _shown(
    request: PageRequest,
    form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
    *,
    made: ApiKeyMade | None = None,
) -> Response[Any]:
    visitor = visitor_of(request)
    query = Typed(request.query_params, visitor.speech)
    number = query.whole("page", least=1, most=10_000, needed=False) or 1
    query.require()
    found = await read(request, systems, number)
    return page(
        request,
        "provider/systems.html",
        status=status,
        found=found,
        form=form or empty(visitor.speech, expires=(found.now + timedelta(days=KEY_DAYS)).date()),
        refusal=refusal,
        made=made,
        page_number=number,
        page_size=PAGE_SIZE,
        instruments=choices(found.instruments, visitor.speech),
        kinds=list(SourceKind),
        scopes=list(Scope),
        may_make=visitor.has(*MANAGER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_systems,
    send_key,
    send_revocation,
    send_source,
    send_source_step,
]
