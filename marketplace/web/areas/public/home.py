"""The start page: what this place is, what it holds today, the rules of the money."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import read, services
from marketplace.kernel.time import shanghai_day
from marketplace.rulebook import rulebook
from marketplace.web.figures import figures, money_rules
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody


@get("/", **anybody())
async def show_home(request: PageRequest) -> Response[Any]:
    """A search box, a few numbers, how vouchers work."""
    today = shanghai_day(services(request).database.clock.now())
    return page(
        request,
        "public/home.html",
        numbers=await read(request, figures, None),
        rules=money_rules(rulebook(), today),
        tour=request.app.state.tour,
    )


routes: list[ControllerRouterHandler] = [show_home]
