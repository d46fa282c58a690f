"""Policy: J.22b. Whether a voucher may pay for a service."""

import dataclasses
from datetime import date

import pytest

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
