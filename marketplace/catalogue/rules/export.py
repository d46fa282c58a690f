"""An instrument as a line of the national layout: what `rules.line` reads, written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from marketplace.catalogue.rules.layout import LAYOUT
from marketplace.catalogue.rules.line import wan_yuan
from marketplace.catalogue.rules.states import (
    Condition,
    Exemption,
    Funds,
    Kind,
    ShareMode,
    Source,
    label,
)

HEADER: tuple[str, ...] = tuple(
    field.headers[0] + ("（万元）" if field.name == "worth_fen" else "") for field in LAYOUT
)
_WORDS: dict[str, type[StrEnum]] = {
    "funds": Funds,
    "source": Source,
    "kind": Kind,
    "share_mode": ShareMode,
    "exemption": Exemption,
    "condition": Condition,
}


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "worth_fen":
        return wan_yuan(value)
    if name in _WORDS:
        return label(_WORDS[name](value))
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def cells_of(values: Mapping[str, Any]) -> list[str]:
    """The cells of one instrument, in the order of `HEADER`."""
    return [
        values["further"].get(field.name, "")
        if field.passed_on
        else _cell(field.name, values[field.name])
        for field in LAYOUT
    ]
