"""Stepping into a role of the demo."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import Missing
from marketplace.kernel.http import request_id_of, services
from marketplace.kernel.limits import SIGN_IN
from marketplace.parties.use_cases import SignIn, sign_in
from marketplace.web.areas.account.sign_in import begin_session
from marketplace.web.forms import typed
from marketplace.web.tour import Stop
from marketplace.web.visitor import PageRequest, anybody, visitor_of


@post("/tour", rate_limit=SIGN_IN, **anybody())
async def send_tour(request: PageRequest) -> Response[Any]:
    """Sign in as the chosen stop of the tour, and begin with the chosen task."""
    stops: tuple[Stop, ...] = request.app.state.tour
    form = await typed(request, visitor_of(request).speech)
    chosen = next((stop for stop in stops if stop.name == form.raw("role")), None)
    if chosen is None:
        raise Missing()
    found = await sign_in(
        services(request).database,
        SignIn(chosen.email, chosen.password),
        request_id=request_id_of(request),
    )
    return await begin_session(request, found, form.raw("to"))


routes: list[ControllerRouterHandler] = [send_tour]
