"""Every page under one router, and the API browser."""

from __future__ import annotations

from typing import Any

from litestar import Router
from litestar.connection import Request
from litestar.datastructures import State
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.types import Middleware

from marketplace.web.areas import ROUTES
from marketplace.web.assets import asset
from marketplace.web.cross_site import OwnPagesOnly
from marketplace.web.rendering import TEMPLATES


class ApiBrowserPlugin(OpenAPIRenderPlugin):
    """The page at /schema on which every operation can be read and tried."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, State], openapi_schema: dict[str, Any]) -> bytes:
        """The page; the document itself is fetched by its script."""
        title = openapi_schema["info"]["title"]
        return TEMPLATES.get_template("api.html").render(title=title).encode()


def pages_router(*, middleware: list[Middleware], bytes_max: int) -> Router:
    """The pages: each says who may see it, and takes forms from this site only."""
    return Router(
        "/",
        route_handlers=[asset, *ROUTES],
        middleware=[*middleware, OwnPagesOnly()],
        request_max_body_size=bytes_max,
    )
