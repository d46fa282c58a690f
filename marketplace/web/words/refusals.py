"""Refusals in Chinese, read from `refusals.toml`: a test holds it against the errors that exist."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Final

_READ = tomllib.loads((files("marketplace.web.words") / "refusals.toml").read_text("utf-8"))

TITLES: Final[dict[str, str]] = _READ["titles"]
"""By the code of the problem."""

REASONS: Final[dict[str, str]] = _READ["reasons"]
"""By the rule of a reason; `{limit}` and `{asked}` are filled in."""
