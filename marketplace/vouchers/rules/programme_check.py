"""Whether the terms of a programme fit together: everything that is wrong with them, at once.

Policy: J.22a, J.22b
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.money import BASIS_POINTS
from marketplace.vouchers.rules.limits import (
    STRICT,
    BasisPoints,
    CapScope,
    Count,
    Fen,
    Funder,
    Word,
)
from marketplace.vouchers.rules.regions import LayerRegion, lies_in
from marketplace.vouchers.rules.shares import LayerRoom, Purchase, Sharing
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.rules.terms import OPTIONAL, Terms, adapter_of, missing_terms, terms_of
from marketplace.vouchers.rules.validity import PROGRAMME_END, grant_valid_until


@dataclass(frozen=True, slots=True)
class _LayerRatio:
    funder: Funder
    ratio_basis_points: BasisPoints

    __pydantic_config__ = STRICT


@dataclass(frozen=True, slots=True)
class _Step:
    ratio_basis_points: BasisPoints
    up_to_fen: Fen | None = None

    __pydantic_config__ = STRICT


_NEEDED: Mapping[str, Any] = {
    "layers": Annotated[list[_LayerRatio], Field(min_length=1)],
    "ratio_steps": Annotated[list[_Step], Field(min_length=1, max_length=20)],
    "cap_per_order_fen": Fen,
    "cap_per_sme_year_fen": Fen,
    "validity": str,
    "staff_max": Count,
    "sales_max_fen": Fen,
    "assets_max_fen": Fen,
    "common_control_basis_points": BasisPoints,
    "excluded_services": list[Word],
    "spot_check_basis_points": BasisPoints,
    "notice_working_days": Annotated[int, Field(ge=0, le=60)],
    "required_evidence": list[EvidenceKind],
}


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a programme."""

    year: int
    opens_on: date
    closes_on: date


@functools.cache
def _needed_adapter(term: str) -> TypeAdapter[Any]:
    return TypeAdapter(_NEEDED[term])


def wrong_terms(
    snapshot: Mapping[str, Any], layers: Sequence[LayerRegion], days: Days
) -> list[Reason]:
    """Every reason why a programme cannot be run under these terms; none means that it can."""
    reasons = Reasons()
    for term in missing_terms(snapshot):
        reasons.add(f"terms.{term}", f"Nothing is said of {term}.")
    for term, given in snapshot.items():
        if term not in _NEEDED and term not in OPTIONAL:
            reasons.add(f"terms.{term}", f"There is no such term: {term}.")
            continue
        if "value" not in given:
            reasons.add(f"terms.{term}", f"Nothing is said of {term}.")
            continue
        try:
            adapter = _needed_adapter(term) if term in _NEEDED else adapter_of(term)
            adapter.validate_python(given["value"])
        except ValidationError as error:
            _note(reasons, f"terms.{term}", error)
    if reasons.found:
        return reasons.found
    terms = terms_of(snapshot)
    _check_days(reasons, terms, days)
    _check_steps(reasons, terms)
    _check_names(reasons, terms, layers)
    _check_kinds(reasons, terms)
    _check_papers(reasons, terms)
    _check_faces(reasons, terms, layers)
    _check_together(reasons, terms, layers)
    return reasons.found


def _note(reasons: Reasons, where: str, error: ValidationError) -> None:
    for entry in error.errors():
        place = ".".join(map(str, (where, *entry["loc"])))
        asked = entry["input"] if isinstance(entry["input"], str | int | None) else None
        reasons.add(place, f"{place}: {entry['msg']}.", asked=asked)


def _check_days(reasons: Reasons, terms: Terms, days: Days) -> None:
    if days.opens_on > days.closes_on:
        reasons.add("days", "A programme closes on or after the day on which it opens.")
    if terms.validity == PROGRAMME_END and terms.ends_on is None:
        reasons.add("terms.ends_on", "Vouchers are valid until the programme ends: say when.")
    else:
        try:
            last = grant_valid_until(
                terms.validity, granted_on=days.closes_on, year=days.year, ends_on=terms.ends_on
            )
        except ValueError as error:
            reasons.add("terms.validity", f"{error}.", asked=terms.validity)
        else:
            if last < days.closes_on:
                reasons.add(
                    "terms.validity",
                    f"A voucher granted on {days.closes_on} was valid until {last}.",
                    limit=last.isoformat(),
                    asked=days.closes_on.isoformat(),
                )
    windows = {
        f"terms.{name}": [window] if (window := getattr(terms, name)) else []
        for name in ("services_within", "invoices_within", "payments_within")
    }
    windows["terms.claim_windows"] = list(terms.claim_windows)
    for where, found in windows.items():
        _check_order(reasons, where, [(each.opens_on, each.closes_on) for each in found])
    _check_order(
        reasons, "terms.batches", [(each.opens_on, each.closes_on) for each in terms.batches]
    )
    for batch in terms.batches:
        if not days.opens_on <= batch.opens_on <= batch.closes_on <= days.closes_on:
            reasons.add(
                "terms.batches",
                f"Round {batch.number} lies outside {days.opens_on} to {days.closes_on}.",
            )
    numbers = [batch.number for batch in terms.batches]
    if numbers != list(range(1, len(numbers) + 1)):
        reasons.add("terms.batches", "Rounds are numbered from 1 on, in order.", asked=numbers)


def _check_order(reasons: Reasons, where: str, windows: Sequence[tuple[date, date]]) -> None:
    for opens_on, closes_on in windows:
        if opens_on > closes_on:
            reasons.add(where, f"From {opens_on} to {closes_on} is not a window.")
    for (_, before), (after, _) in itertools.pairwise(windows):
        if after <= before:
            reasons.add(where, f"The window from {after} begins before the one to {before} ends.")


def _check_steps(reasons: Reasons, terms: Terms) -> None:
    ends = [step.up_to_fen for step in terms.steps]
    if any(end is None for end in ends[:-1]):
        reasons.add("terms.ratio_steps", "Only the last step is without end.")
    known = [end for end in ends if end is not None]
    if known != sorted(set(known)) or 0 in known:
        reasons.add("terms.ratio_steps", "Each step ends above the one before.", asked=known)


def _check_names(reasons: Reasons, terms: Terms, layers: Sequence[LayerRegion]) -> None:
    funders = {layer.funder for layer in layers}
    named: list[tuple[str, str]] = [
        *((f"terms.rates.{i}", rate.funder) for i, rate in enumerate(terms.rates) if rate.funder),
        *((f"terms.caps.{i}", cap.funder) for i, cap in enumerate(terms.caps) if cap.funder),
        *(
            ("terms.stacking.exclusive_layers", funder)
            for group in terms.stacking.exclusive_layers
            for funder in sorted(group)
        ),
    ]
    for where, funder in named:
        if funder not in funders:
            reasons.add(
                where,
                f"{where}: the {funder} does not fund the programme.",
                limit=sorted(funders),
                asked=funder,
            )
    kinds = {each.kind for each in terms.eligible}
    buyers: Iterable[tuple[str, frozenset[str]]] = [
        *((f"terms.rates.{i}", rate.beneficiaries) for i, rate in enumerate(terms.rates)),
        *((f"terms.caps.{i}", cap.beneficiaries) for i, cap in enumerate(terms.caps)),
    ]
    for where, asked in buyers:
        for kind in sorted(asked - kinds):
            reasons.add(
                where, f"{where}: {kind} is no beneficiary.", limit=sorted(kinds), asked=kind
            )


def _check_kinds(reasons: Reasons, terms: Terms) -> None:
    """What a rate or a cap is for is something that vouchers pay for at all."""
    both = terms.service_kinds & terms.excluded_services
    if both:
        reasons.add(
            "terms.service_kinds",
            "A kind of service is both eligible and excluded.",
            asked=sorted(both),
        )
    named = [
        *((f"terms.rates.{i}", rate.service_kinds) for i, rate in enumerate(terms.rates)),
        *((f"terms.caps.{i}", cap.service_kinds) for i, cap in enumerate(terms.caps)),
    ]
    for where, kinds in named:
        lost = kinds & terms.excluded_services
        if terms.service_kinds:
            lost |= kinds - terms.service_kinds
        if lost:
            reasons.add(
                where, f"{where}: vouchers do not pay for this kind at all.", asked=sorted(lost)
            )
    for index, cap in enumerate(terms.caps):
        if cap.service_kinds and cap.scope not in (CapScope.ORDER, CapScope.PERSON):
            where = f"terms.caps.{index}"
            reasons.add(where, f"{where}: only a cap per order or person is for some kinds.")


def _check_papers(reasons: Reasons, terms: Terms) -> None:
    """Whoever minds the day of a paper asks for the paper, and whoever prefers says whom."""
    asked = set(terms.required_evidence)
    if terms.invoices_within and EvidenceKind.INVOICE not in asked:
        reasons.add("terms.invoices_within", "Nothing is said of invoices in required_evidence.")
    if terms.payments_within and EvidenceKind.PAYMENT_PROOF not in asked:
        reasons.add("terms.payments_within", "No payment-proof is in required_evidence.")
    for index, each in enumerate(terms.waiting_first):
        if each.founded_from is None and not each.certificates:
            where = f"terms.waiting_first.{index}"
            reasons.add(where, f"{where}: say who comes first.")


def _check_faces(reasons: Reasons, terms: Terms, layers: Sequence[LayerRegion]) -> None:
    if terms.face_value_fen == 0:
        reasons.add("terms.face_value_fen", "A voucher has a value.", asked=0)
    if terms.face_vouchers_max is not None and terms.face_value_fen is None:
        reasons.add("terms.face_vouchers_max", "Say what one voucher is worth.")
    if terms.cost_split is not None:
        regions = {layer.region_code for layer in layers}
        apart = any(not lies_in(one, other) for one in regions for other in regions)
        if not apart:
            reasons.add("terms.cost_split", "A cost is split between the layers of two regions.")


def _check_together(reasons: Reasons, terms: Terms, layers: Sequence[LayerRegion]) -> None:
    """At no place, for no kind of service and no buyer do layers take over more than everything."""
    together = highest_together(terms, layers)
    if together > BASIS_POINTS:
        reasons.add(
            "stacking",
            "Layers that pay for the same SME take over more than 100 % together.",
            limit=BASIS_POINTS,
            asked=together,
            source="J.22b",
        )


def highest_together(terms: Terms, layers: Sequence[LayerRegion]) -> int:
    """The most that all layers of one place take over together, by any of the rates."""
    sharing = Sharing(terms)
    kinds: set[str] = {""}.union(*(rate.service_kinds for rate in terms.rates))
    buyers = {each.kind for each in terms.eligible}
    places = {layer.region_code for layer in layers}.union(
        *(rate.buyer_regions for rate in terms.rates)
    )
    hosts = {""}.union(*(rate.provider_regions for rate in terms.rates))
    years = {layer.budget_year for layer in layers} - {None} or {None}
    return max(
        (
            sum(
                sharing.ratio(
                    LayerRoom(layer.layer_id, layer.funder, layer.ratio_basis_points, 0), purchase
                )
                for layer in layers
                if lies_in(place, layer.region_code) and layer.budget_year in (None, year)
            )
            for place in places
            for year in years
            for purchase in (
                Purchase(kind, place, host, buyer, first)
                for kind in kinds
                for host in hosts
                for buyer in buyers
                for first in (False, True)
            )
        ),
        default=0,
    )
