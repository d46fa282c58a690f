"""What operators and auditors look at: the audit trail, the jobs, events that wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, text

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
    """The last run of a job: when, how long, how much it did, what went wrong."""

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
