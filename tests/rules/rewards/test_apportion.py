"""Who gets which fen: by largest remainder, none above its room, none lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.rewards.rules.apportion import Stake, apportion, stake, within_budget


def stakes(*weights_and_rooms):
    return [
        Stake(unit_id, weight, room_fen)
        for unit_id, (weight, room_fen) in enumerate(weights_and_rooms, 1)
    ]


@pytest.mark.parametrize(
    ("amount_fen", "given_stakes", "parts"),
    [
        # By weight.
        (100, stakes((1, 100), (3, 100)), {1: 25, 2: 75}),
        # The largest remainder gets the fen that is left over.
        (10, stakes((1, 100), (2, 100), (4, 100)), {1: 1, 2: 3, 3: 6}),
        # Equal remainders: the lower id.
        (1, stakes((5, 100), (5, 100)), {1: 1, 2: 0}),
        # The largest remainder has no room, so the next one gets the fen.
        (101, stakes((2000, 100), (19, 0), (19, 1)), {1: 100, 2: 0, 3: 1}),
        # Room for two of the fen left over, in a second round.
        (12, stakes((19, 1), (19, 1), (100, 10)), {1: 1, 2: 1, 3: 10}),
        # A unit without weight comes last, even in a later round.
        (12, stakes((19, 1), (19, 1), (100, 10), (0, 50)), {1: 1, 2: 1, 3: 10, 4: 0}),
        (13, stakes((19, 1), (19, 1), (100, 10), (0, 50)), {1: 1, 2: 1, 3: 10, 4: 1}),
        # Nothing to split.
        (0, stakes((0, 0), (7, 3)), {1: 0, 2: 0}),
        (0, [], {}),
    ],
)
def test_an_amount_is_split(amount_fen, given_stakes, parts):
    assert parts == apportion(amount_fen, given_stakes)


def test_an_amount_that_no_room_can_hold_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="rooms"):
        apportion(3, stakes((1, 1), (1, 1)))


@pytest.mark.parametrize(
    ("earned", "bound_fen", "paid_before_fen", "expected"),
    [
        (5_000_000, 500, 0, Stake(1, 5_000_000, 500)),
        (5_000_000, 500, 200, Stake(1, 3_000_000, 300)),
        (5_000_001, 600, 200, Stake(1, 3_000_001, 301)),  # A part of a fen may be rounded up.
        (5_009_999, 500, 0, Stake(1, 5_009_999, 500)),  # But not above the bound.
        (0, 600, 0, Stake(1, 0, 0)),  # Nothing earned: not even a fen that is left over.
        (5_000_000, 600, 700, Stake(1, 0, 0)),  # Overpaid by a correction: no stake, no debt.
    ],
)
def test_a_stake_is_what_was_earned_and_not_paid(earned, bound_fen, paid_before_fen, expected):
    found = stake(1, earned=earned, bound_fen=bound_fen, paid_before_fen=paid_before_fen)

    assert expected == found


@given(
    st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 10**9)), min_size=1, max_size=12),
    st.data(),
)
def test_parts_sum_to_the_amount_and_stay_within_their_rooms(pairs, data):
    given_stakes = stakes(*((weight, min(room_fen, 10**4)) for weight, room_fen in pairs))
    amount_fen = data.draw(st.integers(0, sum(each.room_fen for each in given_stakes)))

    parts = apportion(amount_fen, given_stakes)

    assert amount_fen == sum(parts.values())
    assert all(0 <= parts[each.unit_id] <= each.room_fen for each in given_stakes)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=10), st.integers(0, 10**9))
def test_with_room_for_all_nobody_is_a_fen_from_its_exact_part(weights, amount_fen):
    given_stakes = stakes(*((weight, amount_fen + 1) for weight in weights))

    parts = apportion(amount_fen, given_stakes)

    for each in given_stakes:
        assert abs(parts[each.unit_id] * sum(weights) - amount_fen * each.weight) < sum(weights)


@pytest.mark.parametrize(
    ("claims_fen", "budget_fen", "amounts_fen"),
    [
        ([100, 50], None, [100, 50]),
        ([100, 50], 150, [100, 50]),
        ([100, 50], 149, [99, 50]),
        ([100, 50], 0, [0, 0]),
        ([1, 1, 1], 2, [1, 1, 0]),
        ([0, 0], 10, [0, 0]),
    ],
)
def test_a_budget_reduces_every_claim_alike(claims_fen, budget_fen, amounts_fen):
    assert amounts_fen == within_budget(claims_fen, budget_fen)


@given(st.lists(st.integers(0, 10**9), max_size=12), st.integers(0, 10**9))
def test_a_budget_is_spent_to_the_fen_and_no_claim_grows(claims_fen, budget_fen):
    amounts_fen = within_budget(claims_fen, budget_fen)

    assert min(sum(claims_fen), budget_fen) == sum(amounts_fen)
    assert all(0 <= amount <= claim for amount, claim in zip(amounts_fen, claims_fen, strict=True))
