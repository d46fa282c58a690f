"""Who gets which fen: an entity's amount among its units, a budget among the entities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.billing.rewards.rules.cap import unit_limit
from marketplace.kernel.money import BASIS_POINTS, split


@dataclass(frozen=True, slots=True)
class Stake:
    """A unit's part in its entity's amount.

    `weight` is what it has earned and was not paid, in 1/10,000 fen; `room_fen` is what its own
    5 % and what it has earned leave it.
    """

    unit_id: int
    weight: int
    room_fen: int


def stake(unit_id: int, *, earned: int, bound_fen: int, paid_before_fen: int) -> Stake:
    """The stake of a unit; one that was paid more than it has earned has none."""
    return Stake(
        unit_id=unit_id,
        weight=max(earned - paid_before_fen * BASIS_POINTS, 0),
        room_fen=max(unit_limit(earned, bound_fen) - paid_before_fen, 0),
    )


def apportion(amount_fen: int, stakes: Sequence[Stake]) -> dict[int, int]:
    """`amount_fen` split among units by weight, by largest remainder, none above its room.

    Each unit gets the whole fen of its part. Those left over go one by one to the largest
    remainder (of equal ones to the lower id), in rounds, to units that have room; a unit without
    weight comes last of all. The parts sum to the amount, to the fen.

    Raises:
        ValueError: when the rooms together cannot hold the amount.

    Policy: J.30a, J.30b
    """
    total = sum(each.weight for each in stakes)
    if amount_fen < 0 or amount_fen > sum(each.room_fen for each in stakes):
        raise ValueError("the amount does not fit into the rooms of the units")
    parts: dict[int, int] = {}
    remainders: dict[int, int] = {}
    for each in stakes:
        whole, rest = divmod(amount_fen * each.weight, total) if total else (0, 0)
        parts[each.unit_id] = min(whole, each.room_fen)
        remainders[each.unit_id] = rest
    turns = sorted(
        stakes, key=lambda each: (each.weight == 0, -remainders[each.unit_id], each.unit_id)
    )
    left_fen = amount_fen - sum(parts.values())
    for weighty in (True, False):
        turn = [each for each in turns if (each.weight > 0) is weighty]
        while left_fen and (turn := [e for e in turn if parts[e.unit_id] < e.room_fen]):
            for each in turn[:left_fen]:
                parts[each.unit_id] += 1
            left_fen -= min(left_fen, len(turn))
    return parts


def within_budget(claims_fen: Sequence[int], budget_fen: int | None) -> list[int]:
    """What a budget leaves of each claim: all of it, or the same part of every one.

    By largest remainder; of equal remainders the earlier claim is served first, so callers pass
    the claims in the order of their legal entities' ids.
    """
    if budget_fen is None or sum(claims_fen) <= budget_fen:
        return list(claims_fen)
    return split(budget_fen, claims_fen)
