"""Whether a voucher may pay for a service, with every reason why not.

Policy: J.22b
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.kernel.errors import Reason, Reasons
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


@dataclass(frozen=True, slots=True)
class GrantOnDay:
    """The grant that is asked to pay."""

    status: str
    valid_until: date
    left_fen: int


def reasons_not_to_pay(use: Use, grant: GrantOnDay, terms: Terms) -> list[Reason]:
    """Every reason why `grant` may not pay for `use`; none means that it may.

    Policy: J.22b
    """
    reasons = Reasons()
    if grant.status != "active" or use.on > grant.valid_until:
        reasons.add(
            "valid",
            f"The voucher was valid until {grant.valid_until}.",
            limit=grant.valid_until.isoformat(),
            asked=use.on.isoformat(),
            source=terms.source_of("validity"),
        )
    if grant.left_fen <= 0:
        reasons.add("left", "Nothing is left of the voucher.", limit=0, source="J.22b")
    if use.sme_suspended:
        reasons.add("sme-suspended", "The SME is suspended.", source="J.31")
    if use.provider_suspended:
        reasons.add("provider-suspended", "The provider is suspended.", source="J.31")
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
    return reasons.found
