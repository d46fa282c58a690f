"""Invoices and payments of some days only: what lies outside them is not claimed.

Policy: J.22b
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from marketplace.kernel.errors import Reason
from marketplace.vouchers.rules.limits import Window
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.rules.terms import Terms

DATED = frozenset({EvidenceKind.INVOICE, EvidenceKind.PAYMENT_PROOF})
"""The papers whose day a programme may mind."""

_TERMS = {EvidenceKind.INVOICE: "invoices_within", EvidenceKind.PAYMENT_PROOF: "payments_within"}


@dataclass(frozen=True, slots=True)
class DatedPaper:
    """A paper of a redemption with the day it bears; None: nobody said."""

    redemption_id: int
    kind: str
    dated_on: date | None


def windows_of(terms: Terms) -> dict[EvidenceKind, Window]:
    """The days of the papers that the terms mind, by kind."""
    found = {kind: getattr(terms, term) for kind, term in _TERMS.items()}
    return {kind: window for kind, window in found.items() if window is not None}


def papers_outside(
    redemption_ids: Iterable[int], papers: Iterable[DatedPaper], terms: Terms
) -> list[Reason]:
    """One reason for each redemption and kind of paper whose day is not said or not paid for."""
    windows = windows_of(terms)
    if not windows:
        return []
    by_kind = _by_redemption(papers)
    reasons = []
    for redemption_id in sorted(redemption_ids):
        for kind, window in windows.items():
            days = by_kind.get((redemption_id, kind), ())
            outside = [day for day in days if day is None or not window.holds_on(day)]
            if outside:
                reasons.append(_reason(redemption_id, kind, outside, window, terms))
    return reasons


def _by_redemption(papers: Iterable[DatedPaper]) -> Mapping[tuple[int, str], list[date | None]]:
    found: dict[tuple[int, str], list[date | None]] = {}
    for each in papers:
        found.setdefault((each.redemption_id, each.kind), []).append(each.dated_on)
    return found


def _reason(
    redemption_id: int,
    kind: EvidenceKind,
    outside: Sequence[date | None],
    window: Window,
    terms: Terms,
) -> Reason:
    known = sorted(day for day in outside if day is not None)
    told: dict[str, Any] = {
        "limit": [window.opens_on.isoformat(), window.closes_on.isoformat()],
        "asked": {
            "redemption_id": redemption_id,
            "dated_on": known[0].isoformat() if known else None,
        },
        "source": terms.source_of(_TERMS[kind]),
    }
    if known:
        return Reason(
            f"{kind}-day",
            f"Redemption {redemption_id}: its {kind} is of {known[0]}, and the programme pays for"
            f" {window.opens_on} to {window.closes_on}; leave it out of this claim.",
            **told,
        )
    return Reason(
        f"{kind}-day",
        f"Redemption {redemption_id}: say the day of its {kind}, which has to lie between"
        f" {window.opens_on} and {window.closes_on}.",
        **told,
    )
