"""What stands against somebody: asked in one statement, and in two where a quota limits them."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert

from marketplace.booking.errors import ReservationRefused
from marketplace.booking.queries import Purpose
from marketplace.booking.queries.my_standing import MyStanding, my_standing
from marketplace.booking.queries.standing import standing
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.quotas import Measure, Period
from marketplace.booking.rules.standing import StandingAsked
from marketplace.booking.rules.states import UserClass
from marketplace.booking.tables import suspension
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, a_reservation, at_hours, clock_at
from tests.builders.parties import an_actor
from tests.builders.standing import a_qualification, a_quota, operators_at_work

pytestmark = pytest.mark.asyncio


async def suspended(database: Database, who: Actor, **until: object) -> None:
    async def write(tx: Tx, _: None) -> None:
        await tx.execute(
            insert(suspension).values(
                person_id=who.person_id,
                organisation_id=who.organisation_id,
                starts_at=tx.now - timedelta(days=1),
                ends_at=tx.now + timedelta(days=29),
                **until,
            )
        )

    await atomically(database, write, None, actor=TEST)


async def test_who_is_suspended_reserves_nothing_but_upkeep_until_it_ends(
    database: Database, clock: SetClock
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    colleague = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    await suspended(database, manager)
    await suspended(
        database, colleague, lifted_at=clock.now(), lifted_because="the strikes were waived"
    )

    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(
            database, instrument_id=instrument_id, actor=manager, override_reason="urgent"
        )

    (reason,) = refused.value.reasons
    assert ("suspended", clock.now() + timedelta(days=29), False) == (
        reason.rule,
        reason.limit,
        reason.overridable,
    )
    # No time would do, so none is offered.
    assert [] == [one for one in refused.value.alternatives if one["kind"] != "sibling"]
    await a_reservation(
        database, instrument_id=instrument_id, actor=manager, purpose=Purpose.MAINTENANCE
    )
    await a_reservation(
        database, instrument_id=instrument_id, actor=colleague, during=at_hours(3, 9, 11)
    )
    clock.set(clock.now() + timedelta(days=29))
    await a_reservation(
        database, instrument_id=instrument_id, actor=manager, during=at_hours(31, 9, 11)
    )


async def test_standing_is_one_statement_and_a_second_one_only_for_quotas(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database,
        provider_id=manager.organisation_id,
        qualification="always",
        operation="operator",
    )

    async def counted(tx: Tx, purpose: Purpose) -> int:
        found = await schedule(tx, instrument_id, at_hours(2, 9, 11))
        asked = StandingAsked(
            found,
            at_hours(2, 9, 11),
            purpose,
            UserClass.OWN_UNIT,
            manager.person_id,
            manager.organisation_id,
        )
        await standing(tx, asked)
        seen: list[str] = []
        driver = await tx.raw()
        with driver.query_logger(lambda query: seen.append(query.query)):
            await standing(tx, asked)
            # The driver tells its listeners in the next turn of the loop.
            await asyncio.sleep(0)
        return len(seen)

    async def asks(purpose: Purpose) -> int:
        return await atomically(database, counted, purpose, actor=manager)

    assert (1, 0) == (await asks(Purpose.TEACHING), await asks(Purpose.TEST_RUN))
    await a_quota(database, by=manager, user_class=UserClass.ACADEMIC)
    assert 1 == await asks(Purpose.TEACHING)
    for period in Period:
        await a_quota(database, by=manager, period=period, measure=Measure.RESERVATIONS)
    assert (2, 0) == (await asks(Purpose.TEACHING), await asks(Purpose.MAINTENANCE))


async def test_everybody_asks_how_they_stand_before_they_choose_a_time(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    technician = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    buyer = await an_actor(database, Role.BUYER)
    instrument_id = await a_bookable_instrument(
        database,
        provider_id=manager.organisation_id,
        qualification="self_operated",
        operation="either",
    )

    async def of(who: Actor) -> MyStanding:
        return await atomically(database, my_standing, instrument_id, actor=who)

    before = await of(buyer)
    assert (UserClass.ENTERPRISE, ["qualification"]) == (
        before.user_class,
        [reason.rule for reason in before.reasons],
    )
    assert "reserve it with an operator" in before.reasons[0].message
    await a_qualification(
        database,
        by=manager,
        instrument_id=instrument_id,
        person_id=technician.person_id,
        valid_until=clock_at(9, 0),
    )
    limited = await a_quota(database, by=manager, at_most=0, user_class=UserClass.OWN_UNIT)
    await suspended(database, technician)
    qualified = await of(technician)
    assert ["suspended", "quota"] == [reason.rule for reason in qualified.reasons]
    assert [limited.id] == [use.quota_id for use in qualified.standing.quotas]
    assert clock_at(9, 0) == qualified.standing.qualified.valid_until  # type: ignore[union-attr]
    await operators_at_work(
        database, by=manager, instrument_id=instrument_id, person_ids=(manager.person_id,)
    )
    assert ["quota"] == [reason.rule for reason in (await of(manager)).reasons]
    with pytest.raises(InstrumentMissing):
        await atomically(database, my_standing, 999_999, actor=buyer)
    unlisted = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, content={"share_mode": "internal"}
    )
    assert "not-shared" in [
        reason.rule
        for reason in (await atomically(database, my_standing, unlisted, actor=buyer)).reasons
    ]
