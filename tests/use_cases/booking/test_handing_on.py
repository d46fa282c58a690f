"""Freed time where operators attend, quotas limit, colleagues wait, and lists are many."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text

from marketplace.booking import queries
from marketplace.booking.queries import Entry, ListedEntry, Purpose, Status
from marketplace.booking.rules.waiting import EntryStatus
from marketplace.booking.use_cases import (
    HandOn,
    OnEntry,
    PlaceReservation,
    accept_offer,
    awaited_with_room,
    hand_on,
    place_reservation,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, a_reservation, at_hours
from tests.builders.parties import an_actor
from tests.builders.standing import a_quota, operators_at_work
from tests.builders.waiting import RUN, a_full_day, an_entry, give_back, hear

pytestmark = pytest.mark.asyncio


async def seen(database: Database, listed: ListedEntry, actor: Actor) -> ListedEntry:
    return await atomically(database, queries.visible_entry, listed.entry.id, actor=actor)


def order(buyer: Actor, offered: ListedEntry) -> PlaceReservation:
    assert offered.offered_from is not None
    assert offered.offered_until is not None
    hours = (offered.offered_from, offered.offered_until)
    return PlaceReservation(
        offered.entry.instrument_id,
        type(offered.entry.wish.during)(*hours),
        Purpose.EXTERNAL,
        buyer.organisation_id,
        buyer.person_id,
        offered.entry.user_class,
    )


async def test_time_is_offered_when_an_operator_can_attend_and_one_is_kept_for_it(
    database: Database,
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    operator = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, operation="operator", seats=2
    )
    await operators_at_work(
        database, by=manager, instrument_id=instrument_id, person_ids=(operator.person_id,)
    )
    buyer, other = [await an_actor(database, Role.BUYER) for _ in range(2)]
    first = await an_entry(database, instrument_id=instrument_id, actor=buyer)
    second = await an_entry(database, instrument_id=instrument_id, actor=other)

    await hear(database)

    # From nine on somebody is there, and can be beside one of the two seats only.
    offers = [await seen(database, first, buyer), await seen(database, second, other)]
    assert [one.offered_from for one in offers] == [
        at_hours(2, 9, 11).starts_at,
        at_hours(2, 11, 13).starts_at,
    ]
    placed = await atomically(database, place_reservation, order(buyer, offers[0]), actor=buyer)
    assert (placed.id, placed.operator_id) == (
        offers[0].entry.reservation_id,
        operator.person_id,
    )


async def test_own_people_keep_the_operator_of_their_offer(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    operator = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, operation="operator"
    )
    await operators_at_work(
        database, by=manager, instrument_id=instrument_id, person_ids=(operator.person_id,)
    )
    listed = await an_entry(database, instrument_id=instrument_id, actor=manager)
    by_oneself = await an_entry(database, instrument_id=instrument_id, actor=operator)
    await hear(database)

    accepted = await atomically(database, accept_offer, OnEntry(listed.entry.id), actor=manager)

    assert (accepted.status, accepted.operator_id) == (Status.CONFIRMED, operator.person_id)
    assert (await seen(database, by_oneself, operator)).offered_from == at_hours(2, 0, 2).starts_at


async def test_colleagues_who_wait_for_the_same_time_get_a_seat_each(database: Database):
    instrument_id = await a_bookable_instrument(database, seats=2)
    buyer = await an_actor(database, Role.BUYER)
    colleagues = [buyer] + [
        await an_actor(database, Role.BUYER, organisation_id=buyer.organisation_id)
        for _ in range(2)
    ]
    during = at_hours(2, 9, 11)
    waiting = [
        await an_entry(database, instrument_id=instrument_id, actor=who, during=during)
        for who in colleagues
    ]

    await hear(database)

    found = [await seen(database, one, buyer) for one in waiting]
    assert [one.entry.status for one in found] == ["offered", "offered", "waiting"]
    await atomically(database, place_reservation, order(buyer, found[0]), actor=buyer)
    await hear(database)
    after = [(await seen(database, one, buyer)).entry.status for one in waiting]
    assert after == [EntryStatus.TAKEN, EntryStatus.OFFERED, EntryStatus.WAITING]


async def test_who_has_used_up_a_quota_is_passed_over_and_keeps_the_place(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    colleague = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=manager.organisation_id
    )
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    placed = await a_full_day(database, instrument_id=instrument_id)
    await a_quota(database, by=colleague, at_most=240)
    await a_reservation(
        database, instrument_id=instrument_id, during=at_hours(3, 9, 12), actor=manager
    )
    first = await an_entry(database, instrument_id=instrument_id, actor=manager)
    second = await an_entry(database, instrument_id=instrument_id, actor=colleague)
    await give_back(database, placed[0])

    await hear(database)

    kept = await seen(database, first, manager)
    assert (kept.entry.status, kept.position) == (EntryStatus.WAITING, 1)
    assert (await seen(database, second, colleague)).entry.status is EntryStatus.OFFERED


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that go through SQLAlchemy inside the block."""
    sent: list[str] = []

    def note(_connection, _cursor, statement: str, *_: object) -> None:
        sent.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def many_entries(tx: Tx, copies: tuple[Entry, int]) -> None:
    """As many others who wait as the first."""
    entry, count = copies
    columns = (
        "instrument_id, provider_id, organisation_id, user_class, purpose, minutes, weekdays,"
        " earliest_minute, latest_minute, status, made_at, changed_at"
    )
    await tx.execute(
        text(
            f"insert into waitlist_entry ({columns}, person_id, during)"
            f" select {columns}, person_id, tstzrange(lower(during), upper(during)"
            " - make_interval(secs => number)) from waitlist_entry,"
            " generate_series(1, :count) as number where id = :id"
        ),
        {"id": entry.id, "count": count},
    )


async def test_a_look_at_lists_costs_the_same_however_many_wait(database: Database):
    buyer = await an_actor(database, Role.BUYER)
    ids = [await a_bookable_instrument(database) for _ in range(3)]
    for instrument_id in ids:
        await a_full_day(database, instrument_id=instrument_id)
    entries = [await an_entry(database, instrument_id=each, actor=buyer) for each in ids]
    with counted(database) as few:
        one = await atomically(database, awaited_with_room, 0, actor=TEST)
    await atomically(database, many_entries, (entries[0].entry, 120), actor=TEST)
    with counted(database) as many:
        other = await atomically(database, awaited_with_room, 0, actor=TEST)

    assert one == other
    assert one is not None
    assert (one.instrument_ids, one.last_id) == ((), ids[-1])
    assert len(few) == len(many) <= 4
    with counted(database) as vain:
        assert await atomically(database, hand_on, HandOn(ids[0]), actor=TEST) == 0
    # Three batches of fifty, and the first questions.
    assert len(vain) <= 20


async def test_an_instrument_that_nobody_waits_for_costs_two_statements(database: Database):
    instrument_id = await a_bookable_instrument(database)

    with counted(database) as sent:
        await atomically(database, hand_on, HandOn(instrument_id), actor=TEST)

    assert len(sent) == 2


async def test_who_waits_behind_a_hundred_is_found_all_the_same(database: Database):
    """The first hundred want more than what came free."""
    instrument_id = await a_bookable_instrument(database)
    placed = await a_full_day(database, instrument_id=instrument_id)
    buyer, last = [await an_actor(database, Role.BUYER) for _ in range(2)]
    first = await an_entry(database, instrument_id=instrument_id, actor=buyer, minutes=480)
    await atomically(database, many_entries, (first.entry, 110), actor=TEST)
    short = await an_entry(database, instrument_id=instrument_id, actor=last, minutes=60)
    await give_back(database, placed[1])
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 8, 12))

    await hear(database)

    assert (await seen(database, short, last)).entry.status is EntryStatus.OFFERED
    assert await RUN["hand_on"](database) == 0


async def test_two_services_of_one_machine_have_one_order(database: Database):
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    host = await a_bookable_instrument(database, provider_id=provider.organisation_id)
    guest = await a_bookable_instrument(
        database, provider_id=provider.organisation_id, calendar_id=host
    )
    placed = await a_full_day(database, instrument_id=host)
    first, second = await an_actor(database, Role.BUYER), await an_actor(database, Role.BUYER)
    at_guest = await an_entry(database, instrument_id=guest, actor=first, minutes=480)
    at_host = await an_entry(database, instrument_id=host, actor=second, minutes=480)

    await give_back(database, placed[0])
    await hear(database)

    assert (await seen(database, at_guest, first)).entry.status is EntryStatus.OFFERED
    assert (await seen(database, at_host, second)).entry.status is EntryStatus.WAITING


async def test_priority_hours_go_to_the_own_unit_while_they_are_kept(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    buyer = await an_actor(database, Role.BUYER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)

    async def keep(tx: Tx, _: None) -> None:
        await tx.execute(
            text(
                "insert into weekly_hours (instrument_id, kind, weekday, opens_minute,"
                " closes_minute, lapses_minutes) values (:id, 'priority', 2, 0, 1440, 600)"
            ),
            {"id": instrument_id},
        )

    await atomically(database, keep, None, actor=TEST)
    outside = await an_entry(database, instrument_id=instrument_id, actor=buyer)
    own = await an_entry(database, instrument_id=instrument_id, actor=manager)

    await hear(database)

    assert (await seen(database, outside, buyer)).entry.status is EntryStatus.WAITING
    assert (await seen(database, own, manager)).entry.status is EntryStatus.OFFERED
