"""What the API takes and answers about reports on the use of rewards."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.use_cases import DecideUseReport, FileUseReport, Use
from marketplace.kernel.wire import In, Line, Out, PositiveFen, Prose

Purpose = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z-]{1,39}$")]


class UseIn(In):
    """What part of a reward was used for what; `other` needs its reason."""

    purpose: Purpose
    amount_fen: PositiveFen
    note: Line = ""


class UseReportIn(In):
    """How a reward was used, to the fen."""

    uses: Annotated[list[UseIn], msgspec.Meta(min_length=1, max_length=20)]
    note: Prose = ""

    def to_command(self, report_id: int) -> FileUseReport:
        """The report that is handed in."""
        uses = tuple(Use(each.purpose, each.amount_fen, each.note) for each in self.uses)
        return FileUseReport(report_id, uses, self.note)


class UseDecisionIn(In):
    """Whether a report is accepted; one that is returned says why."""

    accepted: bool
    reason: Line = ""

    def to_command(self, report_id: int) -> DecideUseReport:
        """The decision that is taken."""
        return DecideUseReport(report_id, self.accepted, self.reason)


class UseReportOut(Out):
    """A report; `status` is `overdue` when it is owed after its day."""

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
    outside_fen: int | None
    flagged: bool
    filed_at: datetime | None

    @classmethod
    def of(cls, row: queries.UseReport) -> UseReportOut:
        """The wire form of a report."""
        return cls(
            id=row.id,
            run_id=row.run_id,
            year=row.year,
            sequence=row.sequence,
            provider_id=row.provider_id,
            legal_entity_id=row.legal_entity_id,
            amount_fen=row.amount_fen,
            paid_on=row.paid_on,
            due_on=row.due_on,
            status=row.status,
            outside_fen=row.outside_fen,
            flagged=row.flagged(),
            filed_at=row.filed_at,
        )


class UseLineOut(Out):
    """What part was used for what."""

    purpose: str
    amount_fen: int
    note: str


class UseFilingOut(Out):
    """One handing in, and what was decided about it."""

    number: int
    outside_fen: int
    note: str
    filed_by: int
    filed_at: datetime
    decision: str | None
    reason: str
    decided_by: int | None
    decided_at: datetime | None
    uses: list[UseLineOut]


class UseEvidenceOut(Out):
    """A paper of a report."""

    id: int
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime

    @classmethod
    def of(cls, row: queries.UseEvidence) -> UseEvidenceOut:
        """The wire form of a paper."""
        return msgspec.convert(row, cls, from_attributes=True)


class OneUseReportOut(Out):
    """A report with everything that was handed in, the newest first."""

    report: UseReportOut
    filings: list[UseFilingOut]
    evidence: list[UseEvidenceOut]

    @classmethod
    def of(cls, found: queries.OneReport) -> OneUseReportOut:
        """The wire form of one report."""
        return cls(
            report=UseReportOut.of(found.report),
            filings=[
                UseFilingOut(
                    number=each.number,
                    outside_fen=each.outside_fen,
                    note=each.note,
                    filed_by=each.filed_by,
                    filed_at=each.filed_at,
                    decision=each.decision,
                    reason=each.reason,
                    decided_by=each.decided_by,
                    decided_at=each.decided_at,
                    uses=[
                        msgspec.convert(line, UseLineOut, from_attributes=True)
                        for line in found.lines
                        if line.filing_id == each.id
                    ],
                )
                for each in found.filings
            ],
            evidence=[UseEvidenceOut.of(each) for each in found.evidence],
        )


class PurposeSumOut(Out):
    """What was used for a purpose."""

    purpose: str
    amount_fen: int
    reports: int


class StatusSumOut(Out):
    """How many reports are in a state."""

    status: str
    reports: int
    amount_fen: int


class UseSummaryOut(Out):
    """How a year's rewards were used, and how many reports are still owed."""

    year: int
    purposes: list[PurposeSumOut]
    statuses: list[StatusSumOut]

    @classmethod
    def of(cls, found: queries.UseSummary) -> UseSummaryOut:
        """The wire form of the summary."""
        return msgspec.convert(found, cls, from_attributes=True)
