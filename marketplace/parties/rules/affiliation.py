"""Whether two legal entities are too close for public money to flow between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from marketplace.parties.rules.ownership import (
    Holding,
    Step,
    Way,
    controllers,
    node_key,
    percent,
)
from marketplace.parties.rules.shareholding import Shareholding, same_name


class AffiliationKind(StrEnum):
    """Why two legal entities are affiliated."""

    SAME_LEGAL_ENTITY = "same-legal-entity"
    DIRECT_SHAREHOLDING = "direct-shareholding"
    SAME_LEGAL_REPRESENTATIVE = "same-legal-representative"
    INDIRECT_CONTROL = "indirect-control"
    COMMON_CONTROL = "common-control"


@dataclass(frozen=True, slots=True)
class Affiliation:
    """One tie between two legal entities, and the sentence that tells it."""

    kind: AffiliationKind
    detail: str
    shareholding_ids: tuple[int, ...] = ()
    """The register's entries that it rests on."""


@dataclass(frozen=True, slots=True)
class Control:
    """Who stands behind a legal entity: itself, its representative, its holders.

    `ways` are those by which anybody holds it, directly or through others; without them its
    holders are all there is.
    """

    legal_entity_id: int
    uscc: str
    name: str
    legal_representative: str
    holders: tuple[Shareholding, ...]
    ways: tuple[Way, ...] = ()

    def every_way(self) -> tuple[Way, ...]:
        """The ways that are known."""
        return self.ways or tuple(
            Way(same_name(held.holder), (Step(held.holder, self.name, held.basis_points),))
            for held in self.holders
        )

    def keys(self) -> frozenset[str]:
        """What ways call this legal entity."""
        return frozenset({node_key(self.legal_entity_id), self.uscc, same_name(self.name)})

    def held_by(self, other: Control) -> int:
        """How much `other` holds directly, named by its code or by its name."""
        names = {other.uscc, same_name(other.name)}
        return sum(held.basis_points for held in self.holders if same_name(held.holder) in names)


def affiliation(
    one: Control, other: Control, *, common_control_basis_points: int
) -> Affiliation | None:
    """The strongest tie between `one` and `other`, or None.

    A share of any size counts when it is direct. Through others, one that controls the other
    counts, and so does a holder who controls both: who holds `common_control_basis_points`, the
    parts multiplied along each way and the ways added up. Persons are compared by name: a
    coincidence of names is a tie until somebody corrects the register.

    Policy: J.22b.
    """
    return next(iter(_ties(one, other, common_control_basis_points)), None)


def _ties(one: Control, other: Control, common_control: int) -> Iterable[Affiliation]:
    if one.legal_entity_id == other.legal_entity_id or one.uscc == other.uscc:
        yield Affiliation(
            AffiliationKind.SAME_LEGAL_ENTITY, f"Both belong to one legal entity, {one.name}."
        )
    for holder, owned in ((one, other), (other, one)):
        if part := owned.held_by(holder):
            yield Affiliation(
                AffiliationKind.DIRECT_SHAREHOLDING,
                f"{holder.name} holds {percent(part)} of {owned.name}.",
            )
    representative = same_name(one.legal_representative)
    if representative and representative == same_name(other.legal_representative):
        yield Affiliation(
            AffiliationKind.SAME_LEGAL_REPRESENTATIVE,
            f"{one.legal_representative} represents both {one.name} and {other.name}.",
        )
    yield from _control(one, other, common_control)


def _control(one: Control, other: Control, common_control: int) -> Iterable[Affiliation]:
    of_one = controllers(one.every_way(), common_control)
    of_other = controllers(other.every_way(), common_control)
    for owner, found in ((one, of_other), (other, of_one)):
        for key in sorted(owner.keys() & found.keys()):
            yield Affiliation(
                AffiliationKind.INDIRECT_CONTROL,
                f"{found[key].told()}.",
                found[key].shareholding_ids,
            )
    for key in sorted(of_one.keys() & of_other.keys(), key=_strongest(of_one, of_other)):
        yield Affiliation(
            AffiliationKind.COMMON_CONTROL,
            _told_both(of_one[key], of_other[key], one, other),
            tuple(sorted({*of_one[key].shareholding_ids, *of_other[key].shareholding_ids})),
        )


def _strongest(
    of_one: Mapping[str, Holding], of_other: Mapping[str, Holding]
) -> Callable[[str], tuple[Fraction, str]]:
    return lambda key: (-min(of_one[key].share, of_other[key].share), key)


def _told_both(ours: Holding, theirs: Holding, one: Control, other: Control) -> str:
    if all(len(held.ways) == len(held.ways[0].steps) == 1 for held in (ours, theirs)):
        return (
            f"{theirs.holder} holds {percent(ours.basis_points)} of {one.name}"
            f" and {percent(theirs.basis_points)} of {other.name}."
        )
    return f"{ours.told()}; and {theirs.told()}."
