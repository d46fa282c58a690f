"""Who holds how much of a legal entity."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import BASIS_POINTS
from marketplace.parties.errors import ShareholdingsRefused
from marketplace.parties.rules.identifiers import is_uscc, require_uscc

# What is held since before anybody counts: no programme asks about earlier days.
FOUNDED = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Shareholding:
    """A holder and the part held, in basis points of the whole.

    `holder` is a unified social credit code where a legal entity holds, else a person's name.
    """

    holder: str
    basis_points: int


@dataclass(frozen=True, slots=True)
class DatedShareholding:
    """A part, from and up to when it was held, and by which source."""

    id: int
    holder: str
    basis_points: int
    valid_from: date
    valid_until: date | None
    source: str
    holder_id: int | None
    """The holder where it is registered itself."""


def same_name(text: str) -> str:
    """`text` as it is compared: half-width, in capitals, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def require_shareholdings(holdings: Sequence[Shareholding]) -> list[Shareholding]:
    """`holdings` with codes and names in their one form, in order of size.

    Raises:
        ShareholdingsRefused: a holder named twice, a part of nothing, or more than the whole.
    """
    reasons = Reasons()
    found: dict[str, int] = {}
    for holding in holdings:
        holder = require_uscc(holding.holder) if is_uscc(holding.holder) else holding.holder.strip()
        if not holder:
            reasons.add("holder-named", "Each holder has a name or a code.")
        if same_name(holder) in map(same_name, found):
            reasons.add("holder-once", f"{holder} is named twice.", asked=holder)
        if holding.basis_points <= 0:
            reasons.add("part-positive", f"{holder} holds nothing.", asked=holding.basis_points)
        found[holder] = holding.basis_points
    total = sum(found.values())
    if total > BASIS_POINTS:
        reasons.add(
            "whole",
            f"Together they hold {total} of {BASIS_POINTS} basis points.",
            limit=BASIS_POINTS,
            asked=total,
        )
    reasons.raise_as(ShareholdingsRefused)
    by_size = sorted(found.items(), key=lambda part: (-part[1], part[0]))
    return [Shareholding(holder, basis_points) for holder, basis_points in by_size]


def require_since(since: date, *, today: date) -> None:
    """Holders are entered once they hold.

    Raises:
        ShareholdingsRefused: for a day to come, or one before anybody counts.
    """
    if not FOUNDED <= since <= today:
        reasons = Reasons()
        reasons.add(
            "since",
            f"Holders are entered from {FOUNDED} up to today.",
            limit=today.isoformat(),
            asked=since.isoformat(),
        )
        reasons.raise_as(ShareholdingsRefused)
