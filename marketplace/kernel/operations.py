"""What operators and auditors look at: the audit trail, the jobs, events that wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Select, func, select, text, update

from marketplace.kernel.db import Tx
from marketplace.kernel.tables import audit_event, job_run, outbox_event
from marketplace.kernel.time import shanghai_instant

# Beyond this an auditor narrows the question: a page far behind would read the whole trail.
LINES_COUNTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One thing done: by whom, for which organisation, to what."""

    id: int
    at: datetime
    person_id: int
    organisation_id: int
    label: str
    request_id: str
    action: str
    subject: str
    subject_id: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrailSearch:
    """Which lines; whatever is left out does not narrow the search."""

    action: str = ""
    subject: str = ""
    subject_id: int | None = None
    person_id: int | None = None
    request_id: str = ""
    first_day: date | None = None
    last_day: date | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class Trail:
    """One page of the trail, newest first; the count stops at `LINES_COUNTED_MAX`."""

    lines: Sequence[TrailLine]
    total: int
    capped: bool


async def audit_trail(tx: Tx, search: TrailSearch) -> Trail:
    """Lines of the audit trail that fit."""
    wanted = _lines(search)
    counted = select(func.count()).select_from(wanted.limit(LINES_COUNTED_MAX + 1).subquery())
    total = int(await tx.scalar(counted))
    lines = await tx.all(
        TrailLine,
        wanted.order_by(audit_event.c.at.desc(), audit_event.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return Trail(lines, min(total, LINES_COUNTED_MAX), total > LINES_COUNTED_MAX)


TRAIL_HEAD = (
    "id",
    "at",
    "person_id",
    "organisation_id",
    "label",
    "request_id",
    "action",
    "subject",
    "subject_id",
    "facts",
)


def trail_table(lines: Sequence[TrailLine]) -> list[list[Any]]:
    """The trail as rows of a file, facts as JSON."""
    return [
        list(TRAIL_HEAD),
        *(
            [
                *(getattr(line, name) for name in TRAIL_HEAD[:-1]),
                msgspec.json.encode(line.facts).decode(),
            ]
            for line in lines
        ),
    ]


def _lines(search: TrailSearch) -> Select[Any]:
    table = audit_event.c
    wanted = [
        column == value
        for column, value in (
            (table.action, search.action),
            (table.subject, search.subject),
            (table.subject_id, search.subject_id),
            (table.person_id, search.person_id),
            (table.request_id, search.request_id),
        )
        if value not in ("", None)
    ]
    if search.first_day is not None:
        wanted.append(table.at >= shanghai_instant(search.first_day))
    if search.last_day is not None:
        wanted.append(table.at < shanghai_instant(search.last_day + timedelta(days=1)))
    return select(*(table[name] for name in TrailLine.__dataclass_fields__)).where(*wanted)


@dataclass(frozen=True, slots=True)
class JobState:
    """A run of a job: when, how long, how much it did, what went wrong."""

    job: str
    tick: datetime
    worker: str
    started_at: datetime
    finished_at: datetime | None
    done: int | None
    error: str | None


async def last_runs(tx: Tx, _: None = None) -> list[JobState]:
    """The newest run of each job, by name."""
    # Distinct on would read every run there ever was; the names are few, and each has an index.
    names = select(job_run.c.job).distinct().subquery()
    newest = (
        select(job_run)
        .where(job_run.c.job == names.c.job)
        .order_by(job_run.c.tick.desc())
        .limit(1)
        .lateral()
    )
    columns = [newest.c[name] for name in JobState.__dataclass_fields__]
    found = select(*columns).select_from(names.join(newest, text("true")))
    return await tx.all(JobState, found.order_by(newest.c.job))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events that nobody has heard yet: how many, since when, and how many failed before."""

    events: int
    failing: int
    oldest_at: datetime | None


async def waiting_events(tx: Tx, _: None = None) -> Waiting:
    """What lies in the outbox."""
    table = outbox_event.c
    return await tx.one(
        Waiting,
        select(
            func.count().label("events"),
            func.count().filter(table.attempts > 0).label("failing"),
            func.min(table.recorded_at).label("oldest_at"),
        ).where(table.delivered_at.is_(None)),
    )


@dataclass(frozen=True, slots=True)
class JobRunsAsked:
    """Which runs: of a job, only those that failed, which page."""

    job: str = ""
    failed: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class JobRuns:
    """One page of runs, the latest first; the count stops at `LINES_COUNTED_MAX`."""

    rows: Sequence[JobState]
    total: int
    capped: bool


async def job_runs(tx: Tx, asked: JobRunsAsked) -> JobRuns:
    """Runs of jobs that fit."""
    table = job_run.c
    wanted = select(*(table[name] for name in JobState.__dataclass_fields__))
    if asked.job:
        wanted = wanted.where(table.job == asked.job)
    if asked.failed:
        wanted = wanted.where(table.error.is_not(None))
    counted = select(func.count()).select_from(wanted.limit(LINES_COUNTED_MAX + 1).subquery())
    total = int(await tx.scalar(counted))
    rows = await tx.all(
        JobState,
        wanted.order_by(table.started_at.desc(), table.job)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return JobRuns(rows, min(total, LINES_COUNTED_MAX), total > LINES_COUNTED_MAX)


async def failures_since(tx: Tx, moment: datetime) -> dict[str, int]:
    """How many runs of each job failed since then; jobs without a failure are absent."""
    table = job_run.c
    found = await tx.execute(
        select(table.job, func.count().label("failures"))
        .where(table.error.is_not(None), table.started_at >= moment)
        .group_by(table.job)
    )
    return {row.job: row.failures for row in found}


@dataclass(frozen=True, slots=True)
class Message:
    """An event that nobody heard yet: how often it was tried, and what went wrong last."""

    id: int
    name: str
    payload: Mapping[str, Any]
    recorded_at: datetime
    due_at: datetime
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class MessagesAsked:
    """Which of the events that wait: of a name, only those that failed, which page."""

    name: str = ""
    failed: bool = True
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class Messages:
    """One page of events that wait, the oldest first; the count stops at `LINES_COUNTED_MAX`."""

    rows: Sequence[Message]
    total: int
    capped: bool


def _messages() -> Select[Any]:
    table = outbox_event.c
    columns = (table[name] for name in Message.__dataclass_fields__)
    return select(*columns).where(table.delivered_at.is_(None))


async def messages(tx: Tx, asked: MessagesAsked) -> Messages:
    """Events that wait, or failed, and fit."""
    wanted = _messages()
    if asked.failed:
        wanted = wanted.where(outbox_event.c.attempts > 0)
    if asked.name:
        wanted = wanted.where(outbox_event.c.name == asked.name)
    counted = select(func.count()).select_from(wanted.limit(LINES_COUNTED_MAX + 1).subquery())
    total = int(await tx.scalar(counted))
    rows = await tx.all(
        Message,
        wanted.order_by(outbox_event.c.id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return Messages(rows, min(total, LINES_COUNTED_MAX), total > LINES_COUNTED_MAX)


async def waiting_message(tx: Tx, message_id: int) -> Message | None:
    """An event that was not delivered yet; locked, so that nobody delivers it meanwhile."""
    return await tx.first(
        Message, _messages().where(outbox_event.c.id == message_id).with_for_update()
    )


async def make_due(tx: Tx, message_id: int) -> None:
    """Let an event be tried again at once, as if for the first time."""
    await tx.execute(
        update(outbox_event)
        .where(outbox_event.c.id == message_id, outbox_event.c.delivered_at.is_(None))
        .values(attempts=0, due_at=tx.now)
    )
