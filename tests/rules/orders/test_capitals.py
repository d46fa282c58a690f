"""Amounts in capital characters, and numbers as articles count."""

import pytest

from marketplace.orders.rules.capitals import capital_yuan, ordinal


@pytest.mark.parametrize(
    ("amount_fen", "written"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (80_000, "捌佰元整"),
        (80_005, "捌佰元零伍分"),
        (80_050, "捌佰元伍角整"),
        (123_456, "壹仟贰佰叁拾肆元伍角陆分"),
        (100_100, "壹仟零壹元整"),
        (1_001_000, "壹万零壹拾元整"),
        (10_000_000, "壹拾万元整"),
        (20_300_000, "贰拾万叁仟元整"),
        (1_000_000_000_000, "壹佰亿元整"),
        (10_000_000_100, "壹亿零壹元整"),
        (10_050_000_000, "壹亿零伍拾万元整"),
        (100_000_000_000_001, "壹万亿元零壹分"),
    ],
)
def test_an_amount_is_written_as_a_bank_would(amount_fen: int, written: str):
    assert written == capital_yuan(amount_fen)


def test_no_amount_of_a_contract_is_below_zero():
    with pytest.raises(ValueError, match="below zero"):
        capital_yuan(-1)


def test_articles_count_in_characters():
    assert ["一", "九", "十", "十二", "二十", "三十一"] == [
        ordinal(number) for number in (1, 9, 10, 12, 20, 31)
    ]
