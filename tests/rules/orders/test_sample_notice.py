"""How early a provider is told of samples."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.time import SHANGHAI
from marketplace.orders.errors import SamplesTooSoon
from marketplace.orders.rules.sample_notice import (
    earliest_arrival_on,
    order_until,
    require_notice,
)

WEEK = 7 * 24 * 60


@pytest.mark.parametrize(
    ("at", "earliest_on"),
    [
        (datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI), date(2025, 3, 10)),
        (datetime(2025, 3, 3, 0, 0, tzinfo=SHANGHAI), date(2025, 3, 10)),
        (datetime(2025, 3, 3, 23, 59, tzinfo=SHANGHAI), date(2025, 3, 10)),
        (datetime(2024, 2, 22, 9, 0, tzinfo=SHANGHAI), date(2024, 2, 29)),
        (datetime(2025, 12, 28, 9, 0, tzinfo=SHANGHAI), date(2026, 1, 4)),
    ],
)
def test_samples_arrive_a_week_after_they_are_ordered_at_the_earliest(at, earliest_on):
    assert earliest_on == earliest_arrival_on(at, notice_minutes=WEEK)
    require_notice(earliest_on, at=at, notice_minutes=WEEK)
    with pytest.raises(SamplesTooSoon) as refusal:
        require_notice(earliest_on - timedelta(days=1), at=at, notice_minutes=WEEK)
    assert [earliest_on.isoformat()] == [reason.limit for reason in refusal.value.reasons]


@given(
    st.dates(date(2001, 1, 1), date(2099, 1, 1)), st.integers(0, 30 * 24 * 60), st.integers(1, 600)
)
def test_who_orders_until_the_last_moment_leaves_the_provider_its_notice(day, notice, seconds):
    until = order_until(day, notice_minutes=notice)

    assert day == earliest_arrival_on(until - timedelta(seconds=1), notice_minutes=notice)
    assert day < earliest_arrival_on(until + timedelta(seconds=seconds), notice_minutes=notice)
