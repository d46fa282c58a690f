"""The terms of a run, read from the snapshot that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.billing.rewards.errors import TermsMissing

NEEDED = ("share_cap_basis_points", "cap_per_legal_entity_fen", "rate_by_grade", "base_counts")


@dataclass(frozen=True, slots=True)
class RewardTerms:
    """What a province decides about rewards, as it stood on the last day of a run."""

    share_cap_basis_points: int
    cap_fen: int
    rate_by_grade: Mapping[str, int]
    base_counts: str
    sources: Mapping[str, str]

    @classmethod
    def of(cls, snapshot: Mapping[str, Any]) -> RewardTerms:
        """The terms in a snapshot of the rulebook's section on rewards.

        Raises:
            TermsMissing: when one of them was not in force on that day.
        """
        missing = [name for name in NEEDED if name not in snapshot]
        if missing:
            raise TermsMissing(f"The rulebook has no {', '.join(missing)} on that day.")
        return cls(
            share_cap_basis_points=snapshot["share_cap_basis_points"]["value"],
            cap_fen=snapshot["cap_per_legal_entity_fen"]["value"],
            rate_by_grade=dict(snapshot["rate_by_grade"]["value"]),
            base_counts=snapshot["base_counts"]["value"],
            sources={name: snapshot[name]["source"] for name in NEEDED},
        )


def changed(
    snapshot: Mapping[str, Any], values: Mapping[str, Any], rates: Mapping[str, int]
) -> dict[str, Any]:
    """`snapshot` with other values, and other rates of some grades: the terms of a "what if"."""
    other = {
        name: {**term, "value": values[name]} if values.get(name) is not None else dict(term)
        for name, term in snapshot.items()
    }
    if rates and "rate_by_grade" in other:
        other["rate_by_grade"]["value"] = {**other["rate_by_grade"]["value"], **rates}
    return other
