"""Using what was reserved: overruns, operators, samples, and what the platform closes by itself."""

from datetime import timedelta

import pytest

from marketplace.booking.errors import CheckInRefused, ReservationNotInState
from marketplace.booking.queries import (
    Reservation,
    Status,
    UsageSession,
    reservation,
    session_of,
)
from marketplace.booking.rules.sessions import Problem
from marketplace.booking.use_cases import (
    CloseSession,
    OpenSession,
    close_forgotten_sessions,
    close_session,
    open_session,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
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

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def manager(database: Database) -> Actor:
    return await an_actor(database, Role.PROVIDER_MANAGER)


@pytest.fixture
async def placed(database: Database, manager: Actor) -> Reservation:
    """Wednesday from nine to eleven."""
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, notice_minutes=0
    )
    return await a_reservation(database, instrument_id=instrument_id, actor=manager)


async def used(
    database: Database, clock: SetClock, placed: Reservation, *, until: float, **said: object
) -> UsageSession:
    """The session of `placed`, opened at its start and closed at an hour of Wednesday."""
    clock.set(placed.starts_at)
    await atomically(database, open_session, OpenSession(placed.id), actor=TEST)
    clock.set(clock_at(2, until))
    command = CloseSession(placed.id, **said)  # type: ignore[arg-type]
    return await atomically(database, close_session, command, actor=TEST)


@pytest.mark.parametrize(
    ("until", "next_from", "billable", "problem"),
    [
        (11, None, 120, None),
        (11.1, None, 150, None),
        (11.5, None, 150, None),
        (11.6, None, 180, Problem.OVERRUN),
        (11.1, 11, 150, Problem.OVERRUN),
        (11.1, 11.5, 150, None),
    ],
)
async def test_an_overrun_is_billed_by_the_half_hour_and_queued_when_long_or_in_others_time(
    database: Database,
    clock: SetClock,
    placed: Reservation,
    until: float,
    next_from: float | None,
    billable: int,
    problem: Problem | None,
):
    if next_from is not None:
        await a_reservation(
            database,
            instrument_id=placed.instrument_id,
            during=at_hours(2, next_from, next_from + 1),
        )

    closed = await used(database, clock, placed, until=until)

    assert (closed.billable_minutes, closed.problem) == (billable, problem)
    assert closed.closed_how == "person"


async def test_who_leaves_early_frees_the_rest_at_once_the_cleaning_included(
    database: Database, clock: SetClock, manager: Actor
):
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, notice_minutes=0, after_minutes=30
    )
    placed = await a_reservation(database, instrument_id=instrument_id, actor=manager)

    await used(database, clock, placed, until=9.9)

    rest = await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 10, 11))
    assert rest.status is Status.CONFIRMED


async def test_who_checked_in_a_moment_before_the_one_on_the_seat_left_begins_when_they_left(
    database: Database, clock: SetClock, placed: Reservation
):
    following = await a_reservation(
        database, instrument_id=placed.instrument_id, during=at_hours(2, 11, 12)
    )
    left = await used(database, clock, placed, until=10.99)
    assert left.closed_at is not None
    clock.set(left.closed_at - timedelta(milliseconds=40))

    opened = await atomically(database, open_session, OpenSession(following.id), actor=TEST)

    assert opened.opened_at == left.closed_at


async def test_a_session_keeps_its_operator_its_samples_and_a_note(
    database: Database, clock: SetClock, placed: Reservation, manager: Actor
):
    technician = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    stranger = await an_actor(database, Role.TECHNICIAN)
    clock.set(placed.starts_at)
    with pytest.raises(CheckInRefused):
        await atomically(
            database, open_session, OpenSession(placed.id, stranger.person_id), actor=manager
        )
    by = OpenSession(placed.id, technician.person_id)
    await atomically(database, open_session, by, actor=manager)
    clock.set(clock_at(2, 10))

    ended = CloseSession(placed.id, samples_run=12, note="beam drifts")
    closed = await atomically(database, close_session, ended, actor=technician)

    assert (closed.operator_id, closed.samples_run, closed.note) == (
        technician.person_id,
        12,
        "beam drifts",
    )


async def test_no_forgotten_session_is_lost_however_long_the_platform_was_down(
    database: Database, clock: SetClock, manager: Actor, placed: Reservation
):
    other = await a_reservation(
        database,
        instrument_id=placed.instrument_id,
        actor=manager,
        during=at_hours(2, 12, 13),
    )
    clock.set(placed.starts_at)
    await atomically(database, open_session, OpenSession(placed.id), actor=TEST)
    clock.set(placed.ends_at + timedelta(minutes=719))
    assert await atomically(database, close_forgotten_sessions, None, actor=TEST) == 0
    clock.set(clock_at(90, 0))

    closed = await atomically(database, close_forgotten_sessions, None, actor=TEST)
    again = await atomically(database, close_forgotten_sessions, None, actor=TEST)

    async def now(tx: Tx, _: None) -> tuple[Reservation, UsageSession | None, Reservation]:
        return (
            await reservation(tx, placed.id),
            await session_of(tx, placed.id),
            await reservation(tx, other.id),
        )

    left, session, untouched = await atomically(database, now, None, actor=TEST)
    assert (closed, again) == (1, 0)
    assert (left.status, untouched.status) == (Status.USED, Status.CONFIRMED)
    assert session is not None
    assert (session.closed_at, session.problem, session.closed_how) == (
        placed.ends_at,
        Problem.NEVER_CLOSED,
        "platform",
    )
    with pytest.raises(ReservationNotInState):
        await atomically(database, close_session, CloseSession(placed.id), actor=TEST)
