"""Several lines or several things at once: whether they come to each other, and within what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan

LINES_MAX = ITEMS_MAX = 200


class ReasonCode(StrEnum):
    """Why a difference is written off."""

    BANK_FEE = "bank_fee"
    """A bank on the way has kept its fee."""
    ROUNDING = "rounding"
    """The payer rounded."""
    SMALL_DIFFERENCE = "small_difference"
    """Not worth asking for."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that lines are; positive is money in. A difference says why it is one."""

    kind: MatchKind
    amount_fen: int
    target_id: int = 0
    reason_code: str = ""


def money_in(kind: MatchKind) -> bool | None:
    """Which way the money of a kind goes; a difference goes either way."""
    if kind is MatchKind.DIFFERENCE:
        return None
    return kind not in (MatchKind.PAYOUT, MatchKind.CHARGE)


def examined(lines: Sequence[int], items: Sequence[Item], tolerance_fen: int) -> Reasons:
    """Everything that speaks against lines of these amounts being these items."""
    found = Reasons()
    total, explained = sum(lines), sum(item.amount_fen for item in items)
    if total != explained:
        found.add(
            "clearing-sum",
            f"the lines come to {_yuan(total)}, the items to {_yuan(explained)}",
            limit=total,
            asked=explained,
        )
    for place, item in enumerate(items, 1):
        into = money_in(item.kind)
        if item.amount_fen == 0 or into not in (None, item.amount_fen > 0):
            found.add(
                "clearing-direction",
                f"item {place}: a {item.kind} is money {'in' if into else 'out'}",
                asked=item.amount_fen,
            )
        if (item.kind is MatchKind.DIFFERENCE) != bool(item.reason_code):
            found.add("clearing-reason", f"item {place}: a difference, and only that, has a code")
    written_off = sum(abs(item.amount_fen) for item in items if item.kind is MatchKind.DIFFERENCE)
    if written_off > tolerance_fen:
        found.add(
            "clearing-tolerance",
            f"{_yuan(written_off)} are more than may be written off",
            limit=tolerance_fen,
            asked=written_off,
            source="J.gap",
        )
    named = [
        (item.kind, item.target_id)
        for item in items
        if item.kind in (MatchKind.PAYOUT, MatchKind.RETURN)
    ]
    if len(named) != len(set(named)):
        found.add("clearing-twice", "a payment stands there twice")
    return found


def _yuan(fen: int) -> str:
    return yuan(fen) if fen >= 0 else f"-{yuan(-fen)}"
