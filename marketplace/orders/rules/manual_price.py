"""A price per unit that a provider sets by hand: with a reason, never above cost, never a gift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan
from marketplace.orders.enquiry_errors import ApprovalByMaker, ManualPriceRefused


@dataclass(frozen=True, slots=True)
class Offered:
    """What a provider's offer says beside the service: for whom, until when, and at which price.

    A price set by hand is per unit and takes the place of the list's for that unit.
    """

    buyer_id: int
    agent_id: int | None
    valid_until: datetime
    manual_unit: str | None = None
    manual_unit_fen: int | None = None

    @property
    def by_hand(self) -> dict[str, Any]:
        """What the question to the price list says beside the service."""
        if self.manual_unit is None:
            return {}
        return {"unit": self.manual_unit, "manual_fen": self.manual_unit_fen}

    def frozen(self, longest: datetime) -> dict[str, Any]:
        """What its quote says beside the service; no quote holds longer than its terms let it."""
        return {
            "agent_id": self.agent_id,
            "valid_until": min(longest, self.valid_until),
            "manual_unit": self.manual_unit,
            "manual_unit_fen": self.manual_unit_fen,
        }


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What the list says of a unit, and what the unit costs the provider, rounded down."""

    unit: str
    list_fen: int
    cost_fen: int


def require_manual_price(
    amount_fen: int, *, of: UnitPrice, total_fen: int, reason: str, purpose: str | None
) -> None:
    """Refuse a price by hand that no rule allows.

    Below the list is the provider's to give, above it too as long as cost is not passed. Nothing
    but the public purposes is free of charge, and those have no price to set.
    Policy: J.21a, N.25a, N.25c

    Raises:
        ManualPriceRefused: with every reason.
    """
    reasons = Reasons()
    if not reason.strip():
        reasons.add("manual-reason", "Say why this buyer is to pay another price than the list's.")
    if purpose is not None:
        reasons.add(
            "manual-purpose",
            "A public purpose is free of charge by the list itself; set no price.",
            asked=purpose,
            source="N.25a",
        )
    elif amount_fen <= 0 or total_fen <= 0:
        reasons.add(
            "manual-zero",
            "Only the public purposes are free of charge.",
            limit=1,
            asked=min(amount_fen, total_fen),
            source="N.25a",
        )
    if amount_fen > of.cost_fen:
        reasons.add(
            "no-profit-price",
            f"{yuan(amount_fen)} CNY per {of.unit} is above the cost of {yuan(of.cost_fen)} CNY.",
            limit=of.cost_fen,
            asked=amount_fen,
            source="J.21a, N.25c",
        )
    if amount_fen == of.list_fen:
        reasons.add(
            "manual-differs",
            "This is the list's own price; offer it without setting one.",
            limit=of.list_fen,
            asked=amount_fen,
        )
    reasons.raise_as(ManualPriceRefused)


def require_second_person(*, made_by: int, decided_by: int) -> None:
    """Whoever set a price does not decide on it.

    Raises:
        ApprovalByMaker: when they do.
    """
    if made_by == decided_by:
        raise ApprovalByMaker("Ask another manager of the provider to look at the price.")
