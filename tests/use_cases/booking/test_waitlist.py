"""Waiting for time: who may, what is offered to whom, and how an offer ends."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.booking import queries
from marketplace.booking.errors import (
    AlreadyWaiting,
    EntryNotInState,
    ExternalTimeIsOrdered,
    NotYourEntry,
    OfferOver,
    ReservationOverlaps,
    ReservationRefused,
    WaitingRefused,
)
from marketplace.booking.queries import ListedEntry, Purpose, Status, WaitlistSearch
from marketplace.booking.rules.states import UserClass
from marketplace.booking.rules.waiting import EntryStatus
from marketplace.booking.use_cases import (
    OnEntry,
    PlaceReservation,
    accept_offer,
    decline_offer,
    place_reservation,
    withdraw_entry,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.use_cases import WithdrawInstrument, withdraw_instrument
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor
from tests.builders.waiting import RUN, a_full_day, an_entry, give_back, hear

pytestmark = pytest.mark.asyncio


async def seen(database: Database, listed: ListedEntry, actor: Actor) -> ListedEntry:
    return await atomically(database, queries.visible_entry, listed.entry.id, actor=actor)


async def fact(database: Database, sql: str):
    async def ask(tx: Tx, _: None):
        return await tx.scalar(text(sql))

    return await atomically(database, ask, None, actor=TEST)


async def a_buyer(database: Database) -> Actor:
    return await an_actor(database, Role.BUYER)


async def test_freed_time_is_offered_to_who_waited_longest_and_to_nobody_else(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    _, midday, _ = await a_full_day(database, instrument_id=instrument_id)
    first, second, third = [await a_buyer(database) for _ in range(3)]
    entries = [
        await an_entry(database, instrument_id=instrument_id, actor=who, minutes=minutes)
        for who, minutes in ((first, 300), (second, 240), (third, 120))
    ]
    assert [1, 2, 3] == [listed.position for listed in entries]

    await give_back(database, midday)
    await hear(database)

    # Five hours, then three are left of eight: too few for the second, enough for the third.
    offers = [
        await seen(database, listed, who)
        for listed, who in zip(entries, (first, second, third), strict=True)
    ]
    assert [one.entry.status for one in offers] == ["offered", "waiting", "offered"]
    assert [one.position for one in offers] == [None, 1, None]
    assert offers[0].offered_from == at_hours(2, 8, 13).starts_at
    assert offers[2].offered_from == at_hours(2, 13, 15).starts_at
    assert offers[0].held_until == clock.now() + timedelta(hours=2)
    with pytest.raises(ReservationOverlaps):
        await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 10))
    assert await RUN["hand_on"](database) == 0


async def test_an_order_takes_the_offered_time_over_and_ends_the_wait(database: Database):
    instrument_id = await a_bookable_instrument(database)
    buyer, other = await a_buyer(database), await a_buyer(database)
    listed = await an_entry(database, instrument_id=instrument_id, actor=buyer)
    await hear(database)
    offered = await seen(database, listed, buyer)
    assert offered.entry.status is EntryStatus.OFFERED

    def order(who: Actor) -> PlaceReservation:
        return PlaceReservation(
            instrument_id,
            at_hours(2, 0, 2),
            Purpose.EXTERNAL,
            who.organisation_id,
            who.person_id,
            UserClass.ENTERPRISE,
        )

    with pytest.raises(ReservationOverlaps):
        await atomically(database, place_reservation, order(other), actor=other)
    with pytest.raises(ExternalTimeIsOrdered) as refusal:
        await atomically(database, accept_offer, OnEntry(listed.entry.id), actor=buyer)
    placed = await atomically(database, place_reservation, order(buyer), actor=buyer)
    await hear(database)

    assert refusal.value.extras["starts_at"] == offered.offered_from
    assert placed.id == offered.entry.reservation_id
    assert (await seen(database, listed, buyer)).entry.status is EntryStatus.TAKEN
    assert await fact(database, "select outcome from slot_offer") == "accepted"


async def test_the_same_time_taken_on_another_seat_frees_the_one_that_was_kept(database: Database):
    instrument_id = await a_bookable_instrument(database, seats=2)
    buyer = await a_buyer(database)
    listed = await an_entry(database, instrument_id=instrument_id, actor=buyer)
    await hear(database)
    kept = (await seen(database, listed, buyer)).entry.reservation_id
    order = PlaceReservation(
        instrument_id, at_hours(2, 0, 2), Purpose.EXTERNAL, buyer.organisation_id, buyer.person_id
    )

    placed = await atomically(database, place_reservation, order, actor=buyer)
    await hear(database)

    assert kept is not None
    assert placed.id != kept
    assert (await seen(database, listed, buyer)).entry.status is EntryStatus.TAKEN
    assert await fact(database, "select count(*) from reservation where status = 'offered'") == 0


async def test_own_people_accept_at_once_or_as_a_request(database: Database, clock: SetClock):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    for needs_approval, expected in ((False, Status.CONFIRMED), (True, Status.REQUESTED)):
        instrument_id = await a_bookable_instrument(
            database, provider_id=manager.organisation_id, needs_approval=needs_approval
        )
        listed = await an_entry(database, instrument_id=instrument_id, actor=manager)
        await hear(database)

        command = OnEntry(listed.entry.id)
        accepted = await atomically(database, accept_offer, command, actor=manager)

        assert accepted.status is expected
        assert (accepted.confirmed_at is None) == needs_approval
        assert (accepted.held_until is not None) == needs_approval
        assert (await seen(database, listed, manager)).entry.status is EntryStatus.TAKEN
        with pytest.raises(EntryNotInState):
            await atomically(database, accept_offer, command, actor=manager)


async def test_a_rule_that_changed_meanwhile_stops_an_acceptance(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    listed = await an_entry(database, instrument_id=instrument_id, actor=manager)
    await hear(database)
    await a_closure(database, instrument_id=instrument_id, during=at_hours(2, 0, 24))

    with pytest.raises(ReservationRefused) as refusal:
        await atomically(database, accept_offer, OnEntry(listed.entry.id), actor=manager)

    assert [reason.rule for reason in refusal.value.reasons] == ["closed"]


async def test_who_declines_waits_on_and_is_not_offered_the_same_again(database: Database):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_full_day(database, instrument_id=instrument_id)
    buyer, other = await a_buyer(database), await a_buyer(database)
    first = await an_entry(database, instrument_id=instrument_id, actor=buyer, minutes=480)
    second = await an_entry(database, instrument_id=instrument_id, actor=other, minutes=480)
    await give_back(database, placed[0])
    await hear(database)

    declined = await atomically(database, decline_offer, OnEntry(first.entry.id), actor=buyer)
    await hear(database)

    assert declined.entry.status is EntryStatus.WAITING
    assert declined.position == 1
    assert (await seen(database, second, other)).entry.status is EntryStatus.OFFERED
    with pytest.raises(EntryNotInState):
        await atomically(database, decline_offer, OnEntry(first.entry.id), actor=buyer)
    await atomically(database, withdraw_entry, OnEntry(second.entry.id), actor=other)
    await hear(database)
    assert (await seen(database, first, buyer)).entry.status is EntryStatus.WAITING

    await give_back(database, placed[1])
    await hear(database)

    assert (await seen(database, first, buyer)).offered_from == at_hours(2, 8, 16).starts_at


async def test_an_offer_that_lapses_goes_to_the_next_and_the_third_ends_the_wait(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    first, second = await a_buyer(database), await a_buyer(database)
    early = await an_entry(database, instrument_id=instrument_id, actor=first)
    late = await an_entry(database, instrument_id=instrument_id, actor=second)
    await RUN["hand_on"](database)
    once = await seen(database, early, first)
    assert (await seen(database, late, second)).offered_from == at_hours(2, 2, 4).starts_at

    clock.set(clock.now() + timedelta(hours=2))
    with pytest.raises(OfferOver):
        await atomically(database, decline_offer, OnEntry(early.entry.id), actor=first)
    await RUN["hand_on"](database)

    # Each goes to whom it was not offered before.
    assert once.offered_from == (await seen(database, late, second)).offered_from
    assert (await seen(database, early, first)).offered_from == at_hours(2, 2, 4).starts_at
    for _ in range(2):
        clock.set(clock.now() + timedelta(hours=2))
        await RUN["hand_on"](database)
    over = (await seen(database, early, first)).entry
    assert (over.status, over.offers_lapsed) == (EntryStatus.CLOSED, 3)
    assert over.ended_because == "3 offers were not answered."
    assert await fact(database, "select count(*) from reservation where status = 'offered'") == 0
    lapsed = "select count(*) from outbox_event where name = 'OfferLapsed'"
    assert await fact(database, lapsed) == 6


async def test_an_offer_leaves_time_to_decide_and_never_passes_the_notice(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database, notice_minutes=60)
    buyer = await a_buyer(database)
    today = at_hours(0, 9, 12)
    await an_entry(database, instrument_id=instrument_id, actor=buyer, during=today, minutes=60)
    clock.set(clock_at(0, 9) + timedelta(minutes=20))

    await RUN["hand_on"](database)

    (one,) = (await atomically(database, queries.waitlist, WaitlistSearch(), actor=buyer)).entries
    assert one.offered_from == at_hours(0, 11, 12).starts_at
    assert one.held_until == at_hours(0, 10, 11).starts_at


async def test_who_leaves_the_list_gives_the_offered_time_to_the_next(database: Database):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_full_day(database, instrument_id=instrument_id)
    administrator = await an_actor(database, Role.SME_ADMINISTRATOR)
    colleague = await an_actor(database, Role.BUYER, organisation_id=administrator.organisation_id)
    bystander = await an_actor(database, Role.BUYER, organisation_id=administrator.organisation_id)
    stranger = await a_buyer(database)
    first = await an_entry(database, instrument_id=instrument_id, actor=colleague, minutes=480)
    second = await an_entry(database, instrument_id=instrument_id, actor=stranger, minutes=480)
    await give_back(database, placed[0])
    await hear(database)
    leave = OnEntry(first.entry.id)

    with pytest.raises(NotYourEntry):
        await atomically(database, withdraw_entry, leave, actor=bystander)
    with pytest.raises(Missing):
        await atomically(database, withdraw_entry, leave, actor=stranger)
    left = await atomically(database, withdraw_entry, leave, actor=administrator)
    await hear(database)

    assert left.entry.status is EntryStatus.WITHDRAWN
    assert (await seen(database, second, stranger)).entry.status is EntryStatus.OFFERED
    with pytest.raises(EntryNotInState):
        await atomically(database, withdraw_entry, leave, actor=colleague)


async def test_nobody_waits_for_what_cannot_be_theirs(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    buyer = await a_buyer(database)
    own = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    internal = await a_bookable_instrument(database, content={"share_mode": "internal"})

    with pytest.raises(ExternalTimeIsOrdered):
        await an_entry(database, instrument_id=own, actor=manager, purpose=Purpose.EXTERNAL)
    with pytest.raises(InstrumentMissing):
        await an_entry(database, instrument_id=internal, actor=manager)
    with pytest.raises(WaitingRefused) as refusal:
        await an_entry(
            database, instrument_id=internal, actor=buyer, minutes=45, during=at_hours(91, 0, 24)
        )

    rules = [reason.rule for reason in refusal.value.reasons]
    assert rules == ["not-shared", "step", "horizon"]


async def test_one_person_waits_for_five_times_and_never_twice_for_the_same(database: Database):
    buyer = await a_buyer(database)
    ids = [await a_bookable_instrument(database) for _ in range(6)]
    await an_entry(database, instrument_id=ids[0], actor=buyer)
    with pytest.raises(AlreadyWaiting):
        await an_entry(database, instrument_id=ids[0], actor=buyer)
    for instrument_id in ids[1:5]:
        await an_entry(database, instrument_id=instrument_id, actor=buyer)

    with pytest.raises(WaitingRefused) as refusal:
        await an_entry(database, instrument_id=ids[5], actor=buyer)

    assert [reason.rule for reason in refusal.value.reasons] == ["waitlist-entries"]
    mine = WaitlistSearch(status=EntryStatus.WAITING, instrument_id=ids[1], mine=True)
    found = await atomically(database, queries.waitlist, mine, actor=buyer)
    assert (found.total, found.entries[0].entry.instrument_id) == (1, ids[1])


async def test_a_wait_ends_when_its_window_does_or_the_instrument_is_gone(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    gone_id = await a_bookable_instrument(database)
    for each in (instrument_id, gone_id):
        await a_full_day(database, instrument_id=each)
    buyer = await a_buyer(database)
    late = await an_entry(database, instrument_id=instrument_id, actor=buyer)
    gone = await an_entry(database, instrument_id=gone_id, actor=buyer)
    withdraw = WithdrawInstrument(gone_id, "sold")
    await atomically(database, withdraw_instrument, withdraw, actor=TEST)

    await hear(database)
    clock.set(at_hours(2, 21.75, 24).starts_at)
    await RUN["hand_on"](database)
    assert (await seen(database, late, buyer)).entry.status is EntryStatus.WAITING
    clock.set(clock.now() + timedelta(minutes=1))
    await RUN["hand_on"](database)

    assert (await seen(database, late, buyer)).entry.status is EntryStatus.LAPSED
    closed = (await seen(database, gone, buyer)).entry
    assert (closed.status, closed.ended_because) == (
        EntryStatus.CLOSED,
        "The instrument does not serve you any more.",
    )


async def test_the_job_finds_what_no_event_told(database: Database):
    """Two lists, one of them with room, and an event that was lost."""
    buyers = [await a_buyer(database) for _ in range(2)]
    instrument_id = await a_bookable_instrument(database)
    placed = await a_full_day(database, instrument_id=instrument_id)
    full_id = await a_bookable_instrument(database)
    await a_full_day(database, instrument_id=full_id)
    for each, buyer in ((instrument_id, buyers[0]), (full_id, buyers[1])):
        await an_entry(database, instrument_id=each, actor=buyer)
    await give_back(database, placed[1])
    await atomically(database, forget_events, None, actor=TEST)

    assert [1, 0] == [await RUN["hand_on"](database) for _ in range(2)]


async def forget_events(tx: Tx, _: None) -> None:
    await tx.execute(text("update outbox_event set delivered_at = now()"))


async def test_a_provider_that_takes_an_offer_back_does_not_offer_it_again(database: Database):
    instrument_id = await a_bookable_instrument(database)
    buyer = await a_buyer(database)
    listed = await an_entry(
        database, instrument_id=instrument_id, actor=buyer, during=at_hours(2, 9, 11)
    )
    await hear(database)
    offered = (await seen(database, listed, buyer)).entry.reservation_id
    assert offered is not None
    await give_back(database, await atomically(database, queries.reservation, offered, actor=TEST))

    await hear(database)
    await RUN["hand_on"](database)

    assert (await seen(database, listed, buyer)).entry.status is EntryStatus.WAITING
    assert await fact(database, "select outcome from slot_offer") == "withdrawn"
