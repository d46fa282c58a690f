"""Reports on the use of rewards: who owes one, what was handed in, and what it sums up to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    case,
    func,
    or_,
    select,
    true,
)

from marketplace.billing.rewards.errors import UseReportMissing
from marketplace.billing.rewards.queries.inputs import OWED_REPORTS
from marketplace.billing.rewards.queries.runs import SEES_EVERY_RUN
from marketplace.billing.rewards.rules.uses import OVERDUE, is_flagged, shown_status
from marketplace.billing.rewards.tables import (
    reward_run,
    reward_use_evidence,
    reward_use_filing,
    reward_use_line,
    reward_use_report,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.rulebook import rulebook

EVIDENCE_COLUMNS = (
    reward_use_evidence.c.id,
    reward_use_evidence.c.report_id,
    reward_use_evidence.c.name,
    reward_use_evidence.c.media_type,
    reward_use_evidence.c.sha256,
    reward_use_evidence.c.size_bytes,
    reward_use_evidence.c.storage_key,
    reward_use_evidence.c.stored_by,
    reward_use_evidence.c.stored_at,
)


@dataclass(frozen=True, slots=True)
class UseReport:
    """A report that is owed or was handed in; `outside_fen` is of the newest handing in."""

    id: int
    run_id: int
    year: int
    sequence: int
    provider_id: int
    legal_entity_id: int
    amount_fen: int
    paid_on: date
    due_on: date
    status: str
    opened_at: datetime
    outside_fen: int | None
    filed_at: datetime | None

    def shown(self, today: date) -> str:
        """Its state as people say it."""
        return shown_status(self.status, self.due_on, today)

    def flagged(self) -> bool:
        """Whether more than the terms allow went to other purposes."""
        if self.outside_fen is None:
            return False
        terms = rulebook().reward.other_use_flag_basis_points
        term = terms.find(self.paid_on)
        return term is not None and is_flagged(
            self.outside_fen, self.amount_fen, flag_basis_points=term.value
        )


@dataclass(frozen=True, slots=True)
class ReportSearch:
    """Which reports, and which page of them; `status` may be `overdue`, too."""

    year: int | None = None
    status: str | None = None
    provider_id: int | None = None
    legal_entity_id: int | None = None
    outside_only: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One page of reports, what is due first."""

    results: list[UseReport]
    total: int


@dataclass(frozen=True, slots=True)
class UseFiling:
    """One handing in of a report, and what was decided about it."""

    id: int
    number: int
    outside_fen: int
    note: str
    filed_by: int
    filed_at: datetime
    decision: str | None
    reason: str
    decided_by: int | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class UseLine:
    """What part of a reward was used for what, by one handing in."""

    filing_id: int
    purpose: str
    amount_fen: int
    note: str


@dataclass(frozen=True, slots=True)
class UseEvidence:
    """A paper of a report."""

    id: int
    report_id: int
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    storage_key: str
    stored_by: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class OneReport:
    """A report with everything that was handed in, the newest first."""

    report: UseReport
    filings: list[UseFiling]
    lines: list[UseLine]
    evidence: list[UseEvidence]


@dataclass(frozen=True, slots=True)
class PurposeSum:
    """What of a year's rewards was used for a purpose, and by how many reports."""

    purpose: str
    amount_fen: int
    reports: int


@dataclass(frozen=True, slots=True)
class StatusSum:
    """How many of a year's reports are in a state, and what was paid to their providers."""

    status: str
    reports: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class UseSummary:
    """How a year's rewards were used, by what was handed in and not returned."""

    year: int
    purposes: list[PurposeSum]
    statuses: list[StatusSum]


def _newest() -> ColumnElement[int]:
    return (
        select(func.max(reward_use_filing.c.id))
        .where(reward_use_filing.c.report_id == reward_use_report.c.id)
        .correlate(reward_use_report)
        .scalar_subquery()
    )


def _reports() -> Select[tuple[object, ...]]:
    report, filing = reward_use_report.c, reward_use_filing.c
    return (
        select(
            report.id,
            report.run_id,
            reward_run.c.year,
            reward_run.c.sequence,
            report.provider_id,
            report.legal_entity_id,
            report.amount_fen,
            report.paid_on,
            report.due_on,
            report.status,
            report.opened_at,
            filing.outside_fen,
            filing.filed_at,
        )
        .join(reward_run, reward_run.c.id == report.run_id)
        .outerjoin(reward_use_filing, filing.id == _newest())
    )


def _visible(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERY_RUN):
        return true()
    return reward_use_report.c.provider_id == tx.actor.organisation_id


async def use_reports(tx: Tx, search: ReportSearch) -> ReportPage:
    """The reports that the actor may see: its own, or for those whose work they are, all."""
    report = reward_use_report.c
    wanted = [_visible(tx)]
    if search.year is not None:
        wanted.append(reward_run.c.year == search.year)
    if search.status == OVERDUE:
        wanted += [report.status.in_(OWED_REPORTS), report.due_on < tx.today]
    elif search.status is not None:
        wanted.append(report.status == search.status)
        if search.status in OWED_REPORTS:
            wanted.append(report.due_on >= tx.today)
    if search.provider_id is not None:
        wanted.append(report.provider_id == search.provider_id)
    if search.legal_entity_id is not None:
        wanted.append(report.legal_entity_id == search.legal_entity_id)
    if search.outside_only:
        wanted.append(reward_use_filing.c.outside_fen > 0)
    found = _reports().where(*wanted)
    total = await tx.scalar(select(func.count()).select_from(found.subquery()))
    results = await tx.all(
        UseReport,
        found.order_by(report.status.not_in(OWED_REPORTS), report.due_on, report.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return ReportPage(results, total)


async def use_report(tx: Tx, report_id: int) -> OneReport:
    """One report with everything that was handed in.

    Raises:
        UseReportMissing: when there is none that the actor may see.
    """
    report = await tx.one(
        UseReport,
        _reports().where(reward_use_report.c.id == report_id, _visible(tx)),
        missing=UseReportMissing,
    )
    filing, line = reward_use_filing.c, reward_use_line.c
    filings = await tx.all(
        UseFiling,
        select(
            filing.id,
            filing.number,
            filing.outside_fen,
            filing.note,
            filing.filed_by,
            filing.filed_at,
            filing.decision,
            filing.reason,
            filing.decided_by,
            filing.decided_at,
        )
        .where(filing.report_id == report_id)
        .order_by(filing.number.desc()),
    )
    lines = await tx.all(
        UseLine,
        select(reward_use_line)
        .where(line.filing_id.in_([each.id for each in filings]))
        .order_by(line.filing_id.desc(), line.amount_fen.desc(), line.purpose),
    )
    return OneReport(report, filings, lines, await evidence_of(tx, report_id))


async def evidence_of(tx: Tx, report_id: int) -> list[UseEvidence]:
    """The papers of a report; the caller has asked for the report before."""
    return await tx.all(
        UseEvidence,
        select(*EVIDENCE_COLUMNS)
        .where(reward_use_evidence.c.report_id == report_id)
        .order_by(reward_use_evidence.c.id),
    )


async def use_summary(tx: Tx, year: int) -> UseSummary:
    """How a year's rewards were used, over the whole province.

    Raises:
        Missing: for who sees its own reports only.
    """
    if not tx.actor.has(*SEES_EVERY_RUN):
        raise Missing
    report, filing, line = reward_use_report.c, reward_use_filing.c, reward_use_line.c
    purposes = await tx.all(
        PurposeSum,
        select(
            line.purpose,
            func.sum(line.amount_fen).cast(BigInteger).label("amount_fen"),
            func.count().label("reports"),
        )
        .join(reward_use_filing, filing.id == line.filing_id)
        .join(reward_use_report, report.id == filing.report_id)
        .join(reward_run, reward_run.c.id == report.run_id)
        .where(
            reward_run.c.year == year,
            filing.id == _newest(),
            or_(filing.decision.is_(None), filing.decision == "accepted"),
        )
        .group_by(line.purpose)
        .order_by(func.sum(line.amount_fen).desc(), line.purpose),
    )
    shown = case(
        ((report.status.in_(OWED_REPORTS)) & (report.due_on < tx.today), OVERDUE),
        else_=report.status,
    ).label("status")
    statuses = await tx.all(
        StatusSum,
        select(
            shown,
            func.count().label("reports"),
            func.sum(report.amount_fen).cast(BigInteger).label("amount_fen"),
        )
        .join(reward_run, reward_run.c.id == report.run_id)
        .where(reward_run.c.year == year)
        .group_by(shown)
        .order_by(shown),
    )
    return UseSummary(year, purposes, statuses)
