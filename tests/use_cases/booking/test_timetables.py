"""Free time of one and of many instruments, and the booking rule behind it."""

import pytest

from marketplace.booking.errors import BookingRuleRefused
from marketplace.booking.queries import (
    FreeIn,
    WeekOf,
    Window,
    availability,
    booking_terms,
    free_among,
    week_strips,
)
from marketplace.booking.use_cases import SetBookingRule, set_booking_rule
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.queries import OpeningHours
from marketplace.catalogue.use_cases import WithdrawInstrument, withdraw_instrument
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import During
from marketplace.parties.roles import Role
from tests.builders.booking import (
    MONDAY,
    TERMS,
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio

OFFICE = tuple(OpeningHours(weekday, 8 * 60, 18 * 60) for weekday in range(5))


async def test_a_day_is_told_as_free_and_busy_with_reasons(database: Database):
    instrument_id = await a_bookable_instrument(database, hours=OFFICE)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(1, 10, 12))
    await a_closure(
        database, instrument_id=instrument_id, during=at_hours(1, 16, 20), reason="new filament"
    )

    found = await atomically(
        database, availability, Window(instrument_id, at_hours(1, 7, 19)), actor=NOBODY
    )

    assert found.free == (at_hours(1, 8, 10), at_hours(1, 12, 16))
    assert [(one.reason, one.text, one.during) for one in found.busy] == [
        ("outside-opening-hours", "", at_hours(1, 7, 8)),
        ("reserved", "", at_hours(1, 10, 12)),
        ("closed", "new filament", at_hours(1, 16, 19)),
    ]


async def test_an_instrument_that_is_not_listed_is_seen_by_its_provider_only(
    database: Database,
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    await atomically(
        database,
        withdraw_instrument,
        WithdrawInstrument(instrument_id, "sent for repair"),
        actor=TEST,
    )
    window = Window(instrument_id, at_hours(1, 8, 18))

    with pytest.raises(InstrumentMissing):
        await atomically(database, availability, window, actor=NOBODY)
    found = await atomically(database, availability, window, actor=manager)

    assert found.free == ()
    assert [one.reason for one in found.busy] == ["not-open"]


async def test_a_week_of_many_instruments_is_asked_in_two_statements(database: Database):
    ids = [await a_bookable_instrument(database, hours=OFFICE) for _ in range(5)]
    await a_reservation(database, instrument_id=ids[0], during=at_hours(1, 8, 16))
    seen: list[str] = []

    async def counted(tx: Tx, week: WeekOf) -> dict[int, tuple[int, ...]]:
        (await tx.raw()).add_query_logger(lambda query: seen.append(query.query))
        return await week_strips(tx, week)

    strips = await atomically(database, counted, WeekOf(ids, MONDAY), actor=TEST)

    assert len([query for query in seen if "SELECT" in query]) == 2
    # Monday from 10:00 on: it is nine, and an hour's notice is asked for.
    assert strips[ids[1]] == (480, 600, 600, 600, 600, 0, 0)
    assert strips[ids[0]] == (480, 120, 600, 600, 600, 0, 0)


async def test_those_free_in_a_window_are_found(database: Database):
    free, taken, shut, seats = [
        await a_bookable_instrument(database, hours=OFFICE, seats=count) for count in (1, 1, 1, 2)
    ]
    await a_reservation(database, instrument_id=taken, during=at_hours(1, 11, 14))
    await a_reservation(database, instrument_id=seats, during=at_hours(1, 11, 14))
    await a_closure(database, instrument_id=shut, during=at_hours(1, 0, 24))
    ids = [free, taken, shut, seats]
    window = at_hours(1, 9, 17)

    whole = await atomically(database, free_among, FreeIn(ids, window), actor=TEST)
    three_hours = await atomically(database, free_among, FreeIn(ids, window, 180), actor=TEST)
    four_hours = await atomically(database, free_among, FreeIn(ids, window, 240), actor=TEST)

    assert whole == {free, seats}
    assert three_hours == {free, taken, seats}
    assert four_hours == {free, seats}


async def test_nothing_is_asked_of_no_instruments(database: Database):
    assert {} == await atomically(database, week_strips, WeekOf([], MONDAY), actor=TEST)
    asked = FreeIn([], During(clock_at(1, 1), clock_at(1, 2)))
    assert set() == await atomically(database, free_among, asked, actor=TEST)


async def test_a_rule_is_set_for_ones_own_instrument(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    command = SetBookingRule(instrument_id, TERMS)

    with pytest.raises(InstrumentMissing):
        await atomically(database, set_booking_rule, command, actor=stranger)
    await atomically(database, set_booking_rule, command, actor=manager)

    assert TERMS == await atomically(database, booking_terms, instrument_id, actor=TEST)


async def test_a_rule_beyond_the_provinces_is_refused(database: Database):
    with pytest.raises(BookingRuleRefused):
        await a_bookable_instrument(database, horizon_days=400)
