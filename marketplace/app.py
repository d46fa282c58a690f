"""The web process: routes of every domain, one error shape, one connection pool."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from marketplace.kernel.bodies import keep_bounds, require_well_formed
from marketplace.kernel.http import Services
from marketplace.kernel.problems import EXCEPTION_HANDLERS
from marketplace.kernel.settings import Settings

# Every domain that has controllers offers `routes`; the order is that of the docs.
DOMAINS_WITH_ROUTES = (
    "parties",
    "catalogue",
    "booking",
    "billing.pricing",
    "vouchers",
    "orders",
    "billing.invoicing",
    "billing.ledger",
    "billing.payouts",
    "billing.rewards",
    "billing.reconciliation",
    "evaluation",
)


def api_routes() -> list[ControllerRouterHandler]:
    """The handlers of every domain."""
    found: list[ControllerRouterHandler] = []
    for domain in DOMAINS_WITH_ROUTES:
        found.extend(import_module(f"marketplace.{domain}.controllers").routes)
    return found


def api_router(handlers: Sequence[ControllerRouterHandler], settings: Settings) -> Router:
    """`handlers` under /api/v1, with parameters and bodies bounded and read strictly."""
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            keep_bounds(handler)
    return Router(
        "/api/v1",
        route_handlers=handlers,
        before_request=require_well_formed,
        request_max_body_size=settings.request_bytes_max,
    )


def create_app(
    services: Services, settings: Settings, *, extra: Sequence[ControllerRouterHandler] = ()
) -> Litestar:
    """The application over `services`.

    Raises:
        TypeError: when a route does not say who may call it.
    """
    app = Litestar(
        [api_router(api_routes(), settings), *extra],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=settings.request_bytes_max,
    )
    app.state.services = services
    require_declared_access(app)
    return app


def require_declared_access(app: Litestar) -> None:
    """Deny by default: every API route says who may call it."""
    undeclared = [
        f"{sorted(handler.http_methods)} {route.path}"
        for route in app.routes
        if route.path.startswith("/api/")
        for handler in getattr(route, "route_handlers", [])
        if _is_ours(handler) and "roles" not in handler.opt
    ]
    if undeclared:
        raise TypeError(f"routes without allow(...) or public(): {undeclared}")


def _is_ours(handler: Any) -> bool:
    return isinstance(handler, HTTPRouteHandler) and handler.http_methods != {"OPTIONS"}
