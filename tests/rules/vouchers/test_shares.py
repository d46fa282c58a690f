"""Policy: J.22b. What a voucher pays of a service, layer by layer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.vouchers.rules.shares import (
    LayerRoom,
    grant_parts,
    voucher_shares,
    weighted_value,
)
from marketplace.vouchers.rules.terms import Step
from tests.rules.vouchers.terms import terms

PLENTY = 10**12
FULL = (Step(None, 10_000),)
# Yuhuan 2023: everything up to 10,000 CNY, half above.
YUHUAN = (Step(1_000_000, 10_000), Step(None, 5_000))
# Hunan 2018: the ratio up to 50,000 CNY, half of it above.
HUNAN = (Step(5_000_000, 10_000), Step(None, 5_000))


def rooms(*ratios: int, left: int = PLENTY) -> list[LayerRoom]:
    funders = ("province", "city", "zone")
    return [LayerRoom(index + 1, funders[index], ratio, left) for index, ratio in enumerate(ratios)]


@pytest.mark.parametrize(
    ("value_fen", "ratios", "steps", "expected"),
    [
        # Jiangsu 2020: 25 % of the province, 25 % of the city, at order payment.
        (100_000, (2_500, 2_500), FULL, [25_000, 25_000]),
        # Half a fen is nobody's: 25 % of 1.01 CNY is 25 fen from each.
        (101, (2_500, 2_500), FULL, [25, 25]),
        (3, (2_500, 2_500), FULL, [0, 0]),
        (0, (2_500, 2_500), FULL, [0, 0]),
        # Yuhuan: 12,000 CNY is 10,000 + half of 2,000.
        (1_200_000, (10_000,), YUHUAN, [1_100_000]),
        (1_000_000, (10_000,), YUHUAN, [1_000_000]),
        # Hunan 2018: 60,000 CNY is 30 % of 50,000 and 15 % of 10,000.
        (6_000_000, (3_000,), HUNAN, [1_650_000]),
        (5_000_000, (3_000,), HUNAN, [1_500_000]),
        (5_000_001, (3_000,), HUNAN, [1_500_000]),
        # A last step with an end: what lies above it is not paid for.
        (9_000_000, (5_000,), (Step(5_000_000, 10_000),), [2_500_000]),
    ],
)
def test_each_layer_pays_its_ratio_step_by_step(value_fen, ratios, steps, expected):
    paid = voucher_shares(value_fen, rooms(*ratios), terms(steps=steps))

    assert expected == [layer.amount_fen for layer in paid.layers]


@pytest.mark.parametrize(
    ("value_fen", "cap_fen", "left_fen", "expected"),
    [
        # Under the cap nothing changes.
        (40_000_000, 20_000_000, PLENTY, [10_000_000, 10_000_000]),
        # 200,000.02 against 100,000 CNY: shared by largest remainder, to the fen.
        (40_000_004, 10_000_000, PLENTY, [5_000_000, 5_000_000]),
        (40_000_000, 9_999_999, PLENTY, [5_000_000, 4_999_999]),
        # What a layer has left bounds it, and the other layer does not step in.
        (40_000_000, 20_000_000, 3_000_000, [3_000_000, 3_000_000]),
        (40_000_000, 20_000_000, 0, [0, 0]),
    ],
)
def test_the_cap_per_order_and_what_is_left_bound_the_voucher(
    value_fen, cap_fen, left_fen, expected
):
    paid = voucher_shares(
        value_fen, rooms(2_500, 2_500, left=left_fen), terms(cap_per_order_fen=cap_fen)
    )

    assert expected == [layer.amount_fen for layer in paid.layers]


def test_layers_of_more_than_everything_pay_everything_and_no_fen_more():
    paid = voucher_shares(1_001, rooms(8_000, 4_000), terms(steps=FULL, cap_per_order_fen=PLENTY))

    assert [667, 334] == [layer.amount_fen for layer in paid.layers]
    assert "All layers together pay at most the whole service." in paid.explanation


def test_every_bound_that_applied_is_explained_with_its_source():
    paid = voucher_shares(
        60_000_000,
        rooms(2_500, 2_500, left=1_000),
        terms(cap_per_order_fen=20_000_000, cap_per_sme_year_fen=PLENTY),
    )

    assert paid.explanation == (
        "Province: 25 % of 600,000.00 CNY is 150,000.00 CNY (J.22b).",
        "City: 25 % of 600,000.00 CNY is 150,000.00 CNY (J.22b).",
        "At most 200,000.00 CNY per order (J.gap).",
        "Province: only 10.00 CNY is left.",
        "City: only 10.00 CNY is left.",
    )


steps_strategy = st.one_of(
    st.just(FULL),
    st.just(YUHUAN),
    st.builds(
        lambda end, first, second: (Step(end, first), Step(None, second)),
        st.integers(1, 10**10),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
    ),
)
rooms_strategy = st.lists(
    st.tuples(st.integers(1, 10_000), st.integers(0, 10**11)), min_size=1, max_size=3
)


@given(
    value=st.integers(0, 10**12),
    layers=rooms_strategy,
    steps=steps_strategy,
    cap=st.integers(0, 10**11),
)
def test_no_voucher_ever_passes_the_service_the_cap_or_what_is_left(value, layers, steps, cap):
    given_rooms = [
        LayerRoom(index, "city", ratio, left) for index, (ratio, left) in enumerate(layers)
    ]
    paid = voucher_shares(value, given_rooms, terms(steps=steps, cap_per_order_fen=cap))

    assert 0 <= paid.total_fen <= min(value, cap)
    for room, layer in zip(given_rooms, paid.layers, strict=True):
        assert 0 <= layer.amount_fen <= room.room_fen
        # Never above the layer's own ratio of the value: compared without dividing.
        assert layer.amount_fen * 10_000 <= value * room.ratio_basis_points


@given(
    held_for=st.integers(1, 10**11),
    used=st.integers(0, 10**11),
    layers=rooms_strategy,
    steps=steps_strategy,
    cap=st.integers(0, 10**11),
)
def test_a_settlement_never_passes_its_hold(held_for, used, layers, steps, cap):
    asked = [LayerRoom(index, "city", ratio, left) for index, (ratio, left) in enumerate(layers)]
    given_terms = terms(steps=steps, cap_per_order_fen=cap)
    held = voucher_shares(held_for, asked, given_terms)
    kept = [
        LayerRoom(layer.layer_id, layer.funder, layer.ratio_basis_points, layer.amount_fen)
        for layer in held.layers
    ]

    settled = voucher_shares(used, kept, given_terms)

    for before, after in zip(held.layers, settled.layers, strict=True):
        assert 0 <= after.amount_fen <= before.amount_fen
    assert settled.total_fen <= used
    if used == held_for:
        assert settled.layers == held.layers


@given(value=st.integers(0, 10**12), steps=steps_strategy)
def test_the_weighted_value_is_at_most_the_value_itself(value, steps):
    assert 0 <= weighted_value(value, steps) <= value * 10_000


@given(
    amount=st.integers(0, 10**12), ratios=st.lists(st.integers(1, 10_000), min_size=1, max_size=3)
)
def test_the_parts_of_a_grant_sum_to_it(amount, ratios):
    assert sum(grant_parts(amount, ratios)) == amount


def test_steps_are_told_where_they_apply():
    paid = voucher_shares(6_000_000, rooms(3_000), terms("hunan"))

    assert paid.explanation == (
        "Province: 30 % of 60,000.00 CNY and less above the steps is 16,500.00 CNY (J.gap).",
    )
