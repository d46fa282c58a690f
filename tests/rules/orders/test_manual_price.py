"""Prices set by hand, as a table."""

import pytest

from marketplace.billing.pricing.rules.quoting import Counted, price_lines
from marketplace.billing.pricing.rules.states import CustomerClass, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked, Tariff, Tier, set_by_hand
from marketplace.orders.enquiry_errors import ApprovalByMaker, ManualPriceRefused
from marketplace.orders.rules.manual_price import (
    UnitPrice,
    require_manual_price,
    require_second_person,
)
from tests.rules.pricing.test_worked_tables import count, fen, rows

# 400 CNY by the list, 450 CNY by the cost sheet.
HOUR = UnitPrice("hour", 40_000, 45_000)
TABLE = [
    # amount, total, reason, purpose, rules that refuse it
    (30_000, 60_000, "长期客户", None, []),
    (1, 2, "合作研究", None, []),
    (45_000, 90_000, "单独准备", None, []),
    (45_001, 90_002, "单独准备", None, ["no-profit-price"]),
    (40_000, 80_000, "一样", None, ["manual-differs"]),
    (30_000, 60_000, " ", None, ["manual-reason"]),
    (0, 0, "赠送", None, ["manual-zero"]),
    (-1, -2, "赠送", None, ["manual-zero"]),
    # A fen an hour for ten minutes is nothing at all.
    (1, 0, "赠送", None, ["manual-zero"]),
    (30_000, 60_000, "救灾", "disaster-relief", ["manual-purpose"]),
    (50_000, 0, "", None, ["manual-reason", "manual-zero", "no-profit-price"]),
]


@pytest.mark.parametrize(("amount", "total", "reason", "purpose", "rules"), TABLE)
def test_a_price_by_hand_has_a_reason_is_no_gift_and_never_above_cost(
    amount, total, reason, purpose, rules
):
    def ask():
        require_manual_price(amount, of=HOUR, total_fen=total, reason=reason, purpose=purpose)

    if not rules:
        ask()
        return
    with pytest.raises(ManualPriceRefused) as refusal:
        ask()

    assert rules == [each.rule for each in refusal.value.reasons]


def test_a_list_set_by_the_state_above_cost_lets_nobody_else_pass_cost():
    dear = UnitPrice("sample", 20_000, 10_000)
    with pytest.raises(ManualPriceRefused):
        require_manual_price(15_000, of=dear, total_fen=15_000, reason="优惠", purpose=None)

    require_manual_price(10_000, of=dear, total_fen=10_000, reason="优惠", purpose=None)


def test_whoever_set_a_price_does_not_decide_on_it():
    require_second_person(made_by=1, decided_by=2)
    with pytest.raises(ApprovalByMaker):
        require_second_person(made_by=1, decided_by=1)


@pytest.mark.parametrize("row", rows("prices by hand"))
def test_what_is_agreed_is_quoted_and_settled_as_the_page_says(row):
    unit, amount_fen = Unit(row["unit"]), fen(row["agreed"])
    minutes = None if unit is Unit.HOUR else 30
    # Whatever else the list says is of no account.
    listed = PriceAsked(CustomerClass.SME, unit, 99_999, 88_888, minutes, tiers=(Tier(2, 77_777),))
    cost = UnitPrice(row["unit"], listed.amount_fen, fen(row["cost of the unit"]))
    require_manual_price(
        amount_fen, of=cost, total_fen=fen(row["total"]), reason="协议", purpose=None
    )

    for quantity, total in ((row["quoted"], row["total"]), (row["used"], row["settled"])):
        (line,) = price_lines(
            set_by_hand(listed, amount_fen),
            Counted(count(quantity)),
            tariff=Tariff(),
            price_list="price set by hand",
            purpose=None,
            free_purposes=(),
        )
        assert fen(total) == line.amount_fen
