"""Many clients of one person want more than a quota gives: it is never passed, and never left over.

The control lets the locks go and shows that the same race then passes it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from marketplace.booking.errors import ReservationRefused
from marketplace.booking.queries import Purpose, Reservation
from marketplace.booking.queries import standing as standing_query
from marketplace.booking.rules.quotas import Measure, Period, Subject
from marketplace.booking.rules.standing import Standing, StandingAsked
from marketplace.booking.tables import reservation
from marketplace.booking.use_cases import PlaceReservation, place, place_reservation
from marketplace.booking.use_cases.move import MoveReservation, move_reservation
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import During, SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, a_reservation, clock_at
from tests.builders.parties import an_actor
from tests.builders.standing import a_quota

pytestmark = pytest.mark.asyncio

CLIENTS = 16


@pytest.fixture
async def crowd(database_url: str, clock: SetClock) -> AsyncIterator[Database]:
    """The same database through enough connections that clients really meet."""
    made = Database(database_url, pool_size=CLIENTS, clock=clock)
    yield made
    await made.close()


def half_hour(number: int) -> During:
    """The `number`-th half hour of Tuesday."""
    starts_at = clock_at(1, 0) + number * timedelta(minutes=30)
    return During(starts_at, starts_at + timedelta(minutes=30))


async def race(
    crowd: Database, wanted: list[tuple[int, During]], who: Callable[[int], Actor]
) -> Counter[str]:
    """Every time wanted at once, each on its instrument, so that only the quota can say no."""

    async def attempt(number: int, instrument_id: int, during: During) -> str:
        actor = who(number)
        command = PlaceReservation(
            instrument_id, during, Purpose.TEACHING, actor.organisation_id, actor.person_id
        )
        try:
            await atomically(crowd, place_reservation, command, actor=TEST)
        except ReservationRefused as refused:
            return "refused by " + " ".join(reason.rule for reason in refused.reasons)
        return "placed"

    ended = await asyncio.gather(*(attempt(number, *each) for number, each in enumerate(wanted)))
    return Counter(ended)


async def minutes_placed(database: Database) -> int:
    async def ask(tx: Tx, _: None) -> int:
        length = func.upper(reservation.c.during) - func.lower(reservation.c.during)
        found: timedelta = await tx.scalar(select(func.sum(length)))
        return found // timedelta(minutes=1)

    return await atomically(database, ask, None, actor=TEST)


async def a_provider_with_instruments(database: Database, count: int) -> tuple[Actor, list[int]]:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    return manager, [
        await a_bookable_instrument(database, provider_id=manager.organisation_id)
        for _ in range(count)
    ]


@pytest.fixture
def hesitant(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Everybody waits a moment between reading the sums and taking the time, locked or not."""
    reading = standing_query.standing

    def let(lock: bool) -> None:
        async def read_and_wait(tx: Tx, asked: StandingAsked) -> Standing:
            found = await reading(tx, asked, lock=lock)
            await asyncio.sleep(0.01)
            return found

        monkeypatch.setattr(place, "standing", read_and_wait)

    return let


async def test_a_persons_quota_is_met_to_the_minute_and_never_passed(
    crowd: Database, database: Database, hesitant: Callable[[bool], None]
):
    manager, instruments = await a_provider_with_instruments(database, 2)
    await a_quota(database, by=manager, at_most=300)
    wanted = [(each, half_hour(number)) for number in range(24) for each in instruments]
    hesitant(True)

    ended = await race(crowd, wanted, lambda _: manager)

    assert {"placed": 10, "refused by quota": 38} == ended
    assert 300 == await minutes_placed(database)


async def test_without_the_locks_the_same_race_passes_the_quota(
    crowd: Database, database: Database, hesitant: Callable[[bool], None]
):
    manager, instruments = await a_provider_with_instruments(database, 2)
    await a_quota(database, by=manager, at_most=300)
    wanted = [(each, half_hour(number)) for number in range(24) for each in instruments]
    hesitant(False)

    await race(crowd, wanted, lambda _: manager)

    assert await minutes_placed(database) > 300


async def test_two_people_share_their_organisations_quota_in_every_period(
    crowd: Database, database: Database
):
    manager, (instrument_id,) = await a_provider_with_instruments(database, 1)
    colleague = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    for period, at_most in ((Period.DAY, 7), (Period.WEEK, 20), (Period.OPEN, 9)):
        await a_quota(
            database,
            by=manager,
            subject=Subject.ORGANISATION,
            measure=Measure.RESERVATIONS,
            period=period,
            at_most=at_most,
        )
    # Twenty half hours on Tuesday, and as many on Wednesday.
    wanted = [(instrument_id, half_hour(48 * day + each)) for day in (0, 1) for each in range(20)]

    ended = await race(crowd, wanted, lambda number: (manager, colleague)[number % 2])

    assert 9 == ended["placed"]
    assert 31 == sum(number for how, number in ended.items() if "quota" in how)


async def test_moves_and_new_reservations_meet_the_same_quota(crowd: Database, database: Database):
    """Ten half hours of next week move into a week in which ten others are reserved."""
    manager, (first, second) = await a_provider_with_instruments(database, 2)
    await a_quota(database, by=manager, at_most=300)
    a_week = 7 * 48
    later = [
        await a_reservation(
            database, instrument_id=first, during=half_hour(a_week + number), actor=manager
        )
        for number in range(10)
    ]

    async def moves(placed: Reservation, during: During) -> str:
        try:
            await atomically(
                crowd, move_reservation, MoveReservation(placed.id, during), actor=TEST
            )
        except ReservationRefused as refused:
            return "refused by " + " ".join(reason.rule for reason in refused.reasons)
        return "placed"

    wanted = [(second, half_hour(number)) for number in range(10)]
    ended, moved = await asyncio.gather(
        race(crowd, wanted, lambda _: manager),
        asyncio.gather(*(moves(each, half_hour(number)) for number, each in enumerate(later))),
    )

    assert {"placed": 10, "refused by quota": 10} == ended + Counter(moved)
