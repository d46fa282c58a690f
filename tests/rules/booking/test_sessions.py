"""Check-in, and what a session comes to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.errors import CheckInRefused, SessionMinutesRefused
from marketplace.booking.rules.sessions import Minutes, minutes_used, require_check_in
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


@given(st.integers(-15, 119), st.integers(0, 1000), st.integers(1, 240))
def test_billable_is_never_less_than_actual(opened: int, lasted: int, minimum: int):
    used = minutes_used(RESERVED, after(opened), after(opened + lasted), minimum_minutes=minimum)

    assert used.billable >= used.actual
    assert used.preparation + used.test + used.post == used.actual
