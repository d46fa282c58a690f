"""Look at the pages as somebody else sees them; it ends by itself, and nothing can be changed."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read, request_id_of, services
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import BeginViewing, begin_viewing, end_viewing
from marketplace.web.areas.account.sign_in import look
from marketplace.web.areas.centre.users import user_page
from marketplace.web.forms import typed
from marketplace.web.navigation import start_page
from marketplace.web.rendering import go
from marketplace.web.visitor import PageRequest, members, visitor_of, while_looking
from marketplace.web.words import told

REASON_LENGTH_MAX = 500


@post("/ops/users/{person_id:int}/view-as", **members(Role.ADMINISTRATOR))
async def send_view_as(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """Begin, for a reason that the audit trail keeps."""
    visitor = visitor_of(request)
    await read(request, parties.account, person_id)
    form = await typed(request, visitor.speech)
    organisation_id = form.whole("organisation", least=1, most=2**53 - 1)
    reason = form.text("reason", length_max=REASON_LENGTH_MAX)
    try:
        form.require()
        begun = await atomically(
            services(request).database,
            begin_viewing,
            BeginViewing(person_id, organisation_id or 0, reason),
            actor=visitor.actor,
            request_id=request_id_of(request),
        )
    except DomainError as error:
        return await user_page(request, person_id, form, told(error, visitor.speech), error.status)
    return await look(request, begun.id, "/view-as")


@get("/view-as", **members())
async def show_start(request: PageRequest) -> Response[Any]:
    """Where the one who is looked at begins."""
    visitor = visitor_of(request)
    return go(start_page(request.app.state.areas, visitor))


@post("/view-as/end", **while_looking(members()))
async def send_end(request: PageRequest) -> Response[Any]:
    """Look as oneself again."""
    looks = visitor_of(request).looks
    if looks is None or looks.viewer is None or looks.viewing is None:
        return go("/view-as")
    await atomically(
        services(request).database,
        end_viewing,
        looks.viewing.id,
        actor=looks.viewer.actor,
        request_id=request_id_of(request),
    )
    return await look(request, 0, f"/ops/users/{looks.viewing.person_id}")


routes: list[ControllerRouterHandler] = [send_view_as, show_start, send_end]
