"""Another time for a reservation: the rules are asked again, its own old time aside."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.booking.errors import (
    EndRefused,
    HoldLapsed,
    MoveFeeNotAccepted,
    OverrideNotAllowed,
    RequestLapsed,
    ReservationChanged,
    ReservationNotInState,
    ReservationOverlaps,
    ReservationRefused,
    TooLateToMove,
)
from marketplace.booking.queries import Purpose, Reservation, Status, session_of
from marketplace.booking.use_cases import (
    CancelReservation,
    ExtendReservation,
    MoveReservation,
    OpenSession,
    PreviewExtension,
    PreviewMove,
    ShortenReservation,
    cancel_reservation,
    extend_reservation,
    move_reservation,
    open_session,
    preview_extension,
    preview_move,
    shorten_reservation,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.tables import outbox_event
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    a_rule,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio


async def do(database: Database, use_case: Any, command: Any, *, by: Actor = TEST) -> Any:
    return await atomically(database, use_case, command, actor=by)


async def told(database: Database, name: str) -> list[dict[str, Any]]:
    async def ask(tx: Tx, _: None):
        rows = select(outbox_event.c.payload).where(outbox_event.c.name == name)
        return await tx.scalars(rows.order_by(outbox_event.c.id))

    return list(await atomically(database, ask, None, actor=TEST))


async def a_customer(database: Database) -> Actor:
    return await an_actor(database, Role.BUYER)


async def ordered(
    database: Database, instrument_id: int, customer: Actor, **changes: Any
) -> Reservation:
    """What an order would reserve for a customer."""
    return await a_reservation(
        database,
        instrument_id=instrument_id,
        actor=customer,
        purpose=Purpose.EXTERNAL,
        **changes,
    )


async def test_a_moved_reservation_frees_its_old_time_and_tells_of_both(database: Database):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    # Half an hour later overlaps its own old time, which is in nobody's way.
    later = at_hours(2, 9.5, 11.5)

    moved = await do(database, move_reservation, MoveReservation(placed.id, later))

    assert (moved.during, moved.status, moved.revision) == (later, Status.CONFIRMED, 1)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 9.5))
    (event,) = await told(database, "ReservationMoved")
    assert event["before_starts_at"] == placed.starts_at.isoformat()
    assert event["starts_at"] == later.starts_at.isoformat()
    assert (event["reservation_id"], event["order_id"], event["revision"]) == (placed.id, 0, 1)
    # The same again changes nothing and tells nothing.
    again = await do(database, move_reservation, MoveReservation(placed.id, later))
    assert again.revision == 1
    assert len(await told(database, "ReservationMoved")) == 1


async def test_every_rule_is_asked_again_and_something_else_is_offered(database: Database):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 11, 13))

    with pytest.raises(ReservationOverlaps) as taken:
        await do(database, move_reservation, MoveReservation(placed.id, at_hours(2, 10, 12)))
    with pytest.raises(ReservationRefused) as refused:
        await do(database, move_reservation, MoveReservation(placed.id, at_hours(2, 10.1, 22)))

    assert taken.value.alternatives
    rules = [reason.rule for reason in refused.value.reasons]
    assert rules == ["step", "maximum", "busy"]
    preview = await do(database, preview_move, PreviewMove(placed.id, at_hours(2, 10.1, 22)))
    assert not preview.allowed
    assert [reason.rule for reason in preview.reasons] == rules
    assert await told(database, "ReservationMoved") == []


async def test_the_preview_says_what_the_move_then_does(database: Database):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    free = at_hours(3, 9, 11)

    preview = await do(database, preview_move, PreviewMove(placed.id, free))
    moved = await do(
        database,
        move_reservation,
        MoveReservation(placed.id, free, expected_revision=preview.revision),
    )

    assert (preview.allowed, preview.reasons, preview.fee_basis_points) == (True, (), 0)
    assert preview.status is moved.status
    with pytest.raises(ReservationChanged):
        await do(
            database,
            move_reservation,
            MoveReservation(placed.id, at_hours(4, 9, 11), expected_revision=preview.revision),
        )


async def test_a_customer_who_moves_late_agrees_to_the_fee_first(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    customer = await a_customer(database)
    placed = await ordered(database, instrument_id, customer)
    free = at_hours(4, 9, 11)
    clock.set(placed.starts_at - timedelta(minutes=1439))

    preview = await do(database, preview_move, PreviewMove(placed.id, free), by=customer)
    with pytest.raises(MoveFeeNotAccepted) as refused:
        await do(database, move_reservation, MoveReservation(placed.id, free), by=customer)
    # The provider pays nothing and charges nothing for what it asks for itself.
    for_provider = PreviewMove(placed.id, free, by_provider=True)
    assert (await do(database, preview_move, for_provider, by=customer)).fee_basis_points == 0

    assert preview.allowed
    assert preview.fee_basis_points == refused.value.extras["fee_basis_points"] == 2500
    moved = await do(
        database,
        move_reservation,
        MoveReservation(placed.id, free, fee_basis_points_accepted=2500),
        by=customer,
    )
    assert moved.during == free


async def test_no_fee_is_due_for_a_time_in_which_the_instrument_is_shut(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    customer = await a_customer(database)
    placed = await ordered(database, instrument_id, customer)
    await a_closure(database, instrument_id=instrument_id, during=at_hours(2, 8, 10))
    clock.set(placed.starts_at - timedelta(minutes=60))

    command = MoveReservation(placed.id, at_hours(4, 9, 11))
    moved = await do(database, move_reservation, command, by=customer)

    assert moved.during == at_hours(4, 9, 11)


async def test_a_customer_moves_before_the_start_and_the_provider_until_somebody_comes(
    database: Database, clock: SetClock
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    customer = await a_customer(database)
    placed = await ordered(database, instrument_id, customer)
    clock.set(placed.starts_at)
    later = at_hours(2, 14, 16)

    with pytest.raises(TooLateToMove):
        await do(database, move_reservation, MoveReservation(placed.id, later), by=customer)
    preview = await do(database, preview_move, PreviewMove(placed.id, later), by=customer)
    assert [reason.rule for reason in preview.reasons] == ["reservation-begun-no-move"]
    moved = await do(database, move_reservation, MoveReservation(placed.id, later), by=manager)
    assert moved.status is Status.CONFIRMED
    await do(database, cancel_reservation, CancelReservation(placed.id, "no sample", True))
    with pytest.raises(ReservationNotInState):
        await do(database, move_reservation, MoveReservation(placed.id, at_hours(3, 9, 11)))


async def test_a_confirmed_time_that_a_customer_moves_is_a_request_again(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    customer = await a_customer(database)
    placed = await ordered(database, instrument_id, customer)
    beside = await ordered(database, instrument_id, customer, during=at_hours(3, 9, 11))
    await a_rule(database, instrument_id=instrument_id, needs_approval=True)

    by_customer = MoveReservation(placed.id, at_hours(4, 9, 11))
    moved = await do(database, move_reservation, by_customer, by=customer)
    by_staff = MoveReservation(beside.id, at_hours(5, 9, 11))
    kept = await do(database, move_reservation, by_staff, by=manager)

    assert (moved.status, moved.confirmed_at) == (Status.REQUESTED, None)
    assert moved.held_until is not None
    assert kept.status is Status.CONFIRMED


async def test_what_lapsed_is_neither_moved_nor_in_the_way(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database, needs_approval=True)
    lapsed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(clock.now() + timedelta(minutes=31))
    other = await a_reservation(database, instrument_id=instrument_id, during=at_hours(3, 9, 11))

    with pytest.raises(RequestLapsed):
        await do(database, move_reservation, MoveReservation(lapsed.id, at_hours(4, 9, 11)))
    moved = await do(database, move_reservation, MoveReservation(other.id, lapsed.during))

    assert moved.during == lapsed.during
    assert len(await told(database, "ReservationExpired")) == 1


async def test_it_keeps_its_seat_where_that_is_free_and_takes_another_where_not(
    database: Database,
):
    instrument_id = await a_bookable_instrument(database, seats=2)
    placed = await a_reservation(database, instrument_id=instrument_id, seat=2)
    await a_reservation(database, instrument_id=instrument_id, seat=1, during=at_hours(3, 9, 11))
    await a_reservation(database, instrument_id=instrument_id, seat=2, during=at_hours(4, 9, 11))

    kept = await do(database, move_reservation, MoveReservation(placed.id, at_hours(3, 9, 11)))
    other = await do(database, move_reservation, MoveReservation(placed.id, at_hours(4, 9, 11)))

    assert (kept.seat, other.seat) == (2, 1)
    with pytest.raises(ReservationOverlaps):
        await do(database, move_reservation, MoveReservation(placed.id, at_hours(4, 9, 11), seat=2))
    with pytest.raises(ReservationRefused):
        await do(database, move_reservation, MoveReservation(placed.id, at_hours(5, 9, 11), seat=3))


async def test_staff_set_rules_aside_for_a_move_and_say_why(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    placed = await a_reservation(database, instrument_id=instrument_id, actor=manager)
    odd = at_hours(2, 9.1, 11.1)
    stranger = await a_customer(database)

    with pytest.raises(ReservationRefused):
        await do(database, move_reservation, MoveReservation(placed.id, odd), by=manager)
    command = MoveReservation(placed.id, odd, override_reason="please")
    with pytest.raises(OverrideNotAllowed):
        await do(database, move_reservation, command, by=stranger)
    command = MoveReservation(placed.id, odd, override_reason="the sample is warm")
    moved = await do(database, move_reservation, command, by=manager)

    assert (moved.during, moved.override_reason) == (odd, "the sample is warm")


async def test_it_extends_to_the_next_reservation_and_says_how_far_that_is(database: Database):
    instrument_id = await a_bookable_instrument(database, after_minutes=15)
    placed = await a_reservation(database, instrument_id=instrument_id)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 13, 14))

    too_far = ExtendReservation(placed.id, at_hours(2, 9, 13).ends_at)
    with pytest.raises(EndRefused) as refused:
        await do(database, extend_reservation, too_far)
    until = refused.value.extras["possible_until"]
    asked = PreviewExtension(placed.id, at_hours(2, 9, 14).ends_at)
    preview = await do(database, preview_extension, asked)
    extended = await do(database, extend_reservation, ExtendReservation(placed.id, until))

    assert [reason.rule for reason in refused.value.reasons] == ["busy"]
    assert until == preview.possible_until == at_hours(2, 9, 12.5).ends_at
    assert extended.during == at_hours(2, 9, 12.5)
    with pytest.raises(EndRefused):
        await do(database, extend_reservation, ExtendReservation(placed.id, placed.ends_at))
    earlier = await do(database, preview_extension, PreviewExtension(placed.id, placed.ends_at))
    assert [reason.rule for reason in earlier.reasons] == ["later"]


async def test_it_extends_while_it_is_used_and_not_when_its_time_is_over(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database, notice_minutes=1440)
    placed = await a_reservation(database, instrument_id=instrument_id)
    # An early start blocks the time from then on, and an extension does not give that up.
    clock.set(placed.starts_at - timedelta(minutes=5))
    await do(database, open_session, OpenSession(placed.id))
    clock.set(clock_at(2, 10))

    longer = ExtendReservation(placed.id, at_hours(2, 9, 12).ends_at)
    extended = await do(database, extend_reservation, longer)

    assert (extended.status, extended.during) == (Status.IN_USE, at_hours(2, 9, 12))
    session = await do(database, session_of, placed.id)
    assert session.reserved_minutes == 180
    with pytest.raises(ReservationNotInState):
        await do(database, move_reservation, MoveReservation(placed.id, at_hours(3, 9, 11)))
    clock.set(extended.ends_at)
    over = ExtendReservation(placed.id, at_hours(2, 9, 13).ends_at)
    with pytest.raises(EndRefused):
        await do(database, extend_reservation, over)
    over_preview = PreviewExtension(placed.id, at_hours(2, 9, 13).ends_at)
    preview = await do(database, preview_extension, over_preview)
    assert not preview.allowed


async def test_it_ends_earlier_and_the_rest_is_free(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)

    shorter = ShortenReservation(placed.id, at_hours(2, 9, 10).ends_at)
    assert (await do(database, shorten_reservation, shorter)).during == at_hours(2, 9, 10)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 10, 11))

    for ends_at in (placed.starts_at, placed.ends_at, clock_at(2, 9.25)):
        with pytest.raises(EndRefused):
            await do(database, shorten_reservation, ShortenReservation(placed.id, ends_at))
    clock.set(clock_at(2, 9.75))
    in_the_past = ShortenReservation(placed.id, clock_at(2, 9.5))
    with pytest.raises(EndRefused):
        await do(database, shorten_reservation, in_the_past)


async def test_a_hold_moves_with_its_deadline(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database)
    held = await a_reservation(database, instrument_id=instrument_id, held_until=clock_at(2, 8))

    later = await do(database, move_reservation, MoveReservation(held.id, at_hours(4, 9, 11)))
    earlier = await do(database, move_reservation, MoveReservation(held.id, at_hours(1, 9, 11)))

    assert (held.status, later.status) == (Status.HELD, Status.HELD)
    assert (later.held_until, earlier.held_until) == (clock_at(2, 8), clock_at(1, 9))
    clock.set(clock_at(1, 9))
    with pytest.raises(HoldLapsed):
        await do(database, move_reservation, MoveReservation(held.id, at_hours(4, 9, 11)))
