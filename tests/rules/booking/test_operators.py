"""Operators: when somebody could attend, minute by minute, and when the next one could."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.operators import (
    Operation,
    Operator,
    at_work,
    attended,
    free_operators,
    is_assisted,
    next_attended,
    operation_refusal,
    operator_intervals,
    operator_refusal,
)
from marketplace.booking.rules.schedule import Hours
from marketplace.kernel.time import (
    SHANGHAI,
    During,
    is_makeup_day,
    is_public_holiday,
    shanghai_instant,
)

MONDAY = date(2025, 3, 3)
OFFICE = tuple(Hours(weekday, 540, 1020) for weekday in range(5))


def at(day: int, from_hour: float, until_hour: float) -> During:
    midnight = shanghai_instant(MONDAY + timedelta(days=day))
    return During(midnight + timedelta(hours=from_hour), midnight + timedelta(hours=until_hour))


WEEK = During(at(0, 0, 1).starts_at, at(7, 0, 1).starts_at)


@pytest.mark.parametrize(
    ("operation", "asked", "is_operator", "expected"),
    [
        (Operation.SELF, None, False, False),
        (Operation.OPERATOR, None, False, True),
        (Operation.OPERATOR, None, True, False),
        (Operation.OPERATOR, True, True, True),
        (Operation.EITHER, None, False, False),
        (Operation.EITHER, True, False, True),
        (Operation.EITHER, False, False, False),
    ],
)
def test_whether_an_operator_comes(
    operation: Operation, asked: bool | None, is_operator: bool, expected: bool
):
    assert expected == is_assisted(operation, asked=asked, is_operator=is_operator)


@pytest.mark.parametrize(
    ("operation", "asked", "is_operator", "refused"),
    [
        (Operation.SELF, True, False, True),
        (Operation.SELF, None, False, False),
        (Operation.SELF, False, False, False),
        (Operation.OPERATOR, False, False, True),
        (Operation.OPERATOR, False, True, False),
        (Operation.OPERATOR, None, False, False),
        (Operation.EITHER, True, False, False),
        (Operation.EITHER, False, False, False),
    ],
)
def test_nobody_asks_for_what_the_instrument_does_not_have(
    operation: Operation, asked: bool | None, is_operator: bool, refused: bool
):
    reason = operation_refusal(operation, asked=asked, is_operator=is_operator)

    assert refused == (reason is not None)


def test_an_operator_attends_inside_working_hours_and_one_machine_at_a_time():
    busy = Operator(1, OFFICE, busy=(at(2, 10, 12),))
    away = Operator(2, OFFICE, away=(at(2, 0, 10),))

    assert [1, 2] == free_operators([busy, away], at(2, 13, 15))
    assert [] == free_operators([busy, away], at(2, 9, 11))
    assert [1] == free_operators([busy, away], at(2, 9, 10))
    assert [2] == free_operators([busy, away], at(2, 10, 12))
    assert [] == free_operators([busy, away], at(2, 16, 18))
    assert [] == free_operators([busy, away], at(5, 10, 11))


def test_a_shift_goes_on_over_midnight():
    night = Operator(1, (Hours(0, 1320, 1440), Hours(1, 0, 360)))

    assert [1] == free_operators([night], at(0, 22, 30))
    assert [] == free_operators([night], at(0, 22, 30.5))


def test_nobody_is_at_work_on_a_public_holiday_and_makes_up_for_it_on_a_weekend():
    tomb_sweeping = date(2025, 4, 4)
    makeup_sunday = date(2025, 4, 27)
    operator = Operator(1, (Hours(0, 600, 660), Hours(4, 540, 1020)))

    def of(day: date) -> list[During]:
        midnight = shanghai_instant(day)
        return at_work(operator, During(midnight, midnight + timedelta(days=1)))

    assert is_public_holiday(tomb_sweeping)
    assert is_makeup_day(makeup_sunday)
    assert [] == of(tomb_sweeping)
    # As on a Monday.
    assert [60] == [one.minutes for one in of(makeup_sunday)]


def test_what_two_operators_share_out_is_no_stretch_for_one_reservation():
    early = Operator(1, (Hours(2, 540, 720),))
    late = Operator(2, (Hours(2, 720, 900),))

    assert [at(2, 9, 12), at(2, 12, 15)] == operator_intervals([early, late], WEEK)
    assert [] == free_operators([early, late], at(2, 11, 13))
    assert [at(2, 10, 12), at(2, 12, 13)] == attended([at(2, 10, 13)], [early, late])


def test_the_next_free_operator_is_looked_for_on_the_instruments_steps():
    operator = Operator(1, OFFICE, busy=(at(2, 9, 10.25),))

    found = next_attended([operator], at(2, 9, 11), until=at(9, 0, 1).starts_at, step_minutes=30)

    assert at(2, 10.5, 12.5) == found


def test_the_next_free_operator_may_come_on_monday_or_not_at_all():
    operator = Operator(1, OFFICE)
    until = at(9, 0, 1).starts_at

    assert at(7, 9, 12) == next_attended([operator], at(4, 15, 18), until=until, step_minutes=60)
    assert next_attended([operator], at(4, 8, 20), until=until, step_minutes=60) is None
    assert next_attended([], at(4, 15, 18), until=until, step_minutes=60) is None
    assert next_attended([operator], at(8, 23, 26), until=until, step_minutes=60) is None


@pytest.mark.parametrize(
    ("found", "named", "words"),
    [
        (None, False, "named no operator"),
        (None, True, "nor one soon after"),
        (at(7, 9, 12), True, "free from 2025-03-10 09:00 to 2025-03-10 12:00"),
    ],
)
def test_a_refusal_says_when_the_next_operator_is_free(
    found: During | None, named: bool, words: str
):
    reason = operator_refusal(found, named=named)

    assert "operator" == reason.rule
    assert words in reason.message
    assert not reason.overridable


quarters = st.integers(0, 7 * 96 - 1)


def stretch(first: int, length: int) -> During:
    starts_at = WEEK.starts_at + timedelta(minutes=15 * first)
    return During(starts_at, starts_at + timedelta(minutes=15 * length))


stretches = st.builds(stretch, quarters, st.integers(1, 60))
hours = st.builds(
    lambda weekday, first, length: Hours(weekday, 15 * first, min(1440, 15 * (first + length))),
    st.integers(0, 6),
    st.integers(0, 95),
    st.integers(1, 96),
)
operators = st.builds(
    Operator,
    st.integers(1, 9),
    st.lists(hours, max_size=6).map(tuple),
    st.lists(stretches, max_size=2).map(tuple),
    st.lists(stretches, max_size=3).map(tuple),
)


def slowly_free(operator: Operator, during: During) -> bool:
    """Quarter by quarter."""
    quarter = timedelta(minutes=15)
    moment = during.starts_at
    while moment < during.ends_at:
        local = moment.astimezone(SHANGHAI)
        minute = local.hour * 60 + local.minute
        working = any(
            one.weekday == local.weekday() and one.opens_minute <= minute < one.closes_minute
            for one in operator.hours
        )
        taken = any(
            one.starts_at <= moment < one.ends_at for one in (*operator.away, *operator.busy)
        )
        if taken or not working:
            return False
        moment += quarter
    return True


@given(st.lists(operators, max_size=3), stretches)
def test_who_is_free_equals_a_look_at_every_quarter_of_an_hour(
    some: list[Operator], during: During
):
    expected = [one.person_id for one in some if slowly_free(one, during)]

    assert expected == free_operators(some, during)


@given(st.lists(operators, max_size=3), stretches)
def test_a_time_can_be_attended_exactly_where_it_lies_in_one_stretch(
    some: list[Operator], during: During
):
    around = During(WEEK.starts_at, WEEK.ends_at + timedelta(days=1))

    lies_in_one = any(one.covers(during) for one in operator_intervals(some, around))

    assert lies_in_one == bool(free_operators(some, during))


@given(st.lists(operators, min_size=1, max_size=3), stretches)
def test_the_next_attended_time_is_attended_and_none_on_the_step_comes_before_it(
    some: list[Operator], during: During
):
    until = WEEK.ends_at + timedelta(days=2)
    found = next_attended(some, during, until=until, step_minutes=15)

    tried = during
    while tried.ends_at <= until and not free_operators(some, tried):
        tried = During(
            tried.starts_at + timedelta(minutes=15), tried.ends_at + timedelta(minutes=15)
        )
    assert found == (tried if tried.ends_at <= until else None)
