"""The rule of availability: every reason at once, and free time that is really free."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.alternatives import (
    SHIFT_MINUTES_MAX,
    aligned,
    alternatives,
    first_of_each_day,
)
from marketplace.booking.rules.availability import (
    BookingTerms,
    Closed,
    Hours,
    Schedule,
    Taken,
    free_intervals,
    open_intervals,
    refusals,
)
from marketplace.booking.rules.intervals import common, minutes_of, without
from marketplace.booking.rules.states import Purpose
from marketplace.booking.rules.timetable import timetable
from marketplace.kernel.time import During, merged, shanghai_instant

MONDAY = date(2025, 3, 3)
NOW = shanghai_instant(MONDAY, 9 * 60)
WEEKDAYS = tuple(Hours(weekday, 8 * 60, 18 * 60) for weekday in range(5))
TERMS = BookingTerms(
    step_minutes=30,
    minimum_minutes=60,
    maximum_minutes=480,
    notice_minutes=60,
    horizon_days=30,
)
SCHEDULE = Schedule(1, 2, "listed", TERMS, WEEKDAYS)


def clock(day: int, minutes: int) -> datetime:
    """`minutes` after midnight, `day` days after Monday 3 March 2025."""
    return shanghai_instant(MONDAY + timedelta(days=day), minutes)


def at_hours(day: int, from_hour: float, until_hour: float) -> During:
    return During(clock(day, int(from_hour * 60)), clock(day, int(until_hour * 60)))


@pytest.mark.parametrize(
    ("during", "rules"),
    [
        (at_hours(1, 9, 11), []),
        (at_hours(1, 8, 16), []),
        (at_hours(0, 10, 11), []),
        (at_hours(0, 9.5, 10.5), ["notice"]),
        (at_hours(0, 8, 9), ["past"]),
        (at_hours(1, 9, 9.5), ["minimum"]),
        (at_hours(1, 8, 17), ["maximum"]),
        (During(clock(1, 545), clock(1, 605)), ["step"]),
        (During(clock(1, 540), clock(1, 625)), ["step"]),
        (at_hours(1, 17, 19), ["opening-hours"]),
        (at_hours(5, 9, 11), ["opening-hours"]),
        (at_hours(31, 9, 11), ["horizon"]),
        # Tomb-Sweeping Day, 4 April 2025, is a Friday 32 days on.
        (at_hours(32, 9, 11), ["horizon", "public-holiday"]),
        (During(clock(5, 545), clock(5, 550)), ["step", "minimum", "opening-hours"]),
        (During(clock(1, 540), clock(40, 540)), ["maximum"]),
    ],
)
def test_every_reason_why_a_time_cannot_be_reserved_is_told_at_once(
    during: During, rules: list[str]
):
    found = refusals(SCHEDULE, during, purpose=Purpose.OWN_RESEARCH, at=NOW)

    assert [reason.rule for reason in found] == rules


def test_a_closure_refuses_and_says_why():
    closed = replace(SCHEDULE, closures=(Closed(at_hours(1, 10, 12), "new detector"),))

    (reason,) = refusals(closed, at_hours(1, 9, 11), purpose=Purpose.OWN_RESEARCH, at=NOW)

    assert reason.rule == "closed"
    assert "new detector" in reason.message
    assert reason.overridable


@pytest.mark.parametrize(
    ("status", "purpose", "refused"),
    [
        ("listed", Purpose.EXTERNAL, False),
        ("unlisted", Purpose.EXTERNAL, True),
        ("unlisted", Purpose.OWN_RESEARCH, False),
        ("withdrawn", Purpose.OWN_RESEARCH, True),
        ("disposed", Purpose.MAINTENANCE, True),
    ],
)
def test_an_instrument_that_is_gone_is_never_reserved(status: str, purpose: Purpose, refused: bool):
    found = refusals(replace(SCHEDULE, status=status), at_hours(1, 9, 11), purpose=purpose, at=NOW)

    assert refused == bool(found)
    assert not any(reason.overridable for reason in found)


def test_an_instrument_for_its_own_unit_is_not_reserved_for_others():
    internal = replace(SCHEDULE, open_to_others=False)
    during = at_hours(1, 9, 11)

    (reason,) = refusals(internal, during, purpose=Purpose.EXTERNAL, at=NOW)

    assert reason.rule == "not-shared"
    assert not reason.overridable
    assert () == refusals(internal, during, purpose=Purpose.TEACHING, at=NOW)


def test_staff_may_set_aside_everything_but_the_past_and_what_nobody_may_have():
    schedule = replace(SCHEDULE, closures=(Closed(at_hours(5, 0, 24), "moving"),))
    overridable = refusals(
        schedule,
        During(clock(5, 545), clock(5, 550)),
        purpose=Purpose.MAINTENANCE,
        at=clock(5, 540),
    )
    not_overridable = refusals(
        schedule, During(NOW - timedelta(days=40), NOW), purpose=Purpose.MAINTENANCE, at=NOW
    )

    assert all(reason.overridable for reason in overridable)
    assert {"step", "minimum", "notice", "opening-hours", "closed"} == {
        reason.rule for reason in overridable
    }
    assert ["maximum", "past"] == [reason.rule for reason in not_overridable]
    assert not any(reason.overridable for reason in not_overridable)


def test_hours_that_meet_at_midnight_are_one_stretch():
    always = replace(SCHEDULE, hours=tuple(Hours(weekday, 0, 1440) for weekday in range(7)))
    night = During(clock(1, 22 * 60), clock(2, 6 * 60))

    assert [night] == open_intervals(always, night)
    assert () == refusals(always, night, purpose=Purpose.OWN_RESEARCH, at=NOW)


def test_an_instrument_without_published_hours_is_not_open():
    (reason,) = refusals(
        replace(SCHEDULE, hours=()), at_hours(1, 9, 11), purpose=Purpose.OWN_RESEARCH, at=NOW
    )

    assert reason.rule == "opening-hours"
    assert "No opening hours are published" in reason.message


def test_a_taken_time_is_kept_clear_by_the_newcomers_buffers_too():
    terms = replace(TERMS, before_minutes=30, after_minutes=60)
    schedule = replace(SCHEDULE, terms=terms)
    taken = [Taken(1, schedule.blocked(at_hours(1, 11, 12)))]

    free = free_intervals(schedule, taken, at_hours(1, 8, 18), at=NOW)

    # 11–12 blocks 10:30–13:00; a newcomer needs an hour after itself and half an hour before.
    assert [at_hours(1, 8, 9.5), at_hours(1, 13.5, 18)] == free


def test_with_two_seats_a_time_is_taken_only_when_both_are():
    schedule = replace(SCHEDULE, terms=replace(TERMS, seats=2))
    taken = [Taken(1, at_hours(1, 10, 12)), Taken(2, at_hours(1, 11, 14))]

    free = free_intervals(schedule, taken, at_hours(1, 8, 18), at=NOW)

    assert [at_hours(1, 8, 11), at_hours(1, 12, 18)] == free


# ── Properties ────────────────────────────────────────────────────────────────────────────────────

minutes = st.integers(min_value=0, max_value=5 * 1440)


@st.composite
def intervals(draw: st.DrawFn) -> During:
    start = draw(minutes)
    return During(clock(0, start), clock(0, start + draw(st.integers(1, 900))))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    step = draw(st.sampled_from([1, 5, 7, 10, 15, 30, 60]))
    minimum = step * draw(st.integers(1, 4))
    terms = BookingTerms(
        step_minutes=step,
        minimum_minutes=minimum,
        maximum_minutes=minimum + step * draw(st.integers(0, 20)),
        notice_minutes=draw(st.sampled_from([0, 30, 1440])),
        horizon_days=draw(st.sampled_from([2, 5, 30])),
        before_minutes=draw(st.sampled_from([0, 10, 45])),
        after_minutes=draw(st.sampled_from([0, 15, 60])),
        seats=draw(st.integers(1, 3)),
        open_on_holidays=draw(st.booleans()),
    )
    hours = []
    for weekday in draw(st.sets(st.integers(0, 6))):
        opens = draw(st.integers(0, 1439))
        hours.append(Hours(weekday, opens, draw(st.integers(opens + 1, 1440))))
    closures = [Closed(one, "shut") for one in draw(st.lists(intervals(), max_size=3))]
    return Schedule(1, 2, "listed", terms, tuple(hours), tuple(closures))


def accepted(schedule: Schedule, taken: list[Taken], during: During) -> bool:
    """What the rules and the guard of the database together say."""
    if refusals(schedule, during, purpose=Purpose.OWN_RESEARCH, at=NOW):
        return False
    blocked = schedule.blocked(during)
    seats = {one.seat for one in taken if one.blocked.overlaps(blocked)}
    return len(seats) < schedule.terms.seats


@st.composite
def takens(draw: st.DrawFn) -> list[Taken]:
    return [Taken(draw(st.integers(1, 3)), one) for one in draw(st.lists(intervals(), max_size=6))]


@given(schedules(), takens(), intervals())
def test_every_alternative_would_be_accepted(schedule: Schedule, taken: list[Taken], asked: During):
    taken = [one for one in taken if one.seat <= schedule.terms.seats]

    offered = alternatives(schedule, taken, asked, at=NOW)

    assert all(accepted(schedule, taken, one.during) for one in offered)
    assert len({one.during for one in offered}) == len(offered) <= 5
    for one in offered:
        if one.kind == "shift":
            assert abs(one.shift_minutes) <= SHIFT_MINUTES_MAX


@given(schedules(), takens(), intervals())
def test_a_period_is_free_or_busy_for_one_reason_and_nothing_is_left_out(
    schedule: Schedule, taken: list[Taken], within: During
):
    taken = [one for one in taken if one.seat <= schedule.terms.seats]

    told = timetable(schedule, taken, within, at=NOW)
    free, busy = list(told.free), [one.during for one in told.busy]

    assert free == free_intervals(schedule, taken, within, at=NOW)
    assert [within] == merged([*free, *busy])
    assert [] == common(merged(free), merged(busy))
    assert within.ends_at - within.starts_at == sum(
        (one.ends_at - one.starts_at for one in [*merged(free), *busy]), timedelta()
    )


@given(st.lists(intervals(), max_size=6), st.lists(intervals(), max_size=6))
def test_taking_away_leaves_exactly_what_is_not_common(whole: list[During], holes: list[During]):
    rest = without(whole, holes)

    assert minutes_of(whole) == minutes_of(rest) + minutes_of(common(whole, holes))
    assert [] == common(rest, holes)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 1440),
)
def test_an_aligned_start_is_the_first_step_not_before(instant: datetime, step: int):
    start = aligned(instant, step)

    assert start >= instant
    assert start - instant < timedelta(minutes=step)
    assert start == aligned(start, step)


@pytest.mark.parametrize(
    ("free", "minutes", "told"),
    [
        ([at_hours(0, 0, 24), at_hours(1, 0, 24)], 60, [at_hours(0, 8, 9), at_hours(1, 8, 9)]),
        ([During(clock(0, 0), clock(2, 0))], 120, [at_hours(0, 8, 10), at_hours(1, 8, 10)]),
        ([at_hours(0, 0, 3), at_hours(0, 9.25, 12)], 60, [at_hours(0, 9.5, 10.5)]),
        ([at_hours(0, 2, 5)], 60, [at_hours(0, 2, 3)]),
        ([at_hours(0, 9, 10)], 120, []),
        ([at_hours(0, 9, 10)], 20, [at_hours(0, 9, 10)]),
        ([at_hours(0, 9, 20)], 600, []),
        ([at_hours(0, 22, 26)], 180, [at_hours(0, 22, 25)]),
        ([at_hours(0, 1, 32)], 480, [at_hours(0, 8, 16), at_hours(1, 0, 8)]),
        ([at_hours(0, 12, 31)], 480, [at_hours(0, 12, 20)]),
        ([at_hours(0, 4, 32)], 480, [at_hours(0, 8, 16), at_hours(1, 0, 8)]),
        ([at_hours(0, 14, 24), at_hours(0, 2, 12)], 480, [at_hours(0, 14, 22)]),
        ([at_hours(0, 2, 12), at_hours(0, 20, 30)], 480, [at_hours(0, 2, 10)]),
        ([], 60, []),
    ],
)
def test_each_day_is_told_with_the_first_time_at_which_people_come(free, minutes, told):
    assert told == first_of_each_day(free, TERMS, minutes)
