"""Whether two legal entities are too close for public money to flow between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from marketplace.parties.rules.shareholding import Shareholding, same_name


class AffiliationKind(StrEnum):
    """Why two legal entities are affiliated."""

    SAME_LEGAL_ENTITY = "same-legal-entity"
    DIRECT_SHAREHOLDING = "direct-shareholding"
    SAME_LEGAL_REPRESENTATIVE = "same-legal-representative"
    COMMON_CONTROL = "common-control"


@dataclass(frozen=True, slots=True)
class Affiliation:
    """One tie between two legal entities, and the sentence that tells it."""

    kind: AffiliationKind
    detail: str


@dataclass(frozen=True, slots=True)
class Control:
    """Who stands behind a legal entity: itself, its representative, its holders."""

    legal_entity_id: int
    uscc: str
    name: str
    legal_representative: str
    holders: tuple[Shareholding, ...]

    def held_by(self, other: Control) -> int:
        """How much `other` holds directly, named by its code or by its name."""
        names = {other.uscc, same_name(other.name)}
        return sum(held.basis_points for held in self.holders if same_name(held.holder) in names)


def affiliation(
    one: Control, other: Control, *, common_control_basis_points: int
) -> Affiliation | None:
    """The strongest tie between `one` and `other`, or None.

    A share of any size counts when it is direct; a common holder counts from
    `common_control_basis_points` in both. Persons are compared by name: a coincidence of names
    is a tie until somebody corrects the register.

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
                f"{holder.name} holds {_percent(part)} of {owned.name}.",
            )
    representative = same_name(one.legal_representative)
    if representative and representative == same_name(other.legal_representative):
        yield Affiliation(
            AffiliationKind.SAME_LEGAL_REPRESENTATIVE,
            f"{one.legal_representative} represents both {one.name} and {other.name}.",
        )
    controlling = {same_name(held.holder): held for held in one.holders}
    for held in other.holders:
        ours = controlling.get(same_name(held.holder))
        if ours and min(ours.basis_points, held.basis_points) >= common_control:
            yield Affiliation(
                AffiliationKind.COMMON_CONTROL,
                f"{held.holder} holds {_percent(ours.basis_points)} of {one.name}"
                f" and {_percent(held.basis_points)} of {other.name}.",
            )


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d} %"
