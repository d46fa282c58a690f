"""The reward of one legal entity, from the figures of its units to the fen of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.billing.rewards.rules.apportion import Stake, apportion, stake
from marketplace.billing.rewards.rules.base import counted_total
from marketplace.billing.rewards.rules.cap import (
    capped,
    claimed,
    earned_under,
    entitled,
    unit_bound,
)
from marketplace.billing.rewards.rules.rate import reward_rate
from marketplace.billing.rewards.rules.states import RateClass
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.kernel.money import BASIS_POINTS


@dataclass(frozen=True, slots=True)
class UnitYear:
    """A unit's year so far: what it served, its grade, and what earlier runs paid it.

    `instrument_totals_fen` splits the service total by instrument, where the terms cap one.
    """

    provider_id: int
    service_total_fen: int
    grade: str | None
    paid_before_fen: int
    rate_class: str = RateClass.GRADED
    instrument_totals_fen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityReward:
    """What one legal entity is due: earned, under the caps, not paid before and not held back."""

    entitled_fen: int
    capped_fen: int
    paid_before_fen: int
    claimed_fen: int
    held_fen: int


def entity_reward(
    units: Sequence[UnitYear], terms: RewardTerms, *, held_back: bool = False
) -> EntityReward:
    """What a legal entity is due in this run, before the run's budget.

    One that is held back, because a report on the use of an earlier reward is overdue, is due
    nothing now and the same in a later run.

    Policy: J.27d, J.30a, J.30b
    """
    entitled_fen = entitled(
        [_earned(unit, terms) for unit in units], [_bound(unit, terms) for unit in units]
    )
    capped_fen = capped(entitled_fen, cap_fen=terms.cap_fen)
    paid_before_fen = sum(unit.paid_before_fen for unit in units)
    due_fen = claimed(capped_fen, paid_before_fen=paid_before_fen)
    return EntityReward(
        entitled_fen=entitled_fen,
        capped_fen=capped_fen,
        paid_before_fen=paid_before_fen,
        claimed_fen=0 if held_back else due_fen,
        held_fen=due_fen if held_back else 0,
    )


def unit_shares(
    units: Sequence[UnitYear], terms: RewardTerms, *, amount_fen: int
) -> dict[int, int]:
    """An entity's amount among its units: what it claims, or what the budget left of that."""
    return apportion(amount_fen, [_stake(unit, terms) for unit in units])


def overpaid_by_unit(units: Sequence[UnitYear], terms: RewardTerms) -> dict[int, int]:
    """What corrections have left each unit to give back: together what the entity was overpaid.

    By how much each was paid above what it has earned, by largest remainder, and nobody more than
    it was paid.

    Policy: J.30a, J.30b
    """
    due = entity_reward(units, terms)
    amount_fen = max(due.paid_before_fen - due.capped_fen, 0)
    paid = [unit.paid_before_fen for unit in units]
    above = [
        max(fen * BASIS_POINTS - _earned(unit, terms), 0)
        for fen, unit in zip(paid, units, strict=True)
    ]
    # Where a cap was lowered nobody was paid above what it earned: then all give back alike.
    weights = above if sum(above) >= amount_fen * BASIS_POINTS else paid
    stakes = [
        Stake(unit.provider_id, weight, fen)
        for unit, weight, fen in zip(units, weights, paid, strict=True)
    ]
    return apportion(amount_fen, stakes)


def _stake(unit: UnitYear, terms: RewardTerms) -> Stake:
    return stake(
        unit.provider_id,
        earned=_earned(unit, terms),
        bound_fen=_bound(unit, terms),
        paid_before_fen=unit.paid_before_fen,
    )


def _earned(unit: UnitYear, terms: RewardTerms) -> int:
    rate = reward_rate(
        unit.grade,
        rate_by_grade=terms.rate_by_grade,
        share_cap_basis_points=terms.share_cap_basis_points,
        rate_class=unit.rate_class,
        flat_rates=terms.flat_rates,
    )
    return earned_under(_totals(unit, terms), rate, terms.extra_caps)


def _bound(unit: UnitYear, terms: RewardTerms) -> int:
    return unit_bound(
        _totals(unit, terms),
        share_cap_basis_points=terms.share_cap_basis_points,
        caps=terms.extra_caps,
    )


def _totals(unit: UnitYear, terms: RewardTerms) -> Sequence[int]:
    if terms.extra_caps.per_instrument_fen is None:
        return [counted_total(unit.service_total_fen)]
    return unit.instrument_totals_fen
