"""Clawbacks: what may be asked back of a line, and which of several debts is paid first.

Policy: J.22a
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.kernel.errors import Reasons


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed, or taken, of one clawback."""

    clawback_id: int
    amount_fen: int


def oldest_first(due: Sequence[Owed], at_most_fen: int) -> list[Owed]:
    """What is taken of each debt, in the order given, until nothing is left to take."""
    taken: list[Owed] = []
    left_fen = at_most_fen
    for each in due:
        amount_fen = min(each.amount_fen, left_fen)
        if amount_fen > 0:
            taken.append(Owed(each.clawback_id, amount_fen))
            left_fen -= amount_fen
    return taken


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A line of an approved claim: what of it is not clawed back, or proposed to be, yet."""

    redemption_id: int
    left_fen: int


def clawback_reasons(asked: dict[int, int | None], lines: Sequence[PaidLine]) -> Reasons:
    """Why these amounts cannot be clawed back; None stands for all that is left of a line."""
    left = {line.redemption_id: line.left_fen for line in lines}
    reasons = Reasons()
    for redemption_id, amount_fen in asked.items():
        if redemption_id not in left:
            reasons.add(
                "line",
                f"Redemption {redemption_id} is no approved line of this claim.",
                asked=redemption_id,
            )
        elif (
            not 0
            < (left[redemption_id] if amount_fen is None else amount_fen)
            <= left[redemption_id]
        ):
            reasons.add(
                "amount",
                f"Of redemption {redemption_id}, {left[redemption_id]} fen are left to claw back.",
                limit=left[redemption_id],
                asked=amount_fen,
            )
    return reasons
