"""The reward of one legal entity, from the figures of its units to the fen of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.billing.rewards.rules.apportion import apportion, stake
from marketplace.billing.rewards.rules.base import counted_total
from marketplace.billing.rewards.rules.cap import capped, claimed, entitled, share_bound
from marketplace.billing.rewards.rules.rate import earned, reward_rate
from marketplace.billing.rewards.rules.terms import RewardTerms


@dataclass(frozen=True, slots=True)
class UnitYear:
    """A unit's year so far: what it served, its grade, and what earlier runs paid it."""

    provider_id: int
    service_total_fen: int
    grade: str | None
    paid_before_fen: int


@dataclass(frozen=True, slots=True)
class EntityReward:
    """What one legal entity is due: earned, under the cap, and not paid before."""

    entitled_fen: int
    capped_fen: int
    paid_before_fen: int
    claimed_fen: int


def entity_reward(units: Sequence[UnitYear], terms: RewardTerms) -> EntityReward:
    """What a legal entity is due in this run, before the run's budget.

    Policy: J.30a, J.30b
    """
    totals = [counted_total(unit.service_total_fen) for unit in units]
    entitled_fen = entitled(
        [earned(total, _rate(unit, terms)) for unit, total in zip(units, totals, strict=True)],
        [
            share_bound(total, share_cap_basis_points=terms.share_cap_basis_points)
            for total in totals
        ],
    )
    capped_fen = capped(entitled_fen, cap_fen=terms.cap_fen)
    paid_before_fen = sum(unit.paid_before_fen for unit in units)
    return EntityReward(
        entitled_fen=entitled_fen,
        capped_fen=capped_fen,
        paid_before_fen=paid_before_fen,
        claimed_fen=claimed(capped_fen, paid_before_fen=paid_before_fen),
    )


def unit_shares(
    units: Sequence[UnitYear], terms: RewardTerms, *, amount_fen: int
) -> dict[int, int]:
    """An entity's amount among its units: what it claims, or what the budget left of that."""
    stakes = []
    for unit in units:
        total = counted_total(unit.service_total_fen)
        stakes.append(
            stake(
                unit.provider_id,
                earned=earned(total, _rate(unit, terms)),
                bound_fen=share_bound(total, share_cap_basis_points=terms.share_cap_basis_points),
                paid_before_fen=unit.paid_before_fen,
            )
        )
    return apportion(amount_fen, stakes)


def _rate(unit: UnitYear, terms: RewardTerms) -> int:
    return reward_rate(
        unit.grade,
        rate_by_grade=terms.rate_by_grade,
        share_cap_basis_points=terms.share_cap_basis_points,
    )
