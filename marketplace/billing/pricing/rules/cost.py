"""What an hour and a sample cost the unit, and that nobody is asked for more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from marketplace.billing.pricing.errors import CostNotAllowed, ListedTwice, PricesAboveCost
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass, Unit
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import ratio, yuan

MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class PriceAsked:
    """One line of a price list: what a class of customers pays for a unit.

    `minutes_per_sample` is the planned time of one sample; a price per hour has none.
    """

    customer_class: CustomerClass
    unit: Unit
    amount_fen: int
    minimum_fen: int = 0
    minutes_per_sample: int | None = None

    @property
    def minutes(self) -> int:
        """Minutes of the instrument that one unit takes."""
        return MINUTES_PER_HOUR if self.unit is Unit.HOUR else (self.minutes_per_sample or 0)


def unit_cost(*, total_fen: int, planned_minutes: int, minutes: int = MINUTES_PER_HOUR) -> int:
    """What `minutes` of an instrument cost, in fen: by default an hour.

    Policy: J.21a, N.25c
    """
    # Rounds down, and once, from the total: a ceiling met by rounding up is a ceiling passed.
    return ratio(total_fen, minutes, planned_minutes, "down")


def require_cost_allowed(components: Mapping[CostKind, int], *, depreciation_allowed: bool) -> None:
    """Refuse what prices may not recover: the purchase of an instrument bought with public money.

    Raises:
        CostNotAllowed: when there is depreciation and the rulebook does not allow it.

    Policy: J.21a
    """
    reasons = Reasons()
    depreciation_fen = components.get(CostKind.DEPRECIATION, 0)
    if depreciation_fen and not depreciation_allowed:
        reasons.add(
            "depreciation-allowed",
            "Prices recover what running the instrument costs, not its purchase.",
            limit=0,
            asked=depreciation_fen,
            source="J.21a",
        )
    reasons.raise_as(CostNotAllowed)


def require_listed_once(keys: Iterable[tuple[str, ...]]) -> None:
    """Refuse a component, or a class and unit, that stands twice.

    Raises:
        ListedTwice: with each of them.
    """
    seen: set[tuple[str, ...]] = set()
    reasons = Reasons()
    for key in keys:
        if key in seen:
            reasons.add("listed-once", f"{' per '.join(key)} stands twice.", asked=list(key))
        seen.add(key)
    reasons.raise_as(ListedTwice)


def require_no_profit(
    prices: Sequence[PriceAsked], *, total_fen: int, planned_minutes: int
) -> None:
    """Refuse prices above the cost of the service, all offending ones at once.

    A minimum charge is bound by the cost of one unit: less is never sold.

    Raises:
        PricesAboveCost: with each price and minimum that is too high.

    Policy: J.21a, N.25c
    """
    reasons = Reasons()
    for price in prices:
        ceiling_fen = unit_cost(
            total_fen=total_fen, planned_minutes=planned_minutes, minutes=price.minutes
        )
        for what, asked_fen in (("price", price.amount_fen), ("minimum", price.minimum_fen)):
            if asked_fen > ceiling_fen:
                reasons.add(
                    f"no-profit-{what}",
                    f"The {what} of {yuan(asked_fen)} CNY per {price.unit} for {_spoken(price)}"
                    f" is above the cost of {yuan(ceiling_fen)} CNY.",
                    limit=ceiling_fen,
                    asked=asked_fen,
                    source="J.21a, N.25c",
                )
    reasons.raise_as(PricesAboveCost)


def _spoken(price: PriceAsked) -> str:
    return price.customer_class.value.replace("_", " ")
