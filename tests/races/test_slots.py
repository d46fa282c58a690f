"""Many clients want the same slots at once: each is sold as often as there are seats, never more.

The control takes the constraint away and shows that the same race then sells slots twice.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import httpx
import pytest

from marketplace.booking.errors import ReservationOverlaps
from marketplace.booking.queries import Purpose, Reservation
from marketplace.booking.use_cases import PlaceReservation, place_reservation
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.http import Services
from marketplace.kernel.time import During, SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, at_hours, clock_at
from tests.builders.parties import an_actor, bearer

pytestmark = pytest.mark.asyncio

CLIENTS = 32
SLOTS = 200
# How many clients want each slot at about the same moment.
RIVALS = 8

OVERLAPS = """
    select count(*) from reservation one join reservation other
      on other.instrument_id = one.instrument_id and other.seat = one.seat
     and other.id > one.id and other.blocked && one.blocked
     and one.status in ('requested', 'confirmed', 'in_use')
     and other.status in ('requested', 'confirmed', 'in_use')
"""


def plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")


@pytest.fixture
async def crowd(database_url: str, clock: SetClock) -> AsyncIterator[Database]:
    """The same database through enough connections that clients really meet."""
    made = Database(database_url, pool_size=CLIENTS, clock=clock)
    yield made
    await made.close()


@pytest.fixture
async def sql(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(plain(database.url))
    yield connection
    await connection.close()


def slots(count: int) -> list[During]:
    """`count` half hours, one after the other, from Tuesday on."""
    first = clock_at(1, 0)
    half_hour = timedelta(minutes=30)
    return [
        During(first + number * half_hour, first + (number + 1) * half_hour)
        for number in range(count)
    ]


async def race(
    wanted: list[During], attempt: Callable[[During], Awaitable[str]], *, rivals: int = RIVALS
) -> Counter[str]:
    """Every slot wanted by `rivals` clients at once; how the attempts ended."""
    queue = iter([slot for slot in wanted for _ in range(rivals)])
    ended: Counter[str] = Counter()

    async def client() -> None:
        for slot in queue:
            ended[await attempt(slot)] += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return ended


def through_the_use_case(
    database: Database, instrument_id: int
) -> Callable[[During], Awaitable[str]]:
    async def attempt(slot: During) -> str:
        command = PlaceReservation(instrument_id, slot, Purpose.OWN_RESEARCH, 1, 1)
        try:
            await atomically(database, place_reservation, command, actor=TEST)
        except ReservationOverlaps:
            return "refused"
        return "placed"

    return attempt


async def deadlocks(sql: asyncpg.Connection) -> int:
    counted: int = await sql.fetchval(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )
    return counted


async def test_two_hundred_slots_are_sold_two_hundred_times(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    instrument_id = await a_bookable_instrument(database)

    ended = await race(slots(SLOTS), through_the_use_case(crowd, instrument_id))

    await crowd.close()
    assert ended == {"placed": SLOTS, "refused": SLOTS * (RIVALS - 1)}
    assert await sql.fetchval("select count(*) from reservation") == SLOTS
    assert await sql.fetchval(OVERLAPS) == 0
    assert await deadlocks(sql) == 0


async def test_without_the_constraint_the_same_race_sells_slots_twice(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    instrument_id = await a_bookable_instrument(database)
    # The insert names the constraint, so another one takes its name and lets everything pass.
    await sql.execute("alter table reservation drop constraint reservation_no_overlap")
    await sql.execute("alter table reservation add constraint reservation_no_overlap unique (id)")

    ended = await race(slots(20), through_the_use_case(crowd, instrument_id))

    assert ended["placed"] > 20
    assert await sql.fetchval(OVERLAPS) > 0


async def test_every_seat_is_sold_once_and_none_stays_empty(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    seats = 6
    instrument_id = await a_bookable_instrument(database, seats=seats)

    ended = await race(slots(20), through_the_use_case(crowd, instrument_id), rivals=seats + 4)

    assert ended == {"placed": 20 * seats, "refused": 20 * 4}
    assert await sql.fetchval(OVERLAPS) == 0
    assert await sql.fetchval("select count(distinct (during, seat)) from reservation") == (
        20 * seats
    )


async def test_over_http_there_is_one_201_for_each_slot_and_no_5xx(
    api: httpx.AsyncClient, services: Services, database: Database, sql: asyncpg.Connection
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    headers = bearer(services, manager)
    keys = itertools.count()

    async def attempt(slot: During) -> str:
        answer = await api.post(
            "/api/v1/reservations",
            json={
                "instrument_id": instrument_id,
                "starts_at": slot.starts_at.isoformat(),
                "ends_at": slot.ends_at.isoformat(),
                "purpose": "teaching",
            },
            headers=headers | {"Idempotency-Key": f"race-{next(keys)}"},
        )
        return str(answer.status_code)

    ended = await race(slots(30), attempt, rivals=6)

    assert ended == {"201": 30, "409": 30 * 5}
    assert await sql.fetchval(OVERLAPS) == 0


async def held_open(database: Database, instrument_id: int, outcome: str) -> list[str]:
    """One transaction holds a slot uncommitted while a twin asks for it; how the twin fares."""
    inserted, waited = asyncio.Event(), asyncio.Event()
    command = PlaceReservation(instrument_id, at_hours(2, 9, 11), Purpose.OWN_RESEARCH, 1, 1)
    told: list[str] = []

    class CalledOff(Exception):
        pass

    async def first(tx: Tx, asked: PlaceReservation) -> None:
        await place_reservation(tx, asked)
        inserted.set()
        await waited.wait()
        if outcome == "roll back":
            raise CalledOff

    async def hold() -> None:
        try:
            await atomically(database, first, command, actor=TEST)
        except CalledOff:
            told.append("called off")

    async def twin() -> None:
        await inserted.wait()
        asking = asyncio.create_task(atomically(database, place_reservation, command, actor=TEST))
        await asyncio.sleep(0.2)
        told.append("answered" if asking.done() else "waits")
        waited.set()
        try:
            await asking
            told.append("placed")
        except ReservationOverlaps:
            told.append("refused")

    await asyncio.gather(hold(), twin())
    return told


async def test_a_twin_waits_for_what_is_not_committed_and_then_knows(database: Database):
    """It may not say no before: the first might still roll back. It waits, and never deadlocks."""
    instrument_id = await a_bookable_instrument(database)

    called_off = await held_open(database, instrument_id, "roll back")
    committed = await held_open(database, await a_bookable_instrument(database), "commit")

    assert called_off == ["waits", "called off", "placed"]
    assert committed == ["waits", "refused"]


async def test_two_recipes_that_cross_are_both_answered(
    database: Database, sql: asyncpg.Connection
):
    """Two transactions take two slots in opposite order: a deadlock, which is tried again."""
    instrument_id = await a_bookable_instrument(database)
    morning, noon = at_hours(2, 9, 11), at_hours(2, 11, 13)

    async def both(tx: Tx, wanted: tuple[During, During]) -> list[Reservation]:
        placed = []
        for during in wanted:
            command = PlaceReservation(instrument_id, during, Purpose.OWN_RESEARCH, 1, 1)
            placed.append(await place_reservation(tx, command))
            await asyncio.sleep(0.05)
        return placed

    ended = await asyncio.gather(
        atomically(database, both, (morning, noon), actor=TEST),
        atomically(database, both, (noon, morning), actor=TEST),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in ended) == ["ReservationOverlaps", "list"]
    assert await sql.fetchval("select count(*) from reservation") == 2
    assert await sql.fetchval(OVERLAPS) == 0
