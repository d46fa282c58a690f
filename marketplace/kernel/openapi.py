"""The OpenAPI document: what the framework cannot know is added here, once for every route."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import (
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType

from marketplace.kernel.wire import In

_PROBLEM = OpenAPIResponse(
    description="A problem (RFC 9457): what was wrong, every reason, what to do instead.",
    content={
        "application/problem+json": OpenAPIMediaType(
            schema=Schema(
                type=OpenAPIType.OBJECT,
                required=["type", "title", "status"],
                properties={
                    "type": Schema(type=OpenAPIType.STRING),
                    "title": Schema(type=OpenAPIType.STRING),
                    "status": Schema(type=OpenAPIType.INTEGER),
                    "detail": Schema(type=OpenAPIType.STRING),
                    "instance": Schema(type=OpenAPIType.STRING),
                    "request_id": Schema(type=OpenAPIType.STRING),
                    "reasons": Schema(
                        type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.OBJECT)
                    ),
                    "alternatives": Schema(
                        type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.OBJECT)
                    ),
                },
            )
        )
    },
)

_IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    param_in="header",
    required=True,
    description="A value of your own; sent again with the same request it gets the same answer.",
    schema=Schema(
        type=OpenAPIType.STRING, min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.:-]+$"
    ),
)


@dataclass
class ApiOperation(Operation):
    """An operation whose refusals are problems, whatever their status."""

    def __post_init__(self) -> None:
        """Replace the framework's own error shape by ours."""
        responses: dict[str, OpenAPIResponse | Reference] = dict(self.responses or {})
        responses.pop("400", None)
        responses["4XX"] = _PROBLEM
        responses["5XX"] = _PROBLEM
        self.responses = responses


@dataclass
class KeyedOperation(ApiOperation):
    """A POST that happens once per `Idempotency-Key`."""

    def __post_init__(self) -> None:
        """Add the header."""
        super().__post_init__()
        self.parameters = [*(self.parameters or []), _IDEMPOTENCY_KEY]


def describe(handler: HTTPRouteHandler) -> None:
    """Choose how `handler` is documented; call before it is registered."""
    roles: Any = handler.opt.get("roles")
    keyed = "POST" in handler.http_methods and roles != "public" and "unkeyed" not in handler.opt
    handler.operation_class = KeyedOperation if keyed else ApiOperation
    if isinstance(roles, frozenset):
        note = "Roles: " + ", ".join(sorted(roles)) + "."
        handler.description = f"{handler.description}\n\n{note}" if handler.description else note
    if handler.opt.get("scope"):
        note = f"Takes API keys with the scope `{handler.opt['scope']}`."
        handler.description = f"{handler.description}\n\n{note}" if handler.description else note


def close_bodies(document: OpenAPI) -> None:
    """Say of every request body that unknown fields are refused, as `kernel.wire.In` does."""
    bodies = {body.__name__ for body in _descendants(In)}
    for name, schema in document.components.schemas.items():
        # Where two domains use one name, the framework puts the module before it.
        if name in bodies or name.rpartition("_")[2] in bodies:
            schema.additional_properties = False


def _descendants(parent: type[In]) -> Iterator[type[In]]:
    children: list[type[In]] = parent.__subclasses__()
    for child in children:
        yield child
        yield from _descendants(child)
