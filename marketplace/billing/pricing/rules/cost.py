"""What an hour and a sample cost the unit, and that nobody is asked for more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from marketplace.billing.pricing.errors import (
    CostNotAllowed,
    ListedTwice,
    PricesAboveCost,
    TiersUnclear,
)
from marketplace.billing.pricing.rules.states import CostKind, ExtraKind, Unit
from marketplace.billing.pricing.rules.tariff import (
    MINUTES_PER_HOUR,
    PriceAsked,
    Tariff,
    hour_price,
)
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import BASIS_POINTS, ratio, yuan


@dataclass(frozen=True, slots=True)
class CostItemAsked:
    """What one unit of help or material costs; `unit` `hour` is counted in minutes."""

    code: str
    kind: ExtraKind
    name: str
    unit: str
    cost_fen: int


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What the unit may recover in a year, over the minutes that are planned.

    `carried_fen` is what customers paid above cost in an earlier year: it comes off the ceiling.
    """

    total_fen: int
    planned_minutes: int
    carried_fen: int = 0

    def for_minutes(self, minutes: int) -> int:
        """The most that `minutes` of the instrument may cost, in fen, rounded down."""
        left_fen = max(0, self.total_fen - self.carried_fen)
        return unit_cost(total_fen=left_fen, planned_minutes=self.planned_minutes, minutes=minutes)


def unit_cost(*, total_fen: int, planned_minutes: int, minutes: int = MINUTES_PER_HOUR) -> int:
    """What `minutes` of an instrument cost, in fen: by default an hour.

    Policy: J.21a, N.25c
    """
    # Rounds down, and once, from the total: a ceiling met by rounding up is a ceiling passed.
    return ratio(total_fen, minutes, planned_minutes, "down")


def require_cost_allowed(
    components: Mapping[CostKind, int], *, funds: str, depreciation_funds: Collection[str]
) -> None:
    """Refuse what prices may not recover: the purchase of an instrument bought with public money.

    `depreciation_funds` are the sources of money whose purchases prices may recover.

    Raises:
        CostNotAllowed: when there is depreciation and the instrument's funds do not allow it.

    Policy: J.21a
    """
    reasons = Reasons()
    depreciation_fen = components.get(CostKind.DEPRECIATION, 0)
    if depreciation_fen and funds not in depreciation_funds:
        allowed = ", ".join(sorted(depreciation_funds)) or "none"
        reasons.add(
            "depreciation-funds",
            "Prices recover what running the instrument costs, not its purchase with"
            f" {funds} funds (allowed for: {allowed}).",
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


def require_clear_tiers(prices: Sequence[PriceAsked]) -> None:
    """Refuse tiers out of order, or dearer than what comes before: a tier is a discount.

    Raises:
        TiersUnclear: with every one of them.
    """
    reasons = Reasons()
    for price in prices:
        from_quantity, amount_fen = 1, price.amount_fen
        for tier in price.tiers:
            if tier.from_quantity <= from_quantity:
                reasons.add(
                    "tier-order",
                    f"A tier of the price per {price.unit} for {_spoken(price)} begins after the"
                    f" one before it, which begins at {from_quantity}.",
                    limit=from_quantity + 1,
                    asked=tier.from_quantity,
                )
            if tier.amount_fen > amount_fen:
                reasons.add(
                    "tier-discount",
                    f"From {tier.from_quantity} on, a {price.unit} for {_spoken(price)} costs no"
                    f" more than the {yuan(amount_fen)} CNY before.",
                    limit=amount_fen,
                    asked=tier.amount_fen,
                )
            from_quantity, amount_fen = tier.from_quantity, tier.amount_fen
    reasons.raise_as(TiersUnclear)


def require_no_profit(prices: Sequence[PriceAsked], *, tariff: Tariff, ceiling: Ceiling) -> None:
    """Refuse prices above the cost of the service, all offending ones at once.

    The dearest hour counts, and urgency comes on top: no way of buying is above cost. A minimum
    charge is bound by the cost of one unit: less is never sold. Help and material are bound by
    what they cost.

    Raises:
        PricesAboveCost: with each price, minimum and extra that is too high.

    Policy: J.21a, N.25c
    """
    reasons = Reasons()
    for price in prices:
        ceiling_fen = ceiling.for_minutes(price.minutes)
        dearest_fen = dearest(price, tariff)
        for what, asked_fen in (("price", dearest_fen), ("minimum", price.minimum_fen)):
            if asked_fen > ceiling_fen:
                reasons.add(
                    f"no-profit-{what}",
                    f"The {what} of {yuan(asked_fen)} CNY per {price.unit} for {_spoken(price)}"
                    f" is above the cost of {yuan(ceiling_fen)} CNY{_beyond(price, dearest_fen)}.",
                    limit=ceiling_fen,
                    asked=asked_fen,
                    source="J.21a, N.25c",
                )
    for extra in tariff.extras:
        if extra.amount_fen > extra.cost_fen:
            reasons.add(
                "no-profit-extra",
                f"{extra.name} at {yuan(extra.amount_fen)} CNY per {extra.unit} is above its cost"
                f" of {yuan(extra.cost_fen)} CNY.",
                limit=extra.cost_fen,
                asked=extra.amount_fen,
                source="J.21a, N.25c",
            )
    reasons.raise_as(PricesAboveCost)


def dearest(price: PriceAsked, tariff: Tariff) -> int:
    """The most that one unit can cost under the list: in its dearest hour, and urgent."""
    amount_fen = price.amount_fen
    if price.unit is Unit.HOUR:
        amount_fen = hour_price(amount_fen, tariff.highest_factor)
    urgent = BASIS_POINTS + (tariff.urgent_basis_points or 0)
    # Up, because each service is rounded half up: what is compared is never less than is charged.
    return -(-amount_fen * urgent // BASIS_POINTS)


def _beyond(price: PriceAsked, dearest_fen: int) -> str:
    return "" if dearest_fen == price.amount_fen else " (in the dearest hour, urgent)"


def _spoken(price: PriceAsked) -> str:
    return price.customer_class.value.replace("_", " ")
