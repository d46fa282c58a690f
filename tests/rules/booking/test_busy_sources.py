"""How often outside calendars are fetched, and when they are too old to be trusted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.busy_sources import (
    SourceKind,
    is_stale,
    may_ask_for_changes,
    next_fetch,
)

NOW = datetime(2025, 3, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "minutes"), [(0, 15), (1, 30), (2, 60), (6, 960), (7, 1440), (500, 1440)]
)
def test_a_source_that_fails_is_asked_less_often_and_once_a_day_at_least(
    failures: int, minutes: int
):
    assert next_fetch(NOW, failures=failures) == NOW + timedelta(minutes=minutes)


@given(st.integers(0, 10_000))
def test_another_failure_never_brings_the_next_fetch_nearer(failures: int):
    assert next_fetch(NOW, failures=failures) <= next_fetch(NOW, failures=failures + 1)


def test_only_a_fetched_calendar_gets_stale_and_after_an_hour():
    hour_ago = NOW - timedelta(hours=1)

    assert not is_stale(SourceKind.URL, hour_ago, at=NOW)
    assert is_stale(SourceKind.URL, hour_ago - timedelta(seconds=1), at=NOW)
    assert is_stale(SourceKind.URL, None, at=NOW)
    assert not is_stale(SourceKind.PUSH, None, at=NOW)
    assert not is_stale(SourceKind.UPLOAD, NOW - timedelta(days=99), at=NOW)


def test_a_file_that_never_changes_is_read_in_full_once_a_week():
    assert may_ask_for_changes(NOW - timedelta(days=6), at=NOW)
    assert not may_ask_for_changes(NOW - timedelta(days=7), at=NOW)
    assert not may_ask_for_changes(None, at=NOW)
