"""From request to use: approve, reject, cancel, check in, check out."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.booking.errors import (
    CheckInRefused,
    RequestLapsed,
    ReservationNotInState,
    ReservationOverlaps,
    SecondPersonNeeded,
    SessionMinutesRefused,
    TooLateToCancel,
)
from marketplace.booking.queries import Purpose, Reservation, Status, reservation, session_of
from marketplace.booking.use_cases import (
    ApproveReservation,
    CancelReservation,
    CloseSession,
    OpenSession,
    RejectReservation,
    approve_reservation,
    cancel_reservation,
    close_session,
    open_session,
    reject_reservation,
)
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
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio


async def told(database: Database, name: str) -> list[dict[str, Any]]:
    """The payloads of the events called `name`."""

    async def ask(tx: Tx, _: None):
        return await tx.scalars(
            select(outbox_event.c.payload)
            .where(outbox_event.c.name == name)
            .order_by(outbox_event.c.id)
        )

    return list(await atomically(database, ask, None, actor=TEST))


async def now_of(database: Database, placed: Reservation) -> Reservation:
    return await atomically(database, reservation, placed.id, actor=TEST)


async def a_request(database: Database) -> tuple[Reservation, Actor]:
    """A request for Wednesday morning, and the manager who may answer it."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, needs_approval=True
    )
    return await a_reservation(database, instrument_id=instrument_id), manager


async def test_a_request_is_approved_by_the_provider(database: Database):
    asked, manager = await a_request(database)

    approved = await atomically(
        database, approve_reservation, ApproveReservation(asked.id), actor=manager
    )

    assert approved.status is Status.CONFIRMED
    assert approved.decided_by == manager.person_id
    assert [asked.id] == [
        event["reservation_id"] for event in await told(database, "ReservationConfirmed")
    ]


async def test_nobody_approves_or_rejects_their_own_request(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, needs_approval=True
    )
    own = await a_reservation(database, instrument_id=instrument_id, actor=manager)

    with pytest.raises(SecondPersonNeeded):
        await atomically(database, approve_reservation, ApproveReservation(own.id), actor=manager)
    with pytest.raises(SecondPersonNeeded):
        await atomically(
            database, reject_reservation, RejectReservation(own.id, "no"), actor=manager
        )


async def test_an_answer_that_comes_too_late_is_refused(database: Database, clock: SetClock):
    asked, manager = await a_request(database)
    clock.set(clock.now() + timedelta(minutes=30))

    with pytest.raises(RequestLapsed):
        await atomically(database, approve_reservation, ApproveReservation(asked.id), actor=manager)


async def test_a_rejected_time_is_free_at_once(database: Database):
    asked, manager = await a_request(database)

    rejected = await atomically(
        database, reject_reservation, RejectReservation(asked.id, "own course"), actor=manager
    )
    again = await a_reservation(database, instrument_id=asked.instrument_id)

    assert (rejected.status, rejected.reason) == (Status.REJECTED, "own course")
    assert again.status is Status.REQUESTED
    with pytest.raises(ReservationNotInState):
        await atomically(database, approve_reservation, ApproveReservation(asked.id), actor=manager)


async def test_another_providers_request_does_not_exist(database: Database):
    asked, _ = await a_request(database)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)

    with pytest.raises(Missing):
        await atomically(
            database, approve_reservation, ApproveReservation(asked.id), actor=stranger
        )


@pytest.mark.parametrize(
    ("hours_before", "by_provider", "closed", "status", "fee"),
    [
        (24, False, False, Status.CANCELLED, 0),
        (23, False, False, Status.LATE_CANCELLED, 5000),
        (23, True, False, Status.CANCELLED, 0),
        (23, False, True, Status.CANCELLED, 0),
    ],
)
async def test_a_late_cancel_costs_unless_the_provider_could_not_serve(
    database: Database,
    clock: SetClock,
    hours_before: int,
    by_provider: bool,
    closed: bool,
    status: Status,
    fee: int,
):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    if closed:
        await a_closure(database, instrument_id=instrument_id, during=at_hours(2, 10, 12))
    clock.set(placed.starts_at - timedelta(hours=hours_before))

    cancelled = await atomically(
        database,
        cancel_reservation,
        CancelReservation(placed.id, "samples not ready", by_provider=by_provider),
        actor=TEST,
    )

    assert (cancelled.reservation.status, cancelled.fee_basis_points) == (status, fee)
    assert cancelled.late == bool(fee)
    (event,) = await told(database, "ReservationCancelled")
    assert (event["late"], event["fee_basis_points"]) == (bool(fee), fee)


async def test_time_that_has_begun_is_cancelled_by_the_provider_only(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(placed.starts_at)

    with pytest.raises(TooLateToCancel):
        await atomically(
            database, cancel_reservation, CancelReservation(placed.id, "late"), actor=TEST
        )

    cancelled = await atomically(
        database, cancel_reservation, CancelReservation(placed.id, "x-ray off", True), actor=TEST
    )
    assert not cancelled.late


async def checked_in(database: Database, placed: Reservation) -> None:
    await atomically(database, open_session, OpenSession(placed.id), actor=TEST)


async def test_reserved_actual_and_billable_minutes_are_kept_apart(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(clock_at(2, 9.5))
    await checked_in(database, placed)
    clock.set(clock_at(2, 10.5))

    closed = await atomically(
        database, close_session, CloseSession(placed.id, 10, None, 5), actor=TEST
    )

    assert (closed.reserved_minutes, closed.actual_minutes, closed.billable_minutes) == (
        120,
        60,
        90,
    )
    assert (closed.preparation_minutes, closed.test_minutes, closed.post_minutes) == (10, 45, 5)
    assert (await now_of(database, placed)).status is Status.USED
    # The rest of the time is free at once.
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 11.5, 12))
    (event,) = await told(database, "SessionClosed")
    assert (event["billable_minutes"], event["problem"]) == (90, "")


async def test_a_session_is_opened_once_and_closed_once(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(placed.starts_at)
    with pytest.raises(ReservationNotInState):
        await atomically(database, close_session, CloseSession(placed.id), actor=TEST)
    await checked_in(database, placed)

    with pytest.raises(ReservationNotInState):
        await checked_in(database, placed)
    with pytest.raises(SessionMinutesRefused):
        await atomically(database, close_session, CloseSession(placed.id, 60), actor=TEST)
    await atomically(database, close_session, CloseSession(placed.id), actor=TEST)
    with pytest.raises(ReservationNotInState):
        await atomically(database, close_session, CloseSession(placed.id), actor=TEST)


async def test_an_early_start_takes_free_time_and_keeps_others_out_of_it(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database, notice_minutes=0, step_minutes=5)
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(placed.starts_at - timedelta(minutes=16))
    with pytest.raises(CheckInRefused):
        await checked_in(database, placed)
    clock.set(placed.starts_at - timedelta(minutes=15))

    await checked_in(database, placed)

    with pytest.raises(ReservationOverlaps):
        await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 8.75, 9.25))
    assert (await now_of(database, placed)).during == placed.during


async def test_an_early_start_into_somebody_elses_time_is_refused(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 7, 9))
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(placed.starts_at - timedelta(minutes=5))

    with pytest.raises(ReservationOverlaps):
        await checked_in(database, placed)

    assert (await now_of(database, placed)).status is Status.CONFIRMED


async def test_whose_time_has_come_does_not_wait_for_who_forgot_to_leave(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(database)
    first = await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 7, 9))
    second = await a_reservation(database, instrument_id=instrument_id)
    clock.set(first.starts_at)
    await checked_in(database, first)
    clock.set(clock_at(2, 9.25))

    await checked_in(database, second)

    async def sessions(tx: Tx, _: None):
        return await session_of(tx, first.id), await session_of(tx, second.id)

    left, opened = await atomically(database, sessions, None, actor=TEST)
    assert left is not None
    assert opened is not None
    assert (left.problem, left.actual_minutes, left.closed_at) == ("overrun", 120, first.ends_at)
    assert opened.closed_at is None


async def test_steps_are_taken_by_whoever_holds_the_row(database: Database, clock: SetClock):
    """Two people answer the same request at once: one answer counts."""
    import asyncio

    asked, manager = await a_request(database)

    answers = await asyncio.gather(
        atomically(database, approve_reservation, ApproveReservation(asked.id), actor=manager),
        atomically(database, reject_reservation, RejectReservation(asked.id, "no"), actor=manager),
        return_exceptions=True,
    )

    refused = [one for one in answers if isinstance(one, ReservationNotInState)]
    assert len(refused) <= 1
    final = (await now_of(database, asked)).status
    decided = [one.status for one in answers if isinstance(one, Reservation)]
    assert final is decided[0]
    assert len(decided) == 1


async def test_upkeep_is_never_a_request(database: Database):
    instrument_id = await a_bookable_instrument(database, needs_approval=True)

    placed = await a_reservation(database, instrument_id=instrument_id, purpose=Purpose.MAINTENANCE)

    assert placed.status is Status.CONFIRMED
