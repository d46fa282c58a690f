"""JSON bodies are read strictly, and everything that is wrong with one is said at once.

The framework alone would take `"5"` for 5 and stop at the first field; money deserves better.
Guards run before this, so nobody learns about a body they may not send.
"""

from __future__ import annotations

import dataclasses
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from marketplace.kernel.errors import Malformed, Reason

# Bytes that are no UTF-8 and nesting without end come as errors of their own.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
JSON_MEDIA_TYPES = ("application/json", "application/problem+json")


class NotJson(Malformed):
    """The body is not the JSON that its address takes."""

    code = "media-type"
    title = "Send application/json"
    status = 415


async def require_well_formed(request: Request[Any, Any, Any]) -> None:
    """Refuse a JSON body that does not fit the handler's `data`, with every reason.

    Raises:
        NotJson: for another media type.
        Malformed: with one reason for each field that is wrong, missing or unknown.
    """
    parameter = request.route_handler.parsed_fn_signature.parameters.get("data")
    if parameter is None:
        return
    wanted = parameter.annotation
    if not (isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)):
        return
    media_type = request.headers.get("content-type", "application/json").partition(";")[0]
    if media_type.strip().lower() not in JSON_MEDIA_TYPES:
        raise NotJson(f"This address takes application/json, not {media_type[:100]}.")
    body = await request.body()
    try:
        msgspec.json.decode(body, type=wanted)
    except _UNREADABLE as error:
        raise Malformed(
            "The body does not fit; see reasons.", reasons=_everything_wrong(body, wanted, error)
        ) from error


def _everything_wrong(body: bytes, wanted: type[msgspec.Struct], first: Exception) -> list[Reason]:
    try:
        value = msgspec.json.decode(body)
    except _UNREADABLE:
        return [Reason("json", f"not JSON: {first}")]
    if not isinstance(value, dict):
        return [Reason("object", f"expected an object, got {type(value).__name__}")]
    reasons = []
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name, field in fields.items():
        if name not in value:
            if field.required:
                reasons.append(Reason(name, "this field is required"))
            continue
        try:
            msgspec.convert(value[name], field.type, strict=True)
        except msgspec.ValidationError as error:
            reasons.append(Reason(name, str(error)))
    for name in value.keys() - fields.keys():
        reasons.append(Reason(name[:100], "there is no such field"))
    return reasons or [Reason("body", str(first))]


_BOUNDS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length")


def keep_bounds(handler: HTTPRouteHandler) -> None:
    """Make the bounds of `FromPath[Id]`, `FromQuery[Line | None]` count, and show them.

    The framework reads bounds of a parameter from its own marker only, and drops those that the
    type carries; here they are copied to the marker, before the handler is registered.
    """
    annotations = handler.fn.__annotations__
    for name, annotation in get_type_hints(handler.fn, include_extras=True).items():
        for marker in getattr(annotation, "__metadata__", ()):
            if isinstance(marker, QueryParameter | PathParameter):
                bounds = {
                    bound: value
                    for meta in _metas(annotation)
                    for bound in _BOUNDS
                    if (value := getattr(meta, bound)) is not None
                }
                bounded = dataclasses.replace(marker, **bounds)
                annotations[name] = Annotated[get_args(annotation)[0], bounded]


def _metas(annotation: Any) -> list[msgspec.Meta]:
    """The bounds on `annotation` itself or, for a union, on its arms; not those of list items."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        own = [meta for meta in metadata if isinstance(meta, msgspec.Meta)]
        return own + _metas(inner)
    if get_origin(annotation) in (Union, UnionType):
        return [meta for arm in get_args(annotation) for meta in _metas(arm)]
    return []
