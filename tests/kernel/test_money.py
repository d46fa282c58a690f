"""Money: shares round as they say, splits lose no fen, yuan reads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.money import AMOUNT_FEN_MAX, parse_yuan, ratio, share, split, yuan

amounts = st.integers(0, AMOUNT_FEN_MAX)


@pytest.mark.parametrize(
    ("amount", "basis_points", "rounding", "expected"),
    [
        (10_000, 500, "down", 500),
        (19, 500, "down", 0),
        (30, 500, "half-up", 2),
        (29, 500, "half-up", 1),
        (0, 10_000, "down", 0),
        (1_000_000_000, 500, "down", 50_000_000),
    ],
)
def test_a_share_rounds_as_it_says(amount, basis_points, rounding, expected):
    assert share(amount, basis_points, rounding) == expected


@given(amounts, st.integers(0, 10_000))
def test_a_share_rounded_down_never_passes_the_exact_share(amount, basis_points):
    part = share(amount, basis_points, "down")

    assert part * 10_000 <= amount * basis_points < (part + 1) * 10_000


@given(amounts, st.lists(st.integers(0, 10**18), min_size=1, max_size=50).filter(any))
def test_a_split_loses_no_fen_and_stays_within_one_fen_of_its_weight(amount, weights):
    parts = split(amount, weights)

    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - amount * weight) < sum(weights)


def test_of_equal_remainders_the_earlier_is_served_first():
    assert split(2, [1, 1, 1]) == [1, 1, 0]


def test_nothing_can_be_split_by_weights_that_are_all_zero():
    with pytest.raises(ValueError, match="every weight is zero"):
        split(1, [0, 0])


def test_a_negative_amount_has_no_ratio():
    with pytest.raises(ValueError, match="not negative"):
        ratio(-1, 1, 2, "down")


@given(st.integers(-AMOUNT_FEN_MAX, AMOUNT_FEN_MAX))
def test_yuan_reads_back_to_the_fen(amount):
    assert parse_yuan(yuan(amount)) == amount


@pytest.mark.parametrize("text", ["", "1.234", "1e3", "NaN", "--1", "¥1", "1.2.3", "十"])
def test_what_is_not_an_amount_is_refused(text):
    with pytest.raises(ValueError, match="not an amount"):
        parse_yuan(text)
