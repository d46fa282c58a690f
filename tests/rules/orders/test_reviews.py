"""The national five-step scale: what it comes to, and how a buyer is named."""

from decimal import Decimal

import pytest

from marketplace.orders.rules.reviews import LABELS, Step, masked, mean_of


def test_the_five_steps_are_those_of_the_national_scale():
    named = [LABELS[step][0] for step in sorted(Step, reverse=True)]

    assert ["非常满意", "基本满意", "一般", "不满意", "极差"] == named


@pytest.mark.parametrize(
    ("counts", "mean"),
    [
        ({}, None),
        ({5: 1}, "5.0"),
        ({5: 2, 4: 1}, "4.7"),
        ({4: 3, 5: 1}, "4.3"),
        ({1: 19, 2: 1}, "1.1"),
        (dict.fromkeys(Step, 1), "3.0"),
    ],
)
def test_the_mean_has_one_decimal_and_halves_go_up(counts: dict[int, int], mean: str | None):
    found = mean_of({Step(step): count for step, count in counts.items()})

    assert (None if mean is None else Decimal(mean)) == found
    assert found is None or str(found) == mean


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("苏州微芯科技有限公司", "苏***司"),
        ("微芯", "微***"),
        ("无锡演示科技有限公司（1）", "无***司"),
        ("（筹）", "（***"),
        ("甲", "甲***"),
        (" Acme Ltd ", "A***d"),
    ],
)
def test_a_buyer_is_shown_by_its_first_and_last_character(name: str, shown: str):
    assert shown == masked(name)
