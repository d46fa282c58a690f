"""What machines ask: is the process alive, is it ready, how is it doing."""

from __future__ import annotations

import os
from typing import Any

from asyncpg import PostgresError
from litestar import Response, get
from litestar.types import ControllerRouterHandler
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from marketplace import __version__
from marketplace.kernel.http import ApiRequest, services
from marketplace.kernel.migrate import release_revision
from marketplace.kernel.observe import REGISTRY
from marketplace.web.metrics import Figures

METRICS_TYPE = "text/plain; version=0.0.4"


@get("/health/live", opt={"roles": "public"}, include_in_schema=False)
async def live() -> dict[str, str]:
    """The process answers; says nothing of what it depends on."""
    return {"status": "alive", "version": __version__}


@get("/health/ready", opt={"roles": "public"}, include_in_schema=False)
async def ready(request: ApiRequest) -> Response[dict[str, Any]]:
    """Whether requests can be served: the database is there and migrated, Redis answers.

    Told beside it, because it stops nothing: as whom the application works on the database.
    """
    found = services(request)
    checks: dict[str, str] = {}
    role = "unknown"
    try:
        async with found.database.engine.connect() as connection:
            revision = (
                await connection.execute(text("select version_num from alembic_version"))
            ).scalar()
        head = release_revision()
        checks["database"] = "ok" if revision == head else f"at {revision}, release needs {head}"
        role = str(await found.database.standing())
    except (SQLAlchemyError, PostgresError, OSError) as error:
        checks["database"] = type(error).__name__
    if found.redis is not None:
        try:
            await found.redis.ping()
            checks["redis"] = "ok"
        except (RedisError, OSError) as error:
            checks["redis"] = type(error).__name__
    well = all(state == "ok" for state in checks.values())
    return Response(
        content={
            "status": "ready" if well else "not-ready",
            "checks": checks,
            "database_role": role,
        },
        status_code=200 if well else 503,
    )


def probes() -> list[ControllerRouterHandler]:
    """The handlers of this module, for one application."""
    figures = Figures()

    @get("/metrics", opt={"roles": "public"}, include_in_schema=False)
    async def metrics(request: ApiRequest) -> Response[bytes]:
        """Figures for Prometheus; with several web processes, those of all of them together."""
        registry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        told = generate_latest(registry) + await figures.told(services(request).database)
        return Response(content=told, media_type=METRICS_TYPE)

    return [live, ready, metrics]
