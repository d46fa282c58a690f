"""What a bank says of a payment file: refused payments are owed again, accepted ones still wait."""

from __future__ import annotations

import pytest

from marketplace.billing.payouts.errors import (
    BatchMissing,
    BatchNotReady,
    HouseAccountMissing,
    StatusReportKnown,
    StatusReportMissing,
    StatusReportUnfit,
    StatusReportUnreadable,
)
from marketplace.billing.payouts.queries import (
    ReportedSearch,
    ReportSearch,
    last_words,
    reported_payments,
    status_report_by_id,
    status_reports,
)
from marketplace.billing.payouts.rules.layouts import PaymentFormat
from marketplace.billing.payouts.use_cases import (
    ConfirmPayout,
    DraftBatch,
    ImportStatusReport,
    confirm_payout,
    draft_batch,
    import_status_report,
)
from tests.builders.ledger import do
from tests.builders.pain002 import a_report
from tests.builders.payouts import (
    a_finance_team,
    a_payout,
    a_sent_batch,
    the_books,
    the_payout,
)


async def test_refused_payments_are_owed_again_and_accepted_ones_wait_for_the_statement(database):
    centre = await a_finance_team(database)
    first, second = await a_payout(database), await a_payout(database)
    batch_id = await a_sent_batch(database, centre=centre)
    content = a_report(
        [(first.end_to_end_id, "ACSP", ""), (second.end_to_end_id, "RJCT", "户名不符")],
        batch=f"SC-B-{batch_id}",
        group="PART",
    )
    command = ImportStatusReport("回执.xml", content)

    report = await do(database, import_status_report, command, actor=centre.checker)

    assert (report.accepted, report.rejected, report.pending) == (1, 1, 0)
    assert (await the_payout(database, first.id)).status == "sent"
    refused = await the_payout(database, second.id)
    assert (refused.status, refused.return_reason) == ("returned", "AC01 户名不符")
    books = await the_books(database)
    assert books["payout_in_transit"] == -first.amount_fen
    rows, total = await do(database, reported_payments, ReportedSearch(report.id, "rejected"))
    assert ([row.payout_id for row in rows], total) == ([second.id], 1)
    said = await do(database, last_words, [first.id, second.id])
    assert said[first.id].outcome == "accepted"
    found, _ = await do(database, status_reports, ReportSearch(batch_id=batch_id))
    assert found == [report]
    assert await do(database, status_report_by_id, report.id) == report
    with pytest.raises(StatusReportKnown):
        await do(database, import_status_report, command, actor=centre.checker)
    with pytest.raises(StatusReportMissing):
        await do(database, status_report_by_id, 999)


async def test_a_file_that_is_refused_whole_is_owed_whole(database):
    centre = await a_finance_team(database)
    payouts = [await a_payout(database) for _ in range(2)]
    batch_id = await a_sent_batch(database, centre=centre)
    command = ImportStatusReport("r.xml", a_report(batch=f"SC-B-{batch_id}", group="RJCT"))

    report = await do(database, import_status_report, command, actor=centre.checker)

    assert report.rejected == 2
    assert {(await the_payout(database, each.id)).status for each in payouts} == {"returned"}
    assert "payout_in_transit" not in await the_books(database)


async def test_a_report_that_does_not_fit_changes_nothing(database):
    centre = await a_finance_team(database)
    paid, waiting = await a_payout(database), await a_payout(database)
    batch_id = await a_sent_batch(database, centre=centre)
    at = (await the_payout(database, paid.id)).instructed_at.date()
    await do(database, confirm_payout, ConfirmPayout(paid.id, at, "statement:1"))
    content = a_report(
        [
            (paid.end_to_end_id, "RJCT", ""),
            (waiting.end_to_end_id, "RJCT", ""),
            (waiting.end_to_end_id, "RJCT", ""),
            ("SC-P-999", "RJCT", ""),
        ],
        batch=f"SC-B-{batch_id}",
    )

    with pytest.raises(StatusReportUnfit) as unfit:
        await do(
            database,
            import_status_report,
            ImportStatusReport("r.xml", content),
            actor=centre.checker,
        )

    assert {reason.rule for reason in unfit.value.reasons} == {
        "report-payment-made",
        "report-payment-twice",
        "report-payment-unknown",
    }
    assert (await the_payout(database, waiting.id)).status == "sent"


async def test_a_report_is_about_a_file_of_ours_that_was_sent(database):
    centre = await a_finance_team(database)
    await a_payout(database)
    draft = await do(database, draft_batch, DraftBatch(), actor=centre.maker)
    cases = [
        (a_report(group="RJCT", batch=f"SC-B-{draft.id}"), BatchNotReady),
        (a_report(group="RJCT", batch="SC-B-999"), BatchMissing),
        (a_report(group="RJCT", batch="elsewhere"), BatchMissing),
        (b"<Document/>", StatusReportUnreadable),
    ]
    for content, refusal in cases:
        with pytest.raises(refusal):
            await do(database, import_status_report, ImportStatusReport("r.xml", content))


async def test_the_form_of_a_file_is_chosen_when_it_is_drafted(database):
    centre = await a_finance_team(database)
    await a_payout(database)
    with pytest.raises(HouseAccountMissing):
        await do(
            database, draft_batch, DraftBatch(format=PaymentFormat.PAIN001), actor=centre.maker
        )
    drafted = await do(
        database, draft_batch, DraftBatch(format=PaymentFormat.XLSX), actor=centre.maker
    )
    assert drafted.format == "xlsx"
