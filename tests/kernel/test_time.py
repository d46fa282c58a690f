"""Time: half-open intervals, Shanghai days, Chinese working days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.time import (
    During,
    is_working_day,
    merged,
    shanghai_day,
    shanghai_instant,
    working_days_after,
)

START = datetime(2025, 3, 3, tzinfo=UTC)


def during(start: int, end: int) -> During:
    return During(START + timedelta(minutes=start), START + timedelta(minutes=end))


intervals = st.tuples(st.integers(0, 500), st.integers(1, 200)).map(
    lambda pair: during(pair[0], pair[0] + pair[1])
)


def test_intervals_that_touch_do_not_overlap():
    assert not during(0, 30).overlaps(during(30, 60))


def test_an_interval_ends_after_it_starts():
    with pytest.raises(ValueError, match="ends after it starts"):
        during(5, 5)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        During(datetime(2025, 1, 1), datetime(2025, 1, 2))


@given(st.lists(intervals, max_size=20))
def test_merged_intervals_cover_the_same_minutes_once(some):
    def minutes(them):
        return {
            minute
            for one in them
            for minute in range(
                (one.starts_at - START) // timedelta(minutes=1),
                (one.ends_at - START) // timedelta(minutes=1),
            )
        }

    union = merged(some)

    assert minutes(union) == minutes(some)
    assert sum(one.minutes for one in union) == len(minutes(some))


def test_late_evening_in_utc_is_the_next_day_in_shanghai():
    assert shanghai_day(datetime(2025, 3, 3, 16, 0, tzinfo=UTC)) == date(2025, 3, 4)


def test_a_shanghai_instant_is_eight_hours_ahead_of_utc():
    assert shanghai_instant(date(2025, 3, 4), 8 * 60) == datetime(2025, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 1, 1), False),
        (date(2025, 1, 26), True),  # a make-up Sunday before the Spring Festival
        (date(2025, 1, 29), False),
        (date(2025, 3, 3), True),
        (date(2025, 3, 8), False),
        (date(2025, 10, 8), False),
        (date(2025, 10, 11), True),  # a make-up Saturday after the National Day
    ],
)
def test_chinese_working_days_know_holidays_and_make_up_days(day, works):
    assert is_working_day(day) is works


def test_five_working_days_after_a_monday_is_the_next_monday():
    assert working_days_after(date(2025, 3, 3), 5) == date(2025, 3, 10)
