"""Which misuse gives a strike, how long one counts, and when a person is suspended."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.states import Purpose, Status
from marketplace.booking.rules.strikes import (
    Counted,
    StrikeKind,
    StrikeTerms,
    Use,
    appeal_refusals,
    counts,
    misuses,
    suspended_until,
)

MONDAY = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
TERMS = StrikeTerms(
    limit=3,
    valid_days=180,
    suspension_days=30,
    appeal_days=14,
    waste_percent=200,
    waste_minutes=60,
)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def kinds(status: Status, **changes: object) -> list[StrikeKind]:
    asked = {"purpose": Purpose.EXTERNAL, "own_staff": False, "instrument_down": False}
    use = Use(status, **(asked | changes))  # type: ignore[arg-type]
    return [one.kind for one in misuses(use, terms=TERMS)]


def used(reserved: int, minutes: int, **changes: object) -> list[StrikeKind]:
    return kinds(Status.USED, reserved_minutes=reserved, used_minutes=minutes, **changes)


def a_strike(day: float, **changes: int) -> Counted:
    given_at = MONDAY + day * DAY
    terms = {"limit": 3, "suspension_days": 30} | changes
    return Counted(given_at, given_at + 180 * DAY, **terms)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.NO_SHOW, [StrikeKind.NO_SHOW]),
        (Status.LATE_CANCELLED, [StrikeKind.LATE_CANCEL]),
        (Status.CANCELLED, []),
        (Status.REJECTED, []),
        (Status.EXPIRED, []),
        (Status.USED, []),
        (Status.CONFIRMED, []),
    ],
)
def test_who_does_not_come_or_cancels_too_late_gets_a_strike(status, expected):
    assert kinds(status) == expected


def test_more_than_twice_what_was_used_is_waste_when_an_hour_was_left_over():
    assert [] == used(240, 120)
    assert [StrikeKind.WASTE] == used(240, 119)
    assert [] == used(90, 40), "less than an hour was lost to others"
    assert [StrikeKind.WASTE] == used(120, 59)
    assert [] == used(120, 200)


def test_who_was_still_there_when_the_next_began_gets_a_strike():
    assert [StrikeKind.OVERRUN] == used(60, 60, problem="overrun")
    assert [] == used(60, 60, problem="never-closed")


def test_nobody_is_blamed_for_an_instrument_that_was_down():
    assert [] == kinds(Status.NO_SHOW, instrument_down=True)
    assert [] == used(480, 10, instrument_down=True, problem="overrun")


@pytest.mark.parametrize("purpose", [Purpose.MAINTENANCE, Purpose.TEST_RUN])
def test_own_staff_get_no_strike_for_upkeep(purpose):
    assert [] == used(480, 10, purpose=purpose, own_staff=True)


@pytest.mark.parametrize("purpose", [Purpose.OWN_RESEARCH, Purpose.TEACHING])
def test_own_staff_get_strikes_for_what_is_no_upkeep(purpose):
    assert [StrikeKind.WASTE] == used(480, 10, purpose=purpose, own_staff=True)


def test_the_third_strike_suspends_for_thirty_days_to_the_minute():
    strikes = [a_strike(0), a_strike(1), a_strike(2)]
    third = strikes[2].given_at

    assert suspended_until(strikes, at=third - MINUTE) is None
    assert suspended_until(strikes, at=third) == third + 30 * DAY
    assert suspended_until(strikes, at=third + 30 * DAY - MINUTE) == third + 30 * DAY
    assert suspended_until(strikes, at=third + 30 * DAY) is None


def test_two_strikes_do_not_suspend():
    assert suspended_until([a_strike(0), a_strike(1)], at=MONDAY + 5 * DAY) is None


def test_a_strike_expires_to_the_minute():
    first = a_strike(0)

    assert counts([first], at=first.expires_at - MINUTE) == 1
    assert counts([first], at=first.expires_at) == 0

    in_time = [first, a_strike(1), a_strike(180 - 1 / 1440)]
    too_late = [first, a_strike(1), a_strike(180)]
    assert suspended_until(in_time, at=MONDAY + 181 * DAY) is not None
    assert suspended_until(too_late, at=MONDAY + 181 * DAY) is None


def test_another_strike_while_suspended_lengthens_it():
    strikes = [a_strike(day) for day in (0, 1, 2, 20)]

    assert suspended_until(strikes, at=MONDAY + 21 * DAY) == MONDAY + 50 * DAY
    assert suspended_until(strikes[:3], at=MONDAY + 21 * DAY) == MONDAY + 32 * DAY


def test_each_strike_suspends_by_the_terms_of_its_own_day():
    strict = [a_strike(0), a_strike(1, limit=2, suspension_days=7)]

    assert suspended_until(strict, at=MONDAY + 2 * DAY) == MONDAY + 8 * DAY


days = st.lists(
    st.integers(min_value=0, max_value=400 * 24).map(lambda hour: hour / 24), max_size=12
)


@given(days, st.integers(min_value=0, max_value=450), st.randoms(use_true_random=False))
def test_the_order_in_which_strikes_become_known_does_not_matter(given_on, at_day, order):
    strikes = [a_strike(day) for day in given_on]
    shuffled = random.Random(order.random()).sample(strikes, len(strikes))
    at = MONDAY + at_day * DAY

    assert suspended_until(strikes, at=at) == suspended_until(shuffled, at=at)


@given(days, st.integers(min_value=0, max_value=450), st.integers(min_value=0, max_value=11))
def test_taking_a_strike_away_never_lengthens_a_suspension(given_on, at_day, which):
    strikes = [a_strike(day) for day in given_on]
    at = MONDAY + at_day * DAY
    all_of_them = suspended_until(strikes, at=at)
    fewer = suspended_until([*strikes[:which], *strikes[which + 1 :]], at=at)

    assert fewer is None or (all_of_them is not None and fewer <= all_of_them)


@given(days, st.integers(min_value=0, max_value=450))
def test_a_suspension_is_what_living_day_after_day_gives(given_on, at_day):
    """The oracle lives through the strikes one by one, as they happened."""
    strikes = sorted((a_strike(day) for day in given_on), key=lambda one: one.given_at)
    at = MONDAY + at_day * DAY
    until = None
    for number, one in enumerate(strikes):
        if one.given_at > at:
            break
        later_twins = sum(1 for other in strikes[number + 1 :] if other.given_at == one.given_at)
        standing = sum(1 for other in strikes[: number + 1] if other.expires_at > one.given_at)
        if standing + later_twins >= 3:
            until = one.given_at + 30 * DAY

    assert suspended_until(strikes, at=at) == (until if until and until > at else None)


def test_an_appeal_is_filed_until_the_last_moment_of_its_days():
    last = MONDAY + 14 * DAY

    assert not appeal_refusals(noted_at=MONDAY, at=last, terms=TERMS).found
    late = appeal_refusals(noted_at=MONDAY, at=last + timedelta(microseconds=1), terms=TERMS)
    assert [reason.rule for reason in late.found] == ["appeal-days"]
