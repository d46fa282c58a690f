"""What the scheduler does for credit: remind of what is due."""

from __future__ import annotations

from marketplace.billing.credit.use_cases import RemindAfter, remind
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.jobs import Job


async def remind_of_debts(database: Database) -> int:
    """Send every reminder of today, a few hundred in a transaction; a killed run goes on."""
    actor = system_actor("job:remind_of_debts")
    done, after = 0, 0
    while True:
        reminded = await atomically(database, remind, RemindAfter(after), actor=actor)
        done += reminded.sent
        if reminded.next_id is None:
            return done
        after = reminded.next_id


JOBS = [
    Job(
        name="credit.remind_of_debts",
        cron="20 8 * * *",
        run=remind_of_debts,
        about="Reminds buyers of what they owe on account: before it is due, on the day, after.",
    ),
]
