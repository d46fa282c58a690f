"""Runs that nobody had booked: staff say what they were."""

import pytest
from sqlalchemy import text

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    ReadingIncomplete,
    ReadingResolved,
    ReadingUnfit,
)
from marketplace.booking.queries import (
    Purpose,
    Reservation,
    Status,
    UsageSession,
    reservation,
    session_of,
)
from marketplace.booking.rules.readings import ReadingState
from marketplace.booking.use_cases import (
    AttachReading,
    DismissReading,
    Outcome,
    RecordReading,
    attach_reading,
    dismiss_reading,
    follow_waiting_readings,
    mark_no_shows,
    record_reading,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor
from tests.builders.readings import a_line, a_source, runs, send

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def manager(database: Database) -> Actor:
    return await an_actor(database, Role.PROVIDER_MANAGER)


@pytest.fixture
async def machine(database: Database, manager: Actor, clock: SetClock) -> int:
    """An instrument with a log that is trusted; the clock stands on Wednesday evening."""
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, notice_minutes=0
    )
    await a_source(database, instrument_id=instrument_id, by=manager)
    return instrument_id


async def booked(database: Database, instrument_id: int, manager: Actor) -> Reservation:
    """Wednesday from nine to eleven, for own research."""
    return await a_reservation(database, instrument_id=instrument_id, actor=manager)


async def state_of(
    database: Database, placed: Reservation
) -> tuple[Reservation, UsageSession | None]:
    async def ask(tx: Tx, _: None) -> tuple[Reservation, UsageSession | None]:
        return await reservation(tx, placed.id), await session_of(tx, placed.id)

    return await atomically(database, ask, None, actor=TEST)


async def used(database: Database, placed: Reservation) -> UsageSession:
    _, session = await state_of(database, placed)
    assert session is not None
    return session


async def test_a_run_of_a_time_that_came_to_nothing_has_to_be_explained(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    await a_source(database, instrument_id=machine, by=manager, opens_sessions=False)
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 9.5))
    await send(database, a_line(machine, clock_at(2, 9), clock_at(2, 9.4)), by=manager)
    clock.set(clock_at(2, 12))
    await atomically(database, mark_no_shows, None, actor=TEST)

    looked_at = await atomically(database, follow_waiting_readings, None, actor=TEST)
    again = await atomically(database, follow_waiting_readings, None, actor=TEST)

    (run,) = await runs(database, by=manager)
    assert (looked_at, again) == (1, 0)
    assert (run.state, run.reservation_id) == (ReadingState.UNBOOKED, placed.id)
    attached = await atomically(
        database, attach_reading, AttachReading(run.id, placed.id, "they came"), actor=manager
    )
    now, session = await state_of(database, placed)
    assert attached.state is ReadingState.ATTACHED
    assert now.status is Status.NO_SHOW
    assert session is not None
    assert (session.actual_minutes, session.billable_minutes) == (24, 0)


async def test_staff_say_what_a_run_was_that_nobody_had_booked(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    clock.set(clock_at(2, 20))
    await send(
        database,
        a_line(machine, clock_at(2, 9), clock_at(2, 10), external_id="a"),
        a_line(machine, clock_at(2, 11), clock_at(2, 11), external_id="b"),
        a_line(machine, clock_at(2, 12), external_id="c"),
        by=manager,
    )
    upkeep, instant, running = await runs(database, by=manager)
    assert {one.state for one in (upkeep, instant, running)} == {ReadingState.UNBOOKED}
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    record = RecordReading(upkeep.id, Purpose.MAINTENANCE, "new filament")
    with pytest.raises(Missing):
        await atomically(database, record_reading, record, actor=stranger)
    bad = RecordReading(upkeep.id, Purpose.EXTERNAL, "a customer")
    early = RecordReading(running.id, Purpose.TEST_RUN, "calibration")
    with pytest.raises(ExternalTimeIsOrdered):
        await atomically(database, record_reading, bad, actor=manager)
    with pytest.raises(ReadingIncomplete):
        await atomically(database, record_reading, early, actor=manager)

    recorded = await atomically(database, record_reading, record, actor=manager)
    await atomically(
        database,
        record_reading,
        RecordReading(instant.id, Purpose.TEST_RUN, "a click"),
        actor=manager,
    )
    dismissed = await atomically(
        database, dismiss_reading, DismissReading(running.id, "clock was off"), actor=manager
    )
    with pytest.raises(ReadingResolved):
        await atomically(database, record_reading, record, actor=manager)

    async def hours(tx: Tx, _: None) -> list[tuple[str, int]]:
        rows = await tx.execute(
            text(
                "select purpose, actual_minutes from usage_session"
                " join reservation r on r.id = reservation_id where status = 'used' order by 1"
            )
        )
        return [(row.purpose, row.actual_minutes) for row in rows]

    assert recorded.state is ReadingState.UPKEEP
    assert recorded.session_id is not None
    assert dismissed.state is ReadingState.DISMISSED
    assert await atomically(database, hours, None, actor=TEST) == [
        ("maintenance", 60),
        ("test_run", 1),
    ]
    # A stop that comes for what was dismissed wakes nothing.
    (late,) = await send(
        database, a_line(machine, None, clock_at(2, 13), external_id="c"), by=manager
    )
    assert (late.outcome, late.state) == (Outcome.LANDED, ReadingState.DISMISSED)


async def test_staff_attach_a_run_to_a_reservation_of_the_same_machine_and_time_only(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    other = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    placed = await booked(database, machine, manager)
    elsewhere = await booked(database, other, manager)
    weeks_off = await a_reservation(
        database, instrument_id=machine, actor=manager, during=at_hours(20, 9, 11)
    )
    clock.set(clock_at(2, 8.9))
    await send(database, a_line(machine, clock_at(2, 8), clock_at(2, 8.8)), by=manager)
    (run,) = await runs(database, by=manager)
    assert run.state is ReadingState.UNBOOKED

    for wrong in (elsewhere, weeks_off):
        with pytest.raises(ReadingUnfit):
            await atomically(
                database, attach_reading, AttachReading(run.id, wrong.id, "no"), actor=manager
            )
    attached = await atomically(
        database, attach_reading, AttachReading(run.id, placed.id, "came early"), actor=manager
    )

    session = await used(database, placed)
    assert (attached.state, attached.session_id) == (ReadingState.ATTACHED, session.id)
    assert (session.opened_at, session.closed_at) == (clock_at(2, 8), clock_at(2, 8.8))
