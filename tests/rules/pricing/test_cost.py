"""No price above cost: the ceiling is rounded down, and every offending price is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.pricing.errors import (
    CostNotAllowed,
    ListedTwice,
    PricesAboveCost,
    TiersUnclear,
)
from marketplace.billing.pricing.rules.cost import (
    Ceiling,
    require_clear_tiers,
    require_cost_allowed,
    require_listed_once,
    require_no_profit,
    unit_cost,
)
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass, ExtraKind, Unit
from marketplace.billing.pricing.rules.tariff import ExtraPrice, PriceAsked, Tariff, Tier

HOUR = Unit.HOUR
SAMPLE = Unit.SAMPLE


def a_price(amount_fen, *, unit=HOUR, minimum_fen=0, minutes=None, who=CustomerClass.SME):
    return PriceAsked(who, unit, amount_fen, minimum_fen, minutes)


@pytest.mark.parametrize(
    ("total_fen", "planned_minutes", "minutes", "cost_fen"),
    [
        (140_000_00, 1400 * 60, 60, 100_00),
        (100, 180, 60, 33),
        (100, 180, 120, 66),  # From the total, not twice 33.
        (200, 180, 60, 66),
        (0, 60, 60, 0),
    ],
)
def test_a_unit_cost_is_taken_from_the_total_and_rounded_down(
    total_fen, planned_minutes, minutes, cost_fen
):
    found = unit_cost(total_fen=total_fen, planned_minutes=planned_minutes, minutes=minutes)

    assert cost_fen == found


@pytest.mark.parametrize(
    "price",
    [a_price(33), a_price(0, minimum_fen=33), a_price(66, unit=SAMPLE, minutes=120)],
    ids=["hour", "minimum", "sample"],
)
def test_a_price_may_be_exactly_the_cost(price):
    require_no_profit([price], tariff=Tariff(), ceiling=Ceiling(100, 180))


@pytest.mark.parametrize(
    ("price", "limit"),
    [
        (a_price(34), 33),
        (a_price(0, minimum_fen=34), 33),
        (a_price(67, unit=SAMPLE, minutes=120), 66),
    ],
    ids=["hour", "minimum", "sample"],
)
def test_a_price_one_fen_above_cost_is_refused(price, limit):
    with pytest.raises(PricesAboveCost) as refusal:
        require_no_profit([price], tariff=Tariff(), ceiling=Ceiling(100, 180))

    (reason,) = refusal.value.reasons
    assert (limit, limit + 1, "J.21a, N.25c") == (reason.limit, reason.asked, reason.source)


def test_every_price_above_cost_is_named_at_once():
    prices = [
        a_price(34),
        a_price(33, who=CustomerClass.ACADEMIC),
        a_price(40, minimum_fen=50, who=CustomerClass.ENTERPRISE),
    ]

    with pytest.raises(PricesAboveCost) as refusal:
        require_no_profit(prices, tariff=Tariff(), ceiling=Ceiling(100, 180))

    assert [34, 40, 50] == [reason.asked for reason in refusal.value.reasons]


@given(
    total_fen=st.integers(0, 10**12),
    planned_minutes=st.integers(1, 527_040),
    minutes=st.integers(1, 527_040),
)
def test_a_year_sold_at_the_highest_price_never_brings_more_than_it_costs(
    total_fen, planned_minutes, minutes
):
    highest_fen = unit_cost(total_fen=total_fen, planned_minutes=planned_minutes, minutes=minutes)

    assert highest_fen * planned_minutes <= total_fen * minutes
    assert (highest_fen + 1) * planned_minutes > total_fen * minutes


def test_help_and_material_cost_no_more_than_they_cost_the_unit():
    extras = (
        ExtraPrice("operator", ExtraKind.STAFF_HELP, "操作员", "hour", 80_01, 80_00),
        ExtraPrice("holder", ExtraKind.CONSUMABLE, "样品台", "piece", 12_50, 12_50),
    )

    with pytest.raises(PricesAboveCost) as refusal:
        require_no_profit([], tariff=Tariff(extras=extras), ceiling=Ceiling(100, 180))

    (reason,) = refusal.value.reasons
    assert ("no-profit-extra", 80_00, 80_01) == (reason.rule, reason.limit, reason.asked)


def test_tiers_come_in_order_and_are_discounts():
    price = PriceAsked(CustomerClass.SME, HOUR, 100, tiers=(Tier(5, 90), Tier(5, 80), Tier(9, 95)))

    with pytest.raises(TiersUnclear) as refusal:
        require_clear_tiers([price])

    assert ["tier-order", "tier-discount"] == [reason.rule for reason in refusal.value.reasons]


@pytest.mark.parametrize(
    ("funds", "allowed"), [("central", False), ("local", False), ("own", True), ("other", True)]
)
def test_depreciation_is_recovered_for_the_funds_that_the_rulebook_names(funds, allowed):
    costs = {CostKind.LABOUR: 100, CostKind.DEPRECIATION: 1}

    if allowed:
        require_cost_allowed(costs, funds=funds, depreciation_funds=("own", "other"))
    else:
        with pytest.raises(CostNotAllowed):
            require_cost_allowed(costs, funds=funds, depreciation_funds=("own", "other"))


def test_depreciation_of_nothing_is_no_depreciation():
    require_cost_allowed({CostKind.DEPRECIATION: 0}, funds="central", depreciation_funds=())


def test_a_line_that_stands_twice_is_named():
    with pytest.raises(ListedTwice) as refusal:
        require_listed_once([("sme", "hour"), ("sme", "sample"), ("sme", "hour")])

    assert [["sme", "hour"]] == [reason.asked for reason in refusal.value.reasons]
