"""The terms of a programme: every number with its source, frozen with the programme's version."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, TypeAdapter

from marketplace.vouchers.rules.limits import (
    ALONE,
    TECHNOLOGY_SME,
    Batch,
    Beneficiary,
    Cap,
    CapScope,
    Category,
    CostSplit,
    Count,
    Fen,
    Few,
    Preference,
    Rate,
    Region,
    Stacking,
    Window,
    Word,
)

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
    """What a programme was opened under; `source_of` names the clause of each number.

    The fields with a default are those that a programme may leave out.
    """

    ratios: Mapping[str, int]
    steps: tuple[Step, ...]
    cap_per_order_fen: int
    cap_per_sme_year_fen: int
    """Of each layer."""
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
    beneficiaries: tuple[Beneficiary, ...] = ()
    buyer_regions: tuple[Region, ...] = ()
    """Where the SME has to be; empty: where a layer funds."""
    provider_regions: tuple[Region, ...] = ()
    """Where the provider has to be; empty: anywhere."""
    service_kinds: frozenset[Word] = frozenset()
    """What vouchers may pay for; empty: everything that is not excluded."""
    instrument_categories: tuple[Category, ...] = ()
    """On which classes of instruments, by the beginnings of their codes; empty: on any."""
    instrument_worth_min_fen: Fen = 0
    """On instruments that are worth as much at least."""
    rates: tuple[Rate, ...] = ()
    """The first one whose conditions are met takes the place of the layer's ratio."""
    steps_over: Literal["order", "sme-year"] = "order"
    """Whether the steps count from nought for each order or over the SME's year."""
    caps: tuple[Cap, ...] = ()
    minimum_order_fen: Fen = 0
    round_to_fen: Annotated[int, Field(ge=1, le=10**9)] = 1
    """Voucher money is paid in multiples of this, rounded down."""
    face_value_fen: Fen | None = None
    """Vouchers of a face value are used whole; None: a quota of money."""
    face_vouchers_max: Count | None = None
    ends_on: date | None = None
    """The last day of the programme, for vouchers that are valid until then."""
    services_within: Window | None = None
    """The days on which a service has to be ordered for the programme to pay for it."""
    invoices_within: Window | None = None
    """The days of the invoices that claims may be made with."""
    payments_within: Window | None = None
    """The days of the payments that claims may be made for."""
    redeemed_by: Literal["provider", "sme"] = "provider"
    """Who claims: the provider that took the voucher, or the SME after it paid in full."""
    claim_every: Literal["month", "quarter", "half-year", "year"] | None = None
    claim_windows: tuple[Window, ...] = ()
    stacking: Stacking = ALONE
    cost_split: CostSplit | None = None
    batches: tuple[Batch, ...] = ()
    """Rounds of applications; empty: any day from the programme's first to its last."""
    waiting_first: Annotated[tuple[Preference, ...], Field(max_length=9)] = ()
    """Who comes first of those that wait for money; of equals, who waits longest."""
    approvers: Few = 1
    """How many persons decide one after the other whether to grant."""
    applications_per_year: Count | None = None
    application_documents: tuple[Word, ...] = ()
    oldest_first: bool = False
    """Whether an older voucher has to be used up before a newer one."""
    local_audit: bool = False
    """Whether the city or zone of each layer audits a claim before the centre does."""
    resubmissions: Annotated[int, Field(ge=0, le=9)] = 1
    """How often a refused line may be claimed again once it is corrected."""
    refund_restores_voucher: bool = True
    """Whether a refunded order's money is the SME's to spend again, or goes to the budget."""
    returns_free_caps: bool = True
    """Whether what came back of an order counts no longer towards caps."""
    clawback_frees_caps: bool = False
    """Whether what was clawed back after payment counts no longer towards caps."""

    def source_of(self, term: str) -> str:
        """The clause a number comes from, for instance `J.22b`."""
        return self.sources[term]

    @property
    def eligible(self) -> tuple[Beneficiary, ...]:
        """Who may have a voucher: one of these. Policy: J.22b"""
        return self.beneficiaries or (
            Beneficiary(
                TECHNOLOGY_SME,
                registration_number=True,
                staff_max=self.staff_max,
                sales_max_fen=self.sales_max_fen,
                assets_max_fen=self.assets_max_fen,
                source=self.sources.get("staff_max", ""),
            ),
        )

    def caps_on(
        self, scope: CapScope, *, beneficiary: str = TECHNOLOGY_SME, first_use: bool = False
    ) -> tuple[Cap, ...]:
        """The caps of a scope that hold for a buyer, the general ones of the terms included."""
        return (
            *self._general(scope),
            *(
                cap
                for cap in self.caps
                if cap.scope == scope and cap.holds_for(beneficiary, first_use=first_use)
            ),
        )

    def asks_for_persons(self, service_kind: str) -> bool:
        """Whether it matters how many persons a service of this kind trains."""
        return any(
            cap.scope is CapScope.PERSON
            and (not cap.service_kinds or service_kind in cap.service_kinds)
            for cap in self.caps
        )

    def cap_on(
        self,
        scope: CapScope,
        funder: str | None = None,
        *,
        beneficiary: str = TECHNOLOGY_SME,
        first_use: bool = False,
    ) -> int | None:
        """The lowest cap on what `funder` pays, or on what all layers pay together."""
        return min(
            (
                cap.amount_fen
                for cap in self.caps_on(scope, beneficiary=beneficiary, first_use=first_use)
                if cap.funder == funder
            ),
            default=None,
        )

    def _general(self, scope: CapScope) -> Iterable[Cap]:
        if scope is CapScope.ORDER:
            source = self.sources.get("cap_per_order_fen", "")
            yield Cap(scope, self.cap_per_order_fen, source=source)
        if scope is CapScope.SME_YEAR:
            source = self.sources.get("cap_per_sme_year_fen", "")
            for funder in self.ratios:
                yield Cap(scope, self.cap_per_sme_year_fen, funder, source=source)  # type: ignore[arg-type]


OPTIONAL = tuple(
    field.name
    for field in fields(Terms)
    if field.name not in {*_NEEDED, "ratios", "steps", "sources"}
)
"""The terms that a programme may leave out."""


@functools.cache
def adapter_of(term: str) -> TypeAdapter[Any]:
    """What checks and reads the value of a term that may be left out."""
    return TypeAdapter(get_type_hints(Terms, include_extras=True)[term])


def missing_terms(snapshot: Mapping[str, Any]) -> list[str]:
    """The numbers without which no programme can be opened and the rulebook does not give."""
    return [name for name in _NEEDED if name not in snapshot]


def terms_of(snapshot: Mapping[str, Any]) -> Terms:
    """The terms in a snapshot: of the rulebook's voucher section, or of a programme's file.

    Raises:
        KeyError: when a number is missing; `missing_terms` says which.
    """
    value = {name: snapshot[name]["value"] for name in _NEEDED}
    given = [name for name in OPTIONAL if name in snapshot]
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
        sources={name: snapshot[name].get("source", "") for name in (*_NEEDED, *given)},
        **{name: adapter_of(name).validate_python(snapshot[name]["value"]) for name in given},
    )
