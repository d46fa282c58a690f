"""Ways of ownership: who holds whom through whom, and how much that is in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from marketplace.kernel.money import BASIS_POINTS


@dataclass(frozen=True, slots=True)
class Step:
    """One holding on a way: `holder` holds this part of `held`."""

    holder: str
    held: str
    basis_points: int
    shareholding_id: int = 0
    """The register's entry; 0 where the way was not read from it."""


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody holds a legal entity: the last step's holder holds the first step's held.

    `holder_key` is the same for one holder on every way: the registered entity's number, or the
    name of a person or of an entity that is not registered.
    """

    holder_key: str
    steps: tuple[Step, ...]

    @property
    def holder(self) -> str:
        """Who holds at the end of the way."""
        return self.steps[-1].holder

    @property
    def share(self) -> Fraction:
        """The parts multiplied along the way."""
        share = Fraction(1)
        for step in self.steps:
            share *= Fraction(step.basis_points, BASIS_POINTS)
        return share


def node_key(legal_entity_id: int) -> str:
    """How ways name a registered legal entity."""
    return f"#{legal_entity_id}"


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything that one holder holds of a legal entity, over every way."""

    holder: str
    ways: tuple[Way, ...]

    @property
    def share(self) -> Fraction:
        """The sum over the ways."""
        return sum((way.share for way in self.ways), Fraction(0))

    @property
    def basis_points(self) -> int:
        """The sum in whole basis points, rounded down."""
        return int(self.share * BASIS_POINTS)

    @property
    def shareholding_ids(self) -> tuple[int, ...]:
        """The register's entries that it rests on."""
        found = {step.shareholding_id for way in self.ways for step in way.steps}
        return tuple(sorted(found - {0}))

    def told(self) -> str:
        """Each way in words, from the holder down; with the sum where it is not plain."""
        ways = [_told_way(way) for way in self.ways]
        if len(self.ways) == 1 and len(self.ways[0].steps) == 1:
            return ways[0]
        held = self.ways[0].steps[0].held
        return f"{'; '.join(ways)}: {percent(self.basis_points)} of {held} in all"


def _told_way(way: Way) -> str:
    return ", ".join(
        f"{step.holder} holds {percent(step.basis_points)} of {step.held}"
        for step in reversed(way.steps)
    )


def holdings(ways: Iterable[Way]) -> dict[str, Holding]:
    """What each holder holds, by the holder's key."""
    found: dict[str, list[Way]] = {}
    for way in ways:
        found.setdefault(way.holder_key, []).append(way)
    return {
        key: Holding(each[0].holder, tuple(sorted(each, key=_longest_last)))
        for key, each in found.items()
    }


def _longest_last(way: Way) -> tuple[int, Fraction]:
    return len(way.steps), -way.share


def controllers(ways: Sequence[Way], control_basis_points: int) -> dict[str, Holding]:
    """The holders of at least `control_basis_points`, by key. Policy: J.22b."""
    control = Fraction(control_basis_points, BASIS_POINTS)
    return {key: held for key, held in holdings(ways).items() if held.share >= control}


def percent(basis_points: int) -> str:
    """Basis points as a percentage with two decimals."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d} %"


def united(links: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Nodes in groups: whoever is linked, over any number of links, is in one."""
    leader: dict[str, str] = {}

    def lead(node: str) -> str:
        leader.setdefault(node, node)
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for one, other in links:
        leader[lead(one)] = lead(other)
    groups: dict[str, set[str]] = {}
    for node in leader:
        groups.setdefault(lead(node), set()).add(node)
    return list(groups.values())
