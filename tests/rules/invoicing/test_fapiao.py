"""What the number of a tax invoice looks like, and what an invoice must agree with."""

from datetime import date

import pytest

from marketplace.billing.invoicing.errors import InvoiceNumberRefused, InvoiceRefused
from marketplace.billing.invoicing.rules.fapiao import (
    require_invoice_fits,
    require_invoice_number,
)

ISSUED = date(2025, 3, 3)
GOOD = "25322000000012345678"


def test_a_number_of_the_year_and_a_region_is_taken():
    require_invoice_number(GOOD, issued_on=ISSUED)


@pytest.mark.parametrize(
    ("number", "rules"),
    [
        ("2532200000001234567", ["twenty-digits"]),
        (GOOD + "1", ["twenty-digits"]),
        ("25322000000012345X78", ["twenty-digits"]),
        ("２５３２２００００００１２３４５６７８", ["twenty-digits"]),
        ("", ["twenty-digits"]),
        ("24322000000012345678", ["year-of-issue"]),
        ("25992000000012345678", ["region"]),
        ("25322000000000000000", ["sequence"]),
        ("24992000000000000000", ["year-of-issue", "region", "sequence"]),
    ],
)
def test_a_number_that_nobody_gave_is_refused_with_every_reason(number, rules):
    with pytest.raises(InvoiceNumberRefused) as refusal:
        require_invoice_number(number, issued_on=ISSUED)

    assert rules == [reason.rule for reason in refusal.value.reasons]


def test_an_invoice_over_what_was_charged_fits():
    require_invoice_fits(amount_fen=100, charged_fen=100, issued_on=ISSUED, today=ISSUED)


def test_another_amount_and_a_day_to_come_are_refused_together():
    with pytest.raises(InvoiceRefused) as refusal:
        require_invoice_fits(
            amount_fen=101, charged_fen=100, issued_on=date(2025, 3, 4), today=ISSUED
        )

    assert ["invoice-amount", "invoice-day"] == [one.rule for one in refusal.value.reasons]
