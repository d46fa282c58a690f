"""Caps of an instrument and of a unit, flat rates, and what is held back or given back.

The oracle is written with exact fractions, one instrument at a time; it shares no line with the
rules.
"""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketplace.billing.rewards.rules.cap import ExtraCaps, earned_under
from marketplace.billing.rewards.rules.entity import (
    UnitYear,
    entity_reward,
    overpaid_by_unit,
    unit_shares,
)
from marketplace.billing.rewards.rules.rate import reward_rate
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.rulebook import load, rulebook_path

HUNAN = load(rulebook_path("hunan")).reward


def hunan(day=date(2024, 12, 31)):
    return RewardTerms.of(HUNAN.snapshot(day))


def a_unit(provider_id, *instruments_fen, grade="excellent", paid_fen=0, rate_class="graded"):
    return UnitYear(
        provider_id, max(sum(instruments_fen), 0), grade, paid_fen, rate_class, instruments_fen
    )


@pytest.mark.parametrize(
    ("totals_fen", "earned_fen"),
    [
        ([499_999_99], 49_999_99),
        ([500_000_00], 50_000_00),
        ([500_000_10], 50_000_00),
        ([9_000_000_00], 50_000_00),
        # One instrument's room is not another's.
        ([9_000_000_00, 100_000_00], 60_000_00),
        # What was taken back of one is taken from no other.
        ([9_000_000_00, -100_000_00], 50_000_00),
        ([-100_000_00], 0),
        # Forty full instruments fill the unit's cap, and the forty-first adds nothing.
        ([500_000_00] * 40, 2_000_000_00),
        ([500_000_00] * 41, 2_000_000_00),
    ],
)
def test_an_instrument_earns_at_most_50_000_and_a_unit_2_000_000_yuan(totals_fen, earned_fen):
    assert earned_fen == earned_under(totals_fen, 1000, hunan().extra_caps) // 10_000


@pytest.mark.parametrize(
    ("grade", "rate_class", "basis_points"),
    [
        ("excellent", "graded", 1000),
        ("good", "graded", 800),
        ("qualified", "graded", 600),
        ("unqualified", "graded", 0),
        (None, "graded", 0),
        # Owners of social capital: 2 %, whatever the grade.
        ("excellent", "social", 200),
        (None, "social", 200),
        # Nobody is special in 2024.
        ("good", "special", 800),
    ],
)
def test_hunan_pays_by_grade_and_social_capital_flat(grade, rate_class, basis_points):
    terms = hunan()

    found = reward_rate(
        grade,
        rate_by_grade=terms.rate_by_grade,
        share_cap_basis_points=terms.share_cap_basis_points,
        rate_class=rate_class,
        flat_rates=terms.flat_rates,
    )

    assert basis_points == found


def test_the_terms_of_2018_and_2019_are_kept_for_their_years():
    terms = hunan(date(2019, 12, 31))
    ordinary = a_unit(1, 200_000_00, 900_000_00, grade=None)
    special = a_unit(2, 200_000_00, grade=None, rate_class="special")

    due = entity_reward([ordinary, special], terms)

    # 20 % of 200,000 is 40,000; 20 % of 900,000 is capped at 50,000; 5 % of 200,000 is 10,000.
    assert 100_000_00 == due.claimed_fen
    assert 1_000_000_00 == terms.cap_fen
    assert "H.17a" == terms.sources["extra_caps"]


def test_units_of_one_legal_entity_share_its_cap_after_their_own():
    units = [a_unit(1, *[500_000_00] * 41), a_unit(2, *[500_000_00] * 41)]

    due = entity_reward(units, hunan())
    shares = unit_shares(units, hunan(), amount_fen=due.claimed_fen)

    assert (4_000_000_00, 2_000_000_00) == (due.entitled_fen, due.claimed_fen)
    assert {1: 1_000_000_00, 2: 1_000_000_00} == shares


def test_who_is_held_back_is_due_nothing_now_and_the_same_later():
    units = [a_unit(1, 100_000_00, paid_fen=4_000_00)]

    held = entity_reward(units, hunan(), held_back=True)
    later = entity_reward(units, hunan())

    assert (0, 6_000_00) == (held.claimed_fen, held.held_fen)
    assert (6_000_00, 0) == (later.claimed_fen, later.held_fen)


def test_what_was_overpaid_is_given_back_by_who_was_overpaid():
    units = [
        a_unit(1, 100_000_00, paid_fen=15_000_00),
        a_unit(2, 100_000_00, paid_fen=11_000_00),
        a_unit(3, 100_000_00, paid_fen=8_000_00),
    ]

    # 34,000 were paid and 30,000 are due: 5 : 1 of the 4,000.
    assert {1: 3_333_33, 2: 666_67, 3: 0} == overpaid_by_unit(units, hunan())
    assert {9: 0} == overpaid_by_unit([a_unit(9, 100_000_00)], hunan())


def test_under_a_lowered_cap_all_give_back_alike():
    terms = RewardTerms(
        share_cap_basis_points=1000,
        cap_fen=3_000,
        rate_by_grade={"excellent": 1000},
        base_counts="all-orders",
        sources={},
    )
    units = [a_unit(1, 100_000, paid_fen=4_000), a_unit(2, 100_000, paid_fen=2_000)]

    assert {1: 2_000, 2: 1_000} == overpaid_by_unit(units, terms)


INSTRUMENTS = st.lists(
    st.integers(0, 100) | st.integers(0, 10**9) | st.integers(-(10**7), 0), max_size=5
)


@st.composite
def provinces(draw):
    terms = RewardTerms(
        share_cap_basis_points=draw(st.sampled_from([200, 1000, 2000])),
        cap_fen=draw(st.sampled_from([0, 7, 1000, 10**7, 2 * 10**8])),
        rate_by_grade={
            "excellent": 1000,
            "good": 800,
            "qualified": 600,
            "unqualified": 0,
            "ungraded": draw(st.sampled_from([0, 300])),
        },
        base_counts="all-orders",
        sources={},
        flat_rates=draw(st.sampled_from([{}, {"social": 200}, {"social": 200, "special": 5000}])),
        extra_caps=ExtraCaps(
            draw(st.sampled_from([0, 3, 1000, 5 * 10**6])),
            draw(st.sampled_from([None, 0, 5, 10**6])),
        ),
    )
    units = [
        a_unit(
            number,
            *draw(INSTRUMENTS),
            grade=draw(st.sampled_from([None, "excellent", "good", "qualified", "unqualified"])),
            rate_class=draw(st.sampled_from(["graded", "social", "special"])),
        )
        for number in range(1, 1 + draw(st.integers(1, 4)))
    ]
    return terms, units


def oracle(units, terms):
    """What each unit has earned, with fractions, and what the entity is due."""
    earned = []
    for unit in units:
        if unit.rate_class in terms.flat_rates:
            percent = terms.flat_rates[unit.rate_class]
        else:
            percent = terms.rate_by_grade[unit.grade or "ungraded"]
        rate = Fraction(min(percent, terms.share_cap_basis_points), 10_000)
        whole = Fraction(0)
        for total in unit.instrument_totals_fen:
            reward = max(total, 0) * rate
            whole += min(reward, terms.extra_caps.per_instrument_fen)
        if terms.extra_caps.per_unit_fen is not None:
            whole = min(whole, terms.extra_caps.per_unit_fen)
        earned.append(max(whole, Fraction(0)))
    return earned


@settings(max_examples=300)
@given(provinces())
@example(
    (
        replace(hunan(), share_cap_basis_points=200, cap_fen=7),
        [
            a_unit(1, 99, grade="good"),
            a_unit(2, 99, grade="good"),
            a_unit(3, 50, grade="unqualified"),
        ],
    )
)  # What two units lose by rounding is not for the third, which earned none.
def test_the_rules_agree_with_a_slow_oracle(province):
    terms, units = province
    earned = oracle(units, terms)

    due = entity_reward(units, terms)
    shares = unit_shares(units, terms, amount_fen=due.claimed_fen)

    whole = sum(earned).numerator // sum(earned).denominator if sum(earned) else 0
    # Where rates reach the share cap the bounds, each rounded down, may be a fen a unit tighter.
    assert min(whole, terms.cap_fen) - len(units) < due.capped_fen <= min(whole, terms.cap_fen)
    assert due.claimed_fen == sum(shares.values())
    for unit, part in zip(units, earned, strict=True):
        assert shares[unit.provider_id] < part + 1
        if terms.extra_caps.per_unit_fen is not None:
            assert shares[unit.provider_id] <= terms.extra_caps.per_unit_fen
    assert sum(shares.values()) <= terms.cap_fen


@settings(max_examples=200)
@given(provinces(), st.data())
def test_what_is_given_back_leaves_what_is_due(province, data):
    terms, units = province
    paid = [
        UnitYear(
            unit.provider_id,
            unit.service_total_fen,
            unit.grade,
            data.draw(st.integers(0, 10**7)),
            unit.rate_class,
            unit.instrument_totals_fen,
        )
        for unit in units
    ]
    due = entity_reward(paid, terms)

    back = overpaid_by_unit(paid, terms)

    assert max(due.paid_before_fen - due.capped_fen, 0) == sum(back.values())
    assert all(0 <= back[unit.provider_id] <= unit.paid_before_fen for unit in paid)
