"""Policy: J.22a, J.22b. Who may have a voucher."""

import dataclasses
from datetime import date
from typing import Any

import pytest

from marketplace.vouchers.rules.eligibility import (
    Applicant,
    Offer,
    Profile,
    eligibility,
    failed,
)
from tests.rules.vouchers.terms import ON, terms

PROFILE = Profile(2025, 500, 20_000_000_000, 20_000_000_000, "202532050100001234")
APPLICANT = Applicant("sme", "320506", False, PROFILE, False, {})
OFFER = Offer(
    "open",
    date(2025, 3, 1),
    date(2025, 3, 31),
    2025,
    ["320000", "320500"],
    {"province": 10_000_000, "city": 10_000_000},
)


def failing(applicant: Applicant = APPLICANT, offer: Offer = OFFER, on: date = ON) -> list[str]:
    return [reason.rule for reason in failed(eligibility(applicant, offer, terms(), on))]


def test_an_sme_exactly_at_every_limit_is_eligible():
    assert failing() == []


def profile(**changes: Any) -> dict[str, Any]:
    return {"profile": dataclasses.replace(PROFILE, **changes)}


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"kind": "provider"}, ["sme"]),
        ({"suspended": True}, ["not-suspended"]),
        ({"granted_before": True}, ["once-per-programme"]),
        (profile(staff=501), ["staff"]),
        (profile(sales_fen=20_000_000_001), ["sales"]),
        (profile(assets_fen=20_000_000_001), ["assets"]),
        (profile(registration_number=" "), ["registration-number"]),
        (
            {"profile": None},
            ["profile-of-the-year", "registration-number", "staff", "sales", "assets"],
        ),
        ({"granted_in_year_fen": {"city": 1}}, ["cap-per-sme-year-city"]),
        (
            {"granted_in_year_fen": {"province": 1, "city": 1}},
            ["cap-per-sme-year-city", "cap-per-sme-year-province"],
        ),
    ],
)
def test_each_rule_about_the_applicant_is_checked(changes, rules):
    assert failing(dataclasses.replace(APPLICANT, **changes)) == rules


@pytest.mark.parametrize(
    ("offer", "on", "rules"),
    [
        ({}, date(2025, 3, 1), []),
        ({}, date(2025, 3, 31), []),
        ({}, date(2025, 2, 28), ["programme-open"]),
        ({}, date(2025, 4, 1), ["programme-open"]),
        ({"status": "closed"}, ON, ["programme-open"]),
        ({"parts_fen": {}}, ON, ["region"]),
        ({"parts_fen": {"province": 10_000_001}}, ON, ["cap-per-sme-year-province"]),
    ],
)
def test_each_rule_about_the_programme_is_checked(offer, on, rules):
    assert failing(offer=dataclasses.replace(OFFER, **offer), on=on) == rules


def test_all_reasons_are_said_at_once_each_with_limit_asked_and_source():
    applicant = dataclasses.replace(
        APPLICANT, kind="provider", suspended=True, **profile(staff=900)
    )
    reasons = failed(eligibility(applicant, OFFER, terms(), date(2025, 4, 1)))

    assert [reason.rule for reason in reasons] == [
        "sme",
        "not-suspended",
        "programme-open",
        "staff",
    ]
    assert (reasons[3].limit, reasons[3].asked, reasons[3].source) == (500, 900, "J.22b")
    assert all(reason.source for reason in reasons)
