"""What credit may be granted, when it may be used, what a payment pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.billing.credit.errors import CreditRefused, CreditTermsUnfit, NothingOwed
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the province lets a provider grant."""

    limit_max_fen: int
    due_days_max: int
    valid_days_max: int


def require_grantable(
    *, limit_fen: int, due_days: int, valid_until: date, today: date, bounds: Bounds
) -> None:
    """Limit, days and end lie within what the province allows.

    Policy: J.gap

    Raises:
        CreditTermsUnfit: with every reason.
    """
    reasons = Reasons()
    if not 1 <= limit_fen <= bounds.limit_max_fen:
        reasons.add(
            "credit-limit",
            f"A limit is at most {yuan(bounds.limit_max_fen)} CNY.",
            limit=bounds.limit_max_fen,
            asked=limit_fen,
            source="J.gap",
        )
    if not 1 <= due_days <= bounds.due_days_max:
        reasons.add(
            "credit-due-days",
            f"What is owed is due within {bounds.due_days_max} days.",
            limit=bounds.due_days_max,
            asked=due_days,
            source="J.gap",
        )
    last = today + timedelta(days=bounds.valid_days_max)
    if not today < valid_until <= last:
        reasons.add(
            "credit-valid-until",
            f"Terms end after today, and on {last} at the latest; then they are granted anew.",
            limit=last.isoformat(),
            asked=valid_until.isoformat(),
            source="J.gap",
        )
    reasons.raise_as(CreditTermsUnfit)


def require_usable(
    *, valid_until: date | None, today: date, overdue_since: date | None, block_after_days: int
) -> None:
    """The line has terms that hold today, and its buyer is not overdue beyond patience.

    `overdue_since` is the due day of the oldest thing owed, where that day is past.
    Policy: J.gap

    Raises:
        CreditRefused: with every reason.
    """
    reasons = Reasons()
    if valid_until is None:
        reasons.add("credit-granted", "The provider grants this buyer no credit; pay it ahead.")
    elif valid_until < today:
        reasons.add(
            "credit-valid",
            f"The terms ended on {valid_until}; ask the provider for new ones.",
            limit=valid_until.isoformat(),
            asked=today.isoformat(),
        )
    if overdue_since is not None and (today - overdue_since).days > block_after_days:
        reasons.add(
            "credit-overdue",
            f"Something has been due since {overdue_since}; pay it, and order again.",
            limit=block_after_days,
            asked=(today - overdue_since).days,
            source="J.gap",
        )
    reasons.raise_as(CreditRefused)


@dataclass(frozen=True, slots=True)
class Owed:
    """What is left of one receivable."""

    id: int
    left_fen: int


def oldest_first(owed: Sequence[Owed], amount_fen: int) -> list[tuple[int, int]]:
    """Which receivables a payment pays, and how much of each; `owed` is the oldest first.

    Raises:
        NothingOwed: when it is more than all that is owed.
    """
    total = sum(each.left_fen for each in owed)
    if not 1 <= amount_fen <= total:
        raise NothingOwed(
            f"{yuan(total)} CNY are owed on this line; pay at most that.",
            limit=total,
            asked=amount_fen,
        )
    parts = []
    for each in owed:
        part = min(each.left_fen, amount_fen)
        if part == 0:
            break
        parts.append((each.id, part))
        amount_fen -= part
    return parts
