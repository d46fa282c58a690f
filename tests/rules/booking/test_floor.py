"""The floor of hours for outside users: what the own unit leaves to others each week."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from marketplace.booking.rules.floor import (
    FloorWeek,
    Use,
    exhausted,
    floor_refusals,
    floor_weeks,
    weeks_of,
)
from marketplace.booking.rules.schedule import BookingTerms, Closed, Hours, Schedule
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.kernel.time import During, shanghai_instant

MONDAY = date(2025, 3, 10)
NOW = shanghai_instant(date(2025, 3, 3), 9 * 60)
TERMS = BookingTerms(
    step_minutes=30,
    minimum_minutes=60,
    maximum_minutes=600,
    notice_minutes=60,
    horizon_days=90,
    outside_floor_minutes=600,
    outside_floor_lapses_minutes=1440,
)
# Ten hours on each of five days: 3,000 minutes a week, of which the own unit may take 2,400.
GENERAL = Schedule(
    1, 2, "listed", TERMS, tuple(Hours(weekday, 8 * 60, 18 * 60) for weekday in range(5))
)
OWN = GENERAL.for_class(UserClass.OWN_UNIT)


def on(day: int, from_hour: float, until_hour: float) -> During:
    midnight = shanghai_instant(MONDAY + timedelta(days=day))
    return During(midnight + timedelta(hours=from_hour), midnight + timedelta(hours=until_hour))


def weeks(*uses: Use, schedule: Schedule = OWN, within: During | None = None) -> list[FloorWeek]:
    return floor_weeks(schedule, within or on(0, 8, 9), uses)


def refused(
    during: During,
    *uses: Use,
    schedule: Schedule = OWN,
    purpose: Purpose = Purpose.OWN_RESEARCH,
    at: datetime = NOW,
) -> list[tuple[int, int]]:
    found = floor_refusals(
        schedule, during, weeks(*uses, schedule=schedule, within=during), purpose=purpose, at=at
    )
    assert all(one.rule == "outside-floor" and one.source == "J.16a" for one in found)
    assert all(one.overridable for one in found)
    return [(one.asked, one.limit) for one in found]


FOUR_DAYS = [Use(on(day, 8, 18), own=True) for day in range(4)]


def test_the_own_unit_may_take_everything_but_the_floor_and_not_a_minute_more():
    three_days = FOUR_DAYS[:3]

    assert refused(on(3, 8, 18), *three_days) == []
    assert refused(on(4, 8, 9), *FOUR_DAYS) == [(2460, 2400)]


def test_a_week_shows_what_is_open_taken_and_still_kept():
    (week,) = weeks(*FOUR_DAYS[:2], Use(on(2, 8, 12), own=False))

    assert week.starts_on == MONDAY
    assert (week.open_minutes, week.own_minutes, week.others_minutes) == (3000, 1200, 240)
    assert (week.own_limit, week.own_left, week.kept_minutes) == (2400, 1200, 360)


@pytest.mark.parametrize(
    ("change", "floor_stands"),
    [
        ({}, True),
        ({"purpose": Purpose.TEACHING}, True),
        ({"purpose": Purpose.MAINTENANCE}, False),
        ({"purpose": Purpose.TEST_RUN}, False),
        ({"schedule": GENERAL.for_class(UserClass.ACADEMIC)}, False),
        ({"schedule": GENERAL}, False),
        # A day before its start the time is nobody's to keep.
        ({"at": on(4, 8, 9).starts_at - timedelta(minutes=1441)}, True),
        ({"at": on(4, 8, 9).starts_at - timedelta(minutes=1440)}, False),
    ],
)
def test_the_floor_binds_the_own_units_research_and_teaching_until_it_lapses(
    change: dict, floor_stands: bool
):
    assert bool(refused(on(4, 8, 9), *FOUR_DAYS, **change)) is floor_stands


def test_time_outside_opening_hours_is_not_counted():
    night = Use(on(4, 0, 8), own=True)

    assert refused(on(3, 8, 18), *FOUR_DAYS[:3], night) == []
    assert refused(on(4, 19, 21), *FOUR_DAYS) == []


def test_a_closure_makes_the_week_shorter_for_the_own_unit_and_not_for_others():
    shut = replace(GENERAL, closures=(Closed(on(4, 8, 18), "moving"),)).for_class(
        UserClass.OWN_UNIT
    )

    assert refused(on(3, 8, 18), *FOUR_DAYS[:3], schedule=shut) == [(2400, 1800)]


def test_every_seat_adds_its_minutes_to_the_week():
    two = replace(GENERAL, terms=replace(TERMS, seats=2)).for_class(UserClass.OWN_UNIT)

    (week,) = weeks(*FOUR_DAYS, *FOUR_DAYS, schedule=two)

    assert (week.open_minutes, week.own_minutes, week.own_left) == (6000, 4800, 600)


def test_a_reservation_over_the_end_of_a_week_answers_for_both_weeks():
    always = replace(
        GENERAL,
        hours=tuple(Hours(weekday, 0, 1440) for weekday in range(7)),
        terms=replace(TERMS, outside_floor_minutes=10_000),
    ).for_class(UserClass.OWN_UNIT)
    over_sunday = During(on(6, 22, 23).starts_at, on(7, 2, 3).ends_at)

    assert [week.starts_at for week in weeks_of(over_sunday)] == [
        shanghai_instant(MONDAY),
        shanghai_instant(MONDAY + timedelta(days=7)),
    ]
    assert refused(over_sunday, schedule=always) == [(120, 80), (180, 80)]


def test_a_week_in_which_nothing_is_left_is_closed_to_the_own_unit_where_the_floor_holds():
    full = [*FOUR_DAYS]
    (week,) = weeks(*full)
    on_wednesday = on(2, 12, 13).starts_at

    assert exhausted(OWN, [week], at=NOW) == [week.week]
    assert exhausted(OWN, [week], at=on_wednesday) == [
        During(on(3, 12, 13).starts_at, week.week.ends_at)
    ]
    assert exhausted(OWN, [week], at=on(6, 12, 13).starts_at) == []
    assert exhausted(GENERAL.for_class(UserClass.ENTERPRISE), [week], at=NOW) == []
    assert exhausted(OWN, weeks(*full[:3]), at=NOW) == []


def test_a_floor_above_the_open_hours_leaves_the_own_unit_nothing():
    (week,) = weeks(schedule=replace(OWN, terms=replace(TERMS, outside_floor_minutes=10_000)))

    assert (week.own_limit, week.own_left, week.kept_minutes) == (0, 0, 3000)
