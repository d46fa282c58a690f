"""What one service comes to: a line for the service, one for the minimum, one for why not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from marketplace.billing.pricing.rules.cost import MINUTES_PER_HOUR, PriceAsked
from marketplace.billing.pricing.rules.states import Unit
from marketplace.kernel.money import ratio, yuan


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line that a customer can check: quantity × unit price = amount, and where it says so.

    `quantity` counts minutes for machine time and samples for samples; `unit_price_fen` is per
    hour or per sample.
    """

    kind: str
    text: str
    unit: str
    quantity: int
    unit_price_fen: int
    amount_fen: int
    source: str


def price_lines(
    price: PriceAsked,
    *,
    quantity: int,
    price_list: str,
    purpose: str | None,
    free_purposes: Collection[str],
) -> tuple[PriceLine, ...]:
    """The lines of `quantity` minutes or samples at `price`; each is rounded once, half up.

    A public purpose is free of charge; the line then says what it would have come to.

    Policy: N.25a, J.21d
    """
    per_units = MINUTES_PER_HOUR if price.unit is Unit.HOUR else 1
    amount_fen = ratio(price.amount_fen, quantity, per_units, "half-up")
    if purpose is not None and purpose in free_purposes:
        worth_fen = max(amount_fen, price.minimum_fen)
        text = f"Free of charge for {purpose}; otherwise {yuan(worth_fen)} CNY"
        return (_line("free_purpose", text, price, quantity, 0, "N.25a"),)
    text = "Machine time" if price.unit is Unit.HOUR else "Samples"
    lines = [_line("service", text, price, quantity, amount_fen, price_list)]
    missing_fen = price.minimum_fen - amount_fen
    if missing_fen > 0:
        text = f"Up to the minimum charge of {yuan(price.minimum_fen)} CNY"
        lines.append(PriceLine("minimum", text, "charge", 1, missing_fen, missing_fen, price_list))
    return tuple(lines)


def _line(
    kind: str, text: str, price: PriceAsked, quantity: int, amount_fen: int, source: str
) -> PriceLine:
    return PriceLine(
        kind=kind,
        text=text,
        unit=price.unit.value,
        quantity=quantity,
        unit_price_fen=price.amount_fen,
        amount_fen=amount_fen,
        source=source,
    )
