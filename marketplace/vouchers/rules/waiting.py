"""Who is next when a used-up budget has money again.

Policy: J.22a
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.vouchers.rules.beneficiaries import Facts
from marketplace.vouchers.rules.limits import Preference


@dataclass(frozen=True, slots=True)
class InLine:
    """A waiting application and what each layer would pay of it."""

    application_id: int
    parts_fen: Mapping[int, int]


def waiting_rank(facts: Facts, preferences: Sequence[Preference]) -> int:
    """The place of the first preference whose every condition is met; after all of them for none.

    What nobody has verified is not met.
    """
    for place, each in enumerate(preferences):
        young = each.founded_from is None or (
            facts.founded_on is not None and facts.founded_on >= each.founded_from
        )
        if young and each.certificates <= facts.certificates.keys():
            return place
    return len(preferences)


def next_in_line(waiting: Sequence[InLine], room_fen: Mapping[int, int]) -> list[int]:
    """The applications whose turn it is, of those `waiting` in their order.

    It is the turn of an application when each of its layers holds its part after everybody before
    it. What one before it still waits for is kept for it, so nobody is passed on a layer of their
    own; an application on other layers need not wait for them.
    """
    left = dict(room_fen)
    turns = []
    for each in waiting:
        for layer_id, amount_fen in each.parts_fen.items():
            left[layer_id] = left.get(layer_id, 0) - amount_fen
        if each.parts_fen and all(left[layer_id] >= 0 for layer_id in each.parts_fen):
            turns.append(each.application_id)
    return turns
