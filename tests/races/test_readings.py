"""One batch of a log sent several times at once makes one run and one session.

The control takes the lock on the log away and shows that the same race then goes wrong.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.sql import Select

from marketplace.booking.use_cases import Outcome
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours, clock_at
from tests.builders.parties import an_actor
from tests.builders.readings import a_line, a_source, send

pytestmark = pytest.mark.asyncio

SENDERS = 8
RUNS = 12


@pytest.fixture
async def crowd(database_url: str, clock: SetClock) -> AsyncIterator[Database]:
    """The same database through enough connections that senders really meet."""
    made = Database(database_url, pool_size=SENDERS, clock=clock)
    yield made
    await made.close()


async def a_machine(database: Database, clock: SetClock) -> tuple[int, Actor]:
    """An instrument with a dozen reservations, whose log has them all to tell."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, notice_minutes=0
    )
    await a_source(database, instrument_id=instrument_id, by=manager)
    for hour in range(RUNS):
        during = at_hours(2, hour, hour + 1)
        await a_reservation(database, instrument_id=instrument_id, actor=manager, during=during)
    clock.set(clock_at(2, 23))
    return instrument_id, manager


async def race(crowd: Database, instrument_id: int, manager: Actor) -> Counter[Any]:
    """The same batch from everybody at once: how its lines ended."""
    lines = [
        a_line(instrument_id, clock_at(2, hour), clock_at(2, hour + 0.5), external_id=f"{hour}")
        for hour in range(RUNS)
    ]
    answers = await asyncio.gather(
        *(send(crowd, *lines, by=manager) for _ in range(SENDERS)), return_exceptions=True
    )
    ended: Counter[Any] = Counter()
    for answer in answers:
        if isinstance(answer, BaseException):
            ended[type(answer).__name__] += 1
        else:
            ended.update(one.outcome for one in answer)
    return ended


async def sessions(database: Database) -> tuple[int, int]:
    async with database.engine.connect() as connection:
        row = await connection.execute(
            text(
                "select (select count(*) from machine_reading where state = 'matched'),"
                " (select count(*) from usage_session where closed_how = 'log')"
            )
        )
        found = row.one()
        return found[0], found[1]


async def test_identical_batches_at_once_make_one_session_for_each_run(
    crowd: Database, database: Database, clock: SetClock
):
    instrument_id, manager = await a_machine(database, clock)

    ended = await race(crowd, instrument_id, manager)

    assert ended == {Outcome.LANDED: RUNS, Outcome.KNOWN: RUNS * (SENDERS - 1)}
    assert await sessions(database) == (RUNS, RUNS)


async def test_without_the_lock_on_the_log_the_same_race_takes_a_run_as_new_more_than_once(
    crowd: Database, database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
):
    instrument_id, manager = await a_machine(database, clock)
    monkeypatch.setattr(Select, "with_for_update", lambda statement, **_: statement)

    ended = await race(crowd, instrument_id, manager)

    assert ended != {Outcome.LANDED: RUNS, Outcome.KNOWN: RUNS * (SENDERS - 1)}
