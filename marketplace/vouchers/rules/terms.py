"""The terms of a programme: the rulebook's numbers of its first day, frozen with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NEEDED = (
    "layers",
    "ratio_steps",
    "cap_per_order_fen",
    "cap_per_sme_year_fen",
    "validity",
    "staff_max",
    "sales_max_fen",
    "assets_max_fen",
    "common_control_basis_points",
    "excluded_services",
    "spot_check_basis_points",
    "notice_working_days",
    "required_evidence",
)


@dataclass(frozen=True, slots=True)
class Step:
    """The ratio of the part of a service value up to `up_to_fen` (None: without end)."""

    up_to_fen: int | None
    ratio_basis_points: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a programme was opened under; `source_of` names the clause of each number."""

    ratios: Mapping[str, int]
    steps: tuple[Step, ...]
    cap_per_order_fen: int
    cap_per_sme_year_fen: int
    validity: str
    staff_max: int
    sales_max_fen: int
    assets_max_fen: int
    common_control_basis_points: int
    excluded_services: frozenset[str]
    spot_check_basis_points: int
    notice_working_days: int
    required_evidence: tuple[str, ...]
    sources: Mapping[str, str]

    def source_of(self, term: str) -> str:
        """The clause a number comes from, for instance `J.22b`."""
        return self.sources[term]


def missing_terms(snapshot: Mapping[str, Any]) -> list[str]:
    """The numbers without which no programme can be opened and the rulebook does not give."""
    return [name for name in _NEEDED if name not in snapshot]


def terms_of(snapshot: Mapping[str, Any]) -> Terms:
    """The terms in a snapshot of the rulebook's voucher section.

    Raises:
        KeyError: when a number is missing; `missing_terms` says which.
    """
    value = {name: snapshot[name]["value"] for name in _NEEDED}
    return Terms(
        ratios={layer["funder"]: layer["ratio_basis_points"] for layer in value["layers"]},
        steps=tuple(
            Step(step.get("up_to_fen"), step["ratio_basis_points"]) for step in value["ratio_steps"]
        ),
        cap_per_order_fen=value["cap_per_order_fen"],
        cap_per_sme_year_fen=value["cap_per_sme_year_fen"],
        validity=value["validity"],
        staff_max=value["staff_max"],
        sales_max_fen=value["sales_max_fen"],
        assets_max_fen=value["assets_max_fen"],
        common_control_basis_points=value["common_control_basis_points"],
        excluded_services=frozenset(value["excluded_services"]),
        spot_check_basis_points=value["spot_check_basis_points"],
        notice_working_days=value["notice_working_days"],
        required_evidence=tuple(value["required_evidence"]),
        sources={name: snapshot[name]["source"] for name in _NEEDED},
    )
