"""Whether a voucher may pay for a service, with every reason why not.

Policy: J.22b
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.money import yuan
from marketplace.vouchers.rules.regions import lies_in_any
from marketplace.vouchers.rules.terms import Terms


@dataclass(frozen=True, slots=True)
class Use:
    """What a voucher is asked to pay for, as the registers know it on the day."""

    on: date
    service_kind: str
    sme_suspended: bool
    provider_suspended: bool
    affiliated_by: str | None
    """Why buyer and provider are affiliated, or None."""
    ordered_on: date | None = None
    """The day of the order; None: the day of the service."""
    sme_region: str | None = None
    provider_region: str | None = None
    """Where they are; None leaves a rule about regions unasked."""
    instrument_category: str | None = None
    instrument_worth_fen: int | None = None
    """Of the instrument that serves; None leaves a rule about it unasked."""
    service_value_fen: int | None = None
    persons: int = 0
    """How many persons the service trains."""
    other_programmes: frozenset[str] = frozenset()
    """Codes of other programmes whose vouchers pay for the same order."""
    other_funders: frozenset[str] = frozenset()
    """Funders that pay for the same order by another programme."""
    sme_barred: bool = False
    provider_barred: bool = False
    """Whether a sanction bars one of the two from the programme on the day of the order."""


@dataclass(frozen=True, slots=True)
class GrantOnDay:
    """The grant that is asked to pay."""

    status: str
    valid_until: date
    left_fen: int
    older_left: bool = False
    """Whether an older voucher of the SME could pay for the same."""


def asks_for_instruments(terms: Terms) -> bool:
    """Whether it matters on which instrument a service is done."""
    return bool(terms.instrument_categories or terms.instrument_worth_min_fen)


def reasons_not_to_pay(use: Use, grant: GrantOnDay, terms: Terms) -> list[Reason]:
    """Every reason why `grant` may not pay for `use`; none means that it may.

    Policy: J.22b
    """
    reasons = Reasons()
    last = max(use.on, use.ordered_on or use.on)
    if grant.status == "revoked":
        reasons.add("revoked", "The voucher was revoked.", source="J.31")
    elif grant.status != "active" or last > grant.valid_until:
        reasons.add(
            "valid",
            f"The voucher was valid until {grant.valid_until}.",
            limit=grant.valid_until.isoformat(),
            asked=last.isoformat(),
            source=terms.source_of("validity"),
        )
    if grant.left_fen <= 0:
        reasons.add("left", "Nothing is left of the voucher.", limit=0, source="J.22b")
    if use.sme_suspended:
        reasons.add("sme-suspended", "The SME is suspended.", source="J.31")
    if use.provider_suspended:
        reasons.add("provider-suspended", "The provider is suspended.", source="J.31")
    for barred, whose in ((use.sme_barred, "SME"), (use.provider_barred, "provider")):
        if barred:
            reasons.add(
                f"{whose.lower()}-barred",
                f"A sanction bars the {whose} from the vouchers of this programme.",
                source="J.31",
            )
    if use.service_kind in terms.excluded_services:
        reasons.add(
            "excluded-service",
            "Vouchers do not pay for this kind of service.",
            limit=sorted(terms.excluded_services),
            asked=use.service_kind,
            source=terms.source_of("excluded_services"),
        )
    if use.affiliated_by is not None:
        reasons.add(
            "not-affiliated",
            f"Buyer and provider are affiliated: {use.affiliated_by}.",
            limit=terms.common_control_basis_points,
            source=terms.source_of("common_control_basis_points"),
        )
    _kind_and_place(reasons, use, terms)
    _instrument(reasons, use, terms)
    _together(reasons, use, grant, terms)
    return reasons.found


def _kind_and_place(reasons: Reasons, use: Use, terms: Terms) -> None:
    if terms.service_kinds and use.service_kind not in terms.service_kinds:
        reasons.add(
            "service-kind",
            "Vouchers of this programme pay for some kinds of service only.",
            limit=sorted(terms.service_kinds),
            asked=use.service_kind,
            source=terms.source_of("service_kinds"),
        )
    for rule, whose, place, regions, term in (
        ("buyer-region", "SMEs", use.sme_region, terms.buyer_regions, "buyer_regions"),
        (
            "provider-region",
            "providers",
            use.provider_region,
            terms.provider_regions,
            "provider_regions",
        ),
    ):
        if place is not None and not lies_in_any(place, regions):
            reasons.add(
                rule,
                f"The programme is for {whose} of some regions only.",
                limit=list(regions),
                asked=place,
                source=terms.source_of(term),
            )
    within = terms.services_within
    if within is not None and not within.holds_on(use.on):
        reasons.add(
            "service-window",
            f"The programme pays for services from {within.opens_on} to {within.closes_on}.",
            limit=[within.opens_on.isoformat(), within.closes_on.isoformat()],
            asked=use.on.isoformat(),
            source=terms.source_of("services_within"),
        )
    if not use.persons and terms.asks_for_persons(use.service_kind):
        reasons.add(
            "persons",
            "The programme pays for this kind of service by the person: say how many are trained.",
            asked=use.service_kind,
            source=terms.source_of("caps"),
        )
    least = terms.minimum_order_fen
    if use.service_value_fen is not None and use.service_value_fen < least:
        reasons.add(
            "minimum",
            f"The programme pays for services of at least {yuan(least)} CNY.",
            limit=least,
            asked=use.service_value_fen,
            source=terms.source_of("minimum_order_fen"),
        )


def _instrument(reasons: Reasons, use: Use, terms: Terms) -> None:
    category, classes = use.instrument_category, terms.instrument_categories
    if category is not None and classes and not category.startswith(classes):
        reasons.add(
            "instrument-category",
            "The programme is for some classes of instruments only.",
            limit=list(classes),
            asked=category,
            source=terms.source_of("instrument_categories"),
        )
    worth, least = use.instrument_worth_fen, terms.instrument_worth_min_fen
    if worth is not None and worth < least:
        reasons.add(
            "instrument-worth",
            f"The programme is for instruments worth at least {yuan(least)} CNY.",
            limit=least,
            asked=worth,
            source=terms.source_of("instrument_worth_min_fen"),
        )


def _together(reasons: Reasons, use: Use, grant: GrantOnDay, terms: Terms) -> None:
    rivals = use.other_programmes & terms.stacking.excludes_programmes
    if rivals:
        reasons.add(
            "stacking-programme",
            "A voucher of a programme that this one excludes pays for the same order.",
            limit=sorted(terms.stacking.excludes_programmes),
            asked=sorted(rivals),
            source=terms.source_of("stacking"),
        )
    funders = use.other_funders & terms.stacking.excludes_funders
    if funders:
        reasons.add(
            "stacking-funder",
            "A funder that this programme excludes pays for the same order.",
            limit=sorted(terms.stacking.excludes_funders),
            asked=sorted(funders),
            source=terms.source_of("stacking"),
        )
    if terms.oldest_first and grant.older_left:
        reasons.add(
            "oldest-first",
            "An older voucher has to be used up first.",
            source=terms.source_of("oldest_first"),
        )
