"""What the scheduler does for closing."""

from __future__ import annotations

from marketplace.billing.ledger.errors import VerificationRunning
from marketplace.billing.ledger.queries import verify
from marketplace.closing.queries.packs import due_packs, named_parts
from marketplace.closing.use_cases.months import note_verification
from marketplace.closing.use_cases.packs import AREA, build_pack
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.jobs import Job
from marketplace.kernel.storage import files, remove_orphans


async def verify_ledger(database: Database) -> int:
    """Compute every entry, seal and balance again, and keep what was found."""
    try:
        report = await verify(database)
    except VerificationRunning:
        return 0
    await atomically(database, note_verification, report, actor=system_actor("job:verify_ledger"))
    return report.entries


async def build_packs(database: Database) -> int:
    """Build the archives that were asked for, one after the other."""
    done = 0
    actor = system_actor("job:build_packs")
    for pack_id in await atomically(database, due_packs, None, actor=actor):
        done += await build_pack(database, pack_id)
    return done


async def remove_orphan_parts(database: Database) -> int:
    """Remove parts of archives older than a day that no pack names."""
    return await remove_orphans(database, files(), AREA, named_parts)


JOBS: list[Job] = [
    Job(
        name="closing.verify_ledger",
        cron="40 2 * * *",
        run=verify_ledger,
        about="Computes the whole ledger again, for the checklist of the month's close.",
    ),
    Job(
        name="closing.build_packs",
        cron="* * * * *",
        run=build_packs,
        about="Builds the audit packs that were asked for.",
    ),
    Job(
        name="closing.remove_orphan_parts",
        cron="25 4 * * *",
        run=remove_orphan_parts,
        about="Removes parts of audit packs that no pack names.",
    ),
]
