"""How a state or a kind is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["neutral", "info", "success", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Label:
    """A state or a kind as people name it."""

    chinese: str
    english: str
    tone: Tone = "neutral"
