"""Qualifications and training on the wire."""

from __future__ import annotations

from datetime import datetime

from marketplace.booking.queries.qualifications import (
    QualificationPage,
    TrainingPage,
)
from marketplace.booking.rules.training import TrainingStatus
from marketplace.booking.schemas.periods import ReasonGiven, instant_within
from marketplace.booking.use_cases.qualifications import (
    ExtendQualification,
    GrantQualification,
    Revoked,
    RevokeQualification,
)
from marketplace.booking.use_cases.training import (
    AskForTraining,
    DeclineTraining,
    FailTraining,
    PassTraining,
    ScheduleTraining,
)
from marketplace.kernel.wire import Id, In, Instant, Line, Out, Page, Word


class QualificationIn(In):
    """A person may operate the instrument until `valid_until`, or until it is revoked."""

    person_id: Id
    reason: ReasonGiven
    valid_until: Instant | None = None

    def to_command(self, instrument_id: int) -> GrantQualification:
        """The command for `instrument_id`."""
        return GrantQualification(
            instrument_id, self.person_id, self.reason, _until(self.valid_until)
        )


class ExtensionIn(In):
    """A later end, or none, and why."""

    reason: ReasonGiven
    valid_until: Instant | None = None

    def to_command(self, qualification_id: int) -> ExtendQualification:
        """The command for `qualification_id`."""
        return ExtendQualification(qualification_id, self.reason, _until(self.valid_until))


class RevocationIn(In):
    """Why a person shall not operate the instrument any more."""

    reason: ReasonGiven

    def to_command(self, qualification_id: int) -> RevokeQualification:
        """The command for `qualification_id`."""
        return RevokeQualification(qualification_id, self.reason)


class QualificationOut(Out):
    """A qualification as its holder and the instrument's provider see it."""

    id: int
    instrument_id: int
    provider_id: int
    person_id: int
    granted_by: int
    granted_at: datetime
    valid_until: datetime | None
    reason: str
    reminded_at: datetime | None
    revoked_by: int | None
    revoked_at: datetime | None
    revoked_because: str | None


class RevokedOut(Out):
    """The revoked qualification, and what its holder still has reserved on the instrument."""

    qualification: QualificationOut
    reservations: list[int]

    @classmethod
    def of(cls, revoked: Revoked) -> RevokedOut:
        """From the result."""
        return cls(
            qualification=QualificationOut.like(revoked.qualification),
            reservations=list(revoked.reservations),
        )


def qualification_page(
    found: QualificationPage, page: int, page_size: int
) -> Page[QualificationOut]:
    """One page of the list."""
    return Page(
        results=[QualificationOut.like(row) for row in found.qualifications],
        total=found.total,
        page=page,
        page_size=page_size,
    )


class TrainingIn(In):
    """What the person wants to do with the instrument."""

    note: Line = ""

    def to_command(self, instrument_id: int) -> AskForTraining:
        """The command for `instrument_id`."""
        return AskForTraining(instrument_id, self.note)


class TrainingDateIn(In):
    """When, with whom and where; said again, another date."""

    held_at: Instant
    trainer_id: Id
    place: Word

    def to_command(self, training_request_id: int) -> ScheduleTraining:
        """The command for `training_request_id`."""
        return ScheduleTraining(
            training_request_id, instant_within(self.held_at), self.trainer_id, self.place
        )


class TrainingPassedIn(In):
    """How it went, and how long the qualification holds."""

    answer: ReasonGiven
    valid_until: Instant | None = None

    def to_command(self, training_request_id: int) -> PassTraining:
        """The command for `training_request_id`."""
        return PassTraining(training_request_id, self.answer, _until(self.valid_until))


class TrainingAnswerIn(In):
    """Why not; the person reads it."""

    answer: ReasonGiven

    def to_failure(self, training_request_id: int) -> FailTraining:
        """The person has to learn more first."""
        return FailTraining(training_request_id, self.answer)

    def to_refusal(self, training_request_id: int) -> DeclineTraining:
        """The provider does not train them."""
        return DeclineTraining(training_request_id, self.answer)


class TrainingOut(Out):
    """A training request as who asked and the instrument's provider see it."""

    id: int
    instrument_id: int
    provider_id: int
    organisation_id: int
    person_id: int
    status: TrainingStatus
    note: str
    asked_at: datetime
    trainer_id: int | None
    held_at: datetime | None
    place: str | None
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None
    qualification_id: int | None


def training_page(found: TrainingPage, page: int, page_size: int) -> Page[TrainingOut]:
    """One page of the list."""
    return Page(
        results=[TrainingOut.like(row) for row in found.requests],
        total=found.total,
        page=page,
        page_size=page_size,
    )


def _until(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant_within(instant)
