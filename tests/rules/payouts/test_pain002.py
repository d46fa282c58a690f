"""What a bank says of a payment file is read whole, or not at all."""

from __future__ import annotations

import pytest

from marketplace.billing.payouts.rules.pain002 import (
    DEPTH_MAX,
    BankOutcome,
    ReportUnreadable,
    read_pain002,
)
from tests.builders.pain002 import NAMESPACE, a_report


def test_each_payment_has_its_outcome_and_its_reason():
    report = read_pain002(
        a_report(
            [("SC-P-1", "ACSP", ""), ("SC-P-2", "RJCT", "户名不符"), ("SC-P-3", "PDNG", "")],
            group="PART",
        )
    )

    assert (report.message_id, report.original_message_id) == ("BANK-1", "SC-B-1")
    assert [(one.end_to_end_id, one.outcome) for one in report.payments] == [
        ("SC-P-1", BankOutcome.ACCEPTED),
        ("SC-P-2", BankOutcome.REJECTED),
        ("SC-P-3", BankOutcome.PENDING),
    ]
    assert report.payments[1].reason == "AC01 户名不符"


def test_a_word_on_the_whole_file_is_kept():
    report = read_pain002(a_report(group="RJCT"))

    assert report.group is not None
    assert report.group.outcome is BankOutcome.REJECTED
    assert report.payments == []


@pytest.mark.parametrize("version", ["02", "03", "10", "12"])
def test_any_version_is_read(version):
    namespace = NAMESPACE.replace("001.10", f"001.{version}")

    assert read_pain002(a_report([("SC-P-1", "ACCP", "")], namespace=namespace)).payments


HOSTILE = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><Document>&b;</Document>"""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (HOSTILE, "report-entities"),
        (b"<Document/>", "report-other-message"),
        (b"%PDF-1.7", "report-damaged"),
        (a_report(group="ACCP")[:-20], "report-damaged"),
        (a_report([("SC-P-1", "MAYB", "")]), "report-code-unknown"),
        (a_report([("", "RJCT", "")]), "report-payment-unnamed"),
        (a_report(group="ACCP", batch=""), "report-names-no-file"),
        (a_report(), "report-says-nothing"),
        (
            a_report(group="ACCP").replace(
                b"</CstmrPmtStsRpt>",
                b"<A>" * DEPTH_MAX + b"</A>" * DEPTH_MAX + b"</CstmrPmtStsRpt>",
            ),
            "report-too-deep",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_trusted_is_refused(content, why):
    with pytest.raises(ReportUnreadable) as refused:
        read_pain002(content)

    assert refused.value.why == why


def test_a_report_on_more_payments_than_any_file_has_is_refused(monkeypatch):
    monkeypatch.setattr("marketplace.billing.payouts.rules.pain002.PAYMENTS_MAX", 1)

    with pytest.raises(ReportUnreadable, match="report-too-long"):
        read_pain002(a_report([("SC-P-1", "RJCT", ""), ("SC-P-2", "RJCT", "")]))
