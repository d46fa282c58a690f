"""Machine-hours in SQL say the same as the rule."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from marketplace.booking.queries import MachineMinutesAsked, Purpose, machine_minutes
from marketplace.booking.rules.metering import Metered
from marketplace.booking.rules.metering import machine_minutes as by_rule
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import During, shanghai_instant
from tests.builders.booking import TEST, a_bookable_instrument
from tests.builders.parties import a_person

pytestmark = pytest.mark.asyncio

MARCH = During(shanghai_instant(date(2025, 3, 1)), shanghai_instant(date(2025, 4, 1)))
SPRING = During(shanghai_instant(date(2025, 2, 1)), shanghai_instant(date(2025, 5, 1)))


async def sessions_at_random(
    database: Database, *, instruments: list[int], count: int, seed: int
) -> list[Metered]:
    """Closed sessions that overlap a lot, written as history: nobody checks in a thousand times."""
    chance = random.Random(seed)
    person_id = await a_person(database)
    made: list[Metered] = []

    async def write(tx: Tx, _: None) -> None:
        rows = await tx.execute(text("select id, provider_id from instrument"))
        provider = {row.id: row.provider_id for row in rows}
        for _number in range(count):
            instrument_id = chance.choice(instruments)
            purpose = chance.choice(list(Purpose))
            opened_at = datetime(2025, 2, 26, tzinfo=UTC) + timedelta(
                seconds=chance.randrange(40 * 86_400)
            )
            parts = [chance.randrange(0, 900) for _ in range(3)]
            session_id = await tx.scalar(
                text(
                    """
                    with placed as (
                      insert into reservation (instrument_id, provider_id, calendar_id, seat,
                        during, blocked, status, organisation_id, person_id, user_class, purpose,
                        placed_at, ended_at, changed_at)
                      values (:instrument_id, :provider_id, :instrument_id, 1,
                        tstzrange(:opened_at, :closed_at), tstzrange(:opened_at, :closed_at),
                        'used', 1, :person_id, 'own_unit', :purpose, :opened_at, :closed_at,
                        :closed_at)
                      returning id
                    )
                    insert into usage_session (reservation_id, instrument_id, opened_at, closed_at,
                      reserved_minutes, actual_minutes, billable_minutes, preparation_minutes,
                      test_minutes, post_minutes, operator_id,
                      closed_how)
                    select id, :instrument_id, :opened_at, :closed_at, 60, 3000, 60, :preparation,
                      :test, :post, :person_id, 'person'
                      from placed
                    returning id
                    """
                ),
                {
                    "instrument_id": instrument_id,
                    "provider_id": provider[instrument_id],
                    "opened_at": opened_at,
                    "closed_at": opened_at + timedelta(minutes=3000),
                    "person_id": person_id,
                    "purpose": purpose,
                    "preparation": parts[0],
                    "test": parts[1],
                    "post": parts[2],
                },
            )
            made.append(Metered(session_id, instrument_id, purpose, opened_at, sum(parts)))

    await atomically(database, write, None, actor=TEST)
    return made


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_database_counts_what_the_rule_counts(database: Database, seed: int):
    instruments = [await a_bookable_instrument(database) for _ in range(2)]
    made = await sessions_at_random(database, instruments=instruments, count=150, seed=seed)

    found = await atomically(database, machine_minutes, MachineMinutesAsked(MARCH), actor=TEST)

    assert by_rule(made, MARCH) == {(row.instrument_id, row.purpose): row.minutes for row in found}


async def test_months_and_purposes_add_up_to_the_whole(database: Database):
    instruments = [await a_bookable_instrument(database) for _ in range(2)]
    await sessions_at_random(database, instruments=instruments, count=150, seed=4)

    whole = await atomically(database, machine_minutes, MachineMinutesAsked(SPRING), actor=TEST)
    months = await atomically(
        database, machine_minutes, MachineMinutesAsked(SPRING, by_month=True), actor=TEST
    )
    march = await atomically(database, machine_minutes, MachineMinutesAsked(MARCH), actor=TEST)

    assert sum(row.minutes for row in whole) == sum(row.minutes for row in months)
    assert sum(row.minutes for row in march) == sum(
        row.minutes for row in months if row.month == date(2025, 3, 1)
    )
    assert {row.month for row in months} <= {date(2025, month, 1) for month in (2, 3, 4)}


async def test_instruments_and_providers_can_be_chosen(database: Database):
    first, second = [await a_bookable_instrument(database) for _ in range(2)]
    await sessions_at_random(database, instruments=[first, second], count=20, seed=5)

    all_of_it = await atomically(database, machine_minutes, MachineMinutesAsked(SPRING), actor=TEST)
    provider_id = next(row.provider_id for row in all_of_it if row.instrument_id == first)
    chosen = [
        await atomically(database, machine_minutes, asked, actor=TEST)
        for asked in (
            MachineMinutesAsked(SPRING, instrument_ids=(first,)),
            MachineMinutesAsked(SPRING, provider_id=provider_id),
        )
    ]

    expected = [row for row in all_of_it if row.instrument_id == first]
    assert [expected, expected] == chosen


async def test_a_session_in_the_problem_queue_does_not_count(database: Database):
    instrument_id = await a_bookable_instrument(database)
    await sessions_at_random(database, instruments=[instrument_id], count=5, seed=6)

    async def doubt(tx: Tx, _: None) -> None:
        await tx.execute(text("update usage_session set problem = 'never-closed'"))

    await atomically(database, doubt, None, actor=TEST)

    assert [] == await atomically(
        database, machine_minutes, MachineMinutesAsked(SPRING), actor=TEST
    )
