"""Time kept for a reason, walk-ups, and what a closure takes away."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    HoldLapsed,
    HoldRefused,
    ReservationNotInState,
    ReservationOverlaps,
    ReservationRefused,
    WalkUpRefused,
)
from marketplace.booking.handlers import HANDLERS
from marketplace.booking.jobs import JOBS
from marketplace.booking.queries import (
    Purpose,
    Status,
    WalkUpAsked,
    reservation,
    walk_up_offers,
)
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases import (
    ApproveReservation,
    HoldTime,
    ReleaseHold,
    TakeHold,
    WalkUp,
    approve_reservation,
    hold_time,
    release_hold,
    take_hold,
    walk_up,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.use_cases import WithdrawInstrument, withdraw_instrument
from marketplace.kernel import outbox
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.tables import outbox_event
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_closure,
    a_hold,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio

RUN = {job.name.removeprefix("booking."): job.run for job in JOBS}


async def do(database: Database, use_case: Any, command: Any, *, by: Actor = TEST) -> Any:
    return await atomically(database, use_case, command, actor=by)


async def told(database: Database, name: str) -> list[dict[str, Any]]:
    async def ask(tx: Tx, _: None):
        rows = select(outbox_event.c.payload).where(outbox_event.c.name == name)
        return await tx.scalars(rows.order_by(outbox_event.c.id))

    return list(await atomically(database, ask, None, actor=TEST))


async def on_every_seat(tx: Tx, seats: int) -> None:
    """The only reservation there is, again on each seat up to `seats`."""
    names = [column.name for column in table.columns if column.name not in ("id", "seat")]
    listed = ", ".join(names)
    await tx.execute(
        text(
            f"insert into reservation (seat, {listed}) select others.number, {listed}"
            " from reservation cross join generate_series(2, :seats) as others (number)"
        ),
        {"seats": seats},
    )


async def staff_of_one(database: Database, **terms: Any) -> tuple[Actor, int]:
    """Somebody of a provider's staff, and its instrument."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, **terms
    )
    return manager, instrument_id


async def test_held_time_is_taken_for_others_until_it_lapses_by_itself(
    database: Database, clock: SetClock
):
    manager, instrument_id = await staff_of_one(database)
    held = await a_hold(
        database, instrument_id=instrument_id, actor=manager, lapses_minutes=24 * 60
    )

    assert (held.status, held.held_until) == (Status.HELD, clock_at(1, 9))
    assert held.reason == "a course"
    with pytest.raises(ReservationOverlaps) as taken:
        await a_reservation(database, instrument_id=instrument_id)
    # Whoever asks hears that it may come free, and never for whom it is kept.
    assert taken.value.reasons[0].limit == held.held_until
    clock.set(clock_at(1, 9))
    assert await RUN["expire_requests"](database) == 1
    assert (await do(database, reservation, held.id)).status is Status.EXPIRED
    (event,) = await told(database, "ReservationExpired")
    assert event["reservation_id"] == held.id
    await a_reservation(database, instrument_id=instrument_id)


async def test_staff_hold_beyond_the_usual_rules_and_never_the_past(database: Database):
    manager, instrument_id = await staff_of_one(database, horizon_days=1)
    odd = at_hours(30, 9.1, 23)

    held = await a_hold(database, instrument_id=instrument_id, actor=manager, during=odd)

    assert (held.during, held.held_until) == (odd, odd.starts_at)
    past = HoldTime(instrument_id, at_hours(0, 7, 8), Purpose.TEACHING, "a course")
    with pytest.raises(HoldRefused):
        await do(database, hold_time, past, by=manager)
    for deadline in (
        {"held_until": clock_at(0, 8)},
        {"held_until": clock_at(2, 10)},
        {"lapses_minutes": 60 * 24 * 7},
        {"lapses_minutes": 60, "held_until": clock_at(1, 9)},
    ):
        with pytest.raises(HoldRefused):
            await a_hold(database, instrument_id=instrument_id, actor=manager, **deadline)


async def test_a_hold_is_for_ones_own_people_on_ones_own_instrument(database: Database):
    manager, instrument_id = await staff_of_one(database)
    stranger, _ = await staff_of_one(database)

    for_others = HoldTime(instrument_id, at_hours(2, 9, 11), Purpose.EXTERNAL, "a customer")
    with pytest.raises(ExternalTimeIsOrdered):
        await do(database, hold_time, for_others, by=manager)
    with pytest.raises(InstrumentMissing):
        await a_hold(database, instrument_id=instrument_id, actor=stranger)
    held = await a_hold(database, instrument_id=instrument_id, actor=manager)
    for use_case, command in (
        (release_hold, ReleaseHold(held.id, "not mine")),
        (take_hold, TakeHold(held.id)),
    ):
        with pytest.raises(Missing):
            await do(database, use_case, command, by=stranger)


async def test_held_time_is_released_or_taken_once(database: Database, clock: SetClock):
    manager, instrument_id = await staff_of_one(database, needs_approval=True)
    colleague = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    first = await a_hold(database, instrument_id=instrument_id, actor=manager)
    second = await a_hold(
        database, instrument_id=instrument_id, actor=manager, during=at_hours(3, 9, 11)
    )

    released = await do(database, release_hold, ReleaseHold(first.id, "cancelled"), by=manager)
    taken = await do(database, take_hold, TakeHold(second.id), by=colleague)

    assert (released.status, released.reason) == (Status.CANCELLED, "cancelled")
    assert (taken.status, taken.person_id) == (Status.CONFIRMED, colleague.person_id)
    assert (taken.held_until, taken.confirmed_at) == (None, clock.now())
    for gone in (first, second):
        with pytest.raises(ReservationNotInState):
            await do(database, take_hold, TakeHold(gone.id), by=manager)
        with pytest.raises(ReservationNotInState):
            await do(database, release_hold, ReleaseHold(gone.id, "again"), by=manager)


async def test_a_hold_is_no_request_and_a_lapsed_one_is_not_taken(
    database: Database, clock: SetClock
):
    manager, instrument_id = await staff_of_one(database)
    colleague = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=manager.organisation_id
    )
    held = await a_hold(database, instrument_id=instrument_id, actor=manager, lapses_minutes=60)

    with pytest.raises(ReservationNotInState):
        await do(database, approve_reservation, ApproveReservation(held.id), by=colleague)
    clock.set(clock_at(2, 8))
    with pytest.raises(HoldLapsed):
        await do(database, take_hold, TakeHold(held.id), by=manager)
    # No worker ran, and still it is in nobody's way.
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9.5, 11))


async def test_a_walk_up_begins_in_this_minute_and_is_checked_in(
    database: Database, clock: SetClock
):
    manager, instrument_id = await staff_of_one(database, notice_minutes=1440)
    await a_reservation(
        database,
        instrument_id=instrument_id,
        during=at_hours(0, 11, 13),
        actor=manager,
        override_reason="a course",
    )
    clock.set(clock_at(0, 9) + timedelta(minutes=7, seconds=20))

    asked = WalkUpAsked(instrument_id)
    offers = await do(database, walk_up_offers, asked, by=manager)
    command = WalkUp(instrument_id, 60, Purpose.OWN_RESEARCH)
    walked = await do(database, walk_up, command, by=manager)

    assert offers.minutes == (30, 60)
    assert walked.reservation.status is Status.IN_USE
    assert walked.reservation.starts_at == clock_at(0, 9) + timedelta(minutes=7)
    assert walked.reservation.during.minutes == 60
    assert walked.session.opened_at == clock.now()
    taken = await do(database, walk_up_offers, asked, by=manager)
    assert (taken.minutes, [reason.rule for reason in taken.reasons]) == ((), ["busy"])
    with pytest.raises(WalkUpRefused) as busy:
        await do(database, walk_up, command, by=manager)
    assert [reason.rule for reason in busy.value.reasons] == ["busy"]


async def test_a_walk_up_takes_what_is_offered_on_an_instrument_of_ones_own(database: Database):
    manager, instrument_id = await staff_of_one(database)
    stranger, _ = await staff_of_one(database)

    odd = WalkUp(instrument_id, 45, Purpose.OWN_RESEARCH)
    with pytest.raises(WalkUpRefused) as refused:
        await do(database, walk_up, odd, by=manager)
    with pytest.raises(InstrumentMissing):
        await do(database, walk_up, WalkUp(instrument_id, 30, Purpose.TEACHING), by=stranger)
    with pytest.raises(ExternalTimeIsOrdered):
        await do(database, walk_up, WalkUp(instrument_id, 30, Purpose.EXTERNAL), by=manager)

    assert refused.value.extras["possible_minutes"] == [30, 60, 120, 180, 240, 360, 480]


async def test_what_needs_approval_is_not_walked_up_to(database: Database):
    manager, instrument_id = await staff_of_one(database, needs_approval=True)

    offers = await do(database, walk_up_offers, WalkUpAsked(instrument_id), by=manager)
    with pytest.raises(WalkUpRefused):
        await do(database, walk_up, WalkUp(instrument_id, 30, Purpose.OWN_RESEARCH), by=manager)
    repair = WalkUp(instrument_id, 30, Purpose.MAINTENANCE)
    walked = await do(database, walk_up, repair, by=manager)

    assert (offers.minutes, [one.rule for one in offers.reasons]) == ((), ["approval"])
    assert walked.reservation.status is Status.IN_USE


async def test_a_closure_gives_back_what_was_reserved_in_it_free_of_charge_and_once(
    database: Database, clock: SetClock
):
    manager, instrument_id = await staff_of_one(database)
    hit = await a_reservation(database, instrument_id=instrument_id)
    held = await a_hold(
        database, instrument_id=instrument_id, actor=manager, during=at_hours(3, 9, 11)
    )
    upkeep = await a_reservation(
        database,
        instrument_id=instrument_id,
        during=at_hours(2, 14, 16),
        purpose=Purpose.MAINTENANCE,
    )
    beside = await a_reservation(database, instrument_id=instrument_id, during=at_hours(4, 9, 11))
    clock.set(clock_at(2, 0))
    await a_closure(database, instrument_id=instrument_id, during=at_hours(2, 8, 40))
    clock.set(clock_at(2, 1))
    on_purpose = await a_reservation(
        database,
        instrument_id=instrument_id,
        during=at_hours(2, 18, 20),
        actor=manager,
        override_reason="to try the repair",
    )

    await outbox.deliver_due(database, HANDLERS)
    await outbox.deliver_due(database, HANDLERS)

    statuses = {
        name: (await do(database, reservation, one.id)).status
        for name, one in {
            "hit": hit,
            "held": held,
            "upkeep": upkeep,
            "beside": beside,
            "on purpose": on_purpose,
        }.items()
    }
    assert statuses == {
        "hit": Status.CANCELLED,
        "held": Status.CANCELLED,
        "upkeep": Status.CONFIRMED,
        "beside": Status.CONFIRMED,
        "on purpose": Status.CONFIRMED,
    }
    events = await told(database, "ReservationCancelled")
    assert sorted(event["reservation_id"] for event in events) == [hit.id, held.id]
    assert {(one["by_provider"], one["late"], one["fee_basis_points"]) for one in events} == {
        (True, False, 0)
    }
    assert {event["reason"] for event in events} == {"The instrument is closed: new detector"}


async def test_an_instrument_that_is_withdrawn_gives_everything_back(database: Database):
    manager, instrument_id = await staff_of_one(database, seats=150)
    await a_reservation(database, instrument_id=instrument_id, seat=1)
    await do(database, on_every_seat, 101)
    gone = WithdrawInstrument(instrument_id, "worn out", disposed=True)
    await do(database, withdraw_instrument, gone, by=manager)

    await outbox.deliver_due(database, HANDLERS)

    events = await told(database, "ReservationCancelled")
    assert len(events) == 101
    assert events[0]["reason"] == "The instrument was disposed of."
    with pytest.raises(ReservationRefused):
        await a_reservation(database, instrument_id=instrument_id)
