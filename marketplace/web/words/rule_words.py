"""The rulebook's terms as people name and read them, from `rules.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

from pydantic import BaseModel

from marketplace.web.words.speech import Speech

_READ = tomllib.loads((files("marketplace.web.words") / "rules.toml").read_text("utf-8"))


def _pairs(table: str) -> dict[str, tuple[str, str]]:
    return {name: (chinese, english) for name, (chinese, english) in _READ[table].items()}


NAMES: Final = _pairs("names")
"""By section and term: Chinese, English."""

SECTIONS: Final = _pairs("sections")

PLACES: Final = _pairs("places")
"""Where the terms of a section apply."""

UNITS: Final = _pairs("units")

VALUES: Final[dict[str, str]] = _READ["values"]
"""What terms are made of, in Chinese; English says the name itself."""


def value_named(name: str, speech: Speech) -> str:
    """A kind or a field within a term."""
    spoken = name.removesuffix("_fen").removesuffix("_basis_points")
    english = spoken.replace("-", " ").replace("_", " ")
    return speech.t(VALUES.get(name, english), english)


def value_told(value: Any, name: str, unit: str, speech: Speech) -> list[str]:
    """The value of a term in lines; `name` and `unit` say what its numbers are."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, Mapping):
        return [
            f"{value_named(key, speech)}{speech.t('：', ': ')}{_in_one(part, key, unit, speech)}"
            for key, part in value.items()
            if part not in (None, ())
        ] or [speech.t("无", "none")]
    if isinstance(value, tuple | list | frozenset):
        return _listed(value, name, unit, speech)
    return [_one(value, name, unit, speech)]


def _listed(value: Iterable[Any], name: str, unit: str, speech: Speech) -> list[str]:
    parts = [_in_one(each, name, unit, speech) for each in value]
    if any(isinstance(each, BaseModel) for each in value):
        return parts
    return [speech.t("、", ", ").join(parts)] if parts else [speech.t("无", "none")]


def _in_one(value: Any, name: str, unit: str, speech: Speech) -> str:
    return speech.t("，", ", ").join(value_told(value, name, unit, speech))


def _one(value: Any, name: str, unit: str, speech: Speech) -> str:
    """One number or kind."""
    if isinstance(value, str):
        return value_named(value, speech)
    if name.endswith("_fen") or unit == "fen":
        return speech.yuan(value)
    if name.endswith("_basis_points") or unit == "basis points":
        return speech.percent(value)
    said = UNITS.get("percent" if name.endswith("_percent") else unit, (unit, unit))
    return f"{speech.number(value)} {speech.t(*said)}".strip()
