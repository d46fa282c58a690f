"""Quotas: which periods a reservation touches, what it uses of each, and when it is too much."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.quotas import (
    END,
    Measure,
    Period,
    QuotaUse,
    Span,
    Subject,
    amount,
    counts,
    ends_on,
    peak_intervals,
    quota_refusals,
    span_around,
    spans_touched,
    told,
)
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.rules.states import Purpose, Status
from marketplace.kernel.time import SHANGHAI, During, shanghai_instant

NOW = datetime(2025, 3, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MORNINGS = tuple(Hours(weekday, 540, 720) for weekday in range(5))


def on(day: date, from_minute: int, minutes: int) -> During:
    starts_at = shanghai_instant(day, from_minute)
    return During(starts_at, starts_at + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("period", "day", "first", "after"),
    [
        (Period.DAY, date(2024, 2, 29), date(2024, 2, 29), date(2024, 3, 1)),
        (Period.WEEK, date(2025, 3, 3), date(2025, 3, 3), date(2025, 3, 10)),
        (Period.WEEK, date(2025, 3, 9), date(2025, 3, 3), date(2025, 3, 10)),
        (Period.WEEK, date(2025, 1, 1), date(2024, 12, 30), date(2025, 1, 6)),
        (Period.MONTH, date(2024, 2, 29), date(2024, 2, 1), date(2024, 3, 1)),
        (Period.MONTH, date(2025, 2, 28), date(2025, 2, 1), date(2025, 3, 1)),
        (Period.MONTH, date(2025, 12, 31), date(2025, 12, 1), date(2026, 1, 1)),
        (Period.YEAR, date(2024, 2, 29), date(2024, 1, 1), date(2025, 1, 1)),
    ],
)
def test_a_period_begins_at_midnight_in_shanghai_and_ends_before_the_next(
    period: Period, day: date, first: date, after: date
):
    assert Span(period, shanghai_instant(first), shanghai_instant(after)) == span_around(
        period, day
    )


def test_a_night_from_sunday_to_monday_at_a_months_end_touches_two_of_all_but_the_year():
    night = on(date(2025, 8, 31), 22 * 60, 240)

    touched = [span.period for span in spans_touched(night, at=NOW)]

    assert [
        *[Period.DAY] * 2,
        *[Period.WEEK] * 2,
        *[Period.MONTH] * 2,
        Period.YEAR,
        Period.OPEN,
    ] == (touched)


def test_a_reservation_that_ends_at_midnight_does_not_touch_the_next_day():
    evening = on(date(2025, 12, 31), 22 * 60, 120)

    touched = spans_touched(evening, at=NOW)

    assert [Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR, Period.OPEN] == [
        span.period for span in touched
    ]
    assert touched[-1] == Span(Period.OPEN, NOW, END)


def test_what_nobody_may_reserve_anyway_is_not_looked_at_to_its_end():
    a_century = During(NOW, NOW + timedelta(days=36_500))

    assert len(spans_touched(a_century, at=NOW)) < 50


@pytest.mark.parametrize(
    ("during", "span", "measure", "peak_only", "expected"),
    [
        # Monday 22:00 to Tuesday 02:00: two hours on each day, one reservation on each.
        (on(date(2025, 3, 3), 1320, 240), date(2025, 3, 3), "minutes", False, 120),
        (on(date(2025, 3, 3), 1320, 240), date(2025, 3, 4), "minutes", False, 120),
        (on(date(2025, 3, 3), 1320, 240), date(2025, 3, 4), "reservations", False, 1),
        (on(date(2025, 3, 3), 1320, 240), date(2025, 3, 5), "reservations", False, 0),
        # 8:00 to 10:00 on a Monday lies in peak hours from 9:00 on, on a Saturday not at all.
        (on(date(2025, 3, 3), 480, 120), date(2025, 3, 3), "minutes", True, 60),
        (on(date(2025, 3, 3), 480, 120), date(2025, 3, 3), "reservations", True, 1),
        (on(date(2025, 3, 3), 480, 60), date(2025, 3, 3), "reservations", True, 0),
        (on(date(2025, 3, 8), 480, 120), date(2025, 3, 8), "minutes", True, 0),
    ],
)
def test_what_a_reservation_uses_of_a_day(
    during: During, span: date, measure: str, peak_only: bool, expected: int
):
    day = span_around(Period.DAY, span).during

    used = amount(during, day, measure=Measure(measure), peak_only=peak_only, peak=MORNINGS)

    assert expected == used


def test_a_part_of_a_minute_is_a_minute_so_that_no_limit_is_passed_by_rounding():
    odd = During(NOW, NOW + timedelta(minutes=30, seconds=1))

    day = span_around(Period.DAY, date(2025, 3, 3)).during

    assert 31 == amount(odd, day, measure=Measure.MINUTES, peak_only=False, peak=())


def slow_amount(
    during: During, span: During, measure: Measure, peak_only: bool, peak: Sequence[Hours]
) -> int:
    """Minute by minute, in the words of the rule."""
    minutes = 0
    at = during.starts_at
    while at < during.ends_at:
        local = at.astimezone(SHANGHAI)
        minute = local.hour * 60 + local.minute
        in_peak = any(
            one.weekday == local.weekday() and one.opens_minute <= minute < one.closes_minute
            for one in peak
        )
        if span.starts_at <= at < span.ends_at and (in_peak or not peak_only):
            minutes += 1
        at += MINUTE
    return minutes if measure is Measure.MINUTES else min(minutes, 1)


days = st.dates(date(2023, 12, 20), date(2025, 3, 10))
reservations = st.builds(on, days, st.integers(0, 1439), st.integers(1, 3000))
peaks = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 1430), st.integers(1, 600)).map(
        lambda made: Hours(made[0], made[1], min(1440, made[1] + made[2]))
    ),
    max_size=4,
).map(lambda some: tuple({one.weekday: one for one in some}.values()))


dated = st.sampled_from(list(Period)[:4])


@given(reservations, dated, st.sampled_from(Measure), st.booleans(), peaks)
def test_every_use_of_every_period_equals_the_count_minute_by_minute(
    during: During, period: Period, measure: Measure, peak_only: bool, peak: tuple[Hours, ...]
):
    spans = [span for span in spans_touched(during, at=NOW) if span.period is period]

    for span in spans:
        expected = slow_amount(during, span.during, measure, peak_only, peak)
        assert expected == amount(
            during, span.during, measure=measure, peak_only=peak_only, peak=peak
        )


@given(reservations, dated)
def test_the_periods_touched_hold_every_minute_of_a_reservation_once(
    during: During, period: Period
):
    parts = [
        amount(during, span.during, measure=Measure.MINUTES, peak_only=False, peak=())
        for span in spans_touched(during, at=NOW)
        if span.period is period
    ]

    assert during.minutes == sum(parts)
    assert all(parts)


@given(reservations, peaks)
def test_peak_hours_are_what_lies_in_them_and_never_more_than_the_whole(
    during: During, peak: tuple[Hours, ...]
):
    inside = peak_intervals(peak, during)

    assert all(during.covers(one) for one in inside)
    assert slow_amount(during, during, Measure.MINUTES, True, peak) == sum(
        one.minutes for one in inside
    )


def a_use(**changes: object) -> QuotaUse:
    week = span_around(Period.WEEK, date(2025, 3, 3))
    made: dict[str, object] = {
        "quota_id": 7,
        "instrument_id": None,
        "subject": Subject.PERSON,
        "period": Period.WEEK,
        "measure": Measure.MINUTES,
        "peak_only": False,
        "at_most": 600,
        "starts_at": week.starts_at,
        "ends_at": week.ends_at,
        "used": 480,
    }
    return QuotaUse(**(made | changes))  # type: ignore[arg-type]


TWO_HOURS = on(date(2025, 3, 5), 540, 120)


@pytest.mark.parametrize(
    ("use", "refused"),
    [
        (a_use(), False),
        (a_use(used=481), True),
        (a_use(used=9000), True),
        (a_use(at_most=0, used=0), True),
        (a_use(used=9000, starts_at=shanghai_instant(date(2025, 3, 10)), ends_at=END), False),
        (a_use(measure=Measure.RESERVATIONS, at_most=3, used=2), False),
        (a_use(measure=Measure.RESERVATIONS, at_most=3, used=3), True),
        (a_use(peak_only=True, at_most=120, used=0), False),
        (a_use(peak_only=True, at_most=120, used=1), True),
        (a_use(period=Period.OPEN, measure=Measure.RESERVATIONS, at_most=2, used=1), False),
        (a_use(period=Period.OPEN, measure=Measure.RESERVATIONS, at_most=2, used=2), True),
    ],
)
def test_a_quota_refuses_what_would_pass_it_and_nothing_else(use: QuotaUse, refused: bool):
    assert refused == bool(list(quota_refusals([use], TWO_HOURS, peak=MORNINGS)))


def test_a_quota_of_peak_hours_lets_everything_else_pass():
    passed_before = a_use(peak_only=True, at_most=0, used=900)

    evening = on(date(2025, 3, 5), 20 * 60, 120)

    assert [] == list(quota_refusals([passed_before], evening, peak=MORNINGS))


def test_a_refusal_tells_limit_use_question_and_period_and_that_staff_may_set_it_aside():
    (reason,) = quota_refusals([a_use(used=540)], TWO_HOURS, peak=())

    assert "quota" == reason.rule
    assert reason.overridable
    assert 600 == reason.limit
    assert {
        "quota_id": 7,
        "asked": 120,
        "used": 540,
        "measure": "minutes",
        "period": "week",
        "starts_at": shanghai_instant(date(2025, 3, 3)),
        "ends_at": shanghai_instant(date(2025, 3, 10)),
    } == reason.asked
    assert reason.message == (
        "At most 600 minutes a week for one person: 540 used from 2025-03-03 to 2025-03-09,"
        " 120 asked for."
    )


def test_every_quota_that_would_be_passed_is_told():
    day = span_around(Period.DAY, date(2025, 3, 5))
    uses = [
        a_use(used=600),
        a_use(
            quota_id=8,
            period=Period.DAY,
            starts_at=day.starts_at,
            ends_at=day.ends_at,
            subject=Subject.ORGANISATION,
            peak_only=True,
            at_most=60,
            used=0,
        ),
        a_use(quota_id=9, period=Period.OPEN, measure=Measure.RESERVATIONS, at_most=1, used=1),
    ]

    told_of = [reason.message for reason in quota_refusals(uses, TWO_HOURS, peak=MORNINGS)]

    assert [
        "At most 600 minutes a week for one person: 600 used from 2025-03-03 to 2025-03-09,"
        " 120 asked for.",
        "At most 60 minutes a day in peak hours for one organisation: 0 used on 2025-03-05,"
        " 120 asked for.",
        "At most 1 open reservations at once for one person: 1 used, 1 asked for.",
    ] == told_of


def test_what_is_left_is_never_below_nothing():
    assert 120 == a_use().left
    assert 0 == a_use(used=9000).left


def test_a_period_is_told_by_its_last_day_and_open_reservations_have_none():
    assert date(2025, 3, 9) == ends_on(a_use())
    assert ends_on(a_use(period=Period.OPEN)) is None
    assert "At most 600 minutes a week for one person" == told(a_use())


@pytest.mark.parametrize("status", Status)
def test_what_was_given_back_in_time_turned_down_expired_or_is_held_does_not_count(status: Status):
    free = {Status.CANCELLED, Status.REJECTED, Status.EXPIRED, Status.HELD}

    assert counts(status, Purpose.EXTERNAL) == (status not in free)
    assert not counts(status, Purpose.MAINTENANCE)
    assert not counts(status, Purpose.TEST_RUN)
