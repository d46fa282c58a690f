"""The index of the annex: eight components of 0 to 100 points, weighted, summed, graded.

Policy: J.A1, J.A2, J.26a, J.26b
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Points are hundredths, so that no score is ever a float: 8,250 stands for 82.50.
FULL = 10_000
STARS_MAX = 5

EXPERT_COMPONENTS = ("landmark_services", "rules_and_practice")
"""Components that no record can measure: the mean of the experts' scores."""


@dataclass(frozen=True, slots=True)
class Indicators:
    """What the platform's records say of one provider in one year."""

    instruments: int = 0
    must_open: int = 0
    must_open_and_are: int = 0
    described_basis_points: int = 0
    technicians: int = 0
    effective_minutes: int = 0
    external_minutes: int = 0
    quota_minutes: int = 0
    reviews: int = 0
    stars: int = 0


def component_points(
    indicators: Indicators,
    experts: Mapping[str, int],
    *,
    instruments_per_technician: int,
    full_sharing_rate_basis_points: int,
) -> dict[str, int]:
    """Points of each component of the index, 0 to 10,000.

    `experts` holds the mean of the experts' points for the components that only they can judge.
    """
    found = indicators
    return {
        "resource_integration": _part(found.must_open_and_are, found.must_open, nothing=FULL),
        "resource_quality": min(FULL, found.described_basis_points),
        "talent_team": _part(found.technicians * instruments_per_technician, found.instruments),
        "use_and_contribution": _part(found.effective_minutes, found.quota_minutes),
        "landmark_services": experts.get("landmark_services", 0),
        "external_service_volume": _part(
            found.external_minutes * 10_000,
            found.effective_minutes * full_sharing_rate_basis_points,
        ),
        "rules_and_practice": experts.get("rules_and_practice", 0),
        "support": _part(found.stars - found.reviews, found.reviews * (STARS_MAX - 1)),
    }


def total_points(points: Mapping[str, int], weights: Mapping[str, int]) -> int:
    """The weighted sum, 0 to 10,000, rounded down: a grade is not reached by rounding."""
    return sum(points[name] * weight for name, weight in weights.items()) // 100


def grade_of(points: int, *, excellent: int, good: int, qualified: int, veto: str | None) -> str:
    """The grade of a total; thresholds are whole points. A veto item decides alone [J.A2]."""
    if veto:
        return "unqualified"
    for name, threshold in (("excellent", excellent), ("good", good), ("qualified", qualified)):
        if points >= threshold * 100:
            return name
    return "unqualified"


def _part(value: int, whole: int, *, nothing: int = 0) -> int:
    """`value` of `whole` in hundredths of a point, at most full; `nothing` where whole is zero."""
    if whole <= 0:
        return nothing
    return max(0, min(FULL, value * FULL // whole))
