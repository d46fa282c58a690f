"""The rate of a grade, the 5 % of a provider's own services, 500,000 CNY per entity and year."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.rewards.rules.cap import capped, claimed, entitled, unit_bound
from marketplace.billing.rewards.rules.rate import earned, reward_rate

RATES = {"excellent": 500, "good": 300, "qualified": 100, "unqualified": 0}
CAP_FEN = 500_000_00


@pytest.mark.parametrize(
    ("grade", "basis_points"),
    [
        ("excellent", 500),
        ("good", 300),
        ("qualified", 100),
        ("unqualified", 0),
        (None, 0),
        ("unheard-of", 0),
    ],
)
def test_a_rate_is_that_of_the_grade(grade, basis_points):
    assert basis_points == reward_rate(grade, rate_by_grade=RATES, share_cap_basis_points=500)


def test_a_rate_above_the_share_cap_is_lowered_to_it():
    generous = {**RATES, "excellent": 1000}

    assert 500 == reward_rate("excellent", rate_by_grade=generous, share_cap_basis_points=500)


@pytest.mark.parametrize(
    ("service_total_fen", "bound_fen"),
    [
        (0, 0),
        (19, 0),
        (20, 1),
        (39, 1),
        (10_000_000_00, 500_000_00),
        (10_000_000_19, 500_000_00),
        (10_000_000_20, 500_000_01),
    ],
)
def test_five_percent_is_rounded_down(service_total_fen, bound_fen):
    assert bound_fen == unit_bound([service_total_fen], share_cap_basis_points=500)


@pytest.mark.parametrize(
    ("entitled_fen", "capped_fen"),
    [
        (0, 0),
        (CAP_FEN - 1, CAP_FEN - 1),
        (CAP_FEN, CAP_FEN),
        (CAP_FEN + 1, CAP_FEN),
        (10 * CAP_FEN, CAP_FEN),
    ],
    ids=["nothing", "one fen below", "exactly", "one fen over", "far over"],
)
def test_a_legal_entity_is_paid_at_most_its_cap(entitled_fen, capped_fen):
    assert capped_fen == capped(entitled_fen, cap_fen=CAP_FEN)


@pytest.mark.parametrize(
    ("capped_fen", "paid_before_fen", "claimed_fen"),
    [
        (CAP_FEN, 0, CAP_FEN),
        (CAP_FEN, CAP_FEN - 1, 1),
        (CAP_FEN, CAP_FEN, 0),
        (100, 150, 0),  # A correction: 50 are taken off what later runs would pay.
    ],
)
def test_a_run_pays_what_was_not_paid_before(capped_fen, paid_before_fen, claimed_fen):
    assert claimed_fen == claimed(capped_fen, paid_before_fen=paid_before_fen)


def test_fractions_of_a_fen_add_up_before_they_are_rounded_down():
    # Three units at 3 %: 0.9 fen each, 2.7 together.
    parts = [earned(30, 300)] * 3

    assert 2 == entitled(parts, [1, 1, 1])


def test_units_at_the_full_five_percent_are_bound_by_what_each_may_have():
    # 0.95 fen each: 1.9 together, but no unit may have a fen.
    assert 0 == entitled([earned(19, 500)] * 2, [0, 0])


def test_what_two_units_lose_by_rounding_is_not_given_to_one_that_earned_nothing():
    # 1.9 fen each, and neither may have two; the third has a bound, but no grade.
    assert 2 == entitled([earned(38, 500), earned(38, 500), 0], [1, 1, 100])


def test_the_cap_binds_from_ten_million_of_services_at_five_percent():
    just_fen, more_fen = 10_000_000_00, 10_000_000_20

    at = [
        capped(entitled([earned(total, 500)], [total // 20]), cap_fen=CAP_FEN)
        for total in (just_fen, more_fen)
    ]

    assert [CAP_FEN, CAP_FEN] == at


@given(
    service_total_fen=st.integers(0, 10**14),
    rate=st.integers(0, 500),
)
def test_what_a_unit_earns_is_never_above_its_five_percent(service_total_fen, rate):
    bound_fen = unit_bound([service_total_fen], share_cap_basis_points=500)

    assert earned(service_total_fen, rate) // 10_000 <= bound_fen
    assert bound_fen * 20 <= service_total_fen
