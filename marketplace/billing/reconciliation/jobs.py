"""What the scheduler does for reconciliation."""

from __future__ import annotations

from marketplace.billing.reconciliation.queries.cases import kept_attachments
from marketplace.billing.reconciliation.use_cases import MatchOpen, match_open
from marketplace.billing.reconciliation.use_cases.cases import ATTACHMENT_AREA
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.jobs import Job
from marketplace.kernel.storage import files
from marketplace.kernel.storage import remove_orphans as remove_orphan_files


async def match_open_lines(database: Database) -> int:
    """Explain what is surely a payment; what is left waits for a person."""
    actor = system_actor("job:match_open_lines")
    report = await atomically(database, match_open, MatchOpen(), actor=actor)
    return sum(report.explained.values())


async def remove_orphans(database: Database) -> int:
    """Remove files older than a day that no line names: a crash left them behind."""
    return await remove_orphan_files(database, files(), ATTACHMENT_AREA, kept_attachments)


JOBS: list[Job] = [
    Job(
        name="match_open_lines",
        cron="30 6,12,18 * * *",
        run=match_open_lines,
        about="Explains open lines of bank statements that are surely payments.",
    ),
    Job(
        name="reconciliation.remove_orphans",
        cron="50 3 * * *",
        run=remove_orphans,
        about="Removes files that a crash left behind and no statement line names.",
    ),
]
