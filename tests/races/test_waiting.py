"""Freed time, offers and strikes under many hands at once: one offer, in order; one suspension.

The controls take away what guards: the offered row, and the lock on a person's strikes.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from marketplace.booking.errors import EntryNotInState, OfferOver, ReservationOverlaps
from marketplace.booking.queries import ListedEntry, Purpose, Reservation
from marketplace.booking.use_cases import (
    CancelReservation,
    HandOn,
    JudgeReservations,
    OnEntry,
    PlaceReservation,
    accept_offer,
    cancel_reservation,
    decline_offer,
    hand_on,
    judge_reservations,
    place_reservation,
    settle_offers,
    strikes,
)
from marketplace.booking.waiting_handlers import HANDLERS
from marketplace.kernel import outbox
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, a_reservation, at_hours
from tests.builders.parties import an_actor
from tests.builders.waiting import RUN, an_entry, hear

pytestmark = pytest.mark.asyncio

WORKERS = 8
ROUNDS = 12


@pytest.fixture
async def crowd(database_url: str, clock: SetClock) -> AsyncIterator[Database]:
    """The same database through enough connections that workers really meet."""
    made = Database(database_url, pool_size=2 * WORKERS, clock=clock)
    yield made
    await made.close()


@pytest.fixture
async def sql(database: Database) -> AsyncIterator[asyncpg.Connection]:
    plain = database.url.replace("postgresql+asyncpg://", "postgresql://")
    connection = await asyncpg.connect(plain)
    yield connection
    await connection.close()


async def a_queue(
    database: Database, instrument_id: int, count: int
) -> list[tuple[Actor, ListedEntry]]:
    """So many people who wait for the same hour or any other of Wednesday, in this order."""
    people = [await an_actor(database, Role.BUYER) for _ in range(count)]
    return [
        (who, await an_entry(database, instrument_id=instrument_id, actor=who, minutes=60))
        for who in people
    ]


async def a_full_morning(database: Database, instrument_id: int, hours: int) -> list[Reservation]:
    """The whole Wednesday is taken, its first hours one by one."""
    placed = [
        await a_reservation(
            database, instrument_id=instrument_id, during=at_hours(2, hour, hour + 1)
        )
        for hour in range(hours)
    ]
    for first in range(hours, 24, 8):
        last = min(first + 8, 24)
        await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, first, last))
    return placed


async def cancelled(database: Database, placed: Reservation) -> None:
    command = CancelReservation(placed.id, "not needed", by_provider=True)
    await atomically(database, cancel_reservation, command, actor=TEST)


async def offered_to(sql: asyncpg.Connection) -> list[int]:
    rows = await sql.fetch("select id from waitlist_entry where status = 'offered' order by id")
    return [row["id"] for row in rows]


async def test_many_workers_hand_a_freed_time_on_once(
    database: Database, crowd: Database, sql: asyncpg.Connection
):
    instrument_id = await a_bookable_instrument(database)
    (placed,) = await a_full_morning(database, instrument_id, 1)
    queue = await a_queue(database, instrument_id, 3)
    await cancelled(database, placed)

    made = await asyncio.gather(
        *(atomically(crowd, hand_on, HandOn(instrument_id), actor=TEST) for _ in range(WORKERS)),
        *(outbox.deliver_due(crowd, HANDLERS) for _ in range(WORKERS)),
    )

    assert sum(made[:WORKERS]) <= 1
    assert await offered_to(sql) == [queue[0][1].entry.id]
    assert await sql.fetchval("select count(*) from slot_offer") == 1


async def test_eight_cancellations_at_once_are_handed_on_in_order(
    database: Database, crowd: Database, sql: asyncpg.Connection
):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_full_morning(database, instrument_id, WORKERS)
    queue = await a_queue(database, instrument_id, WORKERS + 4)
    await hear(database)
    done = asyncio.Event()

    async def work() -> None:
        while not done.is_set() or await outbox.deliver_due(crowd, HANDLERS):
            await outbox.deliver_due(crowd, HANDLERS)
            await asyncio.sleep(0)

    async def cancel_all() -> None:
        await asyncio.gather(*(cancelled(crowd, one) for one in placed))
        done.set()

    await asyncio.gather(cancel_all(), *(work() for _ in range(4)))

    assert await offered_to(sql) == [listed.entry.id for _, listed in queue[:WORKERS]]
    distinct = "select count(distinct during) from reservation where status = 'offered'"
    assert await sql.fetchval(distinct) == WORKERS
    failed = "select count(*) from outbox_event where last_error is not null"
    assert await sql.fetchval(failed) == 0


async def snatched(
    database: Database, crowd: Database, sql: asyncpg.Connection, *, rounds: int
) -> Counter[str]:
    """A freed time is handed on while somebody else reserves whatever looks free; who has it."""
    ended: Counter[str] = Counter()
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)

    async def snatch(during, tries: int) -> str:
        command = PlaceReservation(instrument_id, during, Purpose.OWN_RESEARCH, 1, 1)
        for _ in range(tries):
            try:
                await atomically(crowd, place_reservation, command, actor=TEST)
            except ReservationOverlaps:
                await asyncio.sleep(0.002)
            else:
                return "snatched"
        return "refused"

    for day in range(1, rounds + 1):
        during = at_hours(day, 9, 10)
        placed = await a_reservation(database, instrument_id=instrument_id, during=during)
        listed = await an_entry(
            database, instrument_id=instrument_id, actor=manager, during=during, minutes=60
        )
        await cancelled(database, placed)
        await atomically(crowd, hand_on, HandOn(instrument_id), actor=TEST)
        outsider = asyncio.create_task(snatch(during, 5))
        await asyncio.sleep(0.005)
        try:
            await atomically(crowd, accept_offer, OnEntry(listed.entry.id), actor=manager)
            ended["accepted"] += 1
        except ReservationOverlaps:
            ended["too late"] += 1
        ended[await outsider] += 1
        await sql.execute("update waitlist_entry set status = 'closed', ended_at = now()")
    return ended


async def test_an_offered_time_cannot_be_snatched(
    database: Database, crowd: Database, sql: asyncpg.Connection
):
    ended = await snatched(database, crowd, sql, rounds=ROUNDS)

    assert ended == {"accepted": ROUNDS, "refused": ROUNDS}


async def test_if_an_offer_did_not_take_the_seat_others_would_snatch_it(
    database: Database, crowd: Database, sql: asyncpg.Connection
):
    """As on platforms that only send a mail: the promise is worth nothing."""
    await sql.execute(
        """
        alter table reservation drop constraint reservation_no_overlap;
        alter table reservation add constraint reservation_no_overlap exclude using gist (
          calendar_id with =, blocked with &&, seat with =
        ) where (status in ('held', 'requested', 'confirmed', 'in_use'))
        """
    )

    ended = await snatched(database, crowd, sql, rounds=ROUNDS)

    assert ended["snatched"] == ended["too late"] > 0


async def test_a_direct_reservation_and_the_list_never_get_the_same_freed_time(
    database: Database, crowd: Database, sql: asyncpg.Connection
):
    """Before it is offered a freed time is for whoever comes first; afterwards it is not."""
    instrument_id = await a_bookable_instrument(database)
    ended: Counter[int] = Counter()
    for day in range(1, ROUNDS + 1):
        during = at_hours(day, 9, 10)
        buyer = await an_actor(database, Role.BUYER)
        placed = await a_reservation(database, instrument_id=instrument_id, during=during)
        await an_entry(
            database, instrument_id=instrument_id, actor=buyer, during=during, minutes=60
        )
        await cancelled(database, placed)
        direct = PlaceReservation(instrument_id, during, Purpose.OWN_RESEARCH, 1, 1)

        offers, _ = await asyncio.gather(
            atomically(crowd, hand_on, HandOn(instrument_id), actor=TEST),
            atomically(crowd, place_reservation, direct, actor=TEST),
            return_exceptions=True,
        )

        assert isinstance(offers, int)
        live = "select count(*) from reservation where during = $1::tstzrange and ended_at is null"
        ended[await sql.fetchval(live, asyncpg.Range(during.starts_at, during.ends_at))] += 1

    assert ended == {1: ROUNDS}


async def test_an_acceptance_and_a_lapse_end_one_way_or_the_other(
    database: Database, crowd: Database, sql: asyncpg.Connection, clock: SetClock
):
    """The one who accepts has a clock before the end of the offer, the worker one behind it."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    late = Database(
        database.url, pool_size=4, clock=SetClock(clock.now() + timedelta(hours=2, minutes=1))
    )
    ended: Counter[tuple[str, ...]] = Counter()
    for day in range(1, ROUNDS + 1):
        during = at_hours(day, 9, 10)
        listed = await an_entry(
            database, instrument_id=instrument_id, actor=manager, during=during, minutes=60
        )
        await atomically(database, hand_on, HandOn(instrument_id), actor=TEST)
        command = OnEntry(listed.entry.id)
        step = accept_offer if day % 2 else decline_offer

        answer, _ = await asyncio.gather(
            atomically(crowd, step, command, actor=manager),
            atomically(late, settle_offers, [instrument_id], actor=TEST),
            return_exceptions=True,
        )

        row = await sql.fetchrow(
            "select e.status, o.outcome, r.status as kept from waitlist_entry e"
            " join slot_offer o on o.entry_id = e.id"
            " join reservation r on r.id = o.reservation_id where e.id = $1",
            listed.entry.id,
        )
        assert row is not None
        refused = isinstance(answer, EntryNotInState | OfferOver)
        assert refused or not isinstance(answer, BaseException)
        ended[(*row.values(), "refused" if refused else step.__name__)] += 1
        await sql.execute("update waitlist_entry set status = 'closed', ended_at = now()")
    await late.close()

    assert set(ended) <= {
        ("taken", "accepted", "confirmed", "accept_offer"),
        ("waiting", "declined", "cancelled", "decline_offer"),
        ("waiting", "lapsed", "expired", "refused"),
    }
    assert sum(ended.values()) == ROUNDS


async def three_no_shows(database: Database, clock: SetClock) -> tuple[int, ...]:
    instrument_id = await a_bookable_instrument(database, seats=3)
    buyer = await an_actor(database, Role.BUYER)
    during = at_hours(1, 9, 11)
    placed = [
        await a_reservation(
            database,
            instrument_id=instrument_id,
            during=during,
            organisation_id=buyer.organisation_id,
            person_id=buyer.person_id,
        )
        for _ in range(3)
    ]
    clock.set(during.ends_at)
    await RUN["mark_no_shows"](database)
    return tuple(one.id for one in placed)


async def test_three_strikes_at_once_make_one_suspension(
    database: Database, crowd: Database, sql: asyncpg.Connection, clock: SetClock
):
    missed = await three_no_shows(database, clock)

    given = await asyncio.gather(
        *(
            atomically(crowd, judge_reservations, JudgeReservations((each,)), actor=TEST)
            for each in missed * 4
        )
    )

    assert sorted(given) == [0] * 9 + [1] * 3
    assert await sql.fetchval("select count(*) from suspension") == 1
    told = "select count(*) from outbox_event where name = 'PersonSuspended'"
    assert await sql.fetchval(told) == 1


async def test_without_the_lock_three_strikes_at_once_suspend_nobody(
    database: Database,
    crowd: Database,
    sql: asyncpg.Connection,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
):
    missed = await three_no_shows(database, clock)
    together = asyncio.Barrier(3)

    async def no_lock(tx: Tx, people: object) -> None:
        """Everybody goes on at once."""

    async def judge(tx: Tx, command: JudgeReservations) -> None:
        await judge_reservations(tx, command)
        await together.wait()

    monkeypatch.setattr(strikes, "lock_people", no_lock)
    await asyncio.gather(
        *(atomically(crowd, judge, JudgeReservations((each,)), actor=TEST) for each in missed)
    )

    assert await sql.fetchval("select count(*) from strike") == 3
    assert await sql.fetchval("select count(*) from suspension") == 0
