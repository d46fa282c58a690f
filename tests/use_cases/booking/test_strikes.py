"""Strikes, suspensions and appeals, from reservations that ended badly."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from marketplace.booking import queries
from marketplace.booking.errors import (
    AppealDecided,
    AppealSecondPerson,
    AppealTooLate,
    ReservationRefused,
    StrikeAlreadyAppealed,
    StrikeAlreadyWaived,
    StrikeSecondPerson,
    SuspensionOverlaps,
    WaitingRefused,
)
from marketplace.booking.queries import Purpose, StrikeSearch, SuspensionSearch
from marketplace.booking.rules.strikes import AppealStatus, StrikeKind
from marketplace.booking.tables import suspension
from marketplace.booking.use_cases import (
    AppealStrike,
    CancelReservation,
    DecideAppeal,
    JudgeReservations,
    WaiveStrike,
    appeal_strike,
    cancel_reservation,
    decide_appeal,
    judge_reservations,
    waive_strike,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import GrantRole, grant_role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    at_hours,
)
from tests.builders.parties import an_actor
from tests.builders.waiting import (
    RUN,
    a_missed_reservation,
    a_used_reservation,
    an_entry,
    give_back,
    hear,
)

pytestmark = pytest.mark.asyncio

REASON = "the train was late"


async def strikes_of(database: Database, actor: Actor, **search):
    found = await atomically(database, queries.strikes, StrikeSearch(**search), actor=actor)
    return found.strikes


async def suspensions_of(database: Database, actor: Actor, **search):
    asked = SuspensionSearch(**search)
    return (await atomically(database, queries.suspensions, asked, actor=actor)).suspensions


def of(actor: Actor) -> dict[str, Any]:
    return {
        "organisation_id": actor.organisation_id,
        "person_id": actor.person_id,
        "purpose": Purpose.EXTERNAL,
    }


async def missed(
    database: Database, clock: SetClock, buyer: Actor, *, days: tuple[int, ...], **instrument
) -> int:
    """Somebody who did not come on these days, all on one instrument; which one."""
    instrument_id = await a_bookable_instrument(database, **instrument)
    for day in days:
        await a_missed_reservation(
            database,
            clock,
            instrument_id=instrument_id,
            during=at_hours(day, 9, 11),
            **of(buyer),
        )
        await hear(database)
    return instrument_id


async def test_three_times_not_come_suspends_on_every_instrument(
    database: Database, clock: SetClock
):
    buyer = await an_actor(database, Role.BUYER)
    await missed(database, clock, buyer, days=(1, 2))
    assert await suspensions_of(database, buyer) == []
    assert await RUN["sweep_strikes"](database) == 0

    instrument_id = await missed(database, clock, buyer, days=(3,))

    given = await strikes_of(database, buyer)
    assert [one.kind for one in given] == [StrikeKind.NO_SHOW] * 3
    (suspended,) = await suspensions_of(database, buyer)
    assert suspended.ends_at == given[0].given_at + timedelta(days=30)
    other_id = await a_bookable_instrument(database)
    for each in (instrument_id, other_id):
        with pytest.raises(ReservationRefused) as refusal:
            await a_reservation(
                database, instrument_id=each, during=at_hours(5, 9, 11), **of(buyer)
            )
        assert [reason.rule for reason in refusal.value.reasons] == ["suspended"]
    with pytest.raises(WaitingRefused):
        await an_entry(database, instrument_id=other_id, actor=buyer, during=at_hours(9, 0, 24))

    clock.set(suspended.ends_at - timedelta(minutes=1))
    later = at_hours(50, 9, 11)
    with pytest.raises(ReservationRefused):
        await a_reservation(database, instrument_id=other_id, during=later, **of(buyer))
    clock.set(suspended.ends_at)
    await a_reservation(database, instrument_id=other_id, during=later, **of(buyer))
    assert await suspensions_of(database, buyer, valid=True) == []


async def test_late_cancellation_waste_and_overrun_give_strikes(
    database: Database, clock: SetClock
):
    buyer = await an_actor(database, Role.BUYER)
    instrument_id = await a_bookable_instrument(database)
    late = await a_reservation(
        database, instrument_id=instrument_id, during=at_hours(1, 8, 9), **of(buyer)
    )
    cancel = CancelReservation(late.id, "changed plans")
    await atomically(database, cancel_reservation, cancel, actor=buyer)
    await a_used_reservation(
        database,
        clock,
        instrument_id=instrument_id,
        during=at_hours(1, 9, 13),
        minutes=60,
        **of(buyer),
    )
    await hear(database)

    given = await strikes_of(database, buyer)

    assert [one.kind for one in given] == [StrikeKind.WASTE, StrikeKind.LATE_CANCEL]
    assert given[0].why == "Reserved 240 minutes and used 60 of them."
    wasted = await strikes_of(database, buyer, kind=StrikeKind.WASTE, person_id=buyer.person_id)
    assert [one.id for one in wasted] == [given[0].id]


async def test_no_strike_where_the_provider_is_to_blame_or_for_upkeep(
    database: Database, clock: SetClock
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    buyer = await an_actor(database, Role.BUYER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    taken_back = await a_reservation(
        database, instrument_id=instrument_id, during=at_hours(1, 8, 9), **of(buyer)
    )
    await give_back(database, taken_back)
    upkeep = of(manager) | {"purpose": Purpose.MAINTENANCE}
    await a_used_reservation(
        database,
        clock,
        instrument_id=instrument_id,
        during=at_hours(1, 9, 17),
        minutes=30,
        **upkeep,
    )
    down = at_hours(2, 9, 11)
    placed = await a_reservation(database, instrument_id=instrument_id, during=down, **of(buyer))
    await a_missed_reservation(
        database, clock, instrument_id=instrument_id, during=at_hours(2, 12, 13), **of(buyer)
    )
    # Said only after it was counted as a no-show: nobody came because nothing worked.
    await a_closure(database, instrument_id=instrument_id, during=at_hours(2, 8, 14))
    await hear(database)

    assert placed.during == down
    assert await strikes_of(database, TEST_AUDITOR) == []


TEST_AUDITOR = Actor(1, 1, "regulator", frozenset({Role.AUDITOR}))


async def test_a_strike_that_no_event_gave_is_given_by_the_sweep_and_once(
    database: Database, clock: SetClock
):
    buyer = await an_actor(database, Role.BUYER)
    await RUN["sweep_strikes"](database)
    instrument_id = await a_bookable_instrument(database, seats=120)
    during = at_hours(1, 9, 11)
    for _ in range(119):
        await a_reservation(
            database, instrument_id=instrument_id, during=during, person_id=TEST.person_id
        )
    await a_missed_reservation(
        database, clock, instrument_id=instrument_id, during=during, **of(buyer)
    )
    clock.set(clock.now() + timedelta(minutes=61))

    swept = [await RUN["sweep_strikes"](database) for _ in range(2)]
    await hear(database)

    # Those of the platform itself are looked at, and blame nobody.
    assert swept == [120, 0]
    assert len(await strikes_of(database, TEST_AUDITOR)) == 1


async def test_an_upheld_appeal_lifts_the_suspension_that_stood_on_the_strike(
    database: Database, clock: SetClock
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    leader = await an_actor(database, Role.SME_ADMINISTRATOR)
    buyer = await an_actor(database, Role.BUYER, organisation_id=leader.organisation_id)
    colleague = await an_actor(database, Role.BUYER, organisation_id=leader.organisation_id)
    centre = await an_actor(database, Role.ADMINISTRATOR)
    await missed(database, clock, buyer, days=(1, 2, 3), provider_id=manager.organisation_id)
    third, second, first = await strikes_of(database, leader)
    assert [len(await suspensions_of(database, who)) for who in (buyer, leader, manager, centre)]
    assert await strikes_of(database, colleague) == []
    assert await suspensions_of(database, colleague) == []

    ask = AppealStrike(third.id, REASON)
    with pytest.raises(Missing):
        await atomically(database, appeal_strike, ask, actor=colleague)
    with pytest.raises(Missing):
        await atomically(database, appeal_strike, ask, actor=manager)
    filed = await atomically(database, appeal_strike, ask, actor=leader)
    with pytest.raises(StrikeAlreadyAppealed):
        await atomically(database, appeal_strike, ask, actor=buyer)
    assert [one.id for one in await strikes_of(database, centre, appeal=AppealStatus.OPEN)] == [
        third.id
    ]
    decide = DecideAppeal(filed.id, upheld=True, reason="the line was closed")
    decided = await atomically(database, decide_appeal, decide, actor=centre)

    assert (decided.status, decided.decided_by) == (AppealStatus.UPHELD, centre.person_id)
    (lifted,) = await suspensions_of(database, buyer)
    assert lifted.lifted_at == clock.now()
    assert [one.id for one in await strikes_of(database, buyer, valid=True)] == [
        second.id,
        first.id,
    ]
    with pytest.raises(AppealDecided):
        await atomically(database, decide_appeal, decide, actor=centre)
    with pytest.raises(StrikeAlreadyWaived):
        await atomically(database, waive_strike, WaiveStrike(third.id, REASON), actor=manager)
    with pytest.raises(StrikeAlreadyWaived):
        await atomically(database, appeal_strike, ask, actor=buyer)


async def test_a_rejected_appeal_leaves_the_strike_and_who_belongs_to_a_side_decides_nothing(
    database: Database, clock: SetClock
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    buyer = await an_actor(database, Role.BUYER)
    centre = await an_actor(database, Role.ADMINISTRATOR)
    partial = await an_actor(database, Role.ADMINISTRATOR, organisation_id=centre.organisation_id)
    belongs = GrantRole(partial.person_id, manager.organisation_id, Role.TECHNICIAN)
    await atomically(database, grant_role, belongs, actor=TEST)
    await missed(database, clock, buyer, days=(1,), provider_id=manager.organisation_id)
    (given,) = await strikes_of(database, buyer)
    ask = AppealStrike(given.id, REASON)
    filed = await atomically(database, appeal_strike, ask, actor=buyer)
    decide = DecideAppeal(filed.id, upheld=False, reason="trains are late")

    for somebody in (partial, buyer):
        with pytest.raises(AppealSecondPerson):
            await atomically(database, decide_appeal, decide, actor=somebody)
    stranger = await an_actor(database, Role.BUYER)
    with pytest.raises(Missing):
        await atomically(database, decide_appeal, decide, actor=stranger)
    await atomically(database, decide_appeal, decide, actor=centre)

    (stands,) = await strikes_of(database, buyer)
    assert (stands.waived_at, stands.appeal_status) == (None, AppealStatus.REJECTED)


async def test_the_last_day_of_an_appeal_is_kept(database: Database, clock: SetClock):
    buyer = await an_actor(database, Role.BUYER)
    await missed(database, clock, buyer, days=(1, 2))
    second, first = await strikes_of(database, buyer)

    clock.set(first.noted_at + timedelta(days=14, seconds=1))

    with pytest.raises(AppealTooLate):
        await atomically(database, appeal_strike, AppealStrike(first.id, REASON), actor=buyer)
    clock.set(second.noted_at + timedelta(days=14))
    await atomically(database, appeal_strike, AppealStrike(second.id, REASON), actor=buyer)


async def test_staff_waive_strikes_on_their_own_instruments_but_never_their_own(
    database: Database, clock: SetClock
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    colleague = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=manager.organisation_id
    )
    other = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    for day in (1, 2, 3):
        await a_missed_reservation(
            database,
            clock,
            instrument_id=instrument_id,
            during=at_hours(day, 9, 11),
            **(of(manager) | {"purpose": Purpose.OWN_RESEARCH}),
        )
        await hear(database)
    third, second, first = await strikes_of(database, manager)
    waive = WaiveStrike(first.id, REASON)

    with pytest.raises(StrikeSecondPerson):
        await atomically(database, waive_strike, waive, actor=manager)
    with pytest.raises(Missing):
        await atomically(database, waive_strike, waive, actor=other)
    waived = await atomically(database, waive_strike, waive, actor=colleague)
    with pytest.raises(StrikeAlreadyWaived):
        await atomically(database, waive_strike, waive, actor=colleague)

    assert (waived.waived_by, waived.waived_because) == (colleague.person_id, REASON)
    assert await suspensions_of(database, manager, valid=True) == []
    assert len(await suspensions_of(database, manager, valid=False)) == 1
    await atomically(
        database, judge_reservations, JudgeReservations((first.reservation_id,)), actor=TEST
    )
    assert {third.id, second.id} == {
        one.id for one in await strikes_of(database, manager, valid=True)
    }


async def test_a_waived_strike_shortens_a_suspension_that_others_still_carry(
    database: Database, clock: SetClock
):
    """Four strikes; the fourth lengthened the suspension, and without it the third's end holds."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    buyer = await an_actor(database, Role.BUYER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    placed = [
        await a_reservation(
            database, instrument_id=instrument_id, during=at_hours(day, 9, 11), **of(buyer)
        )
        for day in (1, 2, 3, 9)
    ]
    for one in placed:
        clock.set(one.starts_at + timedelta(hours=1))
        await RUN["mark_no_shows"](database)
        await hear(database)
    fourth, third, *_ = await strikes_of(database, buyer)
    (long,) = await suspensions_of(database, buyer)

    await atomically(database, waive_strike, WaiveStrike(fourth.id, REASON), actor=manager)

    (short,) = await suspensions_of(database, buyer)
    assert long.ends_at == fourth.given_at + timedelta(days=30)
    assert (short.id, short.ends_at) == (long.id, third.given_at + timedelta(days=30))
    told = "select count(*) from outbox_event where name = 'PersonSuspended'"

    async def ask(tx: Tx, _: None):
        return await tx.scalar(text(told))

    assert await atomically(database, ask, None, actor=TEST) == 3


async def test_postgresql_itself_keeps_one_suspension_for_a_person(database: Database):
    buyer = await an_actor(database, Role.BUYER)

    async def twice(tx: Tx, _: None) -> None:
        for day in (0, 1):
            await tx.execute(
                insert(suspension).values(
                    person_id=buyer.person_id,
                    organisation_id=buyer.organisation_id,
                    starts_at=tx.now + timedelta(days=day),
                    ends_at=tx.now + timedelta(days=30 + day),
                )
            )

    with pytest.raises(SuspensionOverlaps):
        await atomically(database, twice, None, actor=TEST)
