"""Assisted reservations: somebody of the staff attends, for the whole time, one machine at once."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from marketplace.booking.errors import (
    AbsenceWithdrawn,
    OperatorBusy,
    OperatorHoursOverlap,
    OperatorRefused,
    OrderAlreadyReserved,
    OverrideNotAllowed,
    ReservationNotInState,
    ReservationOverlaps,
    ReservationRefused,
)
from marketplace.booking.queries import (
    FreeIn,
    Purpose,
    Reservation,
    WeekOf,
    Window,
    availability,
    free_among,
    week_strips,
)
from marketplace.booking.queries.operators import (
    AbsenceSearch,
    CalendarAsked,
    absences,
    operator_calendar,
    operators,
)
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.use_cases import CancelReservation, cancel_reservation
from marketplace.booking.use_cases.operators import (
    AssignOperator,
    NameOperators,
    NoteAbsence,
    SetOperatorHours,
    WithdrawAbsence,
    assign_operator,
    name_operators,
    note_absence,
    set_operator_hours,
    withdraw_absence,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import Forbidden, Missing
from marketplace.kernel.time import During
from marketplace.parties.errors import PersonMissing
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours, clock_at
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor
from tests.builders.standing import OFFICE, operators_at_work

pytestmark = pytest.mark.asyncio


class Lab:
    """A provider with two instruments that its operators run, and two operators in office hours."""

    def __init__(self, database: Database, manager: Actor) -> None:
        self.database, self.manager = database, manager
        self.instruments: list[int] = []
        self.people: list[Actor] = []

    @property
    def ids(self) -> list[int]:
        return [each.person_id for each in self.people]

    async def do(self, use_case: Any, command: Any, *, by: Actor | None = None) -> Any:
        return await atomically(self.database, use_case, command, actor=by or self.manager)

    async def reserved(self, number: int, during: During, **changes: Any) -> Reservation:
        return await a_reservation(
            self.database,
            instrument_id=self.instruments[number],
            during=during,
            actor=self.manager,
            **changes,
        )


@pytest.fixture
async def lab(database: Database) -> Lab:
    made = Lab(database, await an_actor(database, Role.PROVIDER_MANAGER))
    own = made.manager.organisation_id
    made.people = [await an_actor(database, Role.TECHNICIAN, organisation_id=own) for _ in range(2)]
    made.instruments = [
        await a_bookable_instrument(database, provider_id=own, operation=operation, seats=seats)
        for operation, seats in (("operator", 1), ("either", 3))
    ]
    for instrument_id in made.instruments:
        await operators_at_work(
            database, by=made.manager, instrument_id=instrument_id, person_ids=tuple(made.ids)
        )
    return made


async def test_each_assisted_reservation_gets_an_operator_of_its_own(lab: Lab):
    morning = at_hours(2, 9, 11)

    first = await lab.reserved(0, morning)
    second = await lab.reserved(1, morning, assisted=True)
    with pytest.raises(ReservationRefused) as refused:
        await lab.reserved(1, morning, assisted=True)
    alone = await lab.reserved(1, morning)

    assert set(lab.ids) == {first.operator_id, second.operator_id}
    assert alone.operator_id is None
    (reason,) = refused.value.reasons
    assert ("operator", False) == (reason.rule, reason.overridable)
    assert {"starts_at": clock_at(2, 11), "ends_at": clock_at(2, 13)} == reason.limit
    # What is offered instead could be attended: the seats were free all day and night.
    assert [clock_at(2, 11), clock_at(2, 13), clock_at(2, 15)] == [
        one["starts_at"] for one in refused.value.alternatives if one["kind"] == "slot"
    ]


async def test_free_time_is_time_in_which_an_operator_can_attend(lab: Lab):
    run_by_operators, either = lab.instruments
    for number in (0, 1):
        await lab.reserved(number, at_hours(2, 10, 12), assisted=True)

    async def free(instrument_id: int, assisted: bool | None = None) -> list[During]:
        window = Window(instrument_id, at_hours(2, 8, 18), assisted=assisted)
        return list((await lab.do(availability, window)).free)

    afternoon = [at_hours(2, 9, 10), at_hours(2, 12, 17)]
    assert afternoon == await free(run_by_operators)
    assert afternoon == await free(either, True)
    assert [at_hours(2, 8, 18)] == await free(either)
    window = Window(either, at_hours(2, 8, 18), assisted=True)
    told = [(one.during, one.reason) for one in (await lab.do(availability, window)).busy]
    assert [
        (at_hours(2, 8, 9), "operator"),
        (at_hours(2, 10, 12), "operator"),
        (at_hours(2, 17, 18), "operator"),
    ] == told
    asked = FreeIn(lab.instruments, at_hours(2, 16.5, 17.5))
    assert {either} == await lab.do(free_among, asked)
    strips = await lab.do(week_strips, WeekOf(lab.instruments, date(2025, 3, 5)))
    assert (360, 480, 480, 0, 0, 480, 480) == strips[run_by_operators]
    by_users = await a_bookable_instrument(lab.database)
    nothing = await lab.do(availability, Window(by_users, at_hours(2, 8, 18), assisted=True))
    assert [()] == [nothing.free]
    assert ["operation"] == [one.reason for one in nothing.busy]


async def test_operators_take_turns_and_an_order_keeps_its_one_reservation(lab: Lab):
    attended = [
        (await lab.reserved(0, at_hours(day, hour, hour + 1))).operator_id
        for day in (1, 2, 3, 4)
        for hour in range(9, 17, 2)
    ]

    assert set(lab.ids) == set(Counter(attended))
    with pytest.raises(ReservationOverlaps):
        await lab.reserved(0, at_hours(1, 9, 10), purpose=Purpose.MAINTENANCE)
    with pytest.raises(ReservationOverlaps):
        await lab.reserved(0, at_hours(1, 9, 10))
    assert (await lab.reserved(0, at_hours(5, 9, 10), purpose=Purpose.TEST_RUN)).operator_id is None


async def test_who_asks_for_what_the_instrument_does_not_offer_is_told(lab: Lab):
    with pytest.raises(ReservationRefused, match="reserve it assisted"):
        await lab.reserved(0, at_hours(2, 9, 11), assisted=False)
    with pytest.raises(ReservationRefused, match="nor one soon after"):
        await lab.reserved(0, at_hours(2, 9, 17.5))
    own = await a_reservation(
        lab.database,
        instrument_id=lab.instruments[0],
        during=at_hours(5, 9, 11),
        actor=lab.people[0],
        assisted=False,
    )
    assert own.operator_id is None


async def test_an_absence_shows_what_it_hits_and_staff_find_somebody_else(lab: Lab):
    placed = await lab.reserved(0, at_hours(2, 9, 11))
    gone = next(each for each in lab.people if each.person_id == placed.operator_id)
    other = next(each for each in lab.people if each is not gone)

    noted = await lab.do(note_absence, NoteAbsence(gone.person_id, at_hours(2, 8, 12), "flu"))
    with pytest.raises(OperatorRefused) as refused:
        await lab.do(assign_operator, AssignOperator(placed.id, None))
    changed = await lab.do(assign_operator, AssignOperator(placed.id, other.person_id))
    with pytest.raises(ReservationRefused):
        await lab.reserved(1, at_hours(2, 9, 11), assisted=True)
    with pytest.raises(OperatorRefused, match="away"):
        await lab.do(assign_operator, AssignOperator(placed.id, gone.person_id))
    with pytest.raises(OverrideNotAllowed):
        await lab.do(assign_operator, AssignOperator(placed.id, gone.person_id, " "))
    back = await lab.do(assign_operator, AssignOperator(placed.id, gone.person_id, "feels well"))
    same = await lab.do(assign_operator, AssignOperator(placed.id, gone.person_id))

    assert [placed.id] == [one.id for one in noted.reservations]
    assert ["operation"] == [reason.rule for reason in refused.value.reasons]
    assert (other.person_id, 1) == (changed.operator_id, changed.revision)
    assert (gone.person_id, 2, 2) == (back.operator_id, back.revision, same.revision)
    await lab.do(withdraw_absence, WithdrawAbsence(noted.absence.id))
    with pytest.raises(AbsenceWithdrawn):
        await lab.do(withdraw_absence, WithdrawAbsence(noted.absence.id))
    assert (await lab.reserved(1, at_hours(2, 9, 11), assisted=True)).operator_id == (
        other.person_id
    )


async def test_an_operator_is_assigned_to_one_reservation_at_a_time(lab: Lab):
    first = await lab.reserved(0, at_hours(2, 9, 11))
    second = await lab.reserved(1, at_hours(2, 10, 12), assisted=True)
    alone = await lab.reserved(1, at_hours(3, 18, 20))
    stranger = await an_actor(lab.database, Role.PROVIDER_MANAGER)

    with pytest.raises(OperatorBusy):
        await lab.do(assign_operator, AssignOperator(second.id, first.operator_id))
    with pytest.raises(OperatorRefused, match="not named"):
        await lab.do(assign_operator, AssignOperator(alone.id, lab.manager.person_id))
    with pytest.raises(OperatorRefused, match="does not work"):
        await lab.do(assign_operator, AssignOperator(alone.id, lab.ids[0]))
    with pytest.raises(Missing):
        await lab.do(assign_operator, AssignOperator(alone.id, lab.ids[0]), by=stranger)
    freed = await lab.do(assign_operator, AssignOperator(second.id, None))
    late = await lab.do(assign_operator, AssignOperator(alone.id, lab.ids[0], "stays longer"))

    assert (None, lab.ids[0]) == (freed.operator_id, late.operator_id)
    await lab.do(assign_operator, AssignOperator(second.id, second.operator_id))
    await lab.do(cancel_reservation, CancelReservation(second.id, "gone", by_provider=True))
    with pytest.raises(ReservationNotInState):
        await lab.do(assign_operator, AssignOperator(second.id, None))


async def test_an_order_that_has_a_reservation_gets_no_second_one_with_an_operator(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    from sqlalchemy import text

    async def loosen(tx: Any, _: None) -> None:
        # Only whether the order is taken matters here, not that there is one.
        await become_owner(tx)
        await tx.execute(text("alter table reservation drop constraint reservation_order_id_fkey"))

    await lab.do(loosen, None)
    await lab.reserved(0, at_hours(2, 9, 11), order_id=77)

    with pytest.raises(OrderAlreadyReserved):
        await lab.reserved(0, at_hours(3, 9, 11), order_id=77)


async def test_operators_are_on_the_staff_and_their_hours_never_overlap(lab: Lab):
    stranger = await an_actor(lab.database, Role.PROVIDER_MANAGER)
    (first, second) = lab.ids
    with pytest.raises(OperatorRefused) as refused:
        await lab.do(name_operators, NameOperators(lab.instruments[0], (first, stranger.person_id)))
    assert [stranger.person_id] == [reason.asked for reason in refused.value.reasons]
    with pytest.raises(InstrumentMissing):
        await lab.do(name_operators, NameOperators(lab.instruments[0], ()), by=stranger)
    with pytest.raises(InstrumentMissing):
        await lab.do(operators, lab.instruments[0], by=stranger)
    with pytest.raises(PersonMissing):
        await lab.do(set_operator_hours, SetOperatorHours(first, OFFICE), by=stranger)
    overlapping = (Hours(0, 540, 720), Hours(0, 700, 800))
    with pytest.raises(OperatorHoursOverlap):
        await lab.do(set_operator_hours, SetOperatorHours(first, overlapping))

    named = await lab.do(name_operators, NameOperators(lab.instruments[0], (second, second)))

    assert [second] == [one.person_id for one in named]
    assert all(one.name for one in named)
    assert [] == await lab.do(set_operator_hours, SetOperatorHours(second, ()))
    with pytest.raises(ReservationRefused, match="nor one soon after"):
        await lab.reserved(0, at_hours(2, 9, 11))
    await lab.do(name_operators, NameOperators(lab.instruments[0], ()))
    with pytest.raises(ReservationRefused, match="named no operator"):
        await lab.reserved(0, at_hours(2, 9, 11))


async def test_operators_see_when_they_work_and_whom_they_attend(lab: Lab):
    placed = await lab.reserved(0, at_hours(2, 9, 11))
    who = next(each for each in lab.people if each.person_id == placed.operator_id)
    await lab.do(note_absence, NoteAbsence(who.person_id, at_hours(3, 0, 24), "leave"), by=who)
    colleague = next(each for each in lab.people if each is not who)
    week = CalendarAsked(who.person_id, During(clock_at(0, 0), clock_at(7, 0)))

    found = await lab.do(operator_calendar, week, by=who)

    assert [at_hours(day, 9, 17) for day in (0, 1, 2, 4)] == list(found.at_work)
    assert ["leave"] == [one.reason for one in found.absences]
    assert [placed.id] == [one.id for one in found.reservations]
    away = NoteAbsence(who.person_id, at_hours(4, 0, 24), "no")
    with pytest.raises(Forbidden):
        await lab.do(note_absence, away, by=colleague)
    with pytest.raises(Forbidden):
        await lab.do(withdraw_absence, WithdrawAbsence(found.absences[0].id), by=colleague)
    stranger = await an_actor(lab.database, Role.TECHNICIAN)
    with pytest.raises(PersonMissing):
        await lab.do(operator_calendar, week, by=stranger)
    with pytest.raises(Missing):
        await lab.do(withdraw_absence, WithdrawAbsence(found.absences[0].id), by=stranger)
    await lab.do(withdraw_absence, WithdrawAbsence(found.absences[0].id), by=who)
    listed = [
        (await lab.do(absences, AbsenceSearch(who.person_id, with_withdrawn=each))).total
        for each in (False, True)
    ]
    assert [0, 1] == listed
