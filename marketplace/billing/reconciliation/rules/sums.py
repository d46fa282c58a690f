"""Which of some amounts come to another one, where exactly one choice of them does.

A sum of several amounts agrees by chance more easily than one amount does, the more so the rounder
the amounts and the more of them there are. So a choice counts only where a chance is not to be
expected, where no other choice comes to the same, and where nothing in it is wanted twice.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import comb, gcd

# At most so many amounts are taken together, out of at most so many.
TOGETHER_MAX = 5
POOL_MAX = 18
# How often a foreign amount may come to a sum by chance: once in so many.
CHANCE_ONE_IN = 20_000


@dataclass(frozen=True, slots=True)
class Amount:
    """What one line or one payment comes to, and the days on which it may have moved."""

    id: int
    amount_fen: int
    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class Sum:
    """What comes to what, and nothing else does."""

    whole_id: int
    part_ids: tuple[int, ...]


def certain_sums(wholes: Sequence[Amount], parts: Sequence[Amount]) -> list[Sum]:
    """Of one party's amounts, the sums that are certain.

    A whole that one part alone comes to is no sum, but it wants the part. Where any whole has two
    choices nothing about the party is certain.
    """
    if not (wholes and len(parts) > 1) or len(parts) > POOL_MAX or not _rare(parts):
        return []
    found: list[Sum] = []
    wanted: Counter[int] = Counter()
    for whole in wholes:
        fitting = [each for each in parts if _in_time(whole, each)]
        choices = list(_choices(whole.amount_fen, fitting))
        if len(choices) > 1:
            return []
        for choice in choices:
            wanted.update(choice)
            if len(choice) > 1:
                found.append(Sum(whole.id, choice))
    return [each for each in found if all(wanted[part] == 1 for part in each.part_ids)]


def _in_time(whole: Amount, part: Amount) -> bool:
    return whole.first_on <= part.last_on and part.first_on <= whole.last_on


def _rare(parts: Sequence[Amount]) -> bool:
    """Whether the sums lie so far apart that a foreign amount seldom comes to one of them.

    All sums are multiples of what divides every amount: round amounts leave few places for many.
    """
    amounts = [each.amount_fen for each in parts]
    sums = sum(comb(len(amounts), size) for size in range(1, TOGETHER_MAX + 1))
    places = sum(amounts) // gcd(*amounts)
    return sums * CHANCE_ONE_IN <= places


def _choices(amount_fen: int, parts: Sequence[Amount]) -> Iterator[tuple[int, ...]]:
    """At most two choices of parts that come to the amount: two are too many already."""
    ordered = sorted(parts, key=lambda each: (-each.amount_fen, each.id))
    # What the rest of the list can add at most, place by place.
    rest = [0] * (len(ordered) + 1)
    for place in reversed(range(len(ordered))):
        rest[place] = rest[place + 1] + ordered[place].amount_fen

    def choose(place: int, left: int, taken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if left == 0:
            yield taken
            return
        if len(taken) == TOGETHER_MAX:
            return
        for at in range(place, len(ordered)):
            if rest[at] < left:
                return
            if ordered[at].amount_fen <= left:
                yield from choose(at + 1, left - ordered[at].amount_fen, (*taken, ordered[at].id))

    return itertools.islice(choose(0, amount_fen, ()), 2)
