"""What the scheduler does for the ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from marketplace.billing.ledger.use_cases import lapse_holds, seal_entries
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.jobs import Job

# One run does this many batches at most; what is left waits for the next tick.
BATCHES_MAX = 1_000


def _until_done(
    name: str, batch: Callable[[Tx, None], Awaitable[int]]
) -> Callable[[Database], Awaitable[int]]:
    async def run(database: Database) -> int:
        done = 0
        for _ in range(BATCHES_MAX):
            some = await atomically(database, batch, None, actor=system_actor(f"job:{name}"))
            if not some:
                break
            done += some
        return done

    return run


JOBS: list[Job] = [
    Job(
        name="lapse_holds",
        cron="* * * * *",
        run=_until_done("lapse_holds", lapse_holds),
        about="Makes held money available again once the hold has run out.",
    ),
    Job(
        name="seal_entries",
        cron="*/5 * * * *",
        run=_until_done("seal_entries", seal_entries),
        about="Chains new journal entries into the seals, so that a later change shows.",
    ),
]
