"""The web process: routes of every domain, the pages, one shape of errors, one pool."""

from __future__ import annotations

import gc
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, ControllerRouterHandler, Middleware
from redis.asyncio import Redis

from marketplace import __version__
from marketplace.assembly import all_jobs
from marketplace.booking.queries import LIVE_DESCRIBERS
from marketplace.kernel.bodies import keep_bounds, require_well_formed
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.keys import KeyRing
from marketplace.kernel.limits import rate_limited
from marketplace.kernel.live import Live, Streams, end_within, when_stopping
from marketplace.kernel.observe import Observed, configure_logging
from marketplace.kernel.openapi import close_bodies, describe
from marketplace.kernel.settings import Settings
from marketplace.kernel.settings import settings as process_settings
from marketplace.kernel.time import Clock
from marketplace.kernel.tokens import (
    AccessTokens,
    MemoryRefreshStore,
    RedisRefreshStore,
    RefreshTokens,
)
from marketplace.parties.use_cases import act_by_key
from marketplace.web.areas import AREAS
from marketplace.web.notice_board import NoticeBoard
from marketplace.web.pages import ApiBrowserPlugin, pages_router
from marketplace.web.probes import probes
from marketplace.web.problem_pages import PAGE_EXCEPTION_HANDLERS
from marketplace.web.sessions import MemorySessions, PageSessions, RedisSessions
from marketplace.web.tour import Stop, read_tour

# Every domain that has controllers offers `routes`; the order is that of the docs.
DOMAINS_WITH_ROUTES = (
    "parties",
    "catalogue",
    "booking",
    "billing.pricing",
    "vouchers",
    "orders",
    "billing.invoicing",
    "billing.credit",
    "billing.ledger",
    "billing.payouts",
    "billing.rewards",
    "billing.reconciliation",
    "evaluation",
    "exchange",
    "closing",
    "operations",
)


# The server gives answers ten seconds to end (serving.GRACE_SECONDS); what comes after is short.
STOPS_WITHIN_SECONDS = 15.0


def api_routes() -> list[ControllerRouterHandler]:
    """The handlers of every domain, each under its domain's tag."""
    found: list[ControllerRouterHandler] = []
    for domain in DOMAINS_WITH_ROUTES:
        routes = import_module(f"marketplace.{domain}.controllers").routes
        for handler in routes:
            if isinstance(handler, HTTPRouteHandler) and not handler.tags:
                handler.tags = [domain.removeprefix("billing.")]
        found.extend(routes)
    return found


def api_router(
    handlers: Sequence[ControllerRouterHandler],
    settings: Settings,
    *,
    middleware: Sequence[Middleware] = (),
) -> Router:
    """`handlers` under /api/v1, with parameters and bodies bounded and read strictly."""
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            keep_bounds(handler)
            describe(handler)
    return Router(
        "/api/v1",
        route_handlers=handlers,
        middleware=middleware,
        before_request=require_well_formed,
        request_max_body_size=settings.request_bytes_max,
    )


def create_app(
    services: Services,
    settings: Settings,
    *,
    extra: Sequence[ControllerRouterHandler] = (),
    tour: Sequence[Stop] = (),
) -> Litestar:
    """The application over `services`; a demo gives the stops of its `tour`.

    Raises:
        TypeError: when a route does not say who may call it.
    """
    counted = rate_limited(
        services.redis,
        requests_per_minute=settings.requests_per_minute,
        sign_ins_per_minute=settings.sign_ins_per_minute,
    )
    app = Litestar(
        [
            api_router(api_routes(), settings, middleware=[counted]),
            pages_router(middleware=[counted], bytes_max=settings.upload_bytes_max),
            *probes(),
            *extra,
        ],
        exception_handlers=PAGE_EXCEPTION_HANDLERS,
        request_max_body_size=settings.request_bytes_max,
        lifespan=[announcing],
        openapi_config=OpenAPIConfig(
            title="Marketplace",
            version=__version__,
            summary="Shared research instruments and innovation vouchers of a province",
            path="/schema",
            components=Components(
                security_schemes={
                    "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
                }
            ),
            render_plugins=[ApiBrowserPlugin(), JsonRenderPlugin(path="/openapi.json")],
        ),
    )
    equip(app, services, settings, tour=tour)
    close_bodies(app.openapi_schema)
    require_declared_access(app)
    return app


def equip(
    app: Litestar, services: Services, settings: Settings, *, tour: Sequence[Stop] = ()
) -> None:
    """Give `app` what its process shares and remembers.

    Routes take seconds to build and remember nothing of a request; tests give the same routes a
    memory of their own each.
    """
    app.state.services = services
    app.state.key_ring = KeyRing(act_by_key)
    app.state.live = Live(
        services.database,
        services.redis,
        LIVE_DESCRIBERS,
        streams=Streams(
            streams_max=settings.live_streams_max,
            streams_per_address=settings.live_streams_per_address,
        ),
        stream_seconds=settings.live_stream_seconds,
    )
    app.state.public_url = settings.public_url
    app.state.areas = AREAS
    app.state.jobs = all_jobs()
    app.state.notice_board = NoticeBoard()
    app.state.tour = tuple(tour)
    app.state.page_sessions = PageSessions(
        MemorySessions() if services.redis is None else RedisSessions(services.redis),
        idle_hours=settings.page_session_hours,
    )


@asynccontextmanager
async def announcing(app: Litestar) -> AsyncIterator[None]:
    """The life of the process, in which open pages hear of changes."""
    live: Live = app.state.live
    async with live.running():
        yield


def require_declared_access(app: Litestar) -> None:
    """Deny by default: every route of the API and every page says who may call it."""
    undeclared = [
        f"{sorted(handler.http_methods)} {route.path}"
        for route in app.routes
        if not route.path.startswith("/schema")
        for handler in getattr(route, "route_handlers", [])
        if _is_ours(handler) and "roles" not in handler.opt
    ]
    if undeclared:
        raise TypeError(f"routes without allow(...) or public(): {undeclared}")


def _is_ours(handler: Any) -> bool:
    return isinstance(handler, HTTPRouteHandler) and handler.http_methods != {"OPTIONS"}


def token_secret(settings: Settings) -> str:
    """The secret that signs access tokens: the one set, or a random one kept beside the data.

    Raises:
        ValueError: when several processes run and nobody set one that they share.
    """
    given = settings.token_secret.get_secret_value()
    if given:
        return given
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    path = settings.data_folder / "token-secret"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii")


def services_from(settings: Settings, clock: Clock | None = None) -> Services:
    """Everything a web process shares, connected lazily on first use.

    Raises:
        ValueError: for several web processes without Redis: a sign-in would live in one of them.
    """
    if settings.web_processes > 1 and not settings.redis_url:
        raise ValueError("several web processes need REDIS_URL")
    redis = Redis.from_url(settings.redis_url) if settings.redis_url else None
    store = RedisRefreshStore(redis) if redis is not None else MemoryRefreshStore()
    return Services(
        database=Database(
            settings.database_url,
            pool_size=settings.database_pool_size,
            statement_timeout_seconds=settings.statement_timeout_seconds,
            clock=clock,
        ),
        access_tokens=AccessTokens(token_secret(settings), minutes=settings.access_token_minutes),
        refresh_tokens=RefreshTokens(store, days=settings.refresh_token_days),
        redis=redis,
    )


def application() -> ASGIApp:
    """What the HTTP server builds in each of its processes."""
    settings = process_settings()
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    tour = read_tour(settings.tour_file)
    services = services_from(settings, tour.clock)
    app = create_app(services, settings, tour=tour.stops)

    async def close() -> None:
        await services.database.close()
        if services.redis is not None:
            await services.redis.aclose()

    async def end_streams_in_time() -> None:
        when_stopping(app.state.live.streams.close)
        end_within(STOPS_WITHIN_SECONDS)

    app.on_startup.append(end_streams_in_time)
    app.on_shutdown.append(close)
    # What lives as long as the process is no garbage: not looking at it again saves a tenth of CPU.
    gc.collect()
    gc.freeze()
    return Observed(app)
