"""What the scheduler does for rewards: ask for reports on their use, and remind of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from marketplace.billing.rewards.queries import kept_evidence
from marketplace.billing.rewards.use_cases.uses import (
    EVIDENCE_AREA,
    After,
    Done,
    open_use_reports,
    remind_of_use_reports,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.jobs import Job
from marketplace.kernel.storage import files
from marketplace.kernel.storage import remove_orphans as remove_orphan_files


async def _in_parts(
    database: Database, use_case: Callable[[Tx, After], Awaitable[Done]], name: str
) -> int:
    """A few hundred in a transaction; a killed run goes on where it was."""
    actor = system_actor(name)
    done, after = 0, 0
    while True:
        part = await atomically(database, use_case, After(after), actor=actor)
        done += part.count
        if part.next_id is None:
            return done
        after = part.next_id


async def open_reports(database: Database) -> int:
    """Ask for a report on the use of every reward that the bank has paid."""
    return await _in_parts(database, open_use_reports, "job:open_use_reports")


async def remind_of_reports(database: Database) -> int:
    """Send every reminder of today."""
    return await _in_parts(database, remind_of_use_reports, "job:remind_of_use_reports")


async def remove_orphans(database: Database) -> int:
    """Remove files older than a day that no report names: a crash left them behind."""
    return await remove_orphan_files(database, files(), EVIDENCE_AREA, kept_evidence)


JOBS: list[Job] = [
    Job(
        name="rewards.open_use_reports",
        cron="10 7,19 * * *",
        run=open_reports,
        about="Asks providers for a report on the use of rewards that the bank has paid.",
    ),
    Job(
        name="rewards.remind_of_use_reports",
        cron="25 8 * * *",
        run=remind_of_reports,
        about="Reminds providers of reports on the use of rewards: before they are due, and after.",
    ),
    Job(
        name="rewards.remove_orphans",
        cron="55 3 * * *",
        run=remove_orphans,
        about="Removes files that a crash left behind and no report on a reward names.",
    ),
]
