"""From records and experts' scores to points, from points to a grade. Policy: J.A1, J.A2."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.evaluation.rules.index import (
    EXPERT_COMPONENTS,
    FULL,
    Indicators,
    component_points,
    grade_of,
    total_points,
)
from marketplace.rulebook.sections import IndexWeights

# J.A1: external service volume and use weigh most.
WEIGHTS = {
    "resource_integration": 10,
    "resource_quality": 10,
    "talent_team": 10,
    "use_and_contribution": 25,
    "landmark_services": 10,
    "external_service_volume": 15,
    "rules_and_practice": 10,
    "support": 10,
}
THRESHOLDS = {"excellent": 90, "good": 75, "qualified": 60}
GRADES = ("unqualified", "qualified", "good", "excellent")

# Ten instruments, one of them to be opened; half of the year used, a tenth of that for others.
A_YEAR = Indicators(
    instruments=10,
    must_open=4,
    must_open_and_are=3,
    described_basis_points=8_333,
    technicians=1,
    effective_minutes=420_000,
    external_minutes=42_000,
    quota_minutes=840_000,
    reviews=2,
    stars=9,
)


def points_of(indicators: Indicators, **experts: int) -> dict[str, int]:
    return component_points(
        indicators,
        experts,
        instruments_per_technician=10,
        full_sharing_rate_basis_points=2_000,
    )


def test_every_component_is_measured_or_judged() -> None:
    found = points_of(A_YEAR, landmark_services=8_000, rules_and_practice=6_550)

    assert {
        "resource_integration": 7_500,
        "resource_quality": 8_333,
        "talent_team": FULL,
        "use_and_contribution": 5_000,
        "landmark_services": 8_000,
        "external_service_volume": 5_000,
        "rules_and_practice": 6_550,
        "support": 8_750,
    } == found
    # 10 + 10 + 10 + 25 + 10 + 15 + 10 + 10 parts in a hundred.
    assert 6_913 == total_points(found, WEIGHTS)


def test_components_and_weights_have_the_same_names() -> None:
    assert set(IndexWeights.model_fields) == set(points_of(Indicators()))
    assert set(EXPERT_COMPONENTS) < set(IndexWeights.model_fields)


@pytest.mark.parametrize(
    ("change", "component", "points"),
    [
        ({"must_open": 0, "must_open_and_are": 0}, "resource_integration", FULL),
        ({"must_open_and_are": 0}, "resource_integration", 0),
        ({"described_basis_points": 0}, "resource_quality", 0),
        ({"technicians": 0}, "talent_team", 0),
        ({"technicians": 50}, "talent_team", FULL),
        ({"instruments": 11}, "talent_team", 9_090),
        ({"effective_minutes": 0, "external_minutes": 0}, "use_and_contribution", 0),
        ({"effective_minutes": 0, "external_minutes": 0}, "external_service_volume", 0),
        ({"effective_minutes": 900_000}, "use_and_contribution", FULL),
        ({"quota_minutes": 0}, "use_and_contribution", 0),
        ({"external_minutes": 420_000}, "external_service_volume", FULL),
        ({"external_minutes": 84_000}, "external_service_volume", FULL),
        ({"external_minutes": 83_999}, "external_service_volume", 9_999),
        ({"reviews": 0, "stars": 0}, "support", 0),
        ({"reviews": 3, "stars": 3}, "support", 0),
        ({"reviews": 3, "stars": 15}, "support", FULL),
    ],
)
def test_a_component_at_its_ends(change: dict[str, int], component: str, points: int) -> None:
    assert points == points_of(replace(A_YEAR, **change))[component]


def test_without_experts_their_components_earn_nothing() -> None:
    found = points_of(A_YEAR)

    assert (0, 0) == (found["landmark_services"], found["rules_and_practice"])


@pytest.mark.parametrize(
    ("points", "grade"),
    [
        (10_000, "excellent"),
        (9_000, "excellent"),
        (8_999, "good"),
        (7_500, "good"),
        (7_499, "qualified"),
        (6_000, "qualified"),
        (5_999, "unqualified"),
        (0, "unqualified"),
    ],
)
def test_a_grade_begins_at_its_threshold_and_not_a_hundredth_before(
    points: int, grade: str
) -> None:
    assert grade == grade_of(points, **THRESHOLDS, veto=None)


@given(st.integers(0, FULL), st.text(min_size=1))
def test_a_veto_decides_alone(points: int, veto: str) -> None:
    assert "unqualified" == grade_of(points, **THRESHOLDS, veto=veto)


@given(st.fixed_dictionaries({name: st.integers(0, FULL) for name in WEIGHTS}))
def test_a_threshold_is_never_reached_by_rounding(points: dict[str, int]) -> None:
    total = total_points(points, WEIGHTS)
    exact_hundredfold = sum(points[name] * WEIGHTS[name] for name in WEIGHTS)

    assert 0 <= total <= FULL
    assert total * 100 <= exact_hundredfold < (total + 1) * 100


@given(st.integers(0, FULL), st.integers(0, FULL))
def test_more_points_never_lower_a_grade(one: int, other: int) -> None:
    low, high = (
        GRADES.index(grade_of(points, **THRESHOLDS, veto=None)) for points in sorted((one, other))
    )

    assert low <= high


COUNT = st.integers(0, 10**9)


@given(
    st.builds(
        Indicators,
        instruments=COUNT,
        must_open=COUNT,
        must_open_and_are=COUNT,
        described_basis_points=COUNT,
        technicians=COUNT,
        effective_minutes=COUNT,
        external_minutes=COUNT,
        quota_minutes=COUNT,
        reviews=COUNT,
        stars=COUNT,
    )
)
def test_whatever_the_records_say_points_stay_within_their_scale(indicators: Indicators) -> None:
    found = points_of(indicators)

    assert all(0 <= points <= FULL for points in found.values())


@given(
    st.integers(1, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from([1, 2_000])
)
def test_more_service_to_others_never_lowers_its_component(
    effective: int, external: int, more: int, rate: int
) -> None:
    before, after = (
        component_points(
            Indicators(effective_minutes=effective, external_minutes=minutes),
            {},
            instruments_per_technician=10,
            full_sharing_rate_basis_points=rate,
        )["external_service_volume"]
        for minutes in (external, external + more)
    )

    assert before <= after


@pytest.mark.parametrize("weights", [{"support": 11}, {"support": -10, "talent_team": 30}])
def test_weights_sum_to_a_hundred_and_none_is_negative(weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"sum to 100|greater than or equal to 0"):
        IndexWeights(**(WEIGHTS | weights))
