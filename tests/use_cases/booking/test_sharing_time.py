"""Time that is shared: two services of one machine, a floor for others, holds, offers, siblings."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from marketplace.booking.errors import (
    BookingRuleRefused,
    CalendarInUse,
    ReservationOverlaps,
    ReservationRefused,
)
from marketplace.booking.queries import (
    Purpose,
    Reservation,
    Status,
    UserClass,
    Window,
    availability,
    reservation,
)
from marketplace.booking.queries.hits import HitsAsked, hits
from marketplace.booking.use_cases import (
    PlaceReservation,
    ReserveOwnTime,
    SetBookingRule,
    place_reservation,
    reserve_own_time,
    set_booking_rule,
)
from marketplace.catalogue.queries import OpeningHours
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.tables import audit_event, outbox_event
from marketplace.kernel.time import During, SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TERMS,
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import a_person, a_provider, an_actor

pytestmark = pytest.mark.asyncio

OFFICE = tuple(OpeningHours(weekday, 8 * 60, 18 * 60) for weekday in range(5))
MORNING = at_hours(2, 9, 11)


async def sql(database: Database, statement: str, **values: Any) -> None:
    async def run(tx: Tx, _: None) -> None:
        await tx.execute(text(statement), values)

    await atomically(database, run, None, actor=TEST)


async def now(database: Database, reservation_id: int) -> Reservation:
    return await atomically(database, reservation, reservation_id, actor=TEST)


async def events_of(database: Database, name: str) -> list[int]:
    async def read(tx: Tx, _: None) -> list[int]:
        payloads = select(outbox_event.c.payload).where(outbox_event.c.name == name)
        return [one["reservation_id"] for one in await tx.scalars(payloads)]

    return await atomically(database, read, None, actor=TEST)


# ── One machine, two services ─────────────────────────────────────────────────────────────────────


async def two_services(database: Database, **terms: Any) -> tuple[int, int]:
    provider_id = await a_provider(database)
    first = await a_bookable_instrument(database, provider_id=provider_id, seats=1)
    second = await a_bookable_instrument(
        database, provider_id=provider_id, calendar_id=first, **terms
    )
    return first, second


async def test_two_services_of_one_machine_never_overlap_whichever_comes_first(
    database: Database,
):
    first, second = await two_services(database, after_minutes=60)

    placed = await a_reservation(database, instrument_id=second, during=MORNING)
    with pytest.raises(ReservationOverlaps) as refused:
        # The hour of cleaning after the second service keeps the first out as well.
        await a_reservation(database, instrument_id=first, during=at_hours(2, 11, 13))
    await a_reservation(database, instrument_id=first, during=at_hours(2, 12, 13))
    with pytest.raises(ReservationOverlaps):
        # Its own hour of cleaning would run into what stands.
        await a_reservation(database, instrument_id=second, during=at_hours(2, 11, 12))
    await a_reservation(database, instrument_id=second, during=at_hours(2, 13, 14))

    assert placed.calendar_id == first
    assert refused.value.alternatives[0]["starts_at"] == clock_at(2, 12)
    for instrument_id in (first, second):
        window = Window(instrument_id, at_hours(2, 9, 11))
        found = await atomically(database, availability, window, actor=TEST)
        assert [one.reason for one in found.busy] == ["reserved"]


async def test_a_closure_of_either_service_shuts_the_machine(database: Database):
    first, second = await two_services(database)
    await a_closure(database, instrument_id=first, during=MORNING)
    await a_closure(database, instrument_id=second, during=at_hours(3, 9, 11))
    one = await a_reservation(database, instrument_id=first, during=at_hours(4, 9, 11))

    for instrument_id in (first, second):
        for during in (MORNING, at_hours(3, 9, 11)):
            with pytest.raises(ReservationRefused) as refused:
                await a_reservation(database, instrument_id=instrument_id, during=during)
            assert [reason.rule for reason in refused.value.reasons] == ["closed"]
    hit = await atomically(database, hits, HitsAsked(second, closed=at_hours(4, 8, 18)), actor=TEST)
    assert [found.id for found in hit.reservations] == [one.id]


async def test_a_calendar_is_left_only_when_no_reservation_stands_in_it(
    database: Database, clock: SetClock
):
    first, second = await two_services(database)
    placed = await a_reservation(database, instrument_id=second, during=MORNING)
    own_again = SetBookingRule(second, TERMS)

    with pytest.raises(CalendarInUse) as refused:
        await atomically(database, set_booking_rule, own_again, actor=TEST)
    await sql(
        database,
        "update reservation set status = 'cancelled', ended_at = now() where id = :id",
        id=placed.id,
    )
    await atomically(database, set_booking_rule, own_again, actor=TEST)
    left = await a_reservation(database, instrument_id=second, during=MORNING)
    await a_reservation(database, instrument_id=first, during=MORNING)

    assert refused.value.extras["standing"] == 1
    assert left.calendar_id == second


async def test_a_calendar_that_others_share_keeps_its_seats_and_shares_no_other(
    database: Database,
):
    provider_id = await a_provider(database)
    first = await a_bookable_instrument(database, provider_id=provider_id, seats=2)
    second = await a_bookable_instrument(
        database, provider_id=provider_id, seats=2, calendar_id=first
    )
    other = await a_bookable_instrument(database, provider_id=provider_id, seats=2)
    strange = await a_bookable_instrument(database, seats=2)

    for instrument_id, terms, rule in (
        (first, {"seats": 3}, "calendar-seats"),
        (first, {"seats": 2, "calendar_id": other}, "calendar-shared"),
        (other, {"seats": 2, "calendar_id": second}, "calendar-shares"),
        (other, {"seats": 3, "calendar_id": first}, "calendar-seats"),
        (other, {"seats": 2, "calendar_id": strange}, "calendar-missing"),
        (other, {"seats": 2, "calendar_id": other}, "calendar-itself"),
        (other, {"seats": 2, "calendar_id": 10**9}, "calendar-missing"),
    ):
        with pytest.raises(BookingRuleRefused) as refused:
            await a_rule(database, instrument_id, **terms)
        assert [reason.rule for reason in refused.value.reasons] == [rule]
    await a_rule(database, other, seats=2, calendar_id=first)


async def a_rule(database: Database, instrument_id: int, **terms: Any) -> None:
    command = SetBookingRule(instrument_id, replace(TERMS, **terms))
    await atomically(database, set_booking_rule, command, actor=TEST)


# ── A floor for outside users ─────────────────────────────────────────────────────────────────────


async def test_the_own_unit_leaves_the_floor_to_others_and_staff_may_set_it_aside(
    database: Database, clock: SetClock
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    # Ten hours on each of five days; the own unit may take all but ten of the fifty.
    instrument_id = await a_bookable_instrument(
        database,
        provider_id=manager.organisation_id,
        hours=OFFICE,
        maximum_minutes=600,
        outside_floor_minutes=600,
        outside_floor_lapses_minutes=1440,
    )
    for day in range(7, 11):
        await a_reservation(database, instrument_id=instrument_id, during=at_hours(day, 8, 18))
    friday = at_hours(11, 9, 11)
    asked: dict[str, Any] = {"instrument_id": instrument_id, "during": friday}

    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(database, **asked)
    (reason,) = refused.value.reasons
    assert (reason.rule, reason.limit, reason.asked) == ("outside-floor", 2400, 2520)
    assert refused.value.alternatives[0]["starts_at"] == clock_at(14, 8)
    found = await atomically(
        database, availability, Window(instrument_id, at_hours(11, 8, 18)), actor=manager
    )
    assert [one.reason for one in found.busy] == ["outside-floor"]
    (week,) = found.floors
    assert (week.own_minutes, week.kept_minutes, week.own_left) == (2400, 600, 0)

    overridden = ReserveOwnTime(
        instrument_id, friday, Purpose.TEACHING, override_reason="the exam was moved"
    )
    await atomically(database, reserve_own_time, overridden, actor=manager)
    await a_reservation(
        database,
        instrument_id=instrument_id,
        during=at_hours(11, 11, 13),
        purpose=Purpose.MAINTENANCE,
    )
    await a_reservation(
        database,
        instrument_id=instrument_id,
        during=at_hours(11, 13, 15),
        purpose=Purpose.EXTERNAL,
    )
    clock.set(friday.starts_at - timedelta(hours=18))
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(11, 15, 17))

    async def rules(tx: Tx, _: None) -> list[Any]:
        facts = select(audit_event.c.facts).where(audit_event.c.action == "override")
        return [one["rules"] for one in await tx.scalars(facts)]

    assert await atomically(database, rules, None, actor=TEST) == [["outside-floor"]]


# ── What lapsed, what was offered ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", ["held", "offered", "requested"])
@pytest.mark.parametrize("seats", [1, 2])
async def test_what_lapsed_is_in_nobodys_way_though_no_worker_ran(
    database: Database, clock: SetClock, status: str, seats: int
):
    instrument_id = await a_bookable_instrument(database, seats=seats)
    lapsing = [
        await a_reservation(database, instrument_id=instrument_id, during=MORNING)
        for _ in range(seats)
    ]
    await sql(
        database,
        "update reservation set status = :status, confirmed_at = null, held_until = :until",
        status=status,
        until=clock_at(0, 12),
    )
    asked: dict[str, Any] = {"instrument_id": instrument_id, "during": at_hours(2, 10, 12)}

    with pytest.raises(ReservationOverlaps) as refused:
        await a_reservation(database, **asked)
    assert refused.value.reasons[0].limit == clock_at(0, 12)
    clock.set(clock_at(0, 12))
    found = await atomically(database, availability, Window(instrument_id, MORNING), actor=TEST)
    placed = await a_reservation(database, **asked)

    assert found.free == (MORNING,)
    assert placed.status is Status.CONFIRMED
    assert sorted(await events_of(database, "ReservationExpired")) == [one.id for one in lapsing]
    ended = await now(database, lapsing[0].id)
    assert (ended.status, ended.ended_at, ended.revision) == (Status.EXPIRED, clock.now(), 1)


async def an_offer(database: Database, instrument_id: int, **changes: Any) -> Reservation:
    """A freed time, kept for an organisation until noon."""
    placed = await a_reservation(database, instrument_id=instrument_id, during=MORNING, **changes)
    await sql(
        database,
        "update reservation set status = 'offered', confirmed_at = null, held_until = :until"
        " where id = :id",
        until=clock_at(0, 12),
        id=placed.id,
    )
    return placed


@pytest.mark.parametrize("needs_approval", [False, True])
async def test_who_was_offered_a_freed_time_takes_it_over(database: Database, needs_approval: bool):
    instrument_id = await a_bookable_instrument(database, needs_approval=needs_approval)
    buyer = await an_actor(database, Role.BUYER)
    waiting: dict[str, Any] = {
        "organisation_id": buyer.organisation_id,
        "purpose": Purpose.EXTERNAL,
    }
    offered = await an_offer(database, instrument_id, **waiting)
    person_id = await a_person(database)

    for during, changes in (
        (MORNING, {"organisation_id": 1}),
        (at_hours(2, 9, 10.5), {}),
        (at_hours(2, 9, 11.5), {}),
    ):
        with pytest.raises(ReservationOverlaps):
            await a_reservation(
                database, instrument_id=instrument_id, during=during, **(waiting | changes)
            )
    taken = await a_reservation(
        database,
        instrument_id=instrument_id,
        during=MORNING,
        person_id=person_id,
        user_class=UserClass.ACADEMIC,
        **waiting,
    )

    assert taken == await now(database, offered.id)
    assert taken.status is (Status.REQUESTED if needs_approval else Status.CONFIRMED)
    assert (taken.person_id, taken.user_class, taken.revision) == (
        person_id,
        UserClass.ACADEMIC,
        1,
    )
    assert (taken.held_until == clock_at(0, 9.5)) is needs_approval
    assert await events_of(database, "ReservationPlaced") == [offered.id, offered.id]


async def test_an_offer_that_lapsed_is_nobodys(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database)
    offered = await an_offer(database, instrument_id)
    clock.set(clock_at(0, 12))

    placed = await a_reservation(database, instrument_id=instrument_id, during=MORNING)

    assert placed.id != offered.id
    assert (await now(database, offered.id)).status is Status.EXPIRED


# ── What else there is ────────────────────────────────────────────────────────────────────────────


async def test_a_shorter_time_and_instruments_near_by_are_offered_instead(database: Database):
    provider_id = await a_provider(database)
    taken = await a_bookable_instrument(database, provider_id=provider_id)
    twin = await a_bookable_instrument(database, provider_id=provider_id)
    near = [await a_bookable_instrument(database) for _ in range(4)]
    busy = near.pop(0)
    await a_bookable_instrument(database, content={"category_code": "010101"})
    await a_bookable_instrument(database, content={"share_mode": "internal"})
    asked = at_hours(2, 9, 13)
    await a_reservation(database, instrument_id=busy, during=at_hours(2, 12, 14))
    await a_reservation(database, instrument_id=taken, during=at_hours(2, 12, 13))

    with pytest.raises(ReservationOverlaps) as refused:
        await a_reservation(database, instrument_id=taken, during=asked, purpose=Purpose.EXTERNAL)

    offered = refused.value.alternatives
    assert [one["kind"] for one in offered] == ["shorter", *["slot"] * 3, *["sibling"] * 3]
    assert (offered[0]["starts_at"], offered[0]["ends_at"]) == (clock_at(2, 9), clock_at(2, 12))
    siblings = [one for one in offered if one["kind"] == "sibling"]
    assert [one["instrument_id"] for one in siblings] == [twin, *near[:2]]
    assert {(one["starts_at"], one["ends_at"]) for one in siblings} == {
        (asked.starts_at, asked.ends_at)
    }
    assert siblings[0]["name"] == "场发射扫描电子显微镜"


async def test_saying_no_costs_as_many_statements_with_many_instruments_near_by(
    database: Database,
):
    taken = await a_bookable_instrument(database)
    await a_reservation(database, instrument_id=taken, during=MORNING)

    async def statements() -> int:
        seen: list[str] = []

        async def counted(tx: Tx, command: PlaceReservation) -> None:
            (await tx.raw()).add_query_logger(lambda query: seen.append(query.query))
            await place_reservation(tx, command)

        command = PlaceReservation(taken, MORNING, Purpose.TEACHING, 1, 1)
        with pytest.raises(ReservationOverlaps):
            await atomically(database, counted, command, actor=TEST)
        return len([query for query in seen if "SELECT" in query.upper()])

    await a_bookable_instrument(database)
    with_one = await statements()
    for _ in range(5):
        await a_bookable_instrument(database)

    assert await statements() == with_one


async def test_a_time_far_beyond_every_rule_looks_for_no_floor_and_no_sibling(database: Database):
    instrument_id = await a_bookable_instrument(database, outside_floor_minutes=600)
    await a_bookable_instrument(database)
    years = During(clock_at(2, 9), clock_at(2000, 9))

    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(database, instrument_id=instrument_id, during=years)

    assert [reason.rule for reason in refused.value.reasons] == ["maximum"]
    assert "sibling" not in {one["kind"] for one in refused.value.alternatives}
