"""Policy: J.22a, J.22b. Sharing by kind, region, first use, caps and what others pay."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.vouchers.rules.limits import Cap, CapScope, CostSplit, Rate, Stacking
from marketplace.vouchers.rules.shares import (
    CAPPED_AT_ORDERS,
    LayerRoom,
    Purchase,
    voucher_shares,
)
from marketplace.vouchers.rules.terms import Step
from tests.rules.vouchers.terms import terms

PLENTY = 10**12
OPEN: dict[str, Any] = {"cap_per_order_fen": PLENTY, "cap_per_sme_year_fen": PLENTY}
SOURCES = {**terms().sources, "rates": "J.22b", "stacking": "J.22b"}
PROVINCE = LayerRoom(1, "province", 3_000, PLENTY, "320000")
CITY = LayerRoom(2, "city", 2_000, PLENTY, "320500")
HOST = LayerRoom(3, "zone", 5_000, PLENTY, "340104")
SUZHOU = Purchase("testing", buyer_region="320583", provider_region="320583")


def paid(rooms, purchase=SUZHOU, value_fen=100_000, **changes):
    agreed = terms(sources=SOURCES, **(OPEN | changes))
    return [layer.amount_fen for layer in voucher_shares(value_fen, rooms, agreed, purchase).layers]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (Rate(1_000, service_kinds=frozenset({"testing"})), [10_000, 10_000]),
        (Rate(1_000, service_kinds=frozenset({"pilot"})), [30_000, 20_000]),
        (Rate(1_000, funder="city", buyer_regions=("320500",)), [30_000, 10_000]),
        (Rate(1_000, funder="city", buyer_regions=("320100",)), [30_000, 20_000]),
        (Rate(1_000, provider_regions=("320500",)), [10_000, 10_000]),
        (Rate(9_000, funder="province", first_use=True), [30_000, 20_000]),
        (Rate(0, beneficiaries=frozenset({"technology-sme"})), [0, 0]),
    ],
)
def test_the_first_rate_that_fits_takes_the_place_of_the_layers_ratio(rate, expected):
    assert paid([PROVINCE, CITY], rates=(rate,)) == expected


def test_steps_count_over_the_year_where_the_programme_says_so():
    steps = (Step(50_000, 10_000), Step(None, 5_000))
    again = dataclasses.replace(SUZHOU, value_in_year_fen=40_000)

    assert paid([PROVINCE], SUZHOU, steps=steps) == [22_500]
    assert paid([PROVINCE], again, steps=steps) == [22_500]
    assert paid([PROVINCE], again, steps=steps, steps_over="sme-year") == [16_500]


def test_layers_that_exclude_each_other_leave_it_to_the_one_that_pays_most():
    exclusive = Stacking(exclusive_layers=(frozenset({"province", "city"}),))

    assert paid([PROVINCE, CITY], stacking=exclusive) == [30_000, 0]
    assert paid([PROVINCE], stacking=exclusive) == [30_000]


def test_what_others_pay_is_not_paid_again():
    with_others = dataclasses.replace(SUZHOU, others_fen=60_000)

    assert paid([PROVINCE, CITY], with_others) == [24_000, 16_000]
    assert paid([PROVINCE, CITY], with_others, stacking=Stacking(on_rest=True)) == [12_000, 8_000]
    fewer = dataclasses.replace(SUZHOU, others_fen=10_000)
    assert paid([PROVINCE, CITY], fewer, stacking=Stacking(deduct_times=2)) == [18_000, 12_000]
    half = Stacking(together_max_basis_points=4_000)
    assert paid([PROVINCE, CITY], fewer, stacking=half) == [18_000, 12_000]
    everything = dataclasses.replace(SUZHOU, others_fen=100_000)
    assert paid([PROVINCE, CITY], everything) == [0, 0]


@pytest.mark.parametrize("scope", sorted(set(CAPPED_AT_ORDERS) - {CapScope.PERSON}))
def test_a_cap_of_any_scope_counts_what_is_spent_of_it(scope):
    cap = Cap(scope, 20_000, source="J.gap")
    spent = dataclasses.replace(SUZHOU, spent={(scope, None): 5_000})
    over = dataclasses.replace(SUZHOU, spent={(scope, None): 25_000})

    assert sum(paid([PROVINCE, CITY], caps=(cap,))) == 20_000
    assert sum(paid([PROVINCE, CITY], spent, caps=(cap,))) == 15_000
    assert sum(paid([PROVINCE, CITY], over, caps=(cap,))) == 0
    told = voucher_shares(
        100_000, [PROVINCE, CITY], terms(sources=SOURCES, **OPEN, caps=(cap,)), spent
    )
    assert any("of which 50.00 CNY are used (J.gap)" in said for said in told.explanation)


def test_a_cap_per_person_grows_with_the_persons_and_may_be_for_one_kind_of_service():
    per_head = Cap(CapScope.PERSON, 10_000, service_kinds=frozenset({"testing"}))
    three = dataclasses.replace(SUZHOU, persons=3)
    nobody = dataclasses.replace(SUZHOU, persons=0)
    other = dataclasses.replace(SUZHOU, service_kind="pilot", persons=0)

    assert sum(paid([PROVINCE, CITY], three, caps=(per_head,))) == 30_000
    assert sum(paid([PROVINCE, CITY], nobody, caps=(per_head,))) == 0
    assert sum(paid([PROVINCE, CITY], other, caps=(per_head,))) == 50_000
    told = voucher_shares(
        100_000, [PROVINCE, CITY], terms(sources=SOURCES, **OPEN, caps=(per_head,)), three
    )
    assert "At most 100.00 CNY per person trained, and there are 3." in told.explanation


def test_a_cap_may_be_of_one_funder_or_of_some_buyers_only():
    of_city = Cap(CapScope.ORDER, 5_000, funder="city")
    of_teams = Cap(CapScope.ORDER, 5_000, beneficiaries=frozenset({"team"}))
    at_first = Cap(CapScope.ORDER, 10_000, first_use=True)

    assert paid([PROVINCE, CITY], caps=(of_city,)) == [30_000, 5_000]
    assert paid([PROVINCE, CITY], caps=(of_teams,)) == [30_000, 20_000]
    team = dataclasses.replace(SUZHOU, beneficiary="team")
    assert paid([PROVINCE, CITY], team, caps=(of_teams,)) == [3_000, 2_000]
    first = dataclasses.replace(SUZHOU, first_use=True)
    assert sum(paid([PROVINCE, CITY], first, caps=(at_first,))) == 10_000


def test_vouchers_of_a_face_value_are_used_whole_and_amounts_rounded_down():
    assert paid([PROVINCE], face_value_fen=20_000) == [20_000]
    assert paid([PROVINCE], face_value_fen=40_000) == [0]
    assert paid([PROVINCE], value_fen=123_456, round_to_fen=1_000) == [37_000]


@pytest.mark.parametrize(
    ("provider_region", "without_host", "expected"),
    [
        ("320500", "home-pays-all", [30_000, 0]),
        ("340104", "home-pays-all", [20_000, 10_000]),
        ("110108", "home-pays-all", [30_000, 0]),
        ("110108", "home-pays-its-part", [20_000, 0]),
        ("", "home-pays-its-part", [30_000, 0]),
    ],
)
def test_two_regions_split_the_cost_of_a_service_across_them(
    provider_region, without_host, expected
):
    away = Purchase("testing", buyer_region="320583", provider_region=provider_region)
    agreed = CostSplit(2, 1, without_host)

    assert paid([PROVINCE, HOST], away, cost_split=agreed) == expected


funders = st.sampled_from(["province", "city", "zone"])
rooms_given = st.lists(
    st.builds(
        LayerRoom,
        st.integers(1, 9),
        funders,
        st.integers(1, 10_000),
        st.integers(0, 10**9),
        st.sampled_from(["320000", "320500", "340104"]),
    ),
    min_size=1,
    max_size=4,
)
caps_given = st.lists(
    st.builds(Cap, st.sampled_from(CAPPED_AT_ORDERS), st.integers(0, 10**9), st.none() | funders),
    max_size=4,
)
purchases = st.builds(
    Purchase,
    st.sampled_from(["testing", "pilot"]),
    st.sampled_from(["320583", "340104"]),
    st.sampled_from(["", "320583", "340104", "110108"]),
    first_use=st.booleans(),
    others_fen=st.integers(0, 10**8),
    value_in_year_fen=st.integers(0, 10**9),
    spent=st.dictionaries(
        st.tuples(st.sampled_from(CAPPED_AT_ORDERS), st.none() | funders), st.integers(0, 10**9)
    ),
)
terms_given = st.builds(
    lambda **changes: terms(sources=SOURCES, **(OPEN | changes)),
    caps=caps_given.map(tuple),
    rates=st.lists(
        st.builds(
            Rate, st.integers(0, 10_000), st.none() | funders, first_use=st.none() | st.booleans()
        ),
        max_size=2,
    ).map(tuple),
    steps=st.sampled_from([(Step(None, 10_000),), (Step(10**6, 10_000), Step(None, 5_000))]),
    steps_over=st.sampled_from(["order", "sme-year"]),
    stacking=st.builds(
        Stacking,
        on_rest=st.booleans(),
        deduct_times=st.integers(0, 2),
        together_max_basis_points=st.integers(0, 10_000),
        exclusive_layers=st.sampled_from([(), (frozenset({"province", "city"}),)]),
    ),
    face_value_fen=st.none() | st.integers(1, 10**6),
    cost_split=st.none() | st.builds(CostSplit, st.integers(1, 3), st.integers(1, 3)),
)


@given(st.integers(0, 10**9), rooms_given, terms_given, purchases)
def test_nothing_pays_more_than_the_price_a_cap_or_what_is_left(value, rooms, agreed, purchase):
    shares = voucher_shares(value, rooms, agreed, purchase)
    amounts = [layer.amount_fen for layer in shares.layers]

    assert all(0 <= amount <= room.room_fen for amount, room in zip(amounts, rooms, strict=True))
    assert shares.total_fen + purchase.others_fen <= max(value, purchase.others_fen)
    for cap in agreed.caps:
        counted = sum(
            amount
            for amount, room in zip(amounts, rooms, strict=True)
            if cap.funder in (None, room.funder)
        )
        left = cap.amount_fen - purchase.spent.get((cap.scope, cap.funder), 0)
        assert counted <= max(left, 0)
    if agreed.face_value_fen:
        assert shares.total_fen % agreed.face_value_fen == 0


@given(
    st.integers(0, 10**9),
    rooms_given,
    terms_given,
    purchases,
    st.lists(st.integers(0, 10**8), min_size=4, max_size=4),
)
def test_more_room_never_pays_less(value, rooms, agreed, purchase, more):
    wider = [
        dataclasses.replace(room, room_fen=room.room_fen + extra)
        for room, extra in zip(rooms, more, strict=False)
    ]

    before = voucher_shares(value, rooms, agreed, purchase)
    after = voucher_shares(value, wider, agreed, purchase)

    assert before.total_fen <= after.total_fen
