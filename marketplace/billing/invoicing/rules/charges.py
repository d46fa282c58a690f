"""Which charges earn a reward, and how far a charge may be corrected."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.billing.invoicing.errors import CreditTooLarge
from marketplace.billing.invoicing.rules.states import ChargeKind
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan


@dataclass(frozen=True, slots=True)
class Charged:
    """What stands charged for an order after its corrections, in fen."""

    voucher_fen: int
    own_fen: int

    @property
    def service_value_fen(self) -> int:
        """Voucher part and own part together."""
        return self.voucher_fen + self.own_fen


def earns_reward(kind: ChargeKind, *, affiliated: bool) -> bool:
    """Whether a charge may count for its provider's reward.

    A fee for what was not served is no service, and nobody is rewarded for serving themselves.

    Policy: J.30a, J.22b
    """
    return kind is ChargeKind.SERVICE and not affiliated


def require_credit_covered(charged: Charged, *, voucher_fen: int, own_fen: int) -> None:
    """Refuse a correction of nothing, or of more than stands charged in either part.

    Raises:
        CreditTooLarge: with each part that is too large.
    """
    reasons = Reasons()
    for part, left_fen, asked_fen in (
        ("voucher", charged.voucher_fen, voucher_fen),
        ("own", charged.own_fen, own_fen),
    ):
        if not 0 <= asked_fen <= left_fen:
            reasons.add(
                f"credit-{part}-part",
                f"{yuan(left_fen)} CNY of the {part} part stand charged.",
                limit=left_fen,
                asked=asked_fen,
            )
    if voucher_fen == own_fen == 0:
        reasons.add("credit-something", "A credit of nothing corrects nothing.", asked=0)
    reasons.raise_as(CreditTooLarge)
