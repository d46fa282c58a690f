"""A body that fits, made from the type that a route reads: the smallest of everything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

# What the patterns of the API look for; the first that fits is taken.
TEXTS = (
    "x" * 12,
    "1",
    "320100",
    "1" * 20,
    "1" * 12,
    "a" * 64,
    "2025-03-10",
    "2025-03",
    "0" * 32,
    "A1",
    "",
)
SIMPLE: dict[type[inspect.Type], Any] = {
    inspect.DateTimeType: "2025-03-10T02:00:00Z",
    inspect.DateType: "2025-03-10",
    inspect.BoolType: False,
    inspect.FloatType: 1.0,
    inspect.DictType: {},
}


AN_HOUR_LATER = "2025-03-10T03:00:00Z"


def a_body(wanted: type[msgspec.Struct], ids: Mapping[str, int]) -> dict[str, Any]:
    """What `wanted` requires; a field called `quote_id` names the quote in `ids`."""
    body = _a_value(inspect.type_info(wanted), "", ids)
    msgspec.convert(body, wanted)
    assert isinstance(body, dict)
    return body


def names_something(wanted: Any) -> bool:
    """Whether a body names things by their ids."""
    if not (isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)):
        return False
    kind = inspect.type_info(wanted)
    assert isinstance(kind, inspect.StructType)
    return any(field.name.endswith(("_id", "_ids")) and _is_id(field.type) for field in kind.fields)


def _a_value(kind: inspect.Type, name: str, ids: Mapping[str, int]) -> Any:
    match kind:
        case inspect.StructType():
            return {
                field.encode_name: _a_value(field.type, field.name, ids)
                for field in kind.fields
                if field.required or (field.name.endswith("_id") and field.name in ids)
            }
        case inspect.Metadata():
            return _a_value(kind.type, name, ids)
        case inspect.UnionType():
            some = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
            return _a_value(some[0], name, ids)
        case inspect.IntType():
            return ids.get(name, max(kind.ge or 0, (kind.gt or 0) + 1, 1))
        case inspect.StrType():
            return _a_text(kind, name)
        case inspect.EnumType():
            return next(iter(kind.cls)).value
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.ListType() | inspect.VarTupleType():
            one = _a_value(kind.item_type, name.removesuffix("s"), ids)
            return [one] * max(kind.min_length or 0, 1)
    if name == "ends_at":
        return AN_HOUR_LATER
    if type(kind) in SIMPLE:
        return SIMPLE[type(kind)]
    raise TypeError(f"say in tests/http/bodies.py what a {type(kind).__name__} may be: {name}")


def _a_text(kind: inspect.StrType, name: str) -> str:
    for text in TEXTS:
        long_enough = (kind.min_length or 0) <= len(text) <= (kind.max_length or 10_000)
        if long_enough and (kind.pattern is None or re.search(kind.pattern, text)):
            return text
    raise TypeError(f"say in tests/http/bodies.py which text fits {name}: {kind.pattern}")


def _is_id(kind: inspect.Type) -> bool:
    match kind:
        case inspect.UnionType():
            return any(_is_id(each) for each in kind.types)
        case inspect.Metadata():
            return _is_id(kind.type)
        case inspect.ListType():
            return _is_id(kind.item_type)
    return isinstance(kind, inspect.IntType)
