"""The rate by which a provider earns: of its grade or of what it is, never above the share cap."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.billing.rewards.rules.states import RateClass

# How `rate_by_grade` calls the rate of who was not evaluated in the year. Where it is nothing, a
# later run makes good what the grade then gives.
UNGRADED = "ungraded"


def reward_rate(
    grade: str | None,
    *,
    rate_by_grade: Mapping[str, int],
    share_cap_basis_points: int,
    rate_class: str = RateClass.GRADED,
    flat_rates: Mapping[str, int] | None = None,
) -> int:
    """Basis points of its service total that a provider earns.

    By its grade, unless it is of a class that has a flat rate.

    Policy: J.27a, J.30a, H.17a
    """
    flat = (flat_rates or {}).get(rate_class)
    rate = rate_by_grade.get(grade or UNGRADED, 0) if flat is None else flat
    return min(rate, share_cap_basis_points)


def earned(service_total_fen: int, rate_basis_points: int) -> int:
    """What a provider has earned, in 1/10,000 fen: nothing is rounded before the entity's sum."""
    return service_total_fen * rate_basis_points
