"""Policy: J.22a. Freed money goes to who waits longest, and nobody is passed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.vouchers.rules.beneficiaries import Facts
from marketplace.vouchers.rules.limits import Preference
from marketplace.vouchers.rules.waiting import InLine, next_in_line, waiting_rank


def test_the_first_in_line_comes_first_and_the_others_while_the_budget_lasts():
    line = [InLine(1, {10: 400}), InLine(2, {10: 300}), InLine(3, {10: 400})]

    assert [1, 2] == next_in_line(line, {10: 1_000})
    assert [] == next_in_line(line, {10: 399})


def test_a_smaller_application_does_not_pass_a_larger_one_on_the_same_layer():
    assert [] == next_in_line([InLine(1, {10: 500}), InLine(2, {10: 100})], {10: 200})


def test_an_application_on_other_layers_need_not_wait_for_it():
    line = [InLine(1, {10: 100, 20: 500}), InLine(2, {10: 100, 30: 100})]

    assert [2] == next_in_line(line, {10: 200, 20: 0, 30: 100})
    assert [] == next_in_line(line, {10: 199, 20: 0, 30: 100})


def test_who_no_layer_would_pay_waits():
    assert [] == next_in_line([InLine(1, {})], {10: 100})


@given(
    line=st.lists(st.dictionaries(st.integers(1, 3), st.integers(1, 50), min_size=1), max_size=8),
    room=st.dictionaries(st.integers(1, 3), st.integers(0, 200)),
)
def test_turns_never_pass_a_budget_nor_anybody_before_them(line, room):
    waiting = [InLine(number, parts) for number, parts in enumerate(line)]
    turns = next_in_line(waiting, room)

    for layer in (1, 2, 3):
        taken = sum(waiting[each].parts_fen.get(layer, 0) for each in turns)
        assert taken <= room.get(layer, 0)
    for number in turns:
        before = waiting[: number + 1]
        for layer in waiting[number].parts_fen:
            assert sum(each.parts_fen.get(layer, 0) for each in before) <= room.get(layer, 0)


YOUNG_FIRST = (
    Preference(founded_from=date(2019, 1, 1), certificates=frozenset({"high-tech"})),
    Preference(founded_from=date(2019, 1, 1)),
)


@pytest.mark.parametrize(
    ("facts", "rank"),
    [
        (Facts(founded_on=date(2019, 1, 1), certificates={"high-tech": None}), 0),
        (Facts(founded_on=date(2019, 1, 1)), 1),
        (Facts(founded_on=date(2018, 12, 31), certificates={"high-tech": None}), 2),
        (Facts(), 2),
    ],
)
def test_who_meets_an_earlier_preference_comes_first_and_who_meets_none_last(facts, rank):
    assert waiting_rank(facts, YOUNG_FIRST) == rank
    assert waiting_rank(facts, ()) == 0
