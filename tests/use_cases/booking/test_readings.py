"""What campus systems send of their instruments' logs, and the sessions that follow from it."""

from datetime import timedelta

import pytest

from marketplace.booking.queries import (
    ProblemSearch,
    Reservation,
    Status,
    UsageSession,
    reservation,
    session_of,
    session_problems,
)
from marketplace.booking.rules.readings import ReadingState
from marketplace.booking.rules.sessions import Problem
from marketplace.booking.use_cases import (
    AcceptSession,
    CloseSession,
    OpenSession,
    Outcome,
    ReceiveReadings,
    RepairSession,
    accept_session,
    close_forgotten_sessions,
    close_session,
    open_session,
    receive_readings,
    repair_session,
)
from marketplace.catalogue.errors import InstrumentMissing
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
from tests.builders.readings import SOURCE, a_line, a_source, runs, send

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


async def test_a_start_opens_the_session_and_a_stop_closes_it(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 9.1))

    (started,) = await send(database, a_line(machine, clock_at(2, 9)), by=manager)
    clock.set(clock_at(2, 10.5))
    (stopped,) = await send(
        database, a_line(machine, None, clock_at(2, 10.25), samples=4), by=manager
    )

    now, session = await state_of(database, placed)
    assert (started.state, started.reservation_id) == (ReadingState.RUNNING, placed.id)
    assert stopped.state is ReadingState.MATCHED
    assert now.status is Status.USED
    assert session is not None
    assert (session.opened_at, session.closed_at) == (clock_at(2, 9), clock_at(2, 10.25))
    assert (session.opened_how, session.closed_how, session.samples_run) == ("log", "log", 4)
    assert (session.actual_minutes, session.problem) == (75, None)


async def test_a_stop_before_its_start_and_everything_twice_makes_one_session(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 12))
    start, stop = a_line(machine, clock_at(2, 9)), a_line(machine, None, clock_at(2, 10))

    (first,) = await send(database, stop, by=manager)
    again = await send(database, stop, start, start, stop, by=manager)
    last = await send(database, start, stop, by=manager)

    assert (first.outcome, first.state) == (Outcome.LANDED, ReadingState.WAITING)
    assert [one.outcome for one in again] == ["known", "landed", "known", "known"]
    assert {one.outcome for one in last} == {"known"}
    session = await used(database, placed)
    assert (session.opened_at, session.closed_at) == (clock_at(2, 9), clock_at(2, 10))
    assert len(await runs(database, by=manager)) == 1


async def test_good_lines_land_and_bad_ones_are_refused_with_every_reason(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    await booked(database, machine, manager)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    theirs = await a_bookable_instrument(database, provider_id=stranger.organisation_id)
    await a_source(database, instrument_id=theirs, by=stranger)
    closed = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    await a_source(database, instrument_id=closed, by=manager, accepts=False)
    clock.set(clock_at(2, 9.5))
    ten = clock_at(2, 10)

    answers = await send(
        database,
        a_line(machine, ten, external_id="ahead"),
        a_line(theirs, clock_at(2, 9), external_id="theirs"),
        a_line(closed, clock_at(2, 9), external_id="closed"),
        a_line(machine, clock_at(2, 9), external_id="good"),
        a_line(machine, clock_at(2, 9.1), external_id="good"),
        a_line(machine, None, clock_at(2, 8), external_id="good"),
        a_line(machine, ten, clock_at(2, 9.8), external_id="both"),
        a_line(machine, external_id="empty"),
        by=manager,
    )

    told = {(one.external_id, *(reason.rule for reason in one.reasons)) for one in answers}
    assert told == {
        ("ahead", "clock-ahead"),
        ("theirs", "reading-source"),
        ("closed", "reading-source"),
        ("good",),
        ("good", "contradicts"),
        ("good", "stops-before-start"),
        ("both", "clock-ahead", "clock-ahead", "stops-before-start"),
        ("empty", "nothing-told"),
    }
    assert [(one.external_id, one.state) for one in await runs(database, by=manager)] == [
        ("good", ReadingState.RUNNING)
    ]
    assert await runs(database, by=stranger) == []


async def test_a_log_that_is_not_trusted_to_open_waits_and_is_compared_with_what_a_person_says(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    await a_source(database, instrument_id=machine, by=manager, opens_sessions=False)
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 9))
    (early,) = await send(database, a_line(machine, clock_at(2, 9)), by=manager)
    await atomically(database, open_session, OpenSession(placed.id), actor=manager)
    clock.set(clock_at(2, 10))
    (stopped,) = await send(database, a_line(machine, None, clock_at(2, 10)), by=manager)
    assert (early.state, stopped.state) == (ReadingState.WAITING, ReadingState.WAITING)

    clock.set(clock_at(2, 10.5))
    closed = await atomically(database, close_session, CloseSession(placed.id), actor=manager)

    (run,) = await runs(database, by=manager)
    assert (closed.problem, run.state) == (Problem.LOG_DIFFERS, ReadingState.DIFFERS)
    vouched = AcceptSession(placed.id, "cleaning took half an hour")
    accepted = await atomically(database, accept_session, vouched, actor=manager)
    (run,) = await runs(database, by=manager)
    assert (accepted.problem, run.state) == (None, ReadingState.DISMISSED)
    assert run.resolution == vouched.reason


@pytest.mark.parametrize(
    ("post", "problem", "state"),
    [(30, None, ReadingState.MATCHED), (0, Problem.LOG_DIFFERS, ReadingState.DIFFERS)],
)
async def test_a_log_that_arrives_after_the_check_out_is_compared_with_it(
    database: Database,
    clock: SetClock,
    manager: Actor,
    machine: int,
    post: int,
    problem: Problem | None,
    state: ReadingState,
):
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 9))
    await atomically(database, open_session, OpenSession(placed.id), actor=manager)
    clock.set(clock_at(2, 10.5))
    ended = CloseSession(placed.id, post_minutes=post)
    await atomically(database, close_session, ended, actor=manager)

    (answer,) = await send(database, a_line(machine, clock_at(2, 9), clock_at(2, 10)), by=manager)

    assert answer.state is state
    assert (await used(database, placed)).problem == problem


async def test_several_runs_of_one_reservation_are_one_session(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 12))

    answers = await send(
        database,
        a_line(machine, clock_at(2, 9), clock_at(2, 9.5), external_id="a", samples=2),
        a_line(machine, clock_at(2, 10), clock_at(2, 10.5), external_id="b", samples=3),
        by=manager,
    )

    session = await used(database, placed)
    assert {one.state for one in answers} == {ReadingState.MATCHED}
    assert (session.opened_at, session.closed_at) == (clock_at(2, 9), clock_at(2, 10.5))
    assert session.samples_run == 5


async def test_a_log_waits_while_somebody_else_is_still_at_the_instrument(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    before = await a_reservation(
        database, instrument_id=machine, actor=manager, during=at_hours(2, 7, 9)
    )
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 7))
    await atomically(database, open_session, OpenSession(before.id), actor=manager)
    clock.set(clock_at(2, 8.5))
    await atomically(database, close_session, CloseSession(before.id), actor=manager)
    first = await a_reservation(
        database, instrument_id=machine, actor=manager, during=at_hours(2, 8.5, 9)
    )
    await atomically(database, open_session, OpenSession(first.id), actor=manager)
    clock.set(clock_at(2, 8.95))
    # In the early start of the next one, and in the time of who is there: it is theirs.
    (theirs,) = await send(database, a_line(machine, clock_at(2, 8.9)), by=manager)
    assert theirs.reservation_id == first.id

    clock.set(clock_at(2, 9.2))
    (own,) = await send(
        database, a_line(machine, clock_at(2, 9.1), external_id="run-2"), by=manager
    )

    assert (own.reservation_id, own.state) == (placed.id, ReadingState.RUNNING)
    assert (await used(database, first)).problem == Problem.OVERRUN


async def test_what_breaks_off_between_start_and_stop_is_sent_again_and_makes_one_session(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 10.5))
    line = a_line(machine, clock_at(2, 9), clock_at(2, 10))

    async def dies(tx: Tx, _: None) -> None:
        await receive_readings(tx, ReceiveReadings(SOURCE, (line,)))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await atomically(database, dies, None, actor=manager)
    assert await runs(database, by=manager) == []
    (answer,) = await send(database, line, by=manager)

    assert answer.state is ReadingState.MATCHED
    assert (await used(database, placed)).actual_minutes == 60


async def test_a_stop_that_comes_after_the_platform_gave_up_is_evidence_for_the_repair(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    placed = await booked(database, machine, manager)
    clock.set(clock_at(2, 9))
    await send(database, a_line(machine, clock_at(2, 9)), by=manager)
    clock.set(clock_at(3, 0))
    await atomically(database, close_forgotten_sessions, None, actor=TEST)
    await send(database, a_line(machine, None, clock_at(2, 10)), by=manager)

    queue = await atomically(database, session_problems, ProblemSearch(), actor=manager)
    (waiting,) = queue.problems
    assert waiting.session.problem == Problem.NEVER_CLOSED
    assert (waiting.log_started_at, waiting.log_stopped_at) == (clock_at(2, 9), clock_at(2, 10))
    mend = RepairSession(placed.id, clock_at(2, 10), "as the log says")
    repaired = await atomically(database, repair_session, mend, actor=manager)

    (run,) = await runs(database, by=manager)
    assert (repaired.problem, repaired.actual_minutes) == (None, 60)
    assert run.state is ReadingState.MATCHED


async def test_only_its_provider_says_which_log_of_an_instrument_to_trust(
    database: Database, machine: int
):
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)

    with pytest.raises(InstrumentMissing):
        await a_source(database, instrument_id=machine, by=stranger)


async def test_five_hundred_lines_of_many_reservations_land_at_once(
    database: Database, clock: SetClock, manager: Actor, machine: int
):
    for hour in range(20):
        await a_reservation(
            database,
            instrument_id=machine,
            actor=manager,
            during=at_hours(2, hour, hour + 1),
        )
    clock.set(clock_at(3, 1))
    first, step = clock_at(2, 0), timedelta(minutes=2)
    lines = [
        a_line(machine, first + number * step, first + (number + 1) * step, external_id=f"{number}")
        for number in range(500)
    ]

    answers = await send(database, *lines, by=manager)

    assert {one.outcome for one in answers} == {Outcome.LANDED}
    states = [one.state for one in answers]
    assert states.count(ReadingState.UNBOOKED) == 0
    assert states.count(ReadingState.MATCHED) == 500
