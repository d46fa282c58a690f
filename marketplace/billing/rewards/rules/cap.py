"""The two caps: 5 % of a provider's own service total, 500,000 CNY per legal entity and year."""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.kernel.money import BASIS_POINTS, share


def share_bound(service_total_fen: int, *, share_cap_basis_points: int) -> int:
    """The most that a provider may be paid in the year, over all runs.

    Policy: J.30a
    """
    # Rounds down: a cap met by rounding up is a cap passed.
    return share(service_total_fen, share_cap_basis_points, "down")


def entitled(earned: Sequence[int], bounds_fen: Sequence[int]) -> int:
    """What the units of one legal entity have earned together in the year so far, in whole fen.

    `earned` is in 1/10,000 fen and summed before it is rounded down. Where every unit earns the
    full 5 %, the sum of what each may be paid is the tighter limit.

    Policy: J.30a
    """
    return min(sum(earned) // BASIS_POINTS, sum(bounds_fen))


def capped(entitled_fen: int, *, cap_fen: int) -> int:
    """What a legal entity may be paid in the year, over all its units and all runs.

    Policy: J.30b
    """
    return min(entitled_fen, cap_fen)


def claimed(capped_fen: int, *, paid_before_fen: int) -> int:
    """What this run owes a legal entity.

    When a correction has left it overpaid this is nothing, and the difference is taken off what
    later runs of the year would pay.

    Policy: J.30b
    """
    return max(capped_fen - paid_before_fen, 0)
