"""Whether an SME is one of the beneficiaries that a programme names.

Policy: J.22b
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from marketplace.vouchers.rules.checks import Check
from marketplace.vouchers.rules.limits import Beneficiary
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.rules.validity import months_after


@dataclass(frozen=True, slots=True)
class Profile:
    """What an SME declared for a year."""

    year: int
    staff: int
    sales_fen: int
    assets_fen: int
    registration_number: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is verified of an SME on a day beyond its profile; None: nothing is."""

    certificates: Mapping[str, date | None] = field(default_factory=dict)
    """Each certificate that is valid on the day, and its last day if it has one."""
    capital_fen: int | None = None
    founded_on: date | None = None
    incubated_since: date | None = None
    members: int | None = None
    """How many core members a team has that is no company yet."""


def beneficiary_of(
    profile: Profile | None, facts: Facts, terms: Terms, year: int, on: date
) -> Beneficiary | None:
    """The first kind of beneficiary whose every condition the SME meets, or None."""
    for kind in terms.eligible:
        if all(check.passed for check in _checks(kind, profile, facts, terms, year, on)):
            return kind
    return None


def kind_checks(
    profile: Profile | None, facts: Facts, terms: Terms, year: int, on: date
) -> tuple[Check, ...]:
    """Every check of the kind that the SME meets, or of all kinds where it meets none.

    Where several kinds are not met each check says of which it is.
    """
    kinds = terms.eligible
    met = beneficiary_of(profile, facts, terms, year, on) or (kinds[0] if len(kinds) == 1 else None)
    if met is not None:
        return tuple(_checks(met, profile, facts, terms, year, on))
    return tuple(
        replace(check, rule=f"{kind.kind}:{check.rule}")
        for kind in kinds
        for check in _checks(kind, profile, facts, terms, year, on)
    )


NEVER_UNKNOWN = frozenset({"team", "members"})
"""A company is no team: nobody has to look that up."""


def unknown_facts(
    profile: Profile | None, facts: Facts, terms: Terms, year: int, on: date
) -> frozenset[str]:
    """What would have to be looked up to say whether the SME is a beneficiary, by rule.

    Empty where it is one, and where something known keeps it from being one. Of several kinds the
    one that the fewest facts are missing for. That nobody stated a certificate does not say that
    there is none.
    """
    missing: list[frozenset[str]] = []
    for kind in terms.eligible:
        failed = [
            check for check in _checks(kind, profile, facts, terms, year, on) if not check.passed
        ]
        if not failed:
            return frozenset()
        if all(
            check.rule.startswith("certificate-")
            or (check.asked is None and check.rule not in NEVER_UNKNOWN)
            for check in failed
        ):
            missing.append(frozenset(check.rule for check in failed))
    return min(missing, key=lambda each: (len(each), sorted(each)), default=frozenset())


def _checks(
    kind: Beneficiary, profile: Profile | None, facts: Facts, terms: Terms, year: int, on: date
) -> list[Check]:
    return [*_profile(kind, profile, terms, year), *_verified(kind, facts, on)]


def _profile(kind: Beneficiary, profile: Profile | None, terms: Terms, year: int) -> list[Check]:
    limits = (
        ("staff", "staff", "staff_max", kind.staff_max),
        ("sales", "fen of sales", "sales_max_fen", kind.sales_max_fen),
        ("assets", "fen of assets", "assets_max_fen", kind.assets_max_fen),
    )
    asked = [each for each in limits if each[3] is not None]
    if not asked and not kind.registration_number:
        return []
    fact = f"profile of {year}"
    filed = Check(
        "profile-of-the-year",
        profile is not None,
        f"The SME must have filed its profile of {year}.",
        limit=year,
        source="J.22b",
        fact=fact,
    )
    checks = [filed]
    if kind.registration_number:
        number = profile.registration_number.strip() if profile else ""
        checks.append(
            Check(
                "registration-number",
                bool(number),
                f"The profile of {year} must carry the registration number as a technology SME.",
                asked=number or None,
                source="J.22b",
                fact=fact,
            )
        )
    found = (
        {"staff": None, "sales": None, "assets": None}
        if profile is None
        else {
            "staff": profile.staff,
            "sales": profile.sales_fen,
            "assets": profile.assets_fen,
        }
    )
    for rule, what, term, limit in asked:
        source = kind.source or terms.sources.get(term) or "J.22b"
        checks.append(
            _at_most(rule, f"At most {limit:,} {what}.", found[rule], limit, source, fact)
        )
    return checks


def _at_most(
    rule: str, message: str, found: int | None, limit: int | None, source: str, fact: str
) -> Check:
    # An unknown figure does not pass: nobody is eligible by leaving a field out.
    passed = limit is None or (found is not None and found <= limit)
    return Check(rule, passed, message, limit=limit, asked=found, source=source, fact=fact)


def _verified(kind: Beneficiary, facts: Facts, on: date) -> list[Check]:
    """The conditions about facts that somebody of the centre has verified."""
    source = kind.source or "J.22b"

    def check(rule: str, passed: bool, message: str, limit: Any, asked: Any) -> Check:
        told = asked.isoformat() if isinstance(asked, date) else asked
        return Check(
            rule, passed, message, limit=limit, asked=told, source=source, fact="verified facts"
        )

    members, founded, since = facts.members, facts.founded_on, facts.incubated_since
    checks = [
        check(
            f"certificate-{name}",
            name in facts.certificates,
            f"A verified certificate {name} has to be valid on the day.",
            name,
            sorted(facts.certificates),
        )
        for name in sorted(kind.certificates)
    ]
    if kind.entity == "team":
        checks.append(check("team", members is not None, "For teams only.", "team", members))
    if (least := kind.members_min) is not None:
        passed = members is not None and members >= least
        told = f"A team has at least {least} core members."
        checks.append(check("members", passed, told, least, members))
    if (most := kind.capital_max_fen) is not None:
        told = f"At most {most:,} fen of registered capital."
        checks.append(_at_most("capital", told, facts.capital_fen, most, source, "verified facts"))
    if (first := kind.founded_from) is not None:
        passed = founded is not None and founded >= first
        told = f"Founded on or after {first}."
        checks.append(check("founded", passed, told, first.isoformat(), founded))
    if (months := kind.incubated_months_max) is not None:
        passed = since is not None and since <= on <= months_after(since, months)
        told = f"In an incubator, for at most {months} months."
        checks.append(check("incubated", passed, told, months, since))
    return checks
