"""Sums that are certain: one choice, nothing wanted twice, and no chance."""

from datetime import date, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.reconciliation.rules.sums import (
    POOL_MAX,
    TOGETHER_MAX,
    Amount,
    Sum,
    certain_sums,
)

DAY = date(2025, 3, 3)


def amounts(*fen: int, first: int = 1, on: date = DAY, days: int = 0) -> list[Amount]:
    return [
        Amount(first + place, each, on, on + timedelta(days=days)) for place, each in enumerate(fen)
    ]


PAYMENTS = amounts(123_457, 234_571, 345_689, days=10)


def test_a_line_is_the_payments_that_come_to_it() -> None:
    (line,) = amounts(123_457 + 345_689, first=50)
    assert certain_sums([line], PAYMENTS) == [Sum(50, (3, 1))]


def test_what_one_part_alone_comes_to_is_no_sum_and_keeps_the_part_from_others() -> None:
    lines = amounts(123_457, 123_457 + 234_571, first=50)
    assert certain_sums(lines, PAYMENTS) == []
    assert certain_sums(lines[1:], PAYMENTS) == [Sum(51, (2, 1))]


def test_two_choices_make_nothing_certain() -> None:
    twins = [*PAYMENTS, *amounts(123_457, first=9, days=10)]
    assert certain_sums(amounts(123_457 + 234_571, first=50), twins) == []


def test_round_amounts_come_to_a_sum_by_chance() -> None:
    round_ones = amounts(100_000, 250_000, 300_000, days=10)
    assert certain_sums(amounts(350_000, first=50), round_ones) == []


def test_what_was_sent_later_or_long_ago_is_no_part() -> None:
    for on in (DAY - timedelta(days=1), DAY + timedelta(days=11)):
        assert certain_sums(amounts(123_457 + 234_571, first=50, on=on), PAYMENTS) == []


def test_more_amounts_than_anybody_can_try_are_left() -> None:
    many = amounts(*(10**9 + 7 * each for each in range(POOL_MAX + 1)), days=10)
    assert certain_sums(amounts(2 * 10**9 + 7, first=50), many) == []


@given(
    st.lists(st.integers(1, 10**8), min_size=2, max_size=6),
    st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=3),
    st.lists(st.integers(1, 3 * 10**8), max_size=2),
)
def test_what_is_certain_comes_to_it_and_nothing_else_does(
    given_fen: list[int], chosen: list[list[int]], foreign: list[int]
) -> None:
    parts = amounts(*given_fen, days=10)
    sums = [sum(given_fen[one % len(given_fen)] for one in set(each)) for each in chosen]
    wholes = amounts(*(fen for fen in [*sums, *foreign] if fen), first=100)
    found = certain_sums(wholes, parts)

    fen = {each.id: each.amount_fen for each in [*parts, *wholes]}
    used = [part for each in found for part in each.part_ids]
    assert len(used) == len(set(used))
    for each in found:
        assert 2 <= len(each.part_ids) <= TOGETHER_MAX
        choices = [
            choice
            for size in range(1, TOGETHER_MAX + 1)
            for choice in combinations(sorted(one.id for one in parts), size)
            if sum(fen[one] for one in choice) == fen[each.whole_id]
        ]
        assert choices == [tuple(sorted(each.part_ids))]
