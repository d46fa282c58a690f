"""Several at once for what is left of a week, for one offer, for one lapsed hold, for a calendar.

Each race has a control: the same race without its guard goes wrong.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, text

from marketplace.booking.errors import (
    CalendarInUse,
    ReservationOverlaps,
    ReservationRefused,
)
from marketplace.booking.queries import Purpose, Reservation, UserClass
from marketplace.booking.queries import floors as floors_queries
from marketplace.booking.queries.floors import floor_of
from marketplace.booking.queries.hours import WeeklyKind
from marketplace.booking.queries.reservations import made_reservation, reservation_select
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.floor import FloorWeek
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases import (
    PlaceReservation,
    SetBookingRule,
    place_reservation,
    set_booking_rule,
)
from marketplace.booking.use_cases import hours as hours_use_cases
from marketplace.booking.use_cases import rule as rule_use_cases
from marketplace.booking.use_cases import seats as seats_use_cases
from marketplace.booking.use_cases.hours import SetWeeklyHours, set_weekly_hours
from marketplace.booking.use_cases.place import _place
from marketplace.kernel.db import Database, Prepared, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import During, SetClock
from tests.builders.booking import (
    TERMS,
    TEST,
    a_bookable_instrument,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import a_provider

pytestmark = pytest.mark.asyncio

CLIENTS = 12


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


async def at_once(database: Database, wanted: list[PlaceReservation]) -> Counter[str]:
    """How the attempts of as many clients ended."""

    async def attempt(command: PlaceReservation) -> str:
        try:
            await atomically(database, place_reservation, command, actor=TEST)
        except DomainError as refusal:
            return type(refusal).__name__
        return "placed"

    return Counter(await asyncio.gather(*(attempt(command) for command in wanted)))


def own_time(instrument_id: int, during: During, **changes: Any) -> PlaceReservation:
    return PlaceReservation(
        instrument_id, during, Purpose.OWN_RESEARCH, 1, 1, UserClass.OWN_UNIT, **changes
    )


# ── The floor ─────────────────────────────────────────────────────────────────────────────────────

ROOM_FOR = 3


async def rush_for_a_week(database: Database, crowd: Database) -> Counter[str]:
    """A dozen of the own unit want an hour each where three are left above the floor."""
    instrument_id = await a_bookable_instrument(
        database,
        outside_floor_minutes=7 * 1440 - ROOM_FOR * 60,
        outside_floor_lapses_minutes=0,
    )
    wanted = [own_time(instrument_id, at_hours(8, hour, hour + 1)) for hour in range(CLIENTS)]
    return await at_once(crowd, wanted)


async def test_of_many_who_each_find_room_above_the_floor_only_as_many_as_fit_get_it(
    database: Database, crowd: Database
):
    assert await rush_for_a_week(database, crowd) == {
        "placed": ROOM_FOR,
        ReservationRefused.__name__: CLIENTS - ROOM_FOR,
    }


async def test_without_the_lock_of_the_week_the_same_rush_takes_from_the_floor(
    database: Database, crowd: Database, monkeypatch: pytest.MonkeyPatch
):
    nothing = Prepared(text("select cast(:weeks as text[])").bindparams(bindparam("weeks")))
    everybody = asyncio.Barrier(CLIENTS)

    async def read_together(*asked: Any, **besides: Any) -> list[FloorWeek]:
        weeks = await floor_of(*asked, **besides)
        await everybody.wait()
        return weeks

    monkeypatch.setattr(floors_queries, "_LOCK", nothing)
    monkeypatch.setattr(floors_queries, "floor_of", read_together)

    assert (await rush_for_a_week(database, crowd))["placed"] == CLIENTS


# ── An offer ──────────────────────────────────────────────────────────────────────────────────────


async def rush_for_an_offer(
    database: Database, crowd: Database, sql: asyncpg.Connection
) -> Counter[str]:
    """Colleagues of the organisation to which a freed time is offered all take it."""
    instrument_id = await a_bookable_instrument(database)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))
    await sql.execute(
        "update reservation set status = 'offered', confirmed_at = null, held_until = $1",
        clock_at(1, 9),
    )
    return await at_once(crowd, [own_time(instrument_id, at_hours(2, 9, 11))] * CLIENTS)


async def test_an_offer_is_taken_over_once_however_many_colleagues_take_it(
    database: Database, crowd: Database, sql: asyncpg.Connection
):
    ended = await rush_for_an_offer(database, crowd, sql)

    assert ended == {"placed": 1, ReservationOverlaps.__name__: CLIENTS - 1}
    assert await sql.fetchval("select count(*) from reservation") == 1
    assert await sql.fetchval("select revision from reservation") == 1


async def test_without_its_lock_one_offer_is_taken_over_by_several(
    database: Database,
    crowd: Database,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
):
    everybody = asyncio.Barrier(CLIENTS)

    async def unlocked(tx: Tx, row: dict[str, Any], *, seat: int | None) -> list[Reservation]:
        offered = reservation_select().where(table.c.status == "offered")
        found = await tx.all(made_reservation, offered)
        await everybody.wait()
        return found

    monkeypatch.setattr(seats_use_cases, "_yielding", unlocked)

    assert (await rush_for_an_offer(database, crowd, sql))["placed"] == CLIENTS


# ── A hold that lapsed ────────────────────────────────────────────────────────────────────────────


async def rush_for_a_lapsed_hold(
    database: Database, crowd: Database, sql: asyncpg.Connection, clock: SetClock
) -> Counter[str]:
    instrument_id = await a_bookable_instrument(database)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))
    await sql.execute(
        "update reservation set status = 'held', confirmed_at = null, held_until = $1",
        clock_at(1, 9),
    )
    clock.set(clock_at(1, 9))
    return await at_once(crowd, [own_time(instrument_id, at_hours(2, 10, 12))] * CLIENTS)


async def test_a_lapsed_hold_is_ended_once_and_its_time_goes_to_one(
    database: Database, crowd: Database, sql: asyncpg.Connection, clock: SetClock
):
    ended = await rush_for_a_lapsed_hold(database, crowd, sql, clock)

    assert ended == {"placed": 1, ReservationOverlaps.__name__: CLIENTS - 1}
    states = await sql.fetch("select status, revision from reservation order by id")
    assert [tuple(row) for row in states] == [("expired", 1), ("confirmed", 0)]
    told = "select count(*) from outbox_event where name = 'ReservationExpired'"
    assert await sql.fetchval(told) == 1


async def test_without_the_constraint_the_time_of_a_lapsed_hold_goes_to_several(
    database: Database, crowd: Database, sql: asyncpg.Connection, clock: SetClock
):
    await sql.execute("alter table reservation drop constraint reservation_no_overlap")
    await sql.execute("alter table reservation add constraint reservation_no_overlap unique (id)")

    assert (await rush_for_a_lapsed_hold(database, crowd, sql, clock))["placed"] > 1


# ── A calendar that changes ───────────────────────────────────────────────────────────────────────


async def two_instruments(database: Database) -> tuple[int, int]:
    provider_id = await a_provider(database)
    first, second = [
        await a_bookable_instrument(database, provider_id=provider_id) for _ in range(2)
    ]
    return first, second


async def share(database: Database, instrument_id: int, calendar_id: int) -> None:

    command = SetBookingRule(instrument_id, replace(TERMS, calendar_id=calendar_id))
    await atomically(database, set_booking_rule, command, actor=TEST)


async def test_who_read_the_rule_before_a_calendar_changed_reserves_in_the_new_one(
    database: Database,
):
    first, second = await two_instruments(database)

    async def overtaken(tx: Tx, command: PlaceReservation) -> Reservation:
        found = await schedule(tx, second, command.during, user_class=command.of_class)
        await share(database, second, first)
        return await _place(tx, command, found)

    command = own_time(second, at_hours(2, 9, 11))
    placed = await atomically(database, overtaken, command, actor=TEST)

    assert placed.calendar_id == first
    with pytest.raises(ReservationOverlaps):
        await a_reservation(database, instrument_id=first, during=at_hours(2, 10, 12))


async def change_beside_a_placement(database: Database) -> list[str]:
    """A calendar changes while a reservation in it is written and not yet committed."""
    first, second = await two_instruments(database)
    written, seen = asyncio.Event(), asyncio.Event()
    told: list[str] = []

    async def slowly(tx: Tx, command: PlaceReservation) -> None:
        await place_reservation(tx, command)
        written.set()
        await seen.wait()

    async def place() -> None:
        await atomically(database, slowly, own_time(second, at_hours(2, 9, 11)), actor=TEST)
        told.append("placed")

    async def change() -> None:
        await written.wait()
        changing = asyncio.create_task(share(database, second, first))
        await asyncio.sleep(0.3)
        told.append("changed" if changing.done() else "waits")
        seen.set()
        try:
            await changing
        except CalendarInUse:
            told.append("refused")

    await asyncio.gather(place(), change())
    return sorted(told)


async def test_a_calendar_waits_for_who_is_placing_and_then_stays(database: Database):
    assert await change_beside_a_placement(database) == ["placed", "refused", "waits"]


async def test_without_its_lock_a_calendar_is_left_with_a_reservation_in_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rule_use_cases, "_NOBODY_PLACES", text("select 1"))

    assert await change_beside_a_placement(database) == ["changed", "placed"]


# ── Hours that two replace ────────────────────────────────────────────────────────────────────────


async def replace_at_once(database: Database, crowd: Database) -> list[str]:
    """A dozen replace the peak hours of one instrument; each week overlaps every other."""
    instrument_id = await a_bookable_instrument(database)

    async def attempt(length: int) -> str:
        week = SetWeeklyHours(instrument_id, WeeklyKind.PEAK, (Hours(0, 0, 60 + length),))
        try:
            await atomically(crowd, set_weekly_hours, week, actor=TEST)
        except Exception as error:  # noqa: BLE001 whatever it is, the control counts it
            return type(error).__name__
        return "set"

    return await asyncio.gather(*(attempt(length) for length in range(CLIENTS)))


async def test_whoever_replaces_hours_at_once_does_so_one_after_the_other(
    database: Database, crowd: Database, sql: asyncpg.Connection
):
    assert await replace_at_once(database, crowd) == ["set"] * CLIENTS
    assert await sql.fetchval("select count(*) from weekly_hours") == 1


async def test_without_their_lock_replacing_hours_at_once_fails(
    database: Database, crowd: Database, monkeypatch: pytest.MonkeyPatch
):
    everybody = asyncio.Barrier(CLIENTS)

    async def nobody_waits(tx: Tx, instrument_id: int) -> None:
        await everybody.wait()

    monkeypatch.setattr(hours_use_cases, "lock_settings", nobody_waits)

    assert set(await replace_at_once(database, crowd)) - {"set"}
