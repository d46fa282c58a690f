"""The caps: 5 % of a provider's own service total, 500,000 CNY per legal entity and year.

A province may set two more for a calendar year, of one instrument and of one unit (Hunan). They
lower what a unit has earned; the legal entity's cap then holds over the sum of its units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.billing.rewards.rules.rate import earned
from marketplace.kernel.money import BASIS_POINTS


@dataclass(frozen=True, slots=True)
class ExtraCaps:
    """Caps beside that of the legal entity, in fen a year; None: there is no such cap."""

    per_instrument_fen: int | None = None
    per_unit_fen: int | None = None


NO_EXTRA_CAPS = ExtraCaps()


def earned_under(totals_fen: Sequence[int], rate_basis_points: int, caps: ExtraCaps) -> int:
    """What a unit has earned under the extra caps, in 1/10,000 fen.

    `totals_fen` are the service totals of its instruments where those are capped, or its one
    total.

    Policy: H.17a
    """
    parts = [earned(max(total, 0), rate_basis_points) for total in totals_fen]
    if caps.per_instrument_fen is not None:
        parts = [min(part, caps.per_instrument_fen * BASIS_POINTS) for part in parts]
    whole = sum(parts)
    return whole if caps.per_unit_fen is None else min(whole, caps.per_unit_fen * BASIS_POINTS)


def unit_bound(
    totals_fen: Sequence[int],
    *,
    share_cap_basis_points: int,
    caps: ExtraCaps = NO_EXTRA_CAPS,
) -> int:
    """The most that a provider may be paid in the year, over all runs.

    What it would have earned at the highest rate there may be.

    Policy: J.30a, H.17a
    """
    # Rounds down: a cap met by rounding up is a cap passed.
    return earned_under(totals_fen, share_cap_basis_points, caps) // BASIS_POINTS


def unit_limit(earned: int, bound_fen: int) -> int:
    """What one unit may be paid in the year: its part of a fen rounded up, never above its bound.

    A fen that another unit's bound leaves over is nobody's who has not earned it.

    Policy: J.30a
    """
    return min(-(-earned // BASIS_POINTS), bound_fen)


def entitled(earned: Sequence[int], bounds_fen: Sequence[int]) -> int:
    """What the units of one legal entity have earned together in the year so far, in whole fen.

    `earned` is in 1/10,000 fen and summed before it is rounded down. Where units earn the full
    5 %, the sum of what each may be paid is the tighter limit.

    Policy: J.30a
    """
    limits_fen = [
        unit_limit(each, bound_fen) for each, bound_fen in zip(earned, bounds_fen, strict=True)
    ]
    return min(sum(earned) // BASIS_POINTS, sum(limits_fen))


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
