"""Two versions of an instrument's prices, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.billing.pricing.errors import PriceListMissing
from marketplace.billing.pricing.queries.filed import PriceList, price_list_by_id
from marketplace.billing.pricing.rules.compare import Difference, Terms, differences
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Versions:
    """Which two price lists to compare; both are of one instrument."""

    before_id: int
    after_id: int


async def compare_price_lists(tx: Tx, versions: Versions) -> list[Difference]:
    """What changes from the one to the other; public like the lists themselves.

    Raises:
        PriceListMissing: when there is none, or they are of two instruments.
    """
    before = await price_list_by_id(tx, versions.before_id)
    after = await price_list_by_id(tx, versions.after_id)
    if before.instrument_id != after.instrument_id:
        raise PriceListMissing("Compare two versions of one instrument's prices.")
    await catalogue.instrument(tx, before.instrument_id)
    return differences(_terms(before), _terms(after))


def _terms(filed: PriceList) -> Terms:
    """A price list as a flat table of names and figures."""
    terms: dict[str, int | str | None] = {
        "urgent_basis_points": filed.urgent_basis_points,
        "carried_surplus_fen": filed.carried_surplus_fen,
        "unit_cost_fen": filed.ceiling.for_minutes(60),
        "state_source": filed.state_source,
    }
    for price in filed.prices:
        name = f"price {price.customer_class} per {price.unit}"
        terms[name] = price.amount_fen
        terms[f"{name}, minimum"] = price.minimum_fen
        terms[f"{name}, minutes"] = price.minutes_per_unit
        terms |= {f"{name}, from {tier.from_quantity}": tier.amount_fen for tier in price.tiers}
    for one in filed.hours:
        name = f"hours {one.weekday} {one.opens_minute:04d}-{one.closes_minute:04d} {one.name}"
        terms[name] = one.factor_basis_points
    for extra in filed.extras:
        terms[f"extra {extra.code} per {extra.unit}"] = extra.amount_fen
    return terms
