"""From this minute on: which lengths an instrument can still give."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.schedule import BookingTerms, Hours, Schedule, Taken
from marketplace.booking.rules.states import Purpose
from marketplace.booking.rules.walk_up import (
    LENGTHS_MINUTES,
    from_now,
    walk_up_lengths,
    walk_up_refusals,
)
from marketplace.kernel.time import During, shanghai_instant

MONDAY = date(2025, 3, 3)
TEN = shanghai_instant(MONDAY, 600)
# A second after a minute that lies on no step.
NOW = TEN + timedelta(minutes=7, seconds=31)


def schedule(status: str = "listed", **terms: Any) -> Schedule:
    rule: dict[str, Any] = {
        "step_minutes": 30,
        "minimum_minutes": 15,
        "maximum_minutes": 480,
        "notice_minutes": 1440,
        "horizon_days": 30,
    }
    return Schedule(1, 2, status, BookingTerms(**(rule | terms)), (Hours(0, 480, 1080),))


def taken(seat: int, from_minutes: int, minutes: int) -> Taken:
    starts_at = TEN + timedelta(minutes=from_minutes)
    return Taken(seat, During(starts_at, starts_at + timedelta(minutes=minutes)))


def test_it_begins_in_this_minute_whatever_the_notice_and_the_step():
    during = from_now(NOW, 30)

    assert during == During(TEN + timedelta(minutes=7), TEN + timedelta(minutes=37))
    assert walk_up_refusals(schedule(), during, purpose=Purpose.TEACHING, at=NOW) == ()


@pytest.mark.parametrize(
    ("terms", "beside", "expected"),
    [
        # Open until 18:00: 7 hours 53 minutes are left.
        ({}, [], (15, 30, 60, 120, 180, 240, 360)),
        ({"maximum_minutes": 120}, [], (15, 30, 60, 120)),
        ({"minimum_minutes": 60}, [], (60, 120, 180, 240, 360)),
        ({}, [taken(1, 70, 60)], (15, 30, 60)),
        ({"after_minutes": 10}, [taken(1, 70, 60)], (15, 30)),
        ({"seats": 2}, [taken(1, 70, 60)], (15, 30, 60, 120, 180, 240, 360)),
        ({}, [taken(1, 0, 30)], ()),
    ],
)
def test_what_is_offered_ends_before_the_next_one_and_before_closing_time(
    terms: dict[str, Any], beside: list[Taken], expected: tuple[int, ...]
):
    offered = walk_up_lengths(schedule(**terms), beside, purpose=Purpose.OWN_RESEARCH, at=NOW)

    assert expected == offered


def test_what_needs_approval_or_is_gone_is_not_walked_up_to():
    approval = schedule(needs_approval=True)

    assert walk_up_lengths(approval, [], purpose=Purpose.TEACHING, at=NOW) == ()
    assert walk_up_lengths(approval, [], purpose=Purpose.MAINTENANCE, at=NOW)
    assert walk_up_lengths(schedule("withdrawn"), [], purpose=Purpose.MAINTENANCE, at=NOW) == ()
    during = from_now(NOW, 15)
    reasons = walk_up_refusals(approval, during, purpose=Purpose.TEACHING, at=NOW)
    assert [reason.rule for reason in reasons] == ["approval"]


@given(
    beside=st.lists(
        st.builds(taken, st.integers(1, 2), st.integers(-60, 400), st.integers(1, 120)), max_size=5
    ),
    seconds=st.integers(0, 8 * 3600),
)
def test_each_length_offered_is_free_and_no_free_one_is_kept_back(
    beside: list[Taken], seconds: int
):
    at = TEN + timedelta(seconds=seconds)
    found = schedule(seats=2)
    closes = TEN + timedelta(hours=8)
    offered = walk_up_lengths(found, beside, purpose=Purpose.TEACHING, at=at)

    for minutes in LENGTHS_MINUTES:
        asked = from_now(at, minutes)
        taken_seats = {one.seat for one in beside if one.blocked.overlaps(asked)}
        possible = (
            taken_seats != {1, 2}
            and asked.ends_at <= closes
            and minutes <= found.terms.maximum_minutes
        )
        assert possible == (minutes in offered)
