"""Jobs: what each does, when it ran last and runs next, and how often it failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from marketplace.kernel.db import Tx
from marketplace.kernel.jobs import Job
from marketplace.kernel.operations import (
    JobRunsAsked,
    JobState,
    failures_since,
    job_runs,
    last_runs,
)
from marketplace.kernel.time import SHANGHAI

FAILURES_OF_DAYS = 7

__all__ = ["FAILURES_OF_DAYS", "JobFound", "JobRunsAsked", "job_runs", "jobs"]


@dataclass(frozen=True, slots=True)
class JobFound:
    """A job: what it is for, its last run, its next, and how many of the last days' runs failed."""

    name: str
    about: str
    cron: str
    last: JobState | None
    next_at: datetime | None
    failures: int

    @property
    def state(self) -> str:
        """How it stands: never ran, running, done or failed."""
        if self.last is None:
            return "never"
        if self.last.error:
            return "failed"
        return "done" if self.last.finished_at else "running"


async def jobs(tx: Tx, known: Sequence[Job]) -> list[JobFound]:
    """The jobs of this release in the order of their names, with how they ran."""
    runs = {each.job: each for each in await last_runs(tx)}
    failures = await failures_since(tx, tx.now - timedelta(days=FAILURES_OF_DAYS))
    return [
        JobFound(
            job.name,
            job.about,
            job.cron,
            runs.get(job.name),
            CronTrigger.from_crontab(job.cron, timezone=SHANGHAI).get_next_fire_time(None, tx.now),
            failures.get(job.name, 0),
        )
        for job in sorted(known, key=lambda each: each.name)
    ]
