"""What the scheduler calls: each works off everything that is due, a batch per transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from marketplace.booking.use_cases import (
    close_forgotten_sessions,
    draft_missing_statements,
    expire_requests,
    mark_no_shows,
)
from marketplace.booking.use_cases.lapse import BATCH
from marketplace.booking.use_cases.statements import BATCH as STATEMENTS_BATCH
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.jobs import Job


def _until_done(
    name: str, batch: Callable[[Tx, None], Awaitable[int]], *, size: int = BATCH
) -> Callable[[Database], Awaitable[int]]:
    async def run(database: Database) -> int:
        done = 0
        while True:
            ended = await atomically(database, batch, None, actor=system_actor(f"job:{name}"))
            done += ended
            if ended < size:
                return done

    return run


JOBS: list[Job] = [
    Job(
        name="booking.expire_requests",
        cron="* * * * *",
        run=_until_done("booking.expire_requests", expire_requests),
        about="Lets go of requests that the provider did not answer in time.",
    ),
    Job(
        name="booking.mark_no_shows",
        cron="*/5 * * * *",
        run=_until_done("booking.mark_no_shows", mark_no_shows),
        about="Ends confirmed reservations that nobody took up.",
    ),
    Job(
        name="booking.close_forgotten_sessions",
        cron="*/15 * * * *",
        run=_until_done("booking.close_forgotten_sessions", close_forgotten_sessions),
        about="Closes sessions left open too long, into the problem queue.",
    ),
    Job(
        name="booking.draft_statements",
        cron="40 2 1-7 * *",
        run=_until_done(
            "booking.draft_statements", draft_missing_statements, size=STATEMENTS_BATCH
        ),
        about="Draws up the monthly statements of machine-hours that nobody has drafted yet.",
    ),
]
