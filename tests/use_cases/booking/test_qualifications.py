"""Who may operate an instrument: granted, extended, revoked, trained for, and reminded of."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.booking.errors import (
    QualificationEnded,
    QualificationRefused,
    QualificationStands,
    QualificationToOneself,
    ReservationRefused,
    TrainingNotInState,
    TrainingOfOneself,
    TrainingOpen,
    TrainingRefused,
)
from marketplace.booking.jobs import JOBS
from marketplace.booking.queries import Purpose
from marketplace.booking.queries.qualifications import (
    QualificationSearch,
    TrainingRequest,
    TrainingSearch,
    qualifications,
    training_requests,
)
from marketplace.booking.rules.training import TrainingStatus
from marketplace.booking.use_cases.qualifications import (
    ExtendQualification,
    GrantQualification,
    RevokeQualification,
    extend_qualification,
    grant_qualification,
    revoke_qualification,
)
from marketplace.booking.use_cases.training import (
    AskForTraining,
    DeclineTraining,
    FailTraining,
    PassTraining,
    ScheduleTraining,
    WithdrawTraining,
    ask_for_training,
    decline_training,
    fail_training,
    pass_training,
    schedule_training,
    withdraw_training,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.tables import audit_event, outbox_event
from marketplace.kernel.time import SetClock
from marketplace.parties.errors import PersonMissing
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, a_reservation, at_hours, clock_at
from tests.builders.parties import a_person, an_actor
from tests.builders.standing import a_qualification

pytestmark = pytest.mark.asyncio


class House:
    """A provider with one instrument that only the qualified may use, and a buyer outside."""

    def __init__(self, database: Database, manager: Actor, technician: Actor, buyer: Actor) -> None:
        self.database = database
        self.manager, self.technician, self.buyer = manager, technician, buyer
        self.instrument_id = 0

    async def do(self, use_case: Any, command: Any, *, by: Actor) -> Any:
        return await atomically(self.database, use_case, command, actor=by)

    async def reserves(self, who: Actor, day: int) -> Any:
        return await a_reservation(
            self.database,
            instrument_id=self.instrument_id,
            during=at_hours(day, 9, 11),
            actor=who,
            purpose=Purpose.EXTERNAL if who is self.buyer else Purpose.OWN_RESEARCH,
        )

    async def asks(self, who: Actor | None = None) -> TrainingRequest:
        command = AskForTraining(self.instrument_id, "XRD of powders")
        asked: TrainingRequest = await self.do(ask_for_training, command, by=who or self.buyer)
        return asked

    async def scheduled(self, request: TrainingRequest) -> TrainingRequest:
        command = ScheduleTraining(
            request.id, clock_at(3, 14), self.technician.person_id, "Room 204"
        )
        made: TrainingRequest = await self.do(schedule_training, command, by=self.manager)
        return made


@pytest.fixture
async def house(database: Database) -> House:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    technician = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    made = House(database, manager, technician, await an_actor(database, Role.BUYER))
    made.instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, qualification="always", horizon_days=90
    )
    return made


async def test_a_buyer_asks_is_trained_and_may_reserve(house: House):
    with pytest.raises(ReservationRefused) as refused:
        await house.reserves(house.buyer, 5)
    (reason,) = refused.value.reasons
    assert f"POST /instruments/{house.instrument_id}/training-requests" in reason.message

    asked = await house.asks()
    with pytest.raises(TrainingOpen):
        await house.asks()
    with pytest.raises(ReservationRefused, match="the provider will name a date"):
        await house.reserves(house.buyer, 5)
    dated = await house.scheduled(asked)
    with pytest.raises(ReservationRefused, match="Your training has a date"):
        await house.reserves(house.buyer, 5)
    until = clock_at(40, 0)
    passed = await house.do(
        pass_training, PassTraining(asked.id, "careful hands", until), by=house.technician
    )

    assert (TrainingStatus.SCHEDULED, "Room 204") == (dated.status, dated.place)
    assert TrainingStatus.PASSED is passed.status
    await house.reserves(house.buyer, 39)
    with pytest.raises(ReservationRefused, match="ends 2025-04-12 00:00"):
        await house.reserves(house.buyer, 40)
    (held,) = (
        await house.do(qualifications, QualificationSearch(in_force=True), by=house.buyer)
    ).qualifications
    assert (passed.qualification_id, until, house.technician.person_id) == (
        held.id,
        held.valid_until,
        held.granted_by,
    )
    with pytest.raises(QualificationStands):
        await house.asks()


async def test_a_training_that_is_passed_again_renews_what_ran_out(house: House, clock: SetClock):
    old = await a_qualification(
        house.database,
        by=house.manager,
        instrument_id=house.instrument_id,
        person_id=house.technician.person_id,
        valid_until=clock_at(2, 0),
    )
    clock.set(clock_at(4, 9))
    asked = await house.asks(house.technician)
    command = ScheduleTraining(asked.id, clock_at(5, 9), house.manager.person_id, "204")
    with pytest.raises(TrainingOfOneself):
        await house.do(schedule_training, command, by=house.technician)
    await house.do(schedule_training, command, by=house.manager)

    with pytest.raises(QualificationRefused):
        await house.do(
            pass_training, PassTraining(asked.id, "again", clock_at(3, 0)), by=house.manager
        )
    passed = await house.do(pass_training, PassTraining(asked.id, "again"), by=house.manager)

    assert old.id == passed.qualification_id
    await house.reserves(house.technician, 30)


async def test_a_request_is_dated_by_the_provider_for_a_day_ahead_with_one_of_its_staff(
    house: House,
):
    asked = await house.asks()

    wrong = ScheduleTraining(asked.id, clock_at(-1, 9), await a_person(house.database), "204")
    with pytest.raises(TrainingRefused) as refused:
        await house.do(schedule_training, wrong, by=house.manager)
    assert ["trainer", "held_at"] == [reason.rule for reason in refused.value.reasons]
    by_asker = ScheduleTraining(asked.id, clock_at(1, 9), house.buyer.person_id, "204")
    with pytest.raises(TrainingOfOneself):
        await house.do(schedule_training, by_asker, by=house.manager)
    with pytest.raises(TrainingNotInState):
        await house.do(pass_training, PassTraining(asked.id, "fine"), by=house.manager)
    stranger = await an_actor(house.database, Role.PROVIDER_MANAGER)
    for who in (stranger, house.buyer):
        with pytest.raises(Missing):
            await house.do(decline_training, DeclineTraining(asked.id, "no"), by=who)


@pytest.mark.parametrize("how", ["fail", "decline", "withdraw"])
async def test_a_request_that_is_over_lets_the_person_ask_again(house: House, how: str):
    asked = await house.scheduled(await house.asks())
    use_case, command, by = {
        "fail": (fail_training, FailTraining(asked.id, "too fast"), house.manager),
        "decline": (decline_training, DeclineTraining(asked.id, "no time"), house.manager),
        "withdraw": (withdraw_training, WithdrawTraining(asked.id), house.buyer),
    }[how]
    if how == "withdraw":
        with pytest.raises(Missing):
            await house.do(use_case, command, by=house.manager)

    ended = await house.do(use_case, command, by=by)

    assert (by.person_id, house.database.clock.now()) == (ended.answered_by, ended.answered_at)
    with pytest.raises(TrainingNotInState):
        await house.do(use_case, command, by=by)
    await house.asks()
    everything = await house.do(training_requests, TrainingSearch(), by=house.buyer)
    open_ones = await house.do(
        training_requests,
        TrainingSearch(
            house.instrument_id, house.buyer.person_id, TrainingStatus.ASKED, open_only=True
        ),
        by=house.manager,
    )
    assert (2, 1) == (everything.total, open_ones.total)
    nobody = await an_actor(house.database, Role.BUYER)
    assert 0 == (await house.do(training_requests, TrainingSearch(), by=nobody)).total


async def test_a_qualification_is_granted_to_people_whom_the_provider_knows(house: House):
    def to(person_id: int, **changes: Any) -> GrantQualification:
        return GrantQualification(house.instrument_id, person_id, "trained", **changes)

    with pytest.raises(PersonMissing):
        await house.do(grant_qualification, to(house.buyer.person_id), by=house.manager)
    with pytest.raises(PersonMissing):
        await house.do(grant_qualification, to(999_999), by=house.manager)
    with pytest.raises(QualificationToOneself):
        await house.do(grant_qualification, to(house.manager.person_id), by=house.manager)
    past = to(house.technician.person_id, valid_until=house.database.clock.now())
    with pytest.raises(QualificationRefused):
        await house.do(grant_qualification, past, by=house.manager)
    stranger = await an_actor(house.database, Role.PROVIDER_MANAGER)
    with pytest.raises(InstrumentMissing):
        await house.do(grant_qualification, to(house.technician.person_id), by=stranger)

    await house.asks()
    await house.do(grant_qualification, to(house.buyer.person_id), by=house.manager)
    with pytest.raises(QualificationStands):
        await house.do(grant_qualification, to(house.buyer.person_id), by=house.manager)


async def test_a_qualification_is_extended_and_revoked_by_somebody_else(house: House):
    held = await a_qualification(
        house.database,
        by=house.manager,
        instrument_id=house.instrument_id,
        person_id=house.technician.person_id,
        valid_until=clock_at(10, 0),
    )
    placed = await house.reserves(house.technician, 5)
    with pytest.raises(QualificationToOneself):
        await house.do(
            extend_qualification, ExtendQualification(held.id, "longer"), by=house.technician
        )
    with pytest.raises(QualificationRefused):
        await house.do(
            extend_qualification,
            ExtendQualification(held.id, "shorter", clock_at(9, 0)),
            by=house.manager,
        )
    for who in (house.buyer, await an_actor(house.database, Role.PROVIDER_MANAGER)):
        with pytest.raises(Missing):
            await house.do(revoke_qualification, RevokeQualification(held.id, "no"), by=who)

    longer = await house.do(
        extend_qualification,
        ExtendQualification(held.id, "good work", clock_at(20, 0)),
        by=house.manager,
    )
    revoked = await house.do(
        revoke_qualification, RevokeQualification(held.id, "broke a lens"), by=house.manager
    )

    assert clock_at(20, 0) == longer.valid_until
    assert "broke a lens" == revoked.qualification.revoked_because
    assert [placed.id] == list(revoked.reservations)
    with pytest.raises(QualificationEnded):
        await house.do(
            extend_qualification, ExtendQualification(held.id, "sorry"), by=house.manager
        )
    with pytest.raises(ReservationRefused):
        await house.reserves(house.technician, 6)

    async def trail(tx: Tx, _: None) -> list[str]:
        return list(
            await tx.scalars(
                select(audit_event.c.action)
                .where(audit_event.c.subject == "qualification")
                .order_by(audit_event.c.id)
            )
        )

    assert ["grant", "extend", "revoke"] == await house.do(trail, None, by=TEST)


async def test_holders_are_told_once_that_it_runs_out_and_again_after_an_extension(
    house: House, clock: SetClock
):
    (remind,) = [job.run for job in JOBS if job.name == "booking.remind_of_expiry"]
    colleagues = [
        await an_actor(
            house.database, Role.TECHNICIAN, organisation_id=house.manager.organisation_id
        )
        for _ in range(3)
    ]
    soon, later, never = [
        await a_qualification(
            house.database,
            by=house.manager,
            instrument_id=house.instrument_id,
            person_id=each.person_id,
            valid_until=until,
        )
        for each, until in zip(colleagues, (clock_at(30, 9), clock_at(31, 9), None), strict=True)
    ]

    assert [1, 0] == [await remind(house.database) for _ in range(2)]
    clock.set(clock_at(45, 9))
    assert [1, 0] == [await remind(house.database) for _ in range(2)]
    await house.do(
        extend_qualification,
        ExtendQualification(soon.id, "goes on", clock.now() + timedelta(days=29)),
        by=house.manager,
    )
    assert [1, 0] == [await remind(house.database) for _ in range(2)]

    async def told(tx: Tx, _: None) -> list[int]:
        rows = await tx.scalars(
            select(outbox_event.c.payload)
            .where(outbox_event.c.name == "QualificationExpiring")
            .order_by(outbox_event.c.id)
        )
        return [row["qualification_id"] for row in rows]

    assert [soon.id, later.id, soon.id] == await house.do(told, None, by=TEST)
    found = await house.do(
        qualifications,
        QualificationSearch(house.instrument_id, ends_within_days=30),
        by=house.manager,
    )
    assert ([soon.id], 1) == ([one.id for one in found.qualifications], found.total)
    everything = await house.do(qualifications, QualificationSearch(), by=house.manager)
    assert {soon.id, later.id, never.id} == {one.id for one in everything.qualifications}
    own = QualificationSearch(person_id=colleagues[2].person_id)
    assert [never.id] == [
        one.id for one in (await house.do(qualifications, own, by=colleagues[2])).qualifications
    ]
    assert 0 == (await house.do(qualifications, QualificationSearch(), by=house.buyer)).total
