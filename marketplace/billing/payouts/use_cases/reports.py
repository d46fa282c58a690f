"""Taking over what a bank says of a payment file: refused payments are owed again at once."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert

from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import (
    BatchMissing,
    BatchNotReady,
    StatusReportUnfit,
    StatusReportUnreadable,
)
from marketplace.billing.payouts.queries.reports import REPORT_COLUMNS, StatusReport
from marketplace.billing.payouts.rules.pain002 import (
    BankOutcome,
    PaymentStatus,
    Report,
    ReportUnreadable,
    read_pain002,
)
from marketplace.billing.payouts.tables import status_report, status_report_line
from marketplace.billing.payouts.use_cases.batches import LINES_MAX
from marketplace.billing.payouts.use_cases.outcomes import RejectPayout, reject_payouts
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason, Reasons

REPORT_BYTES_MAX = 10 * 1024 * 1024
_BATCH = re.compile(r"SC-B-(\d{1,18})")
_DEFAULT_REASON = "refused by the bank"


@dataclass(frozen=True, slots=True)
class ImportStatusReport:
    """A pain.002 file as the bank gave it."""

    file_name: str
    content: bytes


async def import_status_report(tx: Tx, command: ImportStatusReport) -> StatusReport:
    """Keep what the bank says of each payment; what it refuses is owed again.

    Accepted is a word, and no more: only the bank's statement says that money has left.

    Raises:
        StatusReportUnreadable: when the file is no status report, or has a code nobody knows.
        StatusReportKnown: when this very file was imported before.
        BatchMissing: when it is about no file of ours.
        BatchNotReady: when the file was never sent.
        StatusReportUnfit: with every payment that it cannot be about.
    """
    try:
        report = await asyncio.to_thread(read_pain002, command.content)
    except ReportUnreadable as error:
        raise StatusReportUnreadable(
            reasons=[Reason(error.why, str(error), asked=error.detail or None)]
        ) from error
    batch = await _batch(tx, report)
    payouts, _ = await queries.payouts(
        tx, queries.PayoutSearch(batch_id=batch.id, page_size=LINES_MAX)
    )
    said = _said(report, {each.end_to_end_id: each for each in payouts})
    made = await _kept(tx, command, report, batch, said)
    sent = {each.id for each in payouts if each.status == "sent"}
    refused = [
        RejectPayout(payout_id, (one.reason or _DEFAULT_REASON)[:200])
        for payout_id, one in said.items()
        if one.outcome is BankOutcome.REJECTED and payout_id in sent
    ]
    if refused:
        await reject_payouts(tx, refused)
    tx.audit(
        "import",
        subject="status_report",
        subject_id=made.id,
        batch_id=batch.id,
        rejected=made.rejected,
    )
    return made


async def _kept(
    tx: Tx,
    command: ImportStatusReport,
    report: Report,
    batch: queries.Batch,
    said: Mapping[int, PaymentStatus],
) -> StatusReport:
    counts = {
        outcome: sum(one.outcome is outcome for one in said.values()) for outcome in BankOutcome
    }
    made = await tx.one(
        StatusReport,
        insert(status_report)
        .values(
            batch_id=batch.id,
            message_id=report.message_id[:100],
            file_name=command.file_name[:200],
            sha256=hashlib.sha256(command.content).hexdigest(),
            accepted=counts[BankOutcome.ACCEPTED],
            rejected=counts[BankOutcome.REJECTED],
            pending=counts[BankOutcome.PENDING],
            imported_by=tx.actor.person_id,
            imported_at=tx.now,
        )
        .returning(*REPORT_COLUMNS),
    )
    await tx.execute(
        insert(status_report_line).values(
            [
                {
                    "report_id": made.id,
                    "payout_id": payout_id,
                    "outcome": one.outcome,
                    "code": one.code,
                    "reason": one.reason,
                }
                for payout_id, one in said.items()
            ]
        )
    )
    return made


async def _batch(tx: Tx, report: Report) -> queries.Batch:
    named = _BATCH.fullmatch(report.original_message_id)
    if named is None:
        raise BatchMissing(asked=report.original_message_id[:40])
    batch = await queries.batch_by_id(tx, int(named[1]))
    if batch.status != "sent":
        raise BatchNotReady("Only of a batch that was sent.", asked=batch.status, limit="sent")
    return batch


def _said(report: Report, payouts: Mapping[str, queries.Payout]) -> dict[int, PaymentStatus]:
    """What is said of each payout: by its own line, else by the word on all of them."""
    against = Reasons()
    said: dict[int, PaymentStatus] = {}
    for one in report.payments:
        payment = payouts.get(one.end_to_end_id)
        if payment is None:
            against.add(
                "report-payment-unknown",
                f"{one.end_to_end_id} is no payment of this batch",
                asked=one.end_to_end_id,
            )
        elif payment.id in said:
            against.add(
                "report-payment-twice",
                f"{one.end_to_end_id} stands there twice",
                asked=one.end_to_end_id,
            )
        else:
            said[payment.id] = one
    if report.group is not None and report.group.code != "PART":
        for payment in payouts.values():
            said.setdefault(payment.id, report.group)
    refused = {place for place, one in said.items() if one.outcome is BankOutcome.REJECTED}
    for reference, payment in payouts.items():
        if payment.id in refused and payment.status == "confirmed":
            against.add(
                "report-payment-made",
                f"{reference} is refused, and the statement shows that it was paid",
                asked=reference,
            )
    against.raise_as(StatusReportUnfit)
    return said
