"""People who wait for time, and reservations that ended badly."""

from datetime import timedelta
from typing import Any

from marketplace.booking import jobs, queries
from marketplace.booking.queries import ListedEntry, Purpose, Reservation, StrikeSearch
from marketplace.booking.rules.alternatives import aligned
from marketplace.booking.rules.waiting import Wish
from marketplace.booking.use_cases import (
    CancelReservation,
    CloseSession,
    JoinWaitlist,
    JudgeReservations,
    OpenSession,
    cancel_reservation,
    close_session,
    join_waitlist,
    judge_reservations,
    open_session,
)
from marketplace.booking.waiting_handlers import HANDLERS
from marketplace.kernel import outbox
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import During, SetClock
from tests.builders.booking import TEST, a_reservation, at_hours
from tests.builders.orders import Market

_HOUR = timedelta(hours=1)
RUN = {job.name.removeprefix("booking."): job.run for job in jobs.JOBS}


async def an_entry(
    database: Database,
    *,
    instrument_id: int,
    actor: Actor,
    during: During | None = None,
    purpose: Purpose | None = None,
    **wish: Any,
) -> ListedEntry:
    """Two hours anywhere on Wednesday."""
    asked = Wish(during or at_hours(2, 0, 24), **({"minutes": 120} | wish))
    command = JoinWaitlist(instrument_id, asked, purpose)
    return await atomically(database, join_waitlist, command, actor=actor)


async def a_full_day(database: Database, *, instrument_id: int, day: int = 2) -> list[Reservation]:
    """A whole day in three reservations of eight hours."""
    return [
        await a_reservation(
            database, instrument_id=instrument_id, during=at_hours(day, first, first + 8)
        )
        for first in (0, 8, 16)
    ]


async def give_back(database: Database, placed: Reservation) -> None:
    """The provider cancels it, so that nobody is to blame."""
    command = CancelReservation(placed.id, "not needed", by_provider=True)
    await atomically(database, cancel_reservation, command, actor=TEST)


async def hear(database: Database) -> int:
    """Deliver every event to booking, until none is left."""
    heard = 0
    while delivered := await outbox.deliver_due(database, HANDLERS):
        heard += delivered
    return heard


async def a_missed_reservation(
    database: Database, clock: SetClock, *, instrument_id: int, during: During, **changes: Any
) -> Reservation:
    """Nobody came; the clock stands an hour after its start."""
    placed = await a_reservation(database, instrument_id=instrument_id, during=during, **changes)
    clock.set(during.starts_at + _HOUR)
    await RUN["mark_no_shows"](database)
    return placed


async def a_used_reservation(
    database: Database,
    clock: SetClock,
    *,
    instrument_id: int,
    during: During,
    minutes: int,
    **changes: Any,
) -> Reservation:
    """Checked in at its start and out after some minutes."""
    placed = await a_reservation(database, instrument_id=instrument_id, during=during, **changes)
    clock.set(during.starts_at)
    await atomically(database, open_session, OpenSession(placed.id), actor=TEST)
    clock.set(during.starts_at + _HOUR * (minutes / 60))
    await atomically(database, close_session, CloseSession(placed.id), actor=TEST)
    return placed


async def waiting_things(market: Market) -> dict[str, int | str]:
    """An entry of the buyer's, and a strike for what it cancelled too late."""
    clock = market.database.clock.now()
    soon = aligned(clock + timedelta(hours=3), 30)
    listed = await an_entry(
        market.database,
        instrument_id=market.instrument_id,
        actor=market.buyer,
        during=During(soon + timedelta(days=8), soon + timedelta(days=9)),
    )
    late = await a_reservation(
        market.database,
        instrument_id=market.instrument_id,
        during=During(soon, soon + _HOUR),
        purpose=Purpose.EXTERNAL,
        organisation_id=market.buyer.organisation_id,
        person_id=market.buyer.person_id,
    )
    await market.do(cancel_reservation, CancelReservation(late.id, "改期"), by=market.buyer)
    await market.do(judge_reservations, JudgeReservations((late.id,)))
    (given,) = (await market.do(queries.strikes, StrikeSearch(), by=market.buyer)).strikes
    return {"entry_id": listed.entry.id, "strike_id": given.id}
