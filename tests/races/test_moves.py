"""Two at once about the same time: moves, places, series, answers, cancellations and the clock.

Each race has a control that shows it without its guard.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text, update

from marketplace.booking.errors import (
    GroupRefused,
    RequestLapsed,
    ReservationNotInState,
    ReservationOverlaps,
    SeriesRefused,
)
from marketplace.booking.queries import Purpose, Reservation, Status, reservation
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases import (
    ApproveRequests,
    ApproveReservation,
    CancelReservation,
    GroupItem,
    MoveReservation,
    PlaceGroup,
    PlaceReservation,
    approve_requests,
    approve_reservation,
    cancel_reservation,
    expire_requests,
    move_reservation,
    place_group,
    place_reservation,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import During, SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_reservation,
    a_series,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio

LIVE = "status in ('held', 'offered', 'requested', 'confirmed', 'in_use')"
OVERLAPS = f"""
    select count(*) from reservation one join reservation other
      on other.calendar_id = one.calendar_id and other.seat = one.seat
     and other.id > one.id and other.blocked && one.blocked
     and one.{LIVE} and other.{LIVE}
"""
# Another constraint takes the guard's name, because statements name it, and lets all pass.
WITHOUT_GUARD = (
    "alter table reservation drop constraint reservation_no_overlap",
    "alter table reservation add constraint reservation_no_overlap unique (id)",
)
ROUNDS = 12


@pytest.fixture
async def crowd(database_url: str, clock: SetClock) -> AsyncIterator[Database]:
    """The same database through enough connections that clients really meet."""
    made = Database(database_url, pool_size=24, clock=clock)
    yield made
    await made.close()


@pytest.fixture
async def sql(database: Database) -> AsyncIterator[asyncpg.Connection]:
    plain = database.url.replace("postgresql+asyncpg://", "postgresql://")
    connection = await asyncpg.connect(plain)
    yield connection
    await connection.close()


async def ended(*attempts: Awaitable[Any]) -> Counter[str]:
    """How attempts made at once ended: by the refusal, or well."""

    async def one(attempt: Awaitable[Any]) -> str:
        try:
            await attempt
        except DomainError as refusal:
            return type(refusal).__name__
        return "done"

    return Counter(await asyncio.gather(*map(one, attempts)))


def slot(number: int) -> During:
    first = clock_at(1, 0) + number * timedelta(hours=1)
    return During(first, first + timedelta(hours=1))


async def moves_and_places(crowd: Database, instrument_id: int) -> Counter[str]:
    """In every round eight who have a time and four who have none want the same one."""
    movers = [
        await a_reservation(crowd, instrument_id=instrument_id, during=slot(40 + number))
        for number in range(8)
    ]
    told: Counter[str] = Counter()
    for number in range(ROUNDS):
        moves = (MoveReservation(one.id, slot(number)) for one in movers)
        places = (
            PlaceReservation(instrument_id, slot(number), Purpose.OWN_RESEARCH, 1, 1)
            for _ in range(4)
        )
        told += await ended(
            *(atomically(crowd, move_reservation, one, actor=TEST) for one in moves),
            *(atomically(crowd, place_reservation, one, actor=TEST) for one in places),
        )
    return told


async def test_of_many_who_move_to_a_time_or_reserve_it_one_gets_it(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    instrument_id = await a_bookable_instrument(database)

    told = await moves_and_places(crowd, instrument_id)

    assert told == {"done": ROUNDS, "ReservationOverlaps": ROUNDS * 11}
    assert await sql.fetchval(OVERLAPS) == 0


async def test_without_the_constraint_two_get_the_same_time(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    """Looking first is not enough: who reserves does not wait for who moves."""
    instrument_id = await a_bookable_instrument(database)
    for statement in WITHOUT_GUARD:
        await sql.execute(statement)

    await moves_and_places(crowd, instrument_id)

    assert await sql.fetchval(OVERLAPS) > 0


async def test_two_that_want_each_others_time_are_both_answered_at_once(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    """Both are refused, and neither waits for the other in a circle."""
    instrument_id = await a_bookable_instrument(database)
    one = await a_reservation(database, instrument_id=instrument_id, during=slot(1))
    two = await a_reservation(database, instrument_id=instrument_id, during=slot(2))
    swaps = [MoveReservation(one.id, slot(2)), MoveReservation(two.id, slot(1))]

    for _ in range(10):
        told = await ended(
            *(atomically(crowd, move_reservation, swap, actor=TEST) for swap in swaps)
        )

        assert told == {"ReservationOverlaps": 2}
    counted = "select deadlocks from pg_stat_database where datname = current_database()"
    assert await sql.fetchval(counted) == 0


async def test_either_the_series_has_the_date_or_the_single_one(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    won: Counter[str] = Counter()
    for _ in range(6):
        made = await a_bookable_instrument(database, provider_id=manager.organisation_id)
        series = a_series(crowd, instrument_id=made, actor=manager)
        single = a_reservation(crowd, instrument_id=made, during=at_hours(9, 10, 12))
        outcome = await asyncio.gather(series, single, return_exceptions=True)
        refused = [type(one) for one in outcome if isinstance(one, BaseException)]
        assert len(refused) == 1, outcome
        assert refused[0] in (SeriesRefused, ReservationOverlaps)
        won["single" if refused[0] is SeriesRefused else "series"] += 1

    assert won.total() == 6
    assert await sql.fetchval(OVERLAPS) == 0
    orphans = "select count(*) from reservation where series_id is not null"
    assert await sql.fetchval(orphans) == 4 * won["series"]


async def test_without_the_constraint_the_series_and_the_single_one_share_the_date(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    for statement in WITHOUT_GUARD:
        await sql.execute(statement)
    for _ in range(6):
        made = await a_bookable_instrument(database, provider_id=manager.organisation_id)
        await asyncio.gather(
            a_series(crowd, instrument_id=made, actor=manager),
            a_reservation(crowd, instrument_id=made, during=at_hours(9, 10, 12)),
            return_exceptions=True,
        )

    assert await sql.fetchval(OVERLAPS) > 0


async def test_groups_that_cross_never_stand_in_a_circle(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    """Each wants the same instruments in another order: one has all of them, the rest nothing."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    made = [
        await a_bookable_instrument(database, provider_id=manager.organisation_id) for _ in range(3)
    ]

    def group(first: int) -> PlaceGroup:
        order = made[first:] + made[:first]
        items = (GroupItem((one,), slot(1), Purpose.TEACHING) for one in order)
        return PlaceGroup(tuple(items))

    told = await ended(
        *(atomically(crowd, place_group, group(number % 3), actor=manager) for number in range(9))
    )

    assert told == {"done": 1, GroupRefused.__name__: 8}
    assert await sql.fetchval("select count(*) from reservation") == 3
    counted = "select deadlocks from pg_stat_database where datname = current_database()"
    assert await sql.fetchval(counted) == 0


async def request_and_staff(database: Database) -> tuple[Reservation, Actor]:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, needs_approval=True
    )
    return await a_reservation(database, instrument_id=instrument_id), manager


async def test_a_request_is_approved_or_cancelled_and_never_both(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    """Who comes second finds what the first made of it: an approved time may still be given back,
    a cancelled request is not approved."""
    for _ in range(8):
        asked, manager = await request_and_staff(database)
        told = await ended(
            atomically(crowd, approve_reservation, ApproveReservation(asked.id), actor=manager),
            atomically(crowd, cancel_reservation, CancelReservation(asked.id, "ill"), actor=TEST),
        )
        now = await atomically(database, reservation, asked.id, actor=TEST)

        events = await sql.fetch(
            "select name from outbox_event where payload->>'reservation_id' = $1"
            " and name in ('ReservationConfirmed', 'ReservationCancelled') order by id",
            str(asked.id),
        )
        names = [row["name"] for row in events]
        assert now.status in (Status.CANCELLED, Status.LATE_CANCELLED)
        if told == {"done": 2}:
            assert names == ["ReservationConfirmed", "ReservationCancelled"]
        else:
            assert told == {"done": 1, ReservationNotInState.__name__: 1}
            assert names == ["ReservationCancelled"]


async def test_without_its_lock_a_request_is_approved_after_it_was_cancelled(
    crowd: Database, database: Database
):
    asked, _ = await request_and_staff(database)
    looked, cancelled = asyncio.Event(), asyncio.Event()

    async def approve_without_lock(tx: Tx, reservation_id: int) -> None:
        present = await reservation(tx, reservation_id)
        assert present.status is Status.REQUESTED
        looked.set()
        await cancelled.wait()
        await tx.execute(
            update(table)
            .where(table.c.id == reservation_id)
            .values(status=Status.CONFIRMED, ended_at=None)
        )

    async def cancel() -> None:
        await looked.wait()
        command = CancelReservation(asked.id, "ill")
        await atomically(crowd, cancel_reservation, command, actor=TEST)
        cancelled.set()

    await asyncio.gather(atomically(crowd, approve_without_lock, asked.id, actor=TEST), cancel())

    assert (await atomically(database, reservation, asked.id, actor=TEST)).status is (
        Status.CONFIRMED
    )


async def many_requests(database: Database, count: int) -> tuple[list[int], Actor]:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, needs_approval=True, seats=count
    )
    asked = [
        await a_reservation(database, instrument_id=instrument_id, person_id=TEST.person_id)
        for _ in range(count)
    ]
    return [one.id for one in asked], manager


async def test_a_request_that_lapses_while_many_are_answered_is_expired_or_confirmed(
    crowd: Database, database: Database, clock: SetClock, sql: asyncpg.Connection
):
    """The job reads the later clock, as workers do; each request ends in one way and says so."""
    ids, manager = await many_requests(database, 20)
    later = Database(crowd.url, pool_size=4, clock=SetClock(clock.now() + timedelta(minutes=31)))
    try:
        answered, *_ = await asyncio.gather(
            atomically(crowd, approve_requests, ApproveRequests(tuple(ids)), actor=manager),
            atomically(later, expire_requests, None, actor=TEST),
            atomically(later, expire_requests, None, actor=TEST),
        )
        await atomically(later, expire_requests, None, actor=TEST)
    finally:
        await later.close()

    confirmed = {one.reservation_id for one in answered if one.refusal is None}
    refusals = {type(one.refusal) for one in answered if one.refusal is not None}
    assert refusals <= {ReservationNotInState, RequestLapsed}
    statuses = await sql.fetch("select id, status from reservation order by id")
    assert {row["id"] for row in statuses if row["status"] == "confirmed"} == confirmed
    assert {row["status"] for row in statuses} <= {"confirmed", "expired"}
    events = await sql.fetch(
        "select payload->>'reservation_id' as id, count(*) as times from outbox_event"
        " where name in ('ReservationConfirmed', 'ReservationExpired') group by 1"
    )
    assert {row["times"] for row in events} == {1}
    assert len(events) == len(ids)


async def test_without_their_locks_what_lapsed_is_confirmed_all_the_same(
    crowd: Database, database: Database, clock: SetClock
):
    ids, _ = await many_requests(database, 3)
    looked, expired = asyncio.Event(), asyncio.Event()

    async def approve_without_locks(tx: Tx, wanted: list[int]) -> None:
        rows = await tx.execute(text("select status from reservation"))
        assert {row.status for row in rows} == {"requested"}
        looked.set()
        await expired.wait()
        await tx.execute(
            update(table).where(table.c.id.in_(wanted)).values(status="confirmed", ended_at=None)
        )

    async def expire() -> None:
        await looked.wait()
        clock.set(clock.now() + timedelta(minutes=31))
        assert await atomically(crowd, expire_requests, None, actor=TEST) == 3
        expired.set()

    await asyncio.gather(atomically(crowd, approve_without_locks, ids, actor=TEST), expire())

    present = await atomically(database, reservation, ids[0], actor=TEST)
    assert present.status is Status.CONFIRMED
