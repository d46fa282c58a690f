"""What people see when something is refused or goes wrong; programs get problems as JSON."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from marketplace.kernel.errors import DomainError, Malformed, Missing
from marketplace.kernel.http import request_id_of
from marketplace.kernel.problems import EXCEPTION_HANDLERS, unexpected
from marketplace.web.rendering import page
from marketplace.web.visitor import SignInNeeded, sign_in_address, visitor_of
from marketplace.web.words import Told, told

AnyRequest = Request[Any, Any, Any]


def wants_page(request: AnyRequest) -> bool:
    """Whether a person asks: outside the API, and HTML would be understood."""
    accepted = request.headers.get("accept", "")
    return not request.url.path.startswith(("/api/", "/schema", "/health", "/metrics")) and (
        "text/html" in accepted
    )


def refusal_page(request: AnyRequest, error: DomainError) -> Response[Any]:
    """A refusal for a person, or the problem for a program."""
    if not wants_page(request):
        return EXCEPTION_HANDLERS[DomainError](request, error)
    if isinstance(error, SignInNeeded):
        address = sign_in_address(request)
        if request.headers.get("hx-request"):
            return Response(content="", status_code=200, headers={"HX-Redirect": address})
        return Response(content="", status_code=303, headers={"Location": address})
    return _shown(request, told(error, visitor_of(request).speech), error.status)


def http_page(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """No such page, a method that it does not take, a body that cannot be read."""
    if not wants_page(request):
        return EXCEPTION_HANDLERS[HTTPException](request, error)
    if error.status_code >= 500:
        return unexpected_page(request, error)
    kind = Missing if error.status_code in (404, 405) else Malformed
    return _shown(request, told(kind(), visitor_of(request).speech), error.status_code)


def malformed_page(request: AnyRequest, error: ValidationException) -> Response[Any]:
    """Parameters of an address that do not read."""
    if not wants_page(request):
        return EXCEPTION_HANDLERS[ValidationException](request, error)
    return _shown(request, told(Malformed(), visitor_of(request).speech), 400)


def unexpected_page(request: AnyRequest, error: Exception) -> Response[Any]:
    """A bug: told without its insides, with the number to report."""
    answer = unexpected(request, error)
    if not wants_page(request):
        return answer
    speech = visitor_of(request).speech
    return _shown(
        request,
        Told(
            "internal",
            speech.t("系统出错了", "Something went wrong on our side"),
            speech.t(
                "没有任何改动。请把编号 {number} 告诉我们。",
                "Nothing was changed. Please tell us the number {number}.",
                number=request_id_of(request),
            ),
            (),
            (),
        ),
        500,
    )


def _shown(request: AnyRequest, refusal: Told, status: int) -> Response[Any]:
    return page(request, "public/refused.html", status=status, refusal=refusal)


PAGE_EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    DomainError: refusal_page,
    ValidationException: malformed_page,
    HTTPException: http_page,
    Exception: unexpected_page,
}
