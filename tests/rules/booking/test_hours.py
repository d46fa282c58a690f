"""On which hours an instrument is open: classes of user, single days, holidays, make-up days."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from marketplace.booking.rules.availability import free_intervals, refusals
from marketplace.booking.rules.classes import class_of
from marketplace.booking.rules.hours import open_intervals, peak_minutes
from marketplace.booking.rules.schedule import (
    BookingTerms,
    ClassHours,
    ClassTerms,
    Closed,
    ClosureKind,
    DatedHours,
    Hours,
    PriorityHours,
    Schedule,
)
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During, shanghai_instant

MONDAY = date(2025, 3, 3)
NOW = shanghai_instant(MONDAY, 9 * 60)
OFFICE = tuple(Hours(weekday, 8 * 60, 18 * 60) for weekday in range(5))
TERMS = BookingTerms(
    step_minutes=30,
    minimum_minutes=60,
    maximum_minutes=480,
    notice_minutes=60,
    horizon_days=400,
)
OFFICE_HOURS = Schedule(1, 2, "listed", TERMS, OFFICE)


def on(day: date, from_hour: float, until_hour: float) -> During:
    return During(
        shanghai_instant(day, int(from_hour * 60)), shanghai_instant(day, int(until_hour * 60))
    )


def refused(schedule: Schedule, during: During, *, at: datetime = NOW) -> list[str]:
    return [reason.rule for reason in reasons(schedule, during, at=at)]


def reasons(schedule: Schedule, during: During, *, at: datetime = NOW) -> tuple[Reason, ...]:
    return refusals(schedule, during, purpose=Purpose.OWN_RESEARCH, at=at)


# ── Days ──────────────────────────────────────────────────────────────────────────────────────────

SHORT_SATURDAY = (*OFFICE, Hours(5, 600, 720))


@pytest.mark.parametrize(
    ("day", "hours", "makeup_days", "expected"),
    [
        # An ordinary Saturday, then the make-up Sunday and Saturday of the Spring Festival of 2025.
        (date(2025, 3, 8), OFFICE, "as_workday", None),
        (date(2025, 1, 26), OFFICE, "as_workday", (8, 18)),
        (date(2025, 2, 8), OFFICE, "as_workday", (8, 18)),
        (date(2025, 2, 8), OFFICE, "as_weekday", None),
        (date(2025, 2, 8), SHORT_SATURDAY, "as_workday", (10, 12)),
        (date(2025, 2, 8), SHORT_SATURDAY, "as_weekday", (10, 12)),
        # Its Sunday has hours, its Saturday none: each follows its own.
        (date(2025, 2, 8), (*OFFICE, Hours(6, 600, 720)), "as_workday", (8, 18)),
        # A Saturday works like the Friday, a Sunday like the Monday.
        (date(2025, 2, 8), (Hours(0, 480, 540), Hours(4, 600, 660)), "as_workday", (10, 11)),
        (date(2025, 1, 26), (Hours(0, 480, 540), Hours(4, 600, 660)), "as_workday", (8, 9)),
        # Holidays, and the weekend inside them.
        (date(2025, 4, 4), OFFICE, "as_workday", None),
        (date(2025, 4, 5), SHORT_SATURDAY, "as_workday", None),
        (date(2025, 12, 31), OFFICE, "as_workday", (8, 18)),
        (date(2026, 1, 1), OFFICE, "as_workday", None),
        (date(2028, 2, 29), OFFICE, "as_workday", (8, 18)),
    ],
)
def test_a_day_is_open_by_its_weekday_its_holiday_or_its_make_up(
    day: date, hours: tuple[Hours, ...], makeup_days: str, expected: tuple[int, int] | None
):
    schedule = replace(OFFICE_HOURS, hours=hours, terms=replace(TERMS, makeup_days=makeup_days))

    opened = open_intervals(schedule, on(day, 0, 24))

    assert opened == ([] if expected is None else [on(day, *expected)])


@pytest.mark.parametrize(
    "day", [date(2025, 3, 9), date(2025, 4, 4), date(2025, 3, 5), date(2025, 2, 8)]
)
def test_hours_of_a_day_stand_in_place_of_its_weekdays_and_of_a_holiday(day: date):
    dated = replace(OFFICE_HOURS, dated=(DatedHours(day, 600, 720), DatedHours(day, 780, 840)))

    assert open_intervals(dated, on(day, 0, 24)) == [on(day, 10, 12), on(day, 13, 14)]
    assert "public-holiday" not in refused(dated, on(day, 9, 11))
    assert "opening-hours" in refused(dated, on(day, 9, 11))


def test_a_holiday_names_each_day_on_which_it_is_closed():
    (reason,) = reasons(OFFICE_HOURS, on(date(2025, 4, 4), 9, 11))

    assert reason.rule == "public-holiday"
    assert "2025-04-04" in reason.message
    assert reason.overridable


def test_weeks_go_on_over_the_ends_of_months_of_leap_february_and_of_the_year():
    always = replace(
        OFFICE_HOURS,
        hours=tuple(Hours(weekday, 0, 1440) for weekday in range(7)),
        terms=replace(TERMS, open_on_holidays=True),
    )
    for first, last in (
        (date(2025, 3, 31), date(2025, 4, 1)),
        (date(2028, 2, 28), date(2028, 3, 1)),
        (date(2025, 12, 31), date(2026, 1, 1)),
    ):
        whole = During(shanghai_instant(first), shanghai_instant(last, 1440))

        assert open_intervals(always, whole) == [whole]


# ── Classes of user ───────────────────────────────────────────────────────────────────────────────

TUESDAY = MONDAY + timedelta(days=1)
FOR_CLASSES = replace(
    OFFICE_HOURS,
    class_terms=(
        ClassTerms(UserClass.OWN_UNIT, notice_minutes=0, needs_approval=False),
        ClassTerms(UserClass.ACADEMIC, horizon_days=7, maximum_minutes=120),
        ClassTerms(UserClass.ENTERPRISE, needs_approval=True),
    ),
    class_hours=(
        *(ClassHours(weekday, 0, 1440, UserClass.OWN_UNIT) for weekday in range(7)),
        ClassHours(1, 13 * 60, 17 * 60, UserClass.ENTERPRISE),
    ),
)


@pytest.mark.parametrize(
    ("user_class", "during", "rules"),
    [
        (UserClass.OWN_UNIT, on(TUESDAY, 1, 3), []),
        (UserClass.OWN_UNIT, on(MONDAY, 9, 10), []),
        (UserClass.ACADEMIC, on(TUESDAY, 9, 11), []),
        (UserClass.ACADEMIC, on(TUESDAY, 9, 13), ["maximum"]),
        (UserClass.ACADEMIC, on(MONDAY, 9, 10), ["notice"]),
        (UserClass.ACADEMIC, on(TUESDAY + timedelta(days=7), 9, 11), ["horizon"]),
        (UserClass.ENTERPRISE, on(TUESDAY, 13, 17), []),
        (UserClass.ENTERPRISE, on(TUESDAY, 9, 11), ["opening-hours"]),
        (UserClass.ENTERPRISE, on(TUESDAY + timedelta(days=1), 13, 15), ["opening-hours"]),
    ],
)
def test_each_class_has_its_own_hours_notice_horizon_and_maximum(
    user_class: UserClass, during: During, rules: list[str]
):
    assert refused(FOR_CLASSES.for_class(user_class), during) == rules


def test_a_refusal_says_who_has_the_hours_that_this_class_has_not():
    (reason,) = reasons(FOR_CLASSES.for_class(UserClass.ENTERPRISE), on(TUESDAY, 9, 11))

    assert "Open then to own-unit, academic users." in reason.message


def test_the_schedule_of_a_class_leads_to_that_of_another():
    enterprise = FOR_CLASSES.for_class(UserClass.ENTERPRISE)

    assert enterprise.terms.needs_approval
    assert FOR_CLASSES.for_class(UserClass.ACADEMIC) == enterprise.for_class(UserClass.ACADEMIC)
    assert enterprise.in_general == FOR_CLASSES


def test_a_class_that_may_not_book_is_told_so_and_finds_nothing_free():
    closed = replace(
        OFFICE_HOURS, class_terms=(ClassTerms(UserClass.ENTERPRISE, may_book=False),)
    ).for_class(UserClass.ENTERPRISE)

    (reason,) = reasons(closed, on(TUESDAY, 9, 11))

    assert (reason.rule, reason.source, reason.overridable) == ("class", "J.16a", True)
    assert free_intervals(closed, [], on(TUESDAY, 0, 24), at=NOW) == []


@pytest.mark.parametrize(
    ("kind", "same", "expected"),
    [
        ("provider", True, UserClass.OWN_UNIT),
        ("provider", False, UserClass.ACADEMIC),
        ("sme", False, UserClass.ENTERPRISE),
        ("", False, UserClass.ENTERPRISE),
    ],
)
def test_a_caller_comes_as_own_unit_as_another_provider_or_as_a_company(
    kind: str, same: bool, expected: UserClass
):
    assert class_of(organisation_kind=kind, same_legal_entity=same) is expected


# ── Priority, peak, closures ──────────────────────────────────────────────────────────────────────

PRIORITY = replace(OFFICE_HOURS, priority=(PriorityHours(1, 8 * 60, 12 * 60, 720),))


@pytest.mark.parametrize(
    ("user_class", "at", "rules"),
    [
        (UserClass.ENTERPRISE, shanghai_instant(MONDAY, 19 * 60 + 59), ["priority"]),
        (UserClass.ACADEMIC, shanghai_instant(MONDAY, 19 * 60 + 59), ["priority"]),
        (None, shanghai_instant(MONDAY, 19 * 60 + 59), ["priority"]),
        (UserClass.OWN_UNIT, shanghai_instant(MONDAY, 19 * 60 + 59), []),
        (UserClass.ENTERPRISE, shanghai_instant(MONDAY, 20 * 60), []),
    ],
)
def test_priority_hours_keep_others_out_until_they_lapse(
    user_class: UserClass | None, at: datetime, rules: list[str]
):
    schedule = PRIORITY if user_class is None else PRIORITY.for_class(user_class)
    during = on(TUESDAY, 11, 13)

    assert refused(schedule, during, at=at) == rules
    assert bool(free_intervals(schedule, [], on(TUESDAY, 11, 12), at=at)) == (not rules)


def test_a_refusal_for_priority_says_from_when_on_the_time_is_open_to_all():
    (reason,) = reasons(PRIORITY.for_class(UserClass.ENTERPRISE), on(TUESDAY, 11, 13))

    assert (reason.limit, reason.source) == (shanghai_instant(MONDAY, 20 * 60), "J.16a")
    assert "open to all from 2025-03-03 20:00 on" in reason.message


def test_peak_minutes_are_those_inside_the_peak_of_each_weekday():
    peaks = replace(OFFICE_HOURS, peak=(Hours(0, 900, 1440), Hours(1, 0, 60), Hours(2, 0, 1440)))

    assert peak_minutes(peaks, During(on(MONDAY, 22, 23).starts_at, on(TUESDAY, 2, 3).ends_at)) == (
        2 * 60 + 60
    )
    assert peak_minutes(OFFICE_HOURS, on(MONDAY, 0, 24)) == 0


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (ClosureKind.CLOSED, "closed"),
        (ClosureKind.MAINTENANCE, "maintenance"),
        (ClosureKind.BREAKDOWN, "breakdown"),
        (ClosureKind.OUTSIDE, "outside-busy"),
    ],
)
def test_every_kind_of_closure_refuses_under_its_own_name(kind: ClosureKind, rule: str):
    closed = replace(OFFICE_HOURS, closures=(Closed(on(TUESDAY, 10, 11), "why", kind),))

    (reason,) = reasons(closed, on(TUESDAY, 9, 11))

    assert (reason.rule, reason.overridable) == (rule, True)
    assert reason.message.endswith(": why")


@pytest.mark.parametrize(
    ("during", "at", "rules"),
    [
        (on(MONDAY, 9.5, 10.5), NOW, ["notice"]),
        (on(TUESDAY, 11, 13), shanghai_instant(MONDAY, 19 * 60 + 59), ["priority"]),
        (on(TUESDAY, 11, 13), shanghai_instant(MONDAY, 20 * 60), []),
        (on(date(2025, 4, 27), 9, 11), NOW, []),
        (on(date(2025, 4, 5), 9, 11), NOW, ["public-holiday"]),
    ],
)
def test_the_example_worked_by_hand_in_the_docs_is_right(
    during: During, at: datetime, rules: list[str]
):
    assert refused(PRIORITY.for_class(UserClass.ENTERPRISE), during, at=at) == rules
