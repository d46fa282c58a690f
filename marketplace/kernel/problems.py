"""Every error leaves as `application/problem+json`, in one shape, whichever way it arose."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from marketplace.kernel.errors import DomainError, Malformed, Missing
from marketplace.kernel.http import request_id_of
from marketplace.kernel.observe import logged_path

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
# What the framework says, as an error of ours, when a client leaves in the middle of its body.
CLIENT_GONE = "client disconnected prematurely"
# What no use case refuses: code and title by status.
FRAMEWORK_PROBLEMS = {
    405: ("method-not-allowed", "This address does not take that method"),
    413: ("too-large", "The request is too large"),
    500: ("internal", "Something went wrong on our side"),
}
_TITLES = FRAMEWORK_PROBLEMS | {
    400: (Malformed.code, Malformed.title),
    404: (Missing.code, Missing.title),
    415: ("media-type", "This address does not take that media type"),
}


def problem(
    request: Request[Any, Any, Any],
    *,
    code: str,
    title: str,
    status: int,
    detail: str = "",
    headers: dict[str, str] | None = None,
    **facts: Any,
) -> Response[bytes]:
    """A problem as an HTTP answer. `facts` stand beside the standard members."""
    body = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "request_id": request_id_of(request),
        **facts,
    }
    return Response(
        content=msgspec.json.encode(body, enc_hook=str),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers or {},
    )


def domain_problem(request: Request[Any, Any, Any], error: DomainError) -> Response[bytes]:
    """A refusal: its reasons, its alternatives and its typed facts."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_seconds" in error.extras:
        headers["Retry-After"] = str(error.extras["retry_after_seconds"])
    elif error.status in (409, 503):
        headers["Retry-After"] = "1"
    facts: dict[str, Any] = dict(error.extras)
    if error.reasons:
        facts["reasons"] = msgspec.to_builtins(error.reasons, enc_hook=str)
    if error.alternatives:
        facts["alternatives"] = [dict(choice) for choice in error.alternatives]
    return problem(
        request,
        code=error.code,
        title=error.title,
        status=error.status,
        detail=error.detail,
        headers=headers,
        **facts,
    )


def http_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar itself refuses: no such route or method, a body it cannot read."""
    if error.detail == CLIENT_GONE:
        # Nobody hears the answer, and nothing of ours went wrong.
        return problem(request, code=Malformed.code, title=Malformed.title, status=400)
    if error.status_code >= 500:
        return unexpected(request, error)
    code, title = _TITLES.get(error.status_code, _TITLES[400])
    return problem(
        request,
        code=code,
        title=title,
        status=error.status_code,
        detail=error.detail,
        headers=dict(error.headers or {}),
    )


def validation_problem(
    request: Request[Any, Any, Any], error: ValidationException
) -> Response[bytes]:
    """Malformed input: every field that is wrong, not only the first."""
    found = error.extra if isinstance(error.extra, list) else []
    reasons = [
        {
            "rule": "malformed",
            "field": str(entry.get("key", "")),
            "message": str(entry.get("message", "")),
            "source": str(entry.get("source", "")),
        }
        for entry in found
        if isinstance(entry, dict)
    ]
    return problem(
        request,
        code=Malformed.code,
        title=Malformed.title,
        status=400,
        detail="; ".join(f"{reason['field']}: {reason['message']}" for reason in reasons)
        or error.detail,
        reasons=reasons,
    )


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A bug: logged with its trace, told without its insides."""
    log.exception("request.failed", path=logged_path(request.url.path), error=type(error).__name__)
    code, title = _TITLES[500]
    return problem(
        request,
        code=code,
        title=title,
        status=500,
        detail="Nothing was changed. Report the request_id.",
    )


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    DomainError: domain_problem,
    ValidationException: validation_problem,
    HTTPException: http_problem,
    Exception: unexpected,
}
