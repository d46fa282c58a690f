"""Notices, jobs, messages and the audit trail as the API tells them."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.kernel.operations import JobState, Message, TrailLine
from marketplace.kernel.wire import In, Instant, Out
from marketplace.operations.queries import JobFound, Notice
from marketplace.operations.use_cases import PublishNotice, Severity
from marketplace.parties.roles import Role

# PostgreSQL text holds no NUL; the pattern also keeps other control characters out.
_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=_NO_CONTROLS)]
Body = Annotated[str, msgspec.Meta(max_length=1_000, pattern=_NO_CONTROLS)]
Audience = Annotated[list[Role], msgspec.Meta(max_length=20)]


class NoticeIn(In):
    """What is told, in both languages; without an audience everybody is."""

    severity: Severity
    title_zh: Title
    title_en: Title
    shown_from: Instant
    shown_until: Instant
    text_zh: Body = ""
    text_en: Body = ""
    audience: Audience = msgspec.field(default_factory=list)

    def to_command(self) -> PublishNotice:
        """The notice that is published."""
        return PublishNotice(
            severity=self.severity,
            title_zh=self.title_zh,
            title_en=self.title_en,
            shown_from=self.shown_from,
            shown_until=self.shown_until,
            text_zh=self.text_zh,
            text_en=self.text_en,
            audience=tuple(self.audience),
        )


class WithdrawalIn(In):
    """Why a notice is taken off the pages."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=_NO_CONTROLS)]


class NoticeOut(Out):
    """A notice as the centre keeps it."""

    id: int
    severity: str
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    audience: list[str]
    shown_from: datetime
    shown_until: datetime
    written_by: int
    written_at: datetime
    withdrawn_by: int | None
    withdrawn_at: datetime | None
    withdrawn_reason: str

    @classmethod
    def of(cls, row: Notice) -> "NoticeOut":
        """The answer for a notice."""
        return cls.like(row, audience=list(row.audience))


class NoticeShownOut(Out):
    """A notice as readers see it."""

    id: int
    severity: str
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    shown_from: datetime
    shown_until: datetime

    @classmethod
    def of(cls, row: Notice) -> "NoticeShownOut":
        """The answer for a notice."""
        return cls.like(row)


class JobRunOut(Out):
    """A run of a job."""

    job: str
    tick: datetime
    worker: str
    started_at: datetime
    finished_at: datetime | None
    done: int | None
    error: str | None

    @classmethod
    def of(cls, row: JobState) -> "JobRunOut":
        """The answer for a run."""
        return cls.like(row)


class JobOut(Out):
    """A job: what it is for, its last run, its next, failures of the last seven days."""

    name: str
    about: str
    cron: str
    state: str
    last: JobRunOut | None
    next_at: datetime | None
    failures: int

    @classmethod
    def of(cls, row: JobFound) -> "JobOut":
        """The answer for a job."""
        return cls.like(row, last=None if row.last is None else JobRunOut.of(row.last))


class MessageOut(Out):
    """An event that nobody heard yet."""

    id: int
    name: str
    payload: dict[str, Any]
    recorded_at: datetime
    due_at: datetime
    attempts: int
    last_error: str | None

    @classmethod
    def of(cls, row: Message) -> "MessageOut":
        """The answer for a message."""
        return cls.like(row, payload=dict(row.payload))


class TrailLineOut(Out):
    """One thing done: who, when, for which organisation, what, to what."""

    id: int
    at: datetime
    person_id: int
    organisation_id: int
    label: str
    request_id: str
    action: str
    subject: str
    subject_id: int
    facts: dict[str, Any]

    @classmethod
    def of(cls, row: TrailLine) -> "TrailLineOut":
        """The answer for a line."""
        return cls.like(row, facts=dict(row.facts))


class TrailOut(Out):
    """One page of the trail, the newest first; beyond 10,000 lines it is `capped`."""

    results: list[TrailLineOut]
    total: int
    capped: bool
    page: int
    page_size: int


Name = Annotated[str, msgspec.Meta(max_length=100, pattern=_NO_CONTROLS)]
RequestId = Annotated[str, msgspec.Meta(max_length=64, pattern=_NO_CONTROLS)]
