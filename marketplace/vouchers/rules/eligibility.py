"""Who may have a voucher: every rule is checked, and each says what it found.

Policy: J.22a, J.22b
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.kernel.money import yuan
from marketplace.vouchers.rules.beneficiaries import Facts, Profile, beneficiary_of, kind_checks
from marketplace.vouchers.rules.checks import Check, failed
from marketplace.vouchers.rules.limits import TECHNOLOGY_SME, CapScope
from marketplace.vouchers.rules.regions import lies_in_any
from marketplace.vouchers.rules.terms import Terms

__all__ = ["Applicant", "Check", "Facts", "Offer", "Profile", "eligibility", "failed", "kind_of"]

NOTHING_VERIFIED = Facts()


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applies, as the registers know it on the day."""

    kind: str
    region_code: str
    suspended: bool
    profile: Profile | None
    granted_before: bool
    granted_in_year_fen: Mapping[str, int]
    facts: Facts = NOTHING_VERIFIED
    topping_up: str | None = None
    """The state of the grant that is to be topped up; None: a first application."""
    granted_fen: int = 0
    """What the grant to be topped up is worth already."""
    unspent_fen: int = 0
    """What the SME holds unspent of the programme."""
    applications_in_year: int = 0
    """How often it applied in the programme, in this year."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the programme offers this applicant: its days and the layers that would pay."""

    status: str
    opens_on: date
    closes_on: date
    year: int
    region_codes: Sequence[str]
    parts_fen: Mapping[str, int]
    """What each funder would pay of the asked amount; empty when none would."""

    @property
    def asked_fen(self) -> int:
        """The asked amount, as far as somebody would pay it."""
        return sum(self.parts_fen.values())


def kind_of(applicant: Applicant, offer: Offer, terms: Terms, on: date) -> str:
    """As which kind of beneficiary the SME is granted a voucher; the first it meets."""
    found = beneficiary_of(applicant.profile, applicant.facts, terms, offer.year, on)
    return TECHNOLOGY_SME if found is None else found.kind


def eligibility(applicant: Applicant, offer: Offer, terms: Terms, on: date) -> tuple[Check, ...]:
    """Every check of an application on day `on`; all of them, whether passed or not.

    Policy: J.22a, J.22b
    """
    kind = kind_of(applicant, offer, terms, on)
    return (
        Check(
            "sme",
            applicant.kind == "sme",
            "Vouchers are for technology SMEs.",
            limit="sme",
            asked=applicant.kind,
            source="J.22b",
            fact="register of organisations",
        ),
        Check(
            "not-suspended",
            not applicant.suspended,
            "A suspended organisation receives no voucher.",
            source="J.31",
            fact="register of organisations",
        ),
        _region(applicant, offer, terms),
        _open_on(offer, terms, on),
        _once(applicant),
        *kind_checks(applicant.profile, applicant.facts, terms, offer.year, on),
        *_year_caps(applicant, offer, terms),
        *_caps(applicant, offer, terms, kind),
        *_pieces(applicant, offer, terms),
        *_applications(applicant, terms),
    )


def _region(applicant: Applicant, offer: Offer, terms: Terms) -> Check:
    return Check(
        "region",
        bool(offer.parts_fen) and lies_in_any(applicant.region_code, terms.buyer_regions),
        "The SME must be registered in a region that funds the programme.",
        limit=sorted(terms.buyer_regions or offer.region_codes),
        asked=applicant.region_code,
        source="J.22a",
        fact="register of organisations",
    )


def _open_on(offer: Offer, terms: Terms, on: date) -> Check:
    rounds = [(each.opens_on, each.closes_on) for each in terms.batches]
    days = rounds or [(offer.opens_on, offer.closes_on)]
    told = ", ".join(f"from {first} to {last}" for first, last in days)
    return Check(
        "programme-open",
        offer.status == "open"
        and offer.opens_on <= on <= offer.closes_on
        and any(first <= on <= last for first, last in days),
        f"Applications are taken {told} while the programme is open.",
        limit=[day.isoformat() for pair in days for day in pair],
        asked=on.isoformat(),
        source="J.22a",
        fact="programme",
    )


def _once(applicant: Applicant) -> Check:
    if applicant.topping_up is None:
        return Check(
            "once-per-programme",
            not applicant.granted_before,
            "One grant per SME and programme.",
            source="J.22b",
            fact="grants",
        )
    return Check(
        "top-up",
        applicant.topping_up != "revoked",
        "A revoked voucher is not topped up.",
        asked=applicant.topping_up,
        source="J.31",
        fact="grants",
    )


def _caps(applicant: Applicant, offer: Offer, terms: Terms, kind: str) -> list[Check]:
    asked = offer.asked_fen
    amounts = (
        (CapScope.APPLICATION, asked, "One application asks for"),
        (CapScope.GRANT, applicant.granted_fen + asked, "A grant is"),
        (CapScope.HELD, applicant.unspent_fen + asked, "An SME holds unspent"),
        (CapScope.SME_YEAR, applicant.granted_fen + asked, "An SME is granted in a year"),
    )
    found = []
    for scope, amount_fen, what in amounts:
        limit = terms.cap_on(scope, beneficiary=kind)
        if limit is not None:
            found.append(
                Check(
                    f"cap-per-{scope.value}",
                    amount_fen <= limit,
                    f"{what} at most {yuan(limit)} CNY.",
                    limit=limit,
                    asked=amount_fen,
                    source=terms.sources.get("caps") or "J.22b",
                    fact="grants",
                )
            )
    return found


def _pieces(applicant: Applicant, offer: Offer, terms: Terms) -> list[Check]:
    piece, most, asked = terms.face_value_fen, terms.face_vouchers_max, offer.asked_fen
    if not piece:
        return []
    count = (applicant.granted_fen + asked) // piece
    told = "." if most is None else f", at most {most} of them."
    return [
        Check(
            "face-value",
            asked % piece == 0 and (most is None or count <= most),
            f"Vouchers are granted in pieces of {yuan(piece)} CNY{told}",
            limit=piece,
            asked=asked,
            source=terms.sources.get("face_value_fen") or "J.22b",
            fact="application",
        )
    ]


def _applications(applicant: Applicant, terms: Terms) -> list[Check]:
    most = terms.applications_per_year
    if most is None:
        return []
    return [
        Check(
            "applications-per-year",
            applicant.applications_in_year < most,
            f"An SME applies at most {most} times a year.",
            limit=most,
            asked=applicant.applications_in_year + 1,
            source=terms.sources.get("applications_per_year") or "J.22b",
            fact="applications",
        )
    ]


def _year_caps(applicant: Applicant, offer: Offer, terms: Terms) -> tuple[Check, ...]:
    cap = terms.cap_per_sme_year_fen
    return tuple(
        Check(
            f"cap-per-sme-year-{funder}",
            applicant.granted_in_year_fen.get(funder, 0) + part_fen <= cap,
            f"The {funder} grants at most {yuan(cap)} CNY per SME in {offer.year}.",
            limit=cap,
            asked=applicant.granted_in_year_fen.get(funder, 0) + part_fen,
            source=terms.source_of("cap_per_sme_year_fen"),
            fact="grants of the year",
        )
        for funder, part_fen in sorted(offer.parts_fen.items())
    )
