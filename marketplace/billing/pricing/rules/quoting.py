"""What one service comes to: lines for the service, urgency, the minimum, extras, or why not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.billing.pricing.errors import ExtraNotPriced, UrgencyNotOffered
from marketplace.billing.pricing.rules.states import Unit
from marketplace.billing.pricing.rules.tariff import (
    MINUTES_PER_HOUR,
    PriceAsked,
    Tariff,
    pieces,
)
from marketplace.kernel.money import BASIS_POINTS, ratio, share, yuan

_COUNTED = {
    Unit.HOUR: "Machine time",
    Unit.DAY: "Days of machine time",
    Unit.SESSION: "Session",
    Unit.SAMPLE: "Samples",
    Unit.ELEMENT: "Elements",
    Unit.RUN: "Runs",
}


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line that a customer can check: quantity × unit price = amount, and where it says so.

    `quantity` counts minutes where the unit is the hour, and units otherwise.
    """

    kind: str
    text: str
    unit: str
    quantity: int
    unit_price_fen: int
    amount_fen: int
    source: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What is to be priced: minutes or units, from when on, and what else is wanted.

    `extras` are (code, quantity); an extra per hour is counted in minutes.
    """

    quantity: int
    starts_at: datetime | None = None
    urgent: bool = False
    extras: tuple[tuple[str, int], ...] = ()


def price_lines(
    price: PriceAsked,
    counted: Counted,
    *,
    tariff: Tariff,
    price_list: str,
    purpose: str | None,
    free_purposes: Collection[str],
) -> tuple[PriceLine, ...]:
    """The lines of a service; each is rounded once, half up, and the total is their sum.

    A public purpose is free of charge; the line then says what it would have come to.

    Raises:
        UrgencyNotOffered: when it is to be urgent and the list has no price for that.
        ExtraNotPriced: with every extra that the list does not have.

    Policy: N.25a, J.21d
    """
    lines = [
        *_service(price, counted, tariff, price_list),
        *_extras(counted.extras, tariff, price_list),
    ]
    if purpose is None or purpose not in free_purposes:
        return tuple(lines)
    worth_fen = sum(line.amount_fen for line in lines)
    text = f"Free of charge for {purpose}; otherwise {yuan(worth_fen)} CNY"
    unit = price.unit.value
    return (PriceLine("free_purpose", text, unit, counted.quantity, price.amount_fen, 0, "N.25a"),)


def _service(
    price: PriceAsked, counted: Counted, tariff: Tariff, price_list: str
) -> list[PriceLine]:
    per_units = MINUTES_PER_HOUR if price.unit is Unit.HOUR else 1
    found = pieces(price, counted.quantity, hours=tariff.hours, starts_at=counted.starts_at)
    lines = [
        PriceLine(
            kind="service",
            text=f"{_COUNTED[price.unit]}, {one.name}" if one.name else _COUNTED[price.unit],
            unit=price.unit.value,
            quantity=one.quantity,
            unit_price_fen=one.amount_fen,
            amount_fen=ratio(one.amount_fen, one.quantity, per_units, "half-up"),
            source=price_list,
        )
        for one in found
    ] or [
        PriceLine(
            "service", _COUNTED[price.unit], price.unit.value, 0, price.amount_fen, 0, price_list
        )
    ]
    service_fen = sum(line.amount_fen for line in lines)
    if counted.urgent:
        lines.append(_urgency(service_fen, tariff, price_list))
    missing_fen = price.minimum_fen - sum(line.amount_fen for line in lines)
    if missing_fen > 0:
        text = f"Up to the minimum charge of {yuan(price.minimum_fen)} CNY"
        lines.append(PriceLine("minimum", text, "charge", 1, missing_fen, missing_fen, price_list))
    return lines


def _urgency(service_fen: int, tariff: Tariff, price_list: str) -> PriceLine:
    points = tariff.urgent_basis_points
    if points is None:
        raise UrgencyNotOffered("Ask for it at the usual pace.", source="J.15")
    amount_fen = share(service_fen, points, "half-up")
    percent = f"{points * 100 / BASIS_POINTS:g}"
    return PriceLine(
        "urgent",
        f"Urgent: {percent} % on the service",
        "charge",
        1,
        amount_fen,
        amount_fen,
        price_list,
    )


def _extras(asked: Sequence[tuple[str, int]], tariff: Tariff, price_list: str) -> list[PriceLine]:
    unknown = [code for code, _ in asked if tariff.extra_of(code) is None]
    if unknown:
        raise ExtraNotPriced(
            f"The price list has no {', '.join(unknown)}.",
            alternatives=[{"code": one.code, "name": one.name} for one in tariff.extras],
        )
    lines = []
    for code, quantity in asked:
        one = tariff.extra_of(code)
        assert one is not None
        per_units = MINUTES_PER_HOUR if one.unit == Unit.HOUR else 1
        amount_fen = ratio(one.amount_fen, quantity, per_units, "half-up")
        lines.append(
            PriceLine(
                one.kind.value,
                one.name,
                one.unit,
                quantity,
                one.amount_fen,
                amount_fen,
                price_list,
            )
        )
    return lines
