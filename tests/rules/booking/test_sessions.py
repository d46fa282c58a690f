"""Check-in, and what a session comes to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.errors import CheckInRefused, SessionMinutesRefused
from marketplace.booking.rules.sessions import (
    SESSION_MINUTES_MAX,
    Ended,
    Minutes,
    Problem,
    Told,
    minutes_used,
    problem_of_end,
    require_check_in,
    user_repair_reasons,
    waits_for_staff,
)
from marketplace.kernel.time import During

NINE = datetime(2025, 3, 10, 9, tzinfo=UTC)
ELEVEN = NINE + timedelta(hours=2)
RESERVED = During(NINE, ELEVEN)


def after(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


@pytest.mark.parametrize("minutes", [-15, 0, 119])
def test_a_session_opens_a_little_early_or_during_the_reserved_time(minutes: int):
    require_check_in(RESERVED, at=after(minutes), early_minutes=15)


@pytest.mark.parametrize("minutes", [-16, 120, 500])
def test_a_session_does_not_open_too_early_or_when_the_time_is_over(minutes: int):
    with pytest.raises(CheckInRefused):
        require_check_in(RESERVED, at=after(minutes), early_minutes=15)


@pytest.mark.parametrize(
    ("opened", "closed", "actual", "billable"),
    [
        (0, 120, 120, 120),
        (0, 119.1, 120, 120),
        (-10, 120, 130, 130),
        (40, 120, 80, 120),
        (0, 90, 90, 90),
        (0, 20, 20, 60),
        (0, 150, 150, 150),
        (30, 30, 1, 60),
    ],
)
def test_billable_time_runs_from_the_reserved_start_to_the_end(
    opened: float, closed: float, actual: int, billable: int
):
    used = minutes_used(RESERVED, after(opened), after(closed), minimum_minutes=60)

    assert (actual, billable) == (used.actual, used.billable)


def test_a_reservation_shorter_than_the_minimum_is_billed_at_its_own_length():
    short = During(NINE, after(30))

    used = minutes_used(short, NINE, after(5), minimum_minutes=60)

    assert used.billable == 30


def test_test_time_is_what_preparation_and_post_leave():
    used = minutes_used(RESERVED, NINE, ELEVEN, minimum_minutes=60, preparation=20, post=10)

    assert Minutes(120, 120, 20, 90, 10) == used


def test_parts_longer_than_the_session_are_refused():
    with pytest.raises(SessionMinutesRefused):
        minutes_used(RESERVED, NINE, ELEVEN, minimum_minutes=60, preparation=20, test=100, post=10)


def test_a_session_longer_than_sixty_days_is_refused():
    with pytest.raises(SessionMinutesRefused):
        minutes_used(RESERVED, NINE, after(SESSION_MINUTES_MAX + 1), minimum_minutes=60)


@pytest.mark.parametrize(
    ("overrun", "step", "billable"),
    [
        (0, 30, 120),
        (0.5, 30, 150),
        (10, 30, 150),
        (30, 30, 150),
        (30.5, 30, 180),
        (31, 60, 180),
        (31, 0, 151),
        (30.5, 0, 151),
    ],
)
def test_of_an_overrun_each_step_begun_is_billed_whole(overrun: float, step: int, billable: int):
    used = minutes_used(
        RESERVED, NINE, after(120 + overrun), minimum_minutes=60, overrun_step_minutes=step
    )

    assert used.billable == billable


@given(st.integers(-15, 119), st.integers(0, 1000), st.integers(1, 240), st.integers(0, 120))
def test_billable_is_never_less_than_actual(opened: int, lasted: int, minimum: int, step: int):
    used = minutes_used(
        RESERVED,
        after(opened),
        after(opened + lasted),
        minimum_minutes=minimum,
        overrun_step_minutes=step,
    )

    assert used.billable >= used.actual
    assert used.preparation + used.test + used.post == used.actual


@given(st.integers(0, 100_000), st.integers(0, 120))
def test_seconds_cost_at_most_the_minute_or_the_step_that_they_begin(seconds: int, step: int):
    closed = NINE + timedelta(seconds=min(seconds, 80_000))
    exact = -(-(closed - NINE).total_seconds() // 60)

    used = minutes_used(RESERVED, NINE, closed, minimum_minutes=1, overrun_step_minutes=step)

    assert 0 <= used.billable - exact <= max(1, step)


@pytest.mark.parametrize(
    ("ended", "next_waits", "problem"),
    [
        (119, True, None),
        (120, True, None),
        (121, False, None),
        (121, True, Problem.OVERRUN),
        (150, False, None),
        (150.1, False, Problem.OVERRUN),
    ],
)
def test_an_end_in_the_next_ones_time_or_far_past_the_own_needs_a_second_look(
    ended: float, next_waits: bool, problem: Problem | None
):
    found = problem_of_end(RESERVED, after(ended), next_waits=next_waits, tolerance_minutes=30)

    assert found == problem


@pytest.mark.parametrize(
    ("says", "at_days", "how", "waiting", "rules"),
    [
        (60, 1, Told.PLATFORM, False, []),
        (120, 7, Told.PLATFORM, False, []),
        (0, 1, Told.PLATFORM, False, ["after-start"]),
        (121, 1, Told.PLATFORM, False, ["before-automatic-end"]),
        (60, 7.1, Told.PLATFORM, False, ["repair-days"]),
        (60, 1, Told.PERSON, False, ["closed-by-platform"]),
        (60, 1, Told.PLATFORM, True, ["one-at-a-time"]),
        (
            130,
            8,
            Told.LOG,
            True,
            ["closed-by-platform", "one-at-a-time", "before-automatic-end", "repair-days"],
        ),
    ],
)
def test_a_user_says_an_earlier_end_of_what_the_platform_closed_and_hears_every_reason_why_not(
    says: float, at_days: float, how: Told, waiting: bool, rules: list[str]
):
    reasons = user_repair_reasons(
        Ended(NINE, ELEVEN, how),
        says=after(says),
        at=ELEVEN + timedelta(days=at_days),
        repair_days=7,
        waiting=waiting,
    )

    assert [reason.rule for reason in reasons.found] == rules


@pytest.mark.parametrize(("after_", "waits"), [(120, False), (90, False), (89, True), (150, False)])
def test_a_word_that_lowers_the_bill_by_much_waits_for_the_provider(after_: int, waits: bool):
    assert waits_for_staff(120, after_, tolerance_minutes=30) is waits
