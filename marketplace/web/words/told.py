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
    rules: frozenset[str] = frozenset()
    """The rules that its reasons name, after which a page says where to go from here."""


def told(error: DomainError, speech: Speech) -> Told:
    """`error` for a page."""
    reasons = tuple(reason_told(reason, error.code, speech) for reason in error.reasons)
    chinese = speech.language == "zh"
    title = TITLES.get(error.code, error.title) if chinese else error.title
    # With reasons the detail only repeats them.
    detail = "" if reasons else speech.said(error.detail)
    rules = frozenset(reason.rule for reason in error.reasons)
    return Told(error.code, title, detail, reasons, error.alternatives, rules)


def reason_told(reason: Reason, code: str, speech: Speech) -> str:
    """One reason of a refusal in the reader's language, with the clause it comes from."""
    source = ""
    if reason.source and reason.source not in ("J.gap", "usual practice", "assumed"):
        source = f"（依据 {reason.source}）" if speech.language == "zh" else f" ({reason.source})"
    sentence = _in_chinese(reason.rule, code) if speech.language == "zh" else None
    if sentence is None:
        return f"{speech.said(reason.message)}{source}"
    said = sentence.format(rule=reason.rule, limit=reason.limit, asked=reason.asked)
    return f"{said}{source}"


def _in_chinese(rule: str, code: str) -> str | None:
    """The sentence of a rule: of this refusal's own, or of any; of `a.b` where `a.b.0` has none."""
    while rule:
        found = REASONS.get(f"{code}:{rule}") or REASONS.get(rule)
        if found is not None:
            return found
        rule = rule.rpartition(".")[0]
    return None
