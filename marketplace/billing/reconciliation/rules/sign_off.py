"""When two persons may say that bank and books agree on a period."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan


@dataclass(frozen=True, slots=True)
class Standing:
    """How bank and books stand at the end of a period."""

    statements: int
    difference_fen: int
    unexplained_lines: int


def open_questions(standing: Standing) -> Reasons:
    """Everything that stands against signing off. Policy: J.30a"""
    reasons = Reasons()
    if not standing.statements:
        reasons.add("no-statement", "no statement has been imported")
    if standing.difference_fen:
        reasons.add(
            "difference",
            f"books and bank differ by {yuan(standing.difference_fen)} yuan",
            limit=0,
            asked=standing.difference_fen,
        )
    if standing.unexplained_lines:
        reasons.add(
            "unexplained",
            f"{standing.unexplained_lines} lines until the period's end are not explained",
            limit=0,
            asked=standing.unexplained_lines,
        )
    return reasons
