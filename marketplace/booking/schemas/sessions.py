"""Usage sessions, their problems and their repairs on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.booking.errors import WindowRefused
from marketplace.booking.queries import (
    ProblemPage,
    ProblemReport,
    ReportPage,
    SessionProblem,
    SessionRepair,
    UsageSession,
)
from marketplace.booking.rules.sessions import RepairKind, Severity
from marketplace.booking.schemas.periods import YEARS, ReasonGiven, SessionMinutes
from marketplace.booking.use_cases import (
    AcceptSession,
    AnswerRepair,
    CloseForProblem,
    CloseSession,
    RepairSession,
    ReportProblem,
    ReportSessionEnd,
    ResolveProblem,
)
from marketplace.kernel.time import as_utc
from marketplace.kernel.wire import In, Instant, Out, Page

SamplesRun = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
Note = Annotated[str, msgspec.Meta(min_length=3, max_length=2_000, pattern=_NO_CONTROLS)]


def moment_of(instant: datetime) -> datetime:
    """An instant of a request, in UTC.

    Raises:
        WindowRefused: outside the years of a calendar.
    """
    if instant.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    return as_utc(instant)


class SessionOut(Out):
    """The use of a reservation: reserved, actual and billable minutes are three things.

    `problem`: why nobody vouches for the minutes yet. `opened_how` and `closed_how`: whether a
    person, the instrument's log or the platform said so. `settled_at`: since when money has moved
    on the minutes, so that they stand.
    """

    id: int
    reservation_id: int
    instrument_id: int
    opened_at: datetime
    closed_at: datetime | None
    reserved_minutes: int
    actual_minutes: int | None
    billable_minutes: int | None
    preparation_minutes: int | None
    test_minutes: int | None
    post_minutes: int | None
    operator_id: int
    problem: str | None
    opened_how: str
    closed_how: str | None
    samples_run: int | None
    note: str | None
    settled_at: datetime | None

    @classmethod
    def of(cls, row: UsageSession) -> SessionOut:
        """From the row."""
        return msgspec.convert(row, cls, from_attributes=True)


class CloseSessionIn(In):
    """What of the session was preparation and post-processing (the rest is test time)."""

    preparation_minutes: SessionMinutes = 0
    test_minutes: SessionMinutes | None = None
    post_minutes: SessionMinutes = 0
    samples_run: SamplesRun | None = None
    note: Note | None = None

    def to_command(self, reservation_id: int) -> CloseSession:
        """The command for `reservation_id`."""
        return CloseSession(
            reservation_id,
            self.preparation_minutes,
            self.test_minutes,
            self.post_minutes,
            self.samples_run,
            self.note,
        )


class RepairSessionIn(In):
    """When the session really was, and how that is known."""

    closed_at: Instant
    reason: ReasonGiven
    preparation_minutes: SessionMinutes = 0
    test_minutes: SessionMinutes | None = None
    post_minutes: SessionMinutes = 0
    opened_at: Instant | None = None
    samples_run: SamplesRun | None = None

    def to_command(self, reservation_id: int) -> RepairSession:
        """The command for `reservation_id`."""
        return RepairSession(
            reservation_id,
            moment_of(self.closed_at),
            self.reason,
            self.preparation_minutes,
            self.test_minutes,
            self.post_minutes,
            None if self.opened_at is None else moment_of(self.opened_at),
            self.samples_run,
        )


class ReportEndIn(In):
    """When one stopped using the instrument, and how one knows."""

    closed_at: Instant
    reason: ReasonGiven

    def to_command(self, reservation_id: int) -> ReportSessionEnd:
        """The command for `reservation_id`."""
        return ReportSessionEnd(reservation_id, moment_of(self.closed_at), self.reason)


class VouchIn(In):
    """Why: whoever looks at the session later reads it."""

    reason: ReasonGiven

    def to_answer(self, repair_id: int) -> AnswerRepair:
        """The answer to a user's report."""
        return AnswerRepair(repair_id, self.reason)

    def to_acceptance(self, reservation_id: int) -> AcceptSession:
        """The word of staff for a session as it stands."""
        return AcceptSession(reservation_id, self.reason)


class SessionRepairOut(Out):
    """One thing said of a session after it ended; `before` and `after` are what it came to.

    A proposal is a user's word that waits for the provider while `answer` is null.
    """

    id: int
    session_id: int
    reservation_id: int
    kind: RepairKind
    answers_id: int | None
    made_by: int
    made_at: datetime
    by_staff: bool
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
    answer: RepairKind | None

    @classmethod
    def of(cls, row: SessionRepair) -> SessionRepairOut:
        """From the row."""
        return cls.like(row)


class SessionProblemOut(Out):
    """A session that waits in the problem queue, and what each side says of it."""

    session: SessionOut
    provider_id: int
    organisation_id: int
    person_id: int
    order_id: int | None
    starts_at: datetime
    ends_at: datetime
    age_minutes: int
    proposal_id: int | None
    proposed_end_at: datetime | None
    log_started_at: datetime | None
    log_stopped_at: datetime | None

    @classmethod
    def of(cls, row: SessionProblem) -> SessionProblemOut:
        """From the row."""
        return cls.like(row, session=SessionOut.of(row.session))


def problem_page(found: ProblemPage, page: int, page_size: int) -> Page[SessionProblemOut]:
    """One page of the queue."""
    return Page(
        results=[SessionProblemOut.of(row) for row in found.problems],
        total=found.total,
        page=page,
        page_size=page_size,
    )


class ProblemReportIn(In):
    """What is wrong with the instrument, and how bad it is."""

    severity: Severity
    note: Note

    def to_command(self, reservation_id: int) -> ReportProblem:
        """The command for `reservation_id`."""
        return ReportProblem(reservation_id, self.severity, self.note)


class CloseForProblemIn(In):
    """Until when the instrument is closed; users read the reason."""

    until: Instant
    reason: ReasonGiven

    def to_command(self, report_id: int) -> CloseForProblem:
        """The command for `report_id`."""
        return CloseForProblem(report_id, moment_of(self.until), self.reason)


class ResolutionIn(In):
    """What was done about it."""

    resolution: ReasonGiven

    def to_command(self, report_id: int) -> ResolveProblem:
        """The command for `report_id`."""
        return ResolveProblem(report_id, self.resolution)


class ProblemReportOut(Out):
    """What somebody who used an instrument found wrong with it, and what became of it."""

    id: int
    instrument_id: int
    provider_id: int
    reservation_id: int
    organisation_id: int
    severity: Severity
    note: str
    made_by: int
    made_at: datetime
    closure_id: int | None
    resolved_by: int | None
    resolved_at: datetime | None
    resolution: str | None

    @classmethod
    def of(cls, row: ProblemReport) -> ProblemReportOut:
        """From the row."""
        return cls.like(row)


def report_page(found: ReportPage, page: int, page_size: int) -> Page[ProblemReportOut]:
    """One page of reports."""
    return Page(
        results=[ProblemReportOut.of(row) for row in found.reports],
        total=found.total,
        page=page,
        page_size=page_size,
    )
