"""The rate by which a provider earns: that of its grade, never above the share cap."""

from __future__ import annotations

from collections.abc import Mapping

# A provider that nobody has evaluated in the year earns nothing yet; the next run makes it good.
UNGRADED_BASIS_POINTS = 0


def reward_rate(
    grade: str | None, *, rate_by_grade: Mapping[str, int], share_cap_basis_points: int
) -> int:
    """Basis points of its service total that a provider of this grade earns.

    Policy: J.27a, J.30a, H.17a
    """
    if grade is None:
        return UNGRADED_BASIS_POINTS
    return min(rate_by_grade.get(grade, UNGRADED_BASIS_POINTS), share_cap_basis_points)


def earned(service_total_fen: int, rate_basis_points: int) -> int:
    """What a provider has earned, in 1/10,000 fen: nothing is rounded before the entity's sum."""
    return service_total_fen * rate_basis_points
