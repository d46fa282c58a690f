"""Who waits: legal entities to be verified, and people without a role or locked out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.parties.use_cases import verify_legal_entity
from marketplace.web.acting import act
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

READERS = (Role.ADMINISTRATOR, *SEES_EVERYTHING)
PAGE_SIZE = 30
PEOPLE_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits."""

    entities: parties.Found[parties.LegalEntity]
    organisations: dict[int, list[str]]
    registrars: dict[int, str]
    without_role: parties.Found[parties.Listing]
    locked: parties.Found[parties.Listing]


async def queue(tx: Tx, search: parties.Search) -> Queue:
    """Legal entities that nobody compared with the register, and people who cannot work."""
    found = await parties.search_legal_entities(tx, search)

    async def people(state: parties.PersonState) -> parties.Found[parties.Listing]:
        return await parties.accounts(
            tx, parties.AccountSearch(state=state, page_size=PEOPLE_SHOWN)
        )

    return Queue(
        found,
        await parties.organisations_of_entities(tx, [each.id for each in found.rows]),
        await parties.names_of_people(tx, {each.registered_by for each in found.rows}),
        await people(parties.PersonState.NO_ROLE),
        await people(parties.PersonState.LOCKED),
    )


@get("/ops/verification", **members(*READERS))
async def show_queue(request: PageRequest) -> Response[Any]:
    """Who waits."""
    return await _shown(request)


@post("/ops/verification/{legal_entity_id:int}/verify", **members(Role.ADMINISTRATOR))
async def send_verify(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[Any]:
    """Compared with the public register by another person than the one who entered it."""
    speech = visitor_of(request).speech
    await read(request, parties.legal_entity, legal_entity_id)
    form = await typed(request, speech)
    try:
        return await act(
            request,
            form,
            verify_legal_entity,
            legal_entity_id,
            to="/ops/verification",
            said=("已核验", "Verified."),
        )
    except DomainError as error:
        return await _shown(request, told(error, speech), error.status)


async def _shown(
    request: PageRequest, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = parties.Search(
        text=form.text("text", length_max=100, needed=False),
        page=number,
        page_size=PAGE_SIZE,
        verified=False,
    )
    form.require()
    return page(
        request,
        "centre/verification.html",
        status=status,
        form=form,
        found=await read(request, queue, search),
        refusal=refusal,
        may_verify=visitor.has(Role.ADMINISTRATOR),
        me=visitor.actor.person_id,
        page_number=number,
        page_size=PAGE_SIZE,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_queue, send_verify]
