"""What banks said of payment files, and of each payment in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from marketplace.billing.payouts.errors import StatusReportMissing
from marketplace.billing.payouts.tables import payout, status_report, status_report_line
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A status report of a bank, and how many payments it speaks of."""

    id: int
    batch_id: int
    message_id: str
    file_name: str
    sha256: str
    accepted: int
    rejected: int
    pending: int
    imported_by: int
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class ReportedPayment:
    """What a report says of one payment, and what has become of the payment."""

    payout_id: int
    end_to_end_id: str
    organisation_id: int
    amount_fen: int
    status: str
    outcome: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportSearch:
    """Which reports to list."""

    batch_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ReportedSearch:
    """Which payments of a report to list; None stands for any outcome."""

    report_id: int
    outcome: str | None = None
    page: int = 1
    page_size: int = 50


REPORT_COLUMNS = tuple(status_report.c[field.name] for field in fields(StatusReport))


async def status_report_by_id(tx: Tx, report_id: int) -> StatusReport:
    """One report.

    Raises:
        StatusReportMissing: when there is none.
    """
    return await tx.one(
        StatusReport,
        select(*REPORT_COLUMNS).where(status_report.c.id == report_id),
        missing=StatusReportMissing,
    )


async def status_reports(tx: Tx, search: ReportSearch) -> tuple[list[StatusReport], int]:
    """A page of reports, newest first, and how many there are."""
    asked = select(*REPORT_COLUMNS)
    if search.batch_id is not None:
        asked = asked.where(status_report.c.batch_id == search.batch_id)
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    listed = asked.order_by(status_report.c.id.desc()).limit(search.page_size)
    return await tx.all(StatusReport, listed.offset((search.page - 1) * search.page_size)), total


async def reported_payments(tx: Tx, search: ReportedSearch) -> tuple[list[ReportedPayment], int]:
    """A page of what a report says, what was refused first, and how much there is."""
    line = status_report_line.c
    asked = (
        select(
            line.payout_id,
            payout.c.end_to_end_id,
            payout.c.organisation_id,
            payout.c.amount_fen,
            payout.c.status,
            line.outcome,
            line.code,
            line.reason,
        )
        .join(payout, payout.c.id == line.payout_id)
        .where(line.report_id == search.report_id)
    )
    if search.outcome is not None:
        asked = asked.where(line.outcome == search.outcome)
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    listed = asked.order_by(line.outcome.desc(), line.payout_id).limit(search.page_size)
    return (
        await tx.all(ReportedPayment, listed.offset((search.page - 1) * search.page_size)),
        total,
    )


async def last_words(tx: Tx, payout_ids: Sequence[int]) -> dict[int, ReportedPayment]:
    """What the bank said last of each of some payments."""
    line = status_report_line.c
    found = await tx.all(
        ReportedPayment,
        select(
            line.payout_id,
            payout.c.end_to_end_id,
            payout.c.organisation_id,
            payout.c.amount_fen,
            payout.c.status,
            line.outcome,
            line.code,
            line.reason,
        )
        .ext(distinct_on(line.payout_id))
        .join(payout, payout.c.id == line.payout_id)
        .where(line.payout_id.in_(payout_ids))
        .order_by(line.payout_id, line.report_id.desc()),
    )
    return {each.payout_id: each for each in found}
