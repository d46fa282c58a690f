"""What the API reads and says of anomalies."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from marketplace.kernel.wire import Id, In, Out, Why
from marketplace.vouchers.queries.anomalies import (
    Anomaly,
    AnomalyEvent,
    AnomalyPage,
    AnomalyRun,
    AnomalyStatement,
    ConfirmedFinding,
)
from marketplace.vouchers.rules.anomalies import AnomalyStatus
from marketplace.vouchers.use_cases.anomalies import AnswerFinding, AssignAnomaly, DecideAnomaly
from marketplace.vouchers.use_cases.guards import RunDetectors


class AnomalyOutcome(StrEnum):
    """How an anomaly can be decided."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    NEEDS_INFORMATION = "needs_information"


class AssignIn(In):
    """Who shall look at the anomaly."""

    person_id: Id

    def to_command(self, anomaly_id: int) -> AssignAnomaly:
        """The assignment."""
        return AssignAnomaly(anomaly_id, self.person_id)


class DecideAnomalyIn(In):
    """The outcome with its reason."""

    outcome: AnomalyOutcome
    reason: Why

    def to_command(self, anomaly_id: int) -> DecideAnomaly:
        """The decision."""
        return DecideAnomaly(anomaly_id, AnomalyStatus(self.outcome), self.reason)


class AnswerIn(In):
    """What the organisation says to a finding."""

    statement: Why

    def to_command(self, anomaly_id: int) -> AnswerFinding:
        """The answer."""
        return AnswerFinding(anomaly_id, self.statement)


class DetectorsIn(In):
    """Everything from the beginning, or only what is new since the last run."""

    everything: bool = False

    def to_command(self) -> RunDetectors:
        """The run."""
        return RunDetectors(everything=self.everything)


class AnomalyOut(Out):
    """What was found, and where its decision stands."""

    id: int
    kind: str
    severity: str
    summary: str
    detector_version: int
    found_at: datetime
    seen_at: datetime
    status: str
    assigned_to: int | None
    assigned_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    reason: str

    @classmethod
    def of(cls, row: Anomaly) -> "AnomalyOut":
        """From the row."""
        return cls(**{name: getattr(row, name) for name in cls.__struct_fields__})


class SubjectOut(Out):
    """One thing that an anomaly is about."""

    kind: str
    id: int
    href: str | None
    """Where it can be read, where it has a place of its own."""


class AnomalyEventOut(Out):
    """What happened to an anomaly, and by whom."""

    kind: str
    at: datetime
    person_id: int
    person_name: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, row: AnomalyEvent, names: dict[int, str]) -> "AnomalyEventOut":
        """From the row."""
        return cls(
            kind=row.kind,
            at=row.at,
            person_id=row.person_id,
            person_name=names.get(row.person_id, ""),
            facts=row.facts,
        )


class AnomalyStatementOut(Out):
    """What an organisation answered."""

    id: int
    organisation_id: int
    statement: str
    made_at: datetime

    @classmethod
    def of(cls, row: AnomalyStatement) -> "AnomalyStatementOut":
        """From the row."""
        return cls(
            id=row.id,
            organisation_id=row.organisation_id,
            statement=row.statement,
            made_at=row.made_at,
        )


_PLACES = {
    "order": "/api/v1/orders/{}",
    "claim": "/api/v1/claims/{}",
    "application": "/api/v1/voucher-applications/{}",
    "organisation": "/api/v1/organisations/{}",
}


class AnomalyPageOut(Out):
    """An anomaly with its evidence, what it is about, what happened and what was answered."""

    anomaly: AnomalyOut
    evidence: list[dict[str, Any]]
    subjects: list[SubjectOut]
    events: list[AnomalyEventOut]
    statements: list[AnomalyStatementOut]

    @classmethod
    def of(cls, page: AnomalyPage) -> "AnomalyPageOut":
        """From the page."""
        return cls(
            anomaly=AnomalyOut.of(page.anomaly),
            evidence=page.evidence,
            subjects=[
                SubjectOut(
                    kind=each.kind,
                    id=each.id,
                    href=_PLACES[each.kind].format(each.id) if each.kind in _PLACES else None,
                )
                for each in page.subjects
            ],
            events=[AnomalyEventOut.of(each, page.names) for each in page.events],
            statements=[AnomalyStatementOut.of(each) for each in page.statements],
        )


class FindingOut(Out):
    """A confirmed finding as an organisation that it concerns sees it."""

    id: int
    kind: str
    severity: str
    decided_at: datetime
    reason: str
    order_ids: list[int]
    statements: list[AnomalyStatementOut]

    @classmethod
    def of(cls, row: ConfirmedFinding) -> "FindingOut":
        """From what the organisation may see."""
        return cls(
            id=row.id,
            kind=row.kind,
            severity=row.severity,
            decided_at=row.decided_at,
            reason=row.reason,
            order_ids=list(row.order_ids),
            statements=[AnomalyStatementOut.of(each) for each in row.statements],
        )


class AnomalyRunOut(Out):
    """A run of the detectors."""

    id: int
    since: date | None
    through: date
    claim_id: int | None
    redemptions: int
    found: int
    changed: int
    detector_version: int
    made_by: int
    made_at: datetime

    @classmethod
    def of(cls, row: AnomalyRun) -> "AnomalyRunOut":
        """From the row."""
        return cls(**{name: getattr(row, name) for name in cls.__struct_fields__})


def anomaly_table(rows: Sequence[Anomaly]) -> list[list[Any]]:
    """A list as a table with its heading."""
    names = list(AnomalyOut.__struct_fields__)
    return [names, *([getattr(row, name) for name in names] for row in rows)]
