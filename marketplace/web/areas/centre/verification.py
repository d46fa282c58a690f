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
from marketplace.web.acting import take
from marketplace.web.areas.centre.entities import HEADS, Register, register_of, register_rows
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

READERS = (Role.ADMINISTRATOR, *SEES_EVERYTHING)
PAGE_SIZE = 30
PEOPLE_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits."""

    waiting: Register
    without_role: parties.Found[parties.Listing]
    locked: parties.Found[parties.Listing]


async def queue(tx: Tx, search: parties.Search) -> Queue:
    """Legal entities that nobody compared with the register, and people who cannot work."""

    async def people(state: parties.PersonState) -> parties.Found[parties.Listing]:
        return await parties.accounts(
            tx, parties.AccountSearch(state=state, page_size=PEOPLE_SHOWN)
        )

    return Queue(
        await register_of(tx, search),
        await people(parties.PersonState.NO_ROLE),
        await people(parties.PersonState.LOCKED),
    )


def _search(form: Typed, *, number: int, size: int) -> parties.Search:
    search = parties.Search(
        text=form.text("text", length_max=100, needed=False),
        page=number,
        page_size=size,
        verified=False,
    )
    form.require()
    return search


@get("/ops/verification", **members(*READERS))
async def show_queue(request: PageRequest) -> Response[Any]:
    """Who waits."""
    return await _shown(request)


@get("/ops/verification/file", **members(*READERS))
async def get_queue_file(request: PageRequest) -> Response[bytes]:
    """The legal entities that wait and fit the filter, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, register_of, _search(form, number=1, size=ROWS_MAX + 1))
    return await as_file(form, "to-be-verified", HEADS, register_rows(found, form.speech))


@post("/ops/verification/{legal_entity_id:int}/verify", **members(Role.ADMINISTRATOR))
async def send_verify(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[Any]:
    """Compared with the public register by another person than the one who entered it."""
    await read(request, parties.legal_entity, legal_entity_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _shown(request, told(error, form.speech), error.status)

    return await take(
        request,
        lambda _: (verify_legal_entity, legal_entity_id),
        to="/ops/verification",
        said=("已核验", "Verified."),
        again=again,
    )


async def _shown(
    request: PageRequest, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = _search(form, number=number, size=PAGE_SIZE)
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


routes: list[ControllerRouterHandler] = [show_queue, get_queue_file, send_verify]
