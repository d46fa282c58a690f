"""Many assisted reservations at once: nobody attends two, and nobody is refused while one is free.

The control takes the constraint away and shows that the same race then books operators twice.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest

from marketplace.booking.errors import ReservationRefused
from marketplace.booking.queries import Purpose
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.use_cases import PlaceReservation, place_reservation
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, at_hours
from tests.builders.parties import an_actor
from tests.builders.standing import operators_at_work

pytestmark = pytest.mark.asyncio

CLIENTS = 16
OPERATORS = 3
INSTRUMENTS = 6
HOURS = tuple(range(8, 18))

TWICE = """
    select count(*) from reservation one join reservation other
      on other.operator_id = one.operator_id and other.id > one.id
     and other.during && one.during
"""


@pytest.fixture
async def crowd(database_url: str, clock: SetClock) -> AsyncIterator[Database]:
    """The same database through enough connections that clients really meet."""
    made = Database(database_url, pool_size=CLIENTS, clock=clock)
    yield made
    await made.close()


@pytest.fixture
async def sql(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


async def a_hall(database: Database) -> tuple[Actor, list[int]]:
    """Six instruments that three operators run between them."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    own = manager.organisation_id
    people = [
        (await an_actor(database, Role.TECHNICIAN, organisation_id=own)).person_id
        for _ in range(OPERATORS)
    ]
    instruments = [
        await a_bookable_instrument(database, provider_id=own, operation="operator")
        for _ in range(INSTRUMENTS)
    ]
    for instrument_id in instruments:
        await operators_at_work(
            database,
            by=manager,
            instrument_id=instrument_id,
            person_ids=tuple(people),
            hours=(Hours(1, 480, 1080),),
        )
    return manager, instruments


async def race(crowd: Database, manager: Actor, instruments: list[int]) -> Counter[str]:
    """Every instrument wanted in every hour of a day, all at once."""

    async def attempt(instrument_id: int, hour: int) -> str:
        command = PlaceReservation(
            instrument_id,
            at_hours(1, hour, hour + 1),
            Purpose.TEACHING,
            manager.organisation_id,
            manager.person_id,
        )
        try:
            await atomically(crowd, place_reservation, command, actor=TEST)
        except ReservationRefused as refused:
            return "refused by " + " ".join(reason.rule for reason in refused.reasons)
        return "placed"

    return Counter(
        await asyncio.gather(*(attempt(each, hour) for hour in HOURS for each in instruments))
    )


async def test_every_operator_attends_one_at_a_time_and_none_stays_idle(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    manager, instruments = await a_hall(database)

    ended = await race(crowd, manager, instruments)

    attended = OPERATORS * len(HOURS)
    assert {"placed": attended, "refused by operator": len(HOURS) * INSTRUMENTS - attended} == ended
    assert await sql.fetchval(TWICE) == 0


async def test_without_the_constraint_the_same_race_books_operators_twice(
    crowd: Database, database: Database, sql: asyncpg.Connection
):
    manager, instruments = await a_hall(database)
    await sql.execute("alter table reservation drop constraint reservation_operator_free")

    await race(crowd, manager, instruments)

    assert await sql.fetchval(TWICE) > 0
