"""What a reward may be used for, and what a report on it has to say.

Policy: J.27d
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.billing.rewards.errors import UsesRefused
from marketplace.billing.rewards.rules.states import OTHER_USE, ReportStatus
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import BASIS_POINTS, yuan

OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Use:
    """What part of a reward was used for what."""

    purpose: str
    amount_fen: int
    note: str = ""


def require_uses(
    uses: Sequence[Use], *, amount_fen: int, permitted: Sequence[str], papers: int
) -> None:
    """Refuse a report that does not account for the reward to the fen, or has no evidence.

    Any other purpose than the permitted ones is `other`, with its reason.

    Raises:
        UsesRefused: with every reason.
    """
    reasons = Reasons()
    named = [use.purpose for use in uses]
    for purpose in sorted(set(named)):
        if purpose not in (*permitted, OTHER_USE):
            reasons.add(
                "use-known",
                f"Rewards are for {', '.join(permitted)}; anything else is {OTHER_USE}.",
                asked=purpose,
                source="J.27d",
            )
        if named.count(purpose) > 1:
            reasons.add("use-once", "Each purpose stands in a report once.", asked=purpose)
    if any(use.purpose == OTHER_USE and not use.note.strip() for use in uses):
        reasons.add("use-reason", "Another purpose needs its reason.", source="J.27d")
    told_fen = sum(use.amount_fen for use in uses)
    if told_fen != amount_fen:
        reasons.add(
            "use-whole",
            f"The report accounts for {yuan(told_fen)} of {yuan(amount_fen)} CNY.",
            limit=amount_fen,
            asked=told_fen,
        )
    if not papers:
        reasons.add("use-evidence", "Add a paper that shows how the money was used.", asked=0)
    reasons.raise_as(UsesRefused)


def outside_fen(uses: Sequence[Use]) -> int:
    """What was used for other purposes than the permitted ones."""
    return sum(use.amount_fen for use in uses if use.purpose == OTHER_USE)


def is_flagged(outside_fen: int, amount_fen: int, *, flag_basis_points: int) -> bool:
    """Whether so much went to other purposes that somebody has to look at it."""
    return outside_fen * BASIS_POINTS > amount_fen * flag_basis_points


def shown_status(status: str, due_on: date, today: date) -> str:
    """The state of a report as people say it: one that is owed after its day is overdue."""
    owed = status in (ReportStatus.DUE, ReportStatus.RETURNED)
    return OVERDUE if owed and due_on < today else status
