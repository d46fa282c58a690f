"""Booking's jobs work off what is due, and a second run finds nothing."""

from datetime import timedelta

import pytest

from marketplace.booking.jobs import JOBS
from marketplace.booking.queries import Reservation, Status, reservation, session_of
from marketplace.booking.use_cases import OpenSession, open_session
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.tables import outbox_event
from marketplace.kernel.time import SetClock
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    at_hours,
    clock_at,
)

pytestmark = pytest.mark.asyncio

RUN = {job.name.removeprefix("booking."): job.run for job in JOBS}


async def status_of(database: Database, placed: Reservation) -> Status:
    return (await atomically(database, reservation, placed.id, actor=TEST)).status


async def events(database: Database) -> list[str]:
    async def ask(tx: Tx, _: None):
        return await tx.scalars(outbox_event.select().with_only_columns(outbox_event.c.name))

    return list(await atomically(database, ask, None, actor=TEST))


async def test_requests_lapse_when_their_hold_is_over(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database, needs_approval=True)
    old = await a_reservation(database, instrument_id=instrument_id)
    clock.set(clock.now() + timedelta(minutes=20))
    young = await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 11, 13))
    clock.set(clock.now() + timedelta(minutes=10))

    assert [1, 0] == [await RUN["expire_requests"](database) for _ in range(2)]

    assert await status_of(database, old) is Status.EXPIRED
    assert await status_of(database, young) is Status.REQUESTED
    assert (await events(database)).count("ReservationExpired") == 1
    await a_reservation(database, instrument_id=instrument_id)


async def test_more_than_a_batch_lapses_in_one_run(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database, needs_approval=True, seats=150)
    for _ in range(150):
        await a_reservation(database, instrument_id=instrument_id, person_id=TEST.person_id)
    clock.set(clock.now() + timedelta(minutes=30))

    assert await RUN["expire_requests"](database) == 150


async def test_a_reservation_that_nobody_takes_up_is_void_after_an_hour(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(placed.starts_at + timedelta(minutes=59))
    assert await RUN["mark_no_shows"](database) == 0
    clock.set(placed.starts_at + timedelta(minutes=60))

    assert [1, 0] == [await RUN["mark_no_shows"](database) for _ in range(2)]

    assert await status_of(database, placed) is Status.NO_SHOW
    assert (await events(database)).count("ReservationNoShow") == 1


async def test_a_missed_tick_only_delays_a_no_show(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(placed.starts_at + timedelta(days=3))

    assert await RUN["mark_no_shows"](database) == 1
    assert await status_of(database, placed) is Status.NO_SHOW


async def test_nobody_is_blamed_for_an_instrument_that_was_closed(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    await a_closure(database, instrument_id=instrument_id, during=at_hours(2, 8, 10))
    clock.set(placed.starts_at + timedelta(minutes=60))

    assert await RUN["mark_no_shows"](database) == 1

    assert await status_of(database, placed) is Status.CANCELLED
    assert "ReservationNoShow" not in await events(database)


async def test_a_session_that_nobody_closes_waits_in_the_problem_queue(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(clock_at(2, 9.5))
    await atomically(database, open_session, OpenSession(placed.id), actor=TEST)
    clock.set(placed.ends_at + timedelta(minutes=719))
    assert await RUN["close_forgotten_sessions"](database) == 0
    clock.set(placed.ends_at + timedelta(minutes=720))

    assert [1, 0] == [await RUN["close_forgotten_sessions"](database) for _ in range(2)]

    session = await atomically(database, session_of, placed.id, actor=TEST)
    assert session is not None
    assert session.problem == "never-closed"
    assert session.closed_at == placed.ends_at
    assert (session.actual_minutes, session.billable_minutes) == (90, 120)
    assert await status_of(database, placed) is Status.USED
