"""Policy: J.22b. Invoices and payments of some days only, told line by line."""

from datetime import date

from marketplace.vouchers.rules.limits import Window
from marketplace.vouchers.rules.paper_days import DatedPaper, papers_outside, windows_of
from tests.rules.vouchers.terms import terms

HALF_YEAR = Window(date(2025, 1, 1), date(2025, 6, 30))
SOURCES = {**terms().sources, "invoices_within": "川科政〔2025〕6号", "payments_within": "S"}
INVOICES = terms(sources=SOURCES, invoices_within=HALF_YEAR)
BOTH = terms(sources=SOURCES, invoices_within=HALF_YEAR, payments_within=HALF_YEAR)


def test_both_ends_of_the_window_are_paid_for_and_the_days_beside_it_are_not():
    papers = [
        DatedPaper(1, "invoice", date(2025, 1, 1)),
        DatedPaper(2, "invoice", date(2025, 6, 30)),
        DatedPaper(3, "invoice", date(2024, 12, 31)),
        DatedPaper(4, "invoice", date(2025, 7, 1)),
    ]

    told = papers_outside([4, 3, 2, 1], papers, INVOICES)

    assert [(each.rule, each.asked["redemption_id"]) for each in told] == [
        ("invoice-day", 3),
        ("invoice-day", 4),
    ]
    assert told[0].limit == ["2025-01-01", "2025-06-30"]
    assert told[0].source == "川科政〔2025〕6号"
    assert "leave it out of this claim" in told[0].message


def test_a_day_that_nobody_said_is_asked_for():
    papers = [DatedPaper(1, "invoice", None), DatedPaper(1, "payment-proof", date(2025, 3, 1))]

    [reason] = papers_outside([1], papers, BOTH)

    assert reason.rule == "invoice-day"
    assert "say the day of its invoice" in reason.message


def test_of_several_invoices_of_one_service_every_one_is_of_these_days():
    papers = [
        DatedPaper(1, "invoice", date(2025, 3, 1)),
        DatedPaper(1, "invoice", date(2025, 8, 1)),
    ]

    assert len(papers_outside([1], papers, INVOICES)) == 1


def test_terms_that_mind_no_days_ask_for_none():
    assert windows_of(terms()) == {}
    assert papers_outside([1], [DatedPaper(1, "invoice", None)], terms()) == []
