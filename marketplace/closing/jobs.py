"""What the scheduler does for closing."""

from __future__ import annotations

from marketplace.billing.ledger.errors import VerificationRunning
from marketplace.billing.ledger.queries import verify
from marketplace.closing.use_cases.months import note_verification
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.jobs import Job


async def verify_ledger(database: Database) -> int:
    """Compute every entry, seal and balance again, and keep what was found."""
    try:
        report = await verify(database)
    except VerificationRunning:
        return 0
    await atomically(database, note_verification, report, actor=system_actor("job:verify_ledger"))
    return report.entries


JOBS: list[Job] = [
    Job(
        name="closing.verify_ledger",
        cron="40 2 * * *",
        run=verify_ledger,
        about="Computes the whole ledger again, for the checklist of the month's close.",
    ),
]
