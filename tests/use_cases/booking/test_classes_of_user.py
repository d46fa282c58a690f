"""Each class of user has its own hours, notice and approval, from the table to the reservation."""

from datetime import date
from typing import Any

import pytest

from marketplace.booking.errors import (
    BookingRuleRefused,
    DatedHoursMissing,
    HoursRefused,
    ReservationRefused,
)
from marketplace.booking.queries import (
    Availability,
    FreeIn,
    Purpose,
    ReservationPage,
    Status,
    UserClass,
    WeekOf,
    Window,
    availability,
    free_among,
    week_strips,
)
from marketplace.booking.queries.hits import HitsAsked, WeekChanged, hits
from marketplace.booking.queries.hours import (
    DayHoursSearch,
    WeeklyKind,
    dated_hours_of,
    weekly_hours_of,
)
from marketplace.booking.queries.timetables import visible_class_terms
from marketplace.booking.rules.schedule import (
    ClassTerms,
    DatedHours,
    Hours,
    PriorityHours,
)
from marketplace.booking.use_cases.hours import (
    RemoveDatedHours,
    SetDatedHours,
    SetWeeklyHours,
    remove_dated_hours,
    set_dated_hours,
    set_weekly_hours,
)
from marketplace.booking.use_cases.rule import SetClassTerms, set_class_terms
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.queries import OpeningHours
from marketplace.kernel.actors import NOBODY, Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    MONDAY,
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import a_provider, an_actor

pytestmark = pytest.mark.asyncio

OFFICE = tuple(OpeningHours(weekday, 8 * 60, 18 * 60) for weekday in range(5))
EXTERNAL: dict[str, Any] = {"purpose": Purpose.EXTERNAL}


async def week_of(
    database: Database,
    instrument_id: int,
    kind: WeeklyKind,
    *hours: Hours,
    user_class: UserClass | None = None,
) -> None:
    command = SetWeeklyHours(instrument_id, kind, hours, user_class)
    await atomically(database, set_weekly_hours, command, actor=TEST)


async def classes(database: Database, instrument_id: int, *terms: ClassTerms) -> None:
    await atomically(database, set_class_terms, SetClassTerms(instrument_id, terms), actor=TEST)


async def seen(
    database: Database, instrument_id: int, day: int, *, actor: Actor = NOBODY, **window: Any
) -> Availability:
    asked = Window(instrument_id, at_hours(day, 0, 24), **window)
    return await atomically(database, availability, asked, actor=actor)


async def rules_against(database: Database, **asked: Any) -> list[str]:
    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(database, **asked)
    return [reason.rule for reason in refused.value.reasons]


async def test_a_class_with_hours_of_its_own_has_those_in_place_of_the_opening_hours(
    database: Database,
):
    instrument_id = await a_bookable_instrument(database, hours=OFFICE)
    evening = Hours(2, 18 * 60, 22 * 60)
    await week_of(
        database, instrument_id, WeeklyKind.CLASS, evening, user_class=UserClass.ENTERPRISE
    )
    night = at_hours(2, 19, 21)

    placed = await a_reservation(
        database, instrument_id=instrument_id, during=night, organisation_id=1, **EXTERNAL
    )
    refused = await rules_against(
        database, instrument_id=instrument_id, during=at_hours(2, 9, 11), **EXTERNAL
    )
    academic = await rules_against(
        database,
        instrument_id=instrument_id,
        during=night,
        user_class=UserClass.ACADEMIC,
        **EXTERNAL,
    )

    assert placed.user_class is UserClass.ENTERPRISE
    assert refused == ["opening-hours"]
    assert academic == ["opening-hours", "busy"]
    everybody = await seen(database, instrument_id, 2)
    own = await seen(database, instrument_id, 2, user_class=UserClass.OWN_UNIT)
    assert everybody.user_class is UserClass.ENTERPRISE
    assert everybody.free == (at_hours(2, 18, 19), at_hours(2, 21, 22))
    assert own.free == (at_hours(2, 8, 18),)
    classes_of = dict.fromkeys([instrument_id], UserClass.ENTERPRISE)
    strips = await atomically(
        database, week_strips, WeekOf([instrument_id], MONDAY, classes_of), actor=TEST
    )
    free = FreeIn([instrument_id], at_hours(2, 9, 11))
    assert strips[instrument_id] == (0, 0, 120, 0, 0, 0, 0)
    assert await atomically(database, free_among, free, actor=TEST) == {instrument_id}
    for_companies = FreeIn([instrument_id], at_hours(2, 9, 11), classes=classes_of)
    assert await atomically(database, free_among, for_companies, actor=TEST) == set()


async def test_a_caller_sees_the_free_time_of_the_class_in_which_it_comes(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, hours=OFFICE
    )
    sister_id = await sister_of(database, manager.organisation_id)
    callers = {
        UserClass.OWN_UNIT: [
            manager,
            await an_actor(database, Role.TECHNICIAN, organisation_id=sister_id),
        ],
        UserClass.ACADEMIC: [await an_actor(database, Role.PROVIDER_MANAGER)],
        UserClass.ENTERPRISE: [await an_actor(database, Role.BUYER), NOBODY],
    }

    for user_class, actors in callers.items():
        for actor in actors:
            found = await seen(database, instrument_id, 2, actor=actor)
            assert found.user_class is user_class


async def sister_of(database: Database, provider_id: int) -> int:
    """Another unit of the same legal entity."""

    async def legal_entity(tx: Tx, _: None) -> int:
        row = await (await tx.raw()).fetchrow(
            "select legal_entity_id from organisation where id = $1", provider_id
        )
        assert row is not None
        return int(row[0])

    entity_id = await atomically(database, legal_entity, None, actor=TEST)
    return await a_provider(database, legal_entity_id=entity_id)


async def test_notice_horizon_maximum_and_approval_differ_by_class(
    database: Database, clock: SetClock
):
    instrument_id = await a_bookable_instrument(
        database, needs_approval=False, answer_minutes=90, maximum_minutes=480
    )
    terms = (
        ClassTerms(
            UserClass.ENTERPRISE,
            notice_minutes=2880,
            horizon_days=10,
            maximum_minutes=120,
            needs_approval=True,
        ),
        ClassTerms(UserClass.ACADEMIC, may_book=False),
    )
    await classes(database, instrument_id, *terms)

    asked = await a_reservation(
        database, instrument_id=instrument_id, during=at_hours(3, 9, 11), **EXTERNAL
    )
    own = await a_reservation(database, instrument_id=instrument_id, during=at_hours(0, 12, 16))

    assert (asked.status, asked.held_until) == (Status.REQUESTED, clock_at(0, 10.5))
    assert own.status is Status.CONFIRMED
    for during, rules in (
        (at_hours(1, 9, 12), ["maximum", "notice"]),
        (at_hours(20, 9, 11), ["horizon"]),
    ):
        assert rules == await rules_against(
            database, instrument_id=instrument_id, during=during, **EXTERNAL
        )
    assert ["class"] == await rules_against(
        database,
        instrument_id=instrument_id,
        during=at_hours(3, 13, 15),
        user_class=UserClass.ACADEMIC,
        **EXTERNAL,
    )
    assert set(terms) == set(
        await atomically(database, visible_class_terms, instrument_id, actor=NOBODY)
    )
    found = await seen(database, instrument_id, 3)
    assert (found.terms.maximum_minutes, found.terms.needs_approval) == (120, True)


async def test_a_request_waits_as_long_as_the_instruments_rule_and_not_past_its_start(
    database: Database,
):
    instrument_id = await a_bookable_instrument(
        database, needs_approval=True, answer_minutes=3000, notice_minutes=0
    )

    late = await a_reservation(database, instrument_id=instrument_id, during=at_hours(5, 9, 11))
    soon = await a_reservation(database, instrument_id=instrument_id, during=at_hours(0, 11, 13))

    assert late.held_until == clock_at(2, 11)
    assert soon.held_until == soon.starts_at


async def test_terms_of_a_class_beyond_the_provinces_are_refused(database: Database):
    instrument_id = await a_bookable_instrument(database)

    with pytest.raises(BookingRuleRefused):
        await classes(database, instrument_id, ClassTerms(UserClass.ACADEMIC, horizon_days=400))


async def test_priority_hours_lapse_by_themselves(database: Database, clock: SetClock):
    instrument_id = await a_bookable_instrument(database, hours=OFFICE)
    morning = PriorityHours(2, 8 * 60, 12 * 60, 24 * 60)
    await week_of(database, instrument_id, WeeklyKind.PRIORITY, morning)
    asked: dict[str, Any] = {"instrument_id": instrument_id, "during": at_hours(2, 9, 11)}

    assert await rules_against(database, **asked, **EXTERNAL) == ["priority"]
    (busy,) = [
        one for one in (await seen(database, instrument_id, 2)).busy if one.reason == "priority"
    ]
    assert (busy.during, busy.free_at) == (at_hours(2, 8, 12), clock_at(1, 8))
    clock.set(clock_at(1, 8))
    placed = await a_reservation(database, **asked, **EXTERNAL)

    assert placed.status is Status.CONFIRMED


async def test_the_own_unit_has_its_priority_hours_at_any_time(database: Database):
    instrument_id = await a_bookable_instrument(database, hours=OFFICE)
    morning = PriorityHours(2, 8 * 60, 12 * 60, 24 * 60)
    await week_of(database, instrument_id, WeeklyKind.PRIORITY, morning)

    placed = await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))

    assert placed.status is Status.CONFIRMED


async def test_hours_of_one_kind_replace_those_before_and_leave_the_others(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    peak = Hours(4, 60, 120)
    await week_of(database, instrument_id, WeeklyKind.PEAK, Hours(0, 0, 60), peak)
    await week_of(database, instrument_id, WeeklyKind.CLASS, peak, user_class=UserClass.ACADEMIC)
    await week_of(database, instrument_id, WeeklyKind.CLASS, peak, user_class=UserClass.OWN_UNIT)
    await week_of(database, instrument_id, WeeklyKind.CLASS, user_class=UserClass.OWN_UNIT)
    command = SetWeeklyHours(instrument_id, WeeklyKind.PEAK, (peak,))

    stored = await atomically(database, set_weekly_hours, command, actor=manager)

    assert [(one.kind, one.user_class, one.weekday) for one in stored] == [
        (WeeklyKind.CLASS, UserClass.ACADEMIC, 4),
        (WeeklyKind.PEAK, None, 4),
    ]
    assert stored == await atomically(database, weekly_hours_of, instrument_id, actor=NOBODY)
    with pytest.raises(InstrumentMissing):
        await atomically(database, set_weekly_hours, command, actor=stranger)
    with pytest.raises(HoursRefused):
        await week_of(database, instrument_id, WeeklyKind.PEAK, peak, peak)


async def test_a_day_of_its_own_opens_a_holiday_and_follows_its_weekday_again_when_removed(
    database: Database,
):
    instrument_id = await a_bookable_instrument(database, hours=OFFICE)
    # Tomb-Sweeping Day, a Friday 32 days on.
    holiday, day = at_hours(32, 9, 11), date(2025, 4, 4)
    hours = (DatedHours(day, 540, 720), DatedHours(day, 780, 840))
    asked: dict[str, Any] = {"instrument_id": instrument_id, "during": holiday}

    assert await rules_against(database, **asked) == ["public-holiday"]
    for length in (2, 1):
        command = SetDatedHours(instrument_id, hours[:length], "Open day")
        stored = await atomically(database, set_dated_hours, command, actor=TEST)
        assert [one.opens_minute for one in stored] == [540, 780][:length]
    await a_reservation(database, **asked)
    listed = await atomically(
        database,
        dated_hours_of,
        DayHoursSearch(instrument_id, date(2025, 4, 1), date(2025, 4, 30)),
        actor=NOBODY,
    )
    assert (len(listed[0]), listed[1], listed[0][0].note) == (1, 1, "Open day")
    remove = RemoveDatedHours(instrument_id, day)
    await atomically(database, remove_dated_hours, remove, actor=TEST)

    assert await rules_against(database, **asked) == ["public-holiday", "busy"]
    with pytest.raises(DatedHoursMissing):
        await atomically(database, remove_dated_hours, remove, actor=TEST)
    with pytest.raises(HoursRefused):
        await atomically(
            database, set_dated_hours, SetDatedHours(instrument_id, (), "none"), actor=TEST
        )


async def test_a_make_up_saturday_is_worked_like_the_friday_before_it(
    database: Database, clock: SetClock
):
    clock.set(clock_at(-30, 9))
    as_workday = await a_bookable_instrument(database, hours=OFFICE)
    as_weekday = await a_bookable_instrument(database, hours=OFFICE, makeup_days="as_weekday")
    # Saturday 8 February 2025.
    saturday = at_hours(-23, 9, 11)

    await a_reservation(database, instrument_id=as_workday, during=saturday)

    assert ["opening-hours"] == await rules_against(
        database, instrument_id=as_weekday, during=saturday
    )


async def test_whom_a_change_would_hit_is_known_before_it_is_made(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, hours=OFFICE
    )
    early, noon, company = [
        await a_reservation(database, instrument_id=instrument_id, during=during, **changes)
        for during, changes in (
            (at_hours(1, 8, 10), {}),
            (at_hours(2, 11, 13), {}),
            (at_hours(2, 14, 16), EXTERNAL),
        )
    ]

    async def hit(**changes: Any) -> ReservationPage:
        return await atomically(database, hits, HitsAsked(instrument_id, **changes), actor=manager)

    def ids(found: ReservationPage) -> list[int]:
        assert found.total == len(found.reservations)
        return [one.id for one in found.reservations]

    afternoons = tuple(Hours(weekday, 12 * 60, 18 * 60) for weekday in range(5))
    tuesday, wednesday = date(2025, 3, 4), date(2025, 3, 5)
    assert ids(await hit()) == []
    assert ids(await hit(weeks=(WeekChanged(afternoons),))) == [early.id, noon.id]
    assert ids(await hit(days=(DatedHours(tuesday, 540, 600),))) == [early.id]
    assert ids(await hit(closed=at_hours(2, 12, 15))) == [noon.id, company.id]
    for kind, user_class in (
        (WeeklyKind.CLASS, UserClass.ENTERPRISE),
        (WeeklyKind.PRIORITY, None),
    ):
        hours: tuple[Hours, ...] = (PriorityHours(2, 480, 1080, 0),)
        if kind is WeeklyKind.CLASS:
            hours = (Hours(2, 480, 720),)
        assert ids(await hit(weeks=(WeekChanged(hours, kind, user_class),))) == [company.id]
    peak = WeekChanged((Hours(2, 0, 60),), WeeklyKind.PEAK)
    assert ids(await hit(weeks=(peak,))) == []
    second = await hit(weeks=(WeekChanged(()),), page=2, page_size=1)
    assert (second.total, [one.id for one in second.reservations]) == (3, [noon.id])
    await atomically(
        database,
        set_dated_hours,
        SetDatedHours(instrument_id, (DatedHours(wednesday, 480, 1200),), "late"),
        actor=TEST,
    )
    evening = await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 18, 20))
    assert ids(await hit(undated=(wednesday,))) == [evening.id]
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    with pytest.raises(InstrumentMissing):
        await atomically(database, hits, HitsAsked(instrument_id), actor=stranger)


async def test_a_week_with_everything_is_read_in_four_statements(database: Database):
    buyer = await an_actor(database, Role.BUYER)
    instrument_id = await a_bookable_instrument(
        database, hours=OFFICE, seats=2, outside_floor_minutes=300
    )
    await classes(database, instrument_id, ClassTerms(UserClass.ENTERPRISE, notice_minutes=0))
    await week_of(database, instrument_id, WeeklyKind.PRIORITY, PriorityHours(1, 480, 600, 60))
    await a_closure(database, instrument_id=instrument_id, during=at_hours(1, 12, 13))
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(1, 14, 16))
    seen: list[str] = []

    async def counted(tx: Tx, window: Window) -> Availability:
        (await tx.raw()).add_query_logger(lambda query: seen.append(query.query))
        return await availability(tx, window)

    window = Window(instrument_id, at_hours(0, 0, 7 * 24))
    found = await atomically(database, counted, window, actor=buyer)

    assert len([query for query in seen if "SELECT" in query]) <= 4
    assert [(week.own_minutes, week.kept_minutes) for week in found.floors] == [(120, 300)]
    assert (at_hours(1, 14, 16), 1) in [(one.during, one.seats) for one in found.seats]
