"""What an operator sees: one structured log line and one measurement for every request.

The middleware wraps the whole application from outside, because Litestar runs its own middleware
per route: a 404 or a 405 would otherwise have no request id, no security headers and no line.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid
from typing import Any, cast

import structlog
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

log = structlog.get_logger()

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "marketplace_requests_total",
    "Requests answered, by method, route and status.",
    ("method", "route", "status"),
    registry=REGISTRY,
)
SECONDS = Histogram(
    "marketplace_request_seconds",
    "Time from the first byte in to the last byte out.",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
JOBS = Counter(
    "marketplace_job_runs_total",
    "Scheduled jobs run by this worker, by job and outcome.",
    ("job", "outcome"),
    registry=REGISTRY,
)

# Whoever knows such an address reads what is behind it, so that no log may hold it.
_SECRET_PATH = re.compile(r"(/calendars/)[^/]+")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", _PAGE_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
]


def configure_logging(*, log_format: str, level: str) -> None:
    """Send structured events to standard error, as JSON or for a person's eyes."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        # The default would show the variables of every frame, passwords among them.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if log_format == "json":
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for noisy in ("httpx", "alembic", "apscheduler.executors.default", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class Observed:
    """An ASGI application with request ids, security headers, a log line and measurements."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if str(scope["type"]) == "http":
            await self._serve(cast("HTTPScope", scope), receive, send)
        else:
            await self.app(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        request_id = _request_id(scope)
        # Starlette-style state: Litestar merges it into its own and handlers read it from there.
        scope.setdefault("state", {})["request_id"] = request_id
        method = scope["method"]
        if method == "HEAD":
            # The answer to HEAD is that to GET without its body.
            scope = cast("HTTPScope", {**scope, "method": "GET"})
            # For answers that have no end.
            scope["state"]["head"] = True
        status = 500

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", []))
                present = {name.lower() for name, _ in headers}
                headers += [pair for pair in SECURITY_HEADERS if pair[0] not in present]
                headers.append((b"x-request-id", request_id.encode()))
                message["headers"] = headers
            elif method == "HEAD" and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, observed_send)
            finally:
                _note(scope, method, status, time.perf_counter() - began)


def _note(scope: HTTPScope, method: str, status: int, seconds: float) -> None:
    # The route's template, not the path: ids would make as many series as there are orders.
    route = str(scope.get("path_template") or "unmatched")
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)
    actor = scope.get("state", {}).get("actor")
    log.info(
        "request",
        method=method,
        path=logged_path(scope["path"]),
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        person_id=getattr(actor, "person_id", None),
        organisation_id=getattr(actor, "organisation_id", None),
    )


def logged_path(path: str) -> str:
    """`path` as a log may have it: without the secret of a calendar feed."""
    return _SECRET_PATH.sub(r"\1…", path)


def _request_id(scope: HTTPScope) -> str:
    """The caller's own id when it is a decent one, so that a trace crosses systems; else a new."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return given
    return uuid.uuid4().hex
