"""Who may have a voucher: every rule is checked, and each says what it found.

Policy: J.22a, J.22b
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from marketplace.kernel.errors import Reason
from marketplace.kernel.money import yuan
from marketplace.vouchers.rules.terms import Terms


@dataclass(frozen=True, slots=True)
class Check:
    """One rule and what it found."""

    rule: str
    passed: bool
    message: str
    limit: Any = None
    asked: Any = None
    source: str | None = None

    def reason(self) -> Reason:
        """The check as a reason for a refusal."""
        return Reason(
            self.rule, self.message, limit=self.limit, asked=self.asked, source=self.source
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """What an SME declared for a year."""

    year: int
    staff: int
    sales_fen: int
    assets_fen: int
    registration_number: str


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applies, as the registers know it on the day."""

    kind: str
    region_code: str
    suspended: bool
    profile: Profile | None
    granted_before: bool
    granted_in_year_fen: Mapping[str, int]


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


def eligibility(applicant: Applicant, offer: Offer, terms: Terms, on: date) -> tuple[Check, ...]:
    """Every check of an application on day `on`; all of them, whether passed or not.

    Policy: J.22a, J.22b
    """
    return (
        Check(
            "sme",
            applicant.kind == "sme",
            "Vouchers are for technology SMEs.",
            limit="sme",
            asked=applicant.kind,
            source="J.22b",
        ),
        Check(
            "not-suspended",
            not applicant.suspended,
            "A suspended organisation receives no voucher.",
            source="J.31",
        ),
        _region(applicant, offer),
        _open_on(offer, on),
        Check(
            "once-per-programme",
            not applicant.granted_before,
            "One grant per SME and programme.",
            source="J.22b",
        ),
        *_profile(applicant.profile, offer.year, terms),
        *_year_caps(applicant, offer, terms),
    )


def failed(checks: Sequence[Check]) -> list[Reason]:
    """The reasons of every check that was not passed."""
    return [check.reason() for check in checks if not check.passed]


def _region(applicant: Applicant, offer: Offer) -> Check:
    return Check(
        "region",
        bool(offer.parts_fen),
        "The SME must be registered in a region that funds the programme.",
        limit=sorted(offer.region_codes),
        asked=applicant.region_code,
        source="J.22a",
    )


def _open_on(offer: Offer, on: date) -> Check:
    return Check(
        "programme-open",
        offer.status == "open" and offer.opens_on <= on <= offer.closes_on,
        f"Applications are taken from {offer.opens_on} to {offer.closes_on}"
        " while the programme is open.",
        limit=[offer.opens_on.isoformat(), offer.closes_on.isoformat()],
        asked=on.isoformat(),
        source="J.22a",
    )


def _profile(profile: Profile | None, year: int, terms: Terms) -> tuple[Check, ...]:
    number = profile.registration_number.strip() if profile else ""
    staff = profile.staff if profile else None
    sales = profile.sales_fen if profile else None
    assets = profile.assets_fen if profile else None
    return (
        Check(
            "profile-of-the-year",
            profile is not None,
            f"The SME must have filed its profile of {year}.",
            limit=year,
            source="J.22b",
        ),
        Check(
            "registration-number",
            bool(number),
            f"The profile of {year} must carry the registration number as a technology SME.",
            asked=number or None,
            source="J.22b",
        ),
        _at_most("staff", "staff", staff, "staff_max", terms.staff_max, terms),
        _at_most("sales", "fen of sales", sales, "sales_max_fen", terms.sales_max_fen, terms),
        _at_most("assets", "fen of assets", assets, "assets_max_fen", terms.assets_max_fen, terms),
    )


def _at_most(rule: str, what: str, found: int | None, term: str, limit: int, terms: Terms) -> Check:
    # An unknown figure does not pass: nobody is eligible by leaving a field out.
    return Check(
        rule,
        found is not None and found <= limit,
        f"At most {limit:,} {what}.",
        limit=limit,
        asked=found,
        source=terms.source_of(term),
    )


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
        )
        for funder, part_fen in sorted(offer.parts_fen.items())
    )
