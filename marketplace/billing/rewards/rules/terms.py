"""The terms of a run, read from the snapshot that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.billing.rewards.errors import TermsMissing
from marketplace.billing.rewards.rules.cap import NO_EXTRA_CAPS, ExtraCaps
from marketplace.billing.rewards.rules.states import RateClass

# A run that was drafted before a province had the other terms keeps a snapshot without them.
NEEDED = ("share_cap_basis_points", "cap_per_legal_entity_fen", "rate_by_grade", "base_counts")


@dataclass(frozen=True, slots=True)
class RewardTerms:
    """What a province decides about rewards, as it stood on the last day of a run.

    `flat_rates` are those of the classes that have one; `special_usccs` lists a class by the
    credit codes of its legal entities.
    """

    share_cap_basis_points: int
    cap_fen: int
    rate_by_grade: Mapping[str, int]
    base_counts: str
    sources: Mapping[str, str]
    flat_rates: Mapping[str, int] = field(default_factory=dict)
    special_usccs: tuple[str, ...] = ()
    extra_caps: ExtraCaps = NO_EXTRA_CAPS
    companies_only: bool = False
    instrument_worth_fen: int = 0
    notice_working_days: int = 0
    permitted_uses: tuple[str, ...] = ()
    holds_back_overdue: bool = False

    @classmethod
    def of(cls, snapshot: Mapping[str, Any]) -> RewardTerms:
        """The terms in a snapshot of the rulebook's section on rewards.

        Raises:
            TermsMissing: when one of them was not in force on that day.
        """
        missing = [name for name in NEEDED if name not in snapshot]
        if missing:
            raise TermsMissing(f"The rulebook has no {', '.join(missing)} on that day.")
        caps = _value(snapshot, "extra_caps", {})
        flat = _value(snapshot, "flat_rates", {})
        services = _value(snapshot, "services", {})
        rates = {
            RateClass.SOCIAL: flat.get("social_capital"),
            RateClass.SPECIAL: flat.get("special_units"),
        }
        return cls(
            share_cap_basis_points=snapshot["share_cap_basis_points"]["value"],
            cap_fen=snapshot["cap_per_legal_entity_fen"]["value"],
            rate_by_grade=dict(snapshot["rate_by_grade"]["value"]),
            base_counts=snapshot["base_counts"]["value"],
            sources={name: term["source"] for name, term in snapshot.items()},
            flat_rates={each.value: rate for each, rate in rates.items() if rate is not None},
            special_usccs=tuple(flat.get("special_usccs", ())),
            extra_caps=ExtraCaps(caps.get("per_instrument_fen"), caps.get("per_unit_fen")),
            companies_only=services.get("buyers") == "companies",
            instrument_worth_fen=services.get("instrument_worth_fen", 0),
            notice_working_days=_value(snapshot, "notice_working_days", 0),
            permitted_uses=tuple(_value(snapshot, "permitted_uses", ())),
            holds_back_overdue=_value(snapshot, "overdue_use_report", "nothing") == "held-back",
        )


def _value(snapshot: Mapping[str, Any], name: str, absent: Any) -> Any:
    return snapshot[name]["value"] if name in snapshot else absent


def changed(
    snapshot: Mapping[str, Any],
    values: Mapping[str, Any],
    rates: Mapping[str, int],
    extra_caps: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """`snapshot` with other values, and some other rates and caps: the terms of a "what if"."""
    other = {
        name: {**term, "value": values[name]} if values.get(name) is not None else dict(term)
        for name, term in snapshot.items()
    }
    if rates and "rate_by_grade" in other:
        other["rate_by_grade"]["value"] = {**other["rate_by_grade"]["value"], **rates}
    if extra_caps and "extra_caps" in other:
        other["extra_caps"]["value"] = {**other["extra_caps"]["value"], **extra_caps}
    return other
