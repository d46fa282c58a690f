"""Language and theme: kept by the browser, so that the first byte of a page is right."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.types import ControllerRouterHandler

from marketplace.web.forms import typed
from marketplace.web.rendering import go
from marketplace.web.visitor import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    PageRequest,
    anybody,
    own_path,
    visitor_of,
    while_looking,
)
from marketplace.web.words import LANGUAGES

YEAR_SECONDS = 31_536_000


@post("/prefs", **while_looking(anybody()))
async def send_prefs(request: PageRequest) -> Response[Any]:
    """Keep what was chosen, and show the same page again."""
    form = await typed(request, visitor_of(request).speech)
    response = go(own_path(form.raw("back")))
    for cookie, among in ((LANGUAGE_COOKIE, LANGUAGES), (THEME_COOKIE, THEMES)):
        chosen = form.raw(cookie)
        if chosen in among:
            response.set_cookie(
                key=cookie, value=chosen, max_age=YEAR_SECONDS, httponly=True, samesite="lax"
            )
    return response


routes: list[ControllerRouterHandler] = [send_prefs]
