"""Policy: J.22b. Whether a voucher may pay for a service."""

import dataclasses
from datetime import date

import pytest

from marketplace.vouchers.rules.limits import Cap, CapScope, Stacking, Window
from marketplace.vouchers.rules.usability import GrantOnDay, Use, reasons_not_to_pay
from tests.rules.vouchers.terms import ON, terms

USE = Use(ON, "research", False, False, None)
GRANT = GrantOnDay("active", ON, 1)


def rules(use: Use = USE, grant: GrantOnDay = GRANT) -> list[str]:
    return [reason.rule for reason in reasons_not_to_pay(use, grant, terms())]


def test_a_voucher_pays_on_its_last_day():
    assert rules() == []


@pytest.mark.parametrize(
    ("use", "grant", "expected"),
    [
        ({"on": date(2025, 3, 4)}, {}, ["valid"]),
        ({}, {"status": "expired"}, ["valid"]),
        ({}, {"left_fen": 0}, ["left"]),
        ({"sme_suspended": True}, {}, ["sme-suspended"]),
        ({"provider_suspended": True}, {}, ["provider-suspended"]),
        ({"service_kind": "statutory-test"}, {}, ["excluded-service"]),
        ({"service_kind": "bulk-inspection"}, {}, ["excluded-service"]),
        ({"affiliated_by": "same legal representative"}, {}, ["not-affiliated"]),
        (
            {"service_kind": "medical-service", "affiliated_by": "shareholding"},
            {"status": "exhausted", "left_fen": 0},
            ["valid", "left", "excluded-service", "not-affiliated"],
        ),
    ],
)
def test_every_reason_is_said_at_once(use, grant, expected):
    assert rules(dataclasses.replace(USE, **use), dataclasses.replace(GRANT, **grant)) == expected


@pytest.mark.parametrize(
    ("changes", "use", "expected"),
    [
        ({"service_kinds": frozenset({"testing"})}, {}, ["service-kind"]),
        ({"service_kinds": frozenset({"research"})}, {}, []),
        ({"buyer_regions": ("320500",)}, {"sme_region": "320100"}, ["buyer-region"]),
        ({"buyer_regions": ("320500",)}, {"sme_region": "320583"}, []),
        ({"provider_regions": ("310000",)}, {"provider_region": "320100"}, ["provider-region"]),
        ({"provider_regions": ("310000",)}, {}, []),
        ({"services_within": Window(date(2025, 1, 1), ON)}, {}, []),
        ({"caps": (Cap(CapScope.PERSON, 1),)}, {}, ["persons"]),
        ({"caps": (Cap(CapScope.PERSON, 1),)}, {"persons": 2}, []),
        ({"caps": (Cap(CapScope.PERSON, 1, service_kinds=frozenset({"pilot"})),)}, {}, []),
        ({"services_within": Window(date(2024, 1, 1), date(2024, 2, 1))}, {}, ["service-window"]),
        (
            {"instrument_categories": ("0102", "06")},
            {"instrument_category": "010301"},
            ["instrument-category"],
        ),
        ({"instrument_categories": ("0102", "06")}, {"instrument_category": "010299"}, []),
        ({"instrument_categories": ("0102",)}, {}, []),
        (
            {"instrument_worth_min_fen": 50_000_000},
            {"instrument_worth_fen": 49_999_999},
            ["instrument-worth"],
        ),
        ({"instrument_worth_min_fen": 50_000_000}, {"instrument_worth_fen": 50_000_000}, []),
        ({"minimum_order_fen": 100}, {"service_value_fen": 99}, ["minimum"]),
        ({"minimum_order_fen": 100}, {"service_value_fen": 100}, []),
        (
            {"stacking": Stacking(excludes_programmes=frozenset({"wuhan-2022"}))},
            {"other_programmes": frozenset({"wuhan-2022", "other"})},
            ["stacking-programme"],
        ),
        (
            {"stacking": Stacking(excludes_funders=frozenset({"city"}))},
            {"other_funders": frozenset({"city"})},
            ["stacking-funder"],
        ),
    ],
)
def test_what_a_programme_pays_for_is_as_narrow_as_its_terms(changes, use, expected):
    names = ("service_kinds", "buyer_regions", "provider_regions", "services_within", "stacking")
    more = ("minimum_order_fen", "instrument_categories", "instrument_worth_min_fen", "caps")
    sources = dict.fromkeys((*names, *more), "J.gap")
    agreed = terms(**changes, sources={**terms().sources, **sources})

    found = reasons_not_to_pay(dataclasses.replace(USE, **use), GRANT, agreed)

    assert [reason.rule for reason in found] == expected


def test_an_older_voucher_is_used_first_where_the_programme_says_so():
    agreed = terms(oldest_first=True, sources={**terms().sources, "oldest_first": "J.gap"})
    older = dataclasses.replace(GRANT, older_left=True)

    assert [reason.rule for reason in reasons_not_to_pay(USE, older, agreed)] == ["oldest-first"]
    assert reasons_not_to_pay(USE, older, terms()) == []
