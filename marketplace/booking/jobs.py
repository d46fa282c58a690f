"""What the scheduler calls: each works off everything that is due, a batch per transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from marketplace.booking.use_cases import (
    HandOn,
    awaited_with_room,
    close_forgotten_sessions,
    draft_missing_statements,
    end_past_entries,
    expire_requests,
    fetch_outside_times,
    follow_waiting_readings,
    hand_on,
    mark_no_shows,
    settle_offers,
    sweep_strikes,
)
from marketplace.booking.use_cases.lapse import BATCH
from marketplace.booking.use_cases.qualifications import REMINDERS, remind_of_expiry
from marketplace.booking.use_cases.statements import BATCH as STATEMENTS_BATCH
from marketplace.booking.use_cases.waiting_ends import BATCH as WAITING_BATCH
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


_end_past_entries = _until_done("booking.hand_on", end_past_entries, size=WAITING_BATCH)
_settle_offers = _until_done("booking.hand_on", settle_offers, size=WAITING_BATCH)


async def _hand_on(database: Database) -> int:
    """Everything that an event should have set off already, and what lapses by itself.

    Lists are looked at many at a time; only those with something to offer are worked off, each
    in a transaction of its own.
    """
    actor = system_actor("job:booking.hand_on")
    done = await _settle_offers(database) + await _end_past_entries(database)
    last_id = 0
    while (seen := await atomically(database, awaited_with_room, last_id, actor=actor)) is not None:
        for instrument_id in seen.instrument_ids:
            done += await atomically(database, hand_on, HandOn(instrument_id), actor=actor)
        last_id = seen.last_id
    return done


JOBS: list[Job] = [
    Job(
        name="booking.expire_requests",
        cron="* * * * *",
        run=_until_done("booking.expire_requests", expire_requests),
        about="Lets go of requests not answered in time, and of holds and offers not taken up.",
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
        name="booking.remind_of_expiry",
        cron="0 8 * * *",
        run=_until_done("booking.remind_of_expiry", remind_of_expiry, size=REMINDERS),
        about="Tells the holders of qualifications, once, that they run out soon.",
    ),
    Job(
        name="booking.draft_statements",
        cron="40 2 1-7 * *",
        run=_until_done(
            "booking.draft_statements", draft_missing_statements, size=STATEMENTS_BATCH
        ),
        about="Draws up the monthly statements of machine-hours that nobody has drafted yet.",
    ),
    Job(
        name="booking.hand_on",
        cron="* * * * *",
        run=_hand_on,
        about="Ends offers that nobody answered, and offers free time to who waits longest.",
    ),
    Job(
        name="booking.sweep_strikes",
        cron="*/10 * * * *",
        run=_until_done("booking.sweep_strikes", sweep_strikes),
        about="Gives the strikes that no event has given.",
    ),
    Job(
        name="booking.fetch_outside_times",
        cron="* * * * *",
        run=fetch_outside_times,
        about="Fetches outside calendars that are due: each every quarter of an hour.",
    ),
    Job(
        name="booking.follow_waiting_readings",
        cron="*/5 * * * *",
        run=_until_done("booking.follow_waiting_readings", follow_waiting_readings),
        about="Looks again at runs of instruments whose reservation has moved on.",
    ),
]
