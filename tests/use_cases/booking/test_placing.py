"""Placing reservations on a real database: the rules before, the guard at the insert."""

from dataclasses import replace

import pytest
from sqlalchemy import event, select

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    OrderAlreadyReserved,
    OverrideNotAllowed,
    ReservationOverlaps,
    ReservationRefused,
)
from marketplace.booking.queries import Purpose, Status, reservation
from marketplace.booking.use_cases import (
    PlaceReservation,
    ReserveOwnTime,
    place_reservation,
    reserve_own_time,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.tables import audit_event, outbox_event
from marketplace.kernel.time import During, SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio


async def test_a_free_time_is_confirmed_at_once(database: Database):
    instrument_id = await a_bookable_instrument(database)

    placed = await a_reservation(database, instrument_id=instrument_id)

    async def stored(tx: Tx, _: None):
        assert placed == await reservation(tx, placed.id)
        return await tx.scalars(
            select(outbox_event.c.payload).where(outbox_event.c.name == "ReservationPlaced")
        )

    (told,) = await atomically(database, stored, None, actor=TEST)
    assert placed.status is Status.CONFIRMED
    assert placed.confirmed_at == placed.placed_at
    assert {
        "reservation_id": placed.id,
        "order_id": 0,
        "instrument_id": instrument_id,
        "status": "confirmed",
    } == told


async def test_a_request_is_kept_for_half_an_hour_and_never_past_its_start(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database, needs_approval=True, notice_minutes=0)

    usual = await a_reservation(database, instrument_id=instrument_id)
    soon = await a_reservation(database, instrument_id=instrument_id, during=at_hours(0, 9, 10))

    assert usual.status is Status.REQUESTED
    assert usual.held_until == clock_at(0, 9.5)
    assert soon.held_until == soon.starts_at == clock.now()


async def test_a_time_that_is_taken_is_refused_with_what_is_free(database: Database):
    instrument_id = await a_bookable_instrument(database)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))

    with pytest.raises(ReservationOverlaps) as refused:
        await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 10, 12))

    assert [reason.rule for reason in refused.value.reasons] == ["busy"]
    assert [
        (offer["kind"], offer["starts_at"], offer["ends_at"])
        for offer in refused.value.alternatives
    ] == [
        ("slot", clock_at(2, 11), clock_at(2, 13)),
        ("slot", clock_at(2, 13), clock_at(2, 15)),
        ("slot", clock_at(2, 15), clock_at(2, 17)),
    ]


async def test_a_small_shift_is_offered_where_one_exists(database: Database):
    instrument_id = await a_bookable_instrument(database, step_minutes=10)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))

    asked = at_hours(2, 10 + 5 / 6, 12 + 5 / 6)
    with pytest.raises(ReservationOverlaps) as refused:
        await a_reservation(database, instrument_id=instrument_id, during=asked)

    shift = refused.value.alternatives[0]
    assert (shift["kind"], shift["shift_minutes"]) == ("shift", 10)
    assert shift["starts_at"] == clock_at(2, 11)


async def test_half_open_times_may_touch(database: Database):
    instrument_id = await a_bookable_instrument(database)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))

    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 11, 13))
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 7, 9))


async def test_preparation_and_cleaning_keep_others_out(database: Database):
    instrument_id = await a_bookable_instrument(database, before_minutes=30, after_minutes=30)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))

    with pytest.raises(ReservationOverlaps):
        await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 11.5, 13))

    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 12, 13))


async def test_every_reason_is_told_with_being_taken_among_them(database: Database):
    instrument_id = await a_bookable_instrument(database)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))
    await a_closure(database, instrument_id=instrument_id, during=at_hours(2, 8, 24))

    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 20))

    assert [(reason.rule, reason.overridable) for reason in refused.value.reasons] == [
        ("maximum", True),
        ("closed", True),
        ("busy", False),
    ]
    assert refused.value.alternatives[0]["starts_at"] == clock_at(3, 0)


async def test_every_seat_is_used_before_anybody_is_refused(database: Database):
    instrument_id = await a_bookable_instrument(database, seats=3)

    seats = {(await a_reservation(database, instrument_id=instrument_id)).seat for _ in range(3)}
    with pytest.raises(ReservationOverlaps):
        await a_reservation(database, instrument_id=instrument_id)

    assert {1, 2, 3} == seats


async def test_a_seat_can_be_asked_for(database: Database):
    instrument_id = await a_bookable_instrument(database, seats=3)

    placed = await a_reservation(database, instrument_id=instrument_id, seat=2)
    with pytest.raises(ReservationOverlaps):
        await a_reservation(database, instrument_id=instrument_id, seat=2)
    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(database, instrument_id=instrument_id, seat=4)

    assert placed.seat == 2
    assert [reason.rule for reason in refused.value.reasons] == ["seat"]


async def test_an_instrument_without_a_rule_follows_the_province(database: Database):
    instrument_id = await a_bookable_instrument(database)

    async def without_rule(tx: Tx, _: None) -> None:
        await become_owner(tx)
        await (await tx.raw()).execute("delete from booking_rule")

    await atomically(database, without_rule, None, actor=TEST)
    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(database, instrument_id=instrument_id, during=at_hours(0, 12, 14))

    assert [(reason.rule, reason.limit) for reason in refused.value.reasons] == [("notice", 1440)]


async def test_staff_set_a_rule_aside_with_a_reason_that_is_kept(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, needs_approval=True
    )
    asked = ReserveOwnTime(
        instrument_id,
        at_hours(0, 9.5, 10.25),
        Purpose.MAINTENANCE,
        override_reason="the pump must be changed now",
    )

    placed = await atomically(database, reserve_own_time, asked, actor=manager)

    async def overrides(tx: Tx, _: None):
        return await tx.scalars(
            select(audit_event.c.facts).where(
                audit_event.c.action == "override", audit_event.c.subject_id == placed.id
            )
        )

    assert placed.status is Status.CONFIRMED
    assert placed.override_reason == "the pump must be changed now"
    assert await atomically(database, overrides, None, actor=TEST) == [
        {"reason": "the pump must be changed now", "rules": ["step", "notice"]}
    ]


async def test_a_reason_given_in_vain_is_not_kept(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    asked = ReserveOwnTime(
        instrument_id, at_hours(2, 9, 11), Purpose.TEACHING, override_reason="just in case"
    )

    placed = await atomically(database, reserve_own_time, asked, actor=manager)

    assert placed.override_reason is None


async def test_being_taken_or_past_is_never_set_aside(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))
    taken = ReserveOwnTime(
        instrument_id, at_hours(2, 9, 11), Purpose.MAINTENANCE, override_reason="urgent repair"
    )

    with pytest.raises(ReservationOverlaps):
        await atomically(database, reserve_own_time, taken, actor=manager)
    with pytest.raises(ReservationRefused):
        await atomically(
            database, reserve_own_time, replace(taken, during=at_hours(0, 7, 8)), actor=manager
        )


@pytest.mark.parametrize("reason", ["because", "  "])
async def test_nobody_but_staff_with_a_reason_sets_a_rule_aside(database: Database, reason: str):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    buyer = await an_actor(database, Role.BUYER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)

    with pytest.raises(OverrideNotAllowed):
        await a_reservation(
            database,
            instrument_id=instrument_id,
            during=at_hours(0, 9.5, 10.5),
            actor=manager if not reason.strip() else buyer,
            override_reason=reason,
        )


async def test_time_for_others_is_ordered(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    asked = ReserveOwnTime(instrument_id, at_hours(2, 9, 11), Purpose.EXTERNAL)

    with pytest.raises(ExternalTimeIsOrdered):
        await atomically(database, reserve_own_time, asked, actor=manager)


async def test_another_providers_instrument_does_not_exist(database: Database):
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database)
    asked = ReserveOwnTime(instrument_id, at_hours(2, 9, 11), Purpose.TEACHING)

    for one in (asked, replace(asked, instrument_id=10**9)):
        with pytest.raises(InstrumentMissing):
            await atomically(database, reserve_own_time, one, actor=stranger)


async def test_one_order_has_one_reservation(database: Database):
    instrument_id = await a_bookable_instrument(database)

    async def without_orders(tx: Tx, _: None) -> None:
        await become_owner(tx)
        await (await tx.raw()).execute(
            "alter table reservation drop constraint if exists reservation_order_id_fkey;"
            "alter table reservation drop constraint if exists reservation_order"
        )

    await atomically(database, without_orders, None, actor=TEST)
    await a_reservation(database, instrument_id=instrument_id, order_id=7)
    with pytest.raises(OrderAlreadyReserved):
        await a_reservation(
            database, instrument_id=instrument_id, during=at_hours(3, 9, 11), order_id=7
        )


async def test_placing_takes_four_statements(database: Database):
    instrument_id = await a_bookable_instrument(database)
    seen: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def through_sqlalchemy(conn, cursor, statement, parameters, context, executemany):
        seen.append(" ".join(statement.lower().split()[:3]))

    async def counted(tx: Tx, command: PlaceReservation) -> None:
        driver = await tx.raw()
        driver.add_query_logger(
            lambda query: seen.append(" ".join(query.query.lower().split()[:3]))
        )
        await place_reservation(tx, command)
        await tx.flush()

    command = PlaceReservation(instrument_id, at_hours(2, 9, 11), Purpose.TEACHING, 1, 1)
    await atomically(database, counted, command, actor=TEST)

    assert sorted(seen) == [
        "commit;",
        "insert into outbox_event",
        "insert into reservation",
        "select open.instrument_id, open.provider_id,",
        "with keys as",
    ]


async def test_a_length_beyond_reason_is_refused_without_looking_for_hours(database: Database):
    instrument_id = await a_bookable_instrument(database)
    century = During(clock_at(2, 9), clock_at(36_000, 9))

    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(database, instrument_id=instrument_id, during=century)

    assert [reason.rule for reason in refused.value.reasons] == ["maximum"]
    assert not refused.value.reasons[0].overridable
