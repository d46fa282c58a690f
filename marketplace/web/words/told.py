"""Refusals as pages tell them: what was refused, every reason, and what is possible instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.kernel.errors import DomainError, Reason
from marketplace.web.words.refusals import REASONS, TITLES
from marketplace.web.words.speech import Speech


@dataclass(frozen=True, slots=True)
class Told:
    """A refusal in the reader's language."""

    code: str
    title: str
    detail: str
    reasons: tuple[str, ...]
    alternatives: tuple[Mapping[str, Any], ...]


def told(error: DomainError, speech: Speech) -> Told:
    """`error` for a page."""
    reasons = tuple(_reason(reason, speech) for reason in error.reasons)
    chinese = speech.language == "zh"
    title = TITLES.get(error.code, error.title) if chinese else error.title
    # With reasons the detail only repeats them.
    detail = "" if reasons else error.detail
    return Told(error.code, title, detail, reasons, error.alternatives)


def _reason(reason: Reason, speech: Speech) -> str:
    source = ""
    if reason.source and reason.source != "J.gap":
        source = f"（依据 {reason.source}）" if speech.language == "zh" else f" ({reason.source})"
    if speech.language == "zh" and reason.rule in REASONS:
        sentence = REASONS[reason.rule].format(limit=reason.limit, asked=reason.asked)
        return f"{sentence}{source}"
    return f"{reason.message}{source}"
