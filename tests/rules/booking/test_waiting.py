"""Who may wait, which freed time fits a wish, and how long it is kept."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.errors import EntryNotInState
from marketplace.booking.rules.schedule import BookingTerms, ClassTerms, Hours, Schedule
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.rules.waiting import (
    OPEN,
    TRANSITIONS,
    EntryStatus,
    OfferTerms,
    Outcome,
    Wish,
    earliest_fit,
    entry_after,
    first_start,
    is_over,
    kept_until,
    outcome_of,
    require_entry_in,
    waiting_refusals,
    welcome,
)
from marketplace.kernel.time import SHANGHAI, During
from tests.builders.booking import at_hours, clock_at

NOW = clock_at(0, 9)
MINUTE = timedelta(minutes=1)
TERMS = BookingTerms(
    step_minutes=30, minimum_minutes=60, maximum_minutes=480, notice_minutes=60, horizon_days=30
)
ALWAYS = tuple(Hours(weekday, 0, 1440) for weekday in range(7))
SCHEDULE = Schedule(1, 2, "listed", TERMS, ALWAYS)
OFFER = OfferTerms(offer_minutes=120, decide_minutes=15)
WEEK = Wish(at_hours(1, 0, 5 * 24), 120)


def fit(wish: Wish, *free: During, let_go: tuple[During, ...] = ()) -> During | None:
    return earliest_fit(wish, free, step_minutes=30, not_before=NOW, let_go=let_go)


def rules(wish: Wish, schedule: Schedule = SCHEDULE, purpose: Purpose = Purpose.EXTERNAL):
    found = waiting_refusals(schedule, wish, purpose=purpose, at=NOW, terms=OFFER)
    return [reason.rule for reason in found]


def test_the_earliest_time_that_is_long_enough_is_offered():
    assert at_hours(2, 10, 12) == fit(WEEK, at_hours(1, 9, 10), at_hours(2, 10, 16))


def test_a_time_begins_on_a_step():
    free = During(clock_at(2, 10) + 5 * MINUTE, clock_at(2, 13))

    assert at_hours(2, 10.5, 12.5) == fit(WEEK, free)


def test_two_stretches_on_different_seats_are_never_joined():
    assert fit(WEEK, at_hours(2, 9, 10.5), at_hours(2, 10.5, 12)) is None
    assert fit(WEEK, at_hours(2, 9, 10.5), at_hours(2, 10, 12)) == at_hours(2, 10, 12)


def test_days_and_hours_that_do_not_suit_are_passed_over():
    mornings = replace(WEEK, weekdays=(3,), earliest_minute=8 * 60, latest_minute=12 * 60)

    assert at_hours(3, 8, 10) == fit(mornings, at_hours(1, 0, 5 * 24))
    assert fit(mornings, at_hours(3, 11, 18)) is None


def test_a_wish_for_any_hour_may_last_over_midnight():
    night = replace(WEEK, minutes=600)

    assert at_hours(2, 20, 30) == fit(night, at_hours(2, 20, 32))
    assert fit(replace(night, latest_minute=1439), at_hours(2, 20, 32)) is None


def test_what_was_let_go_is_not_offered_again():
    free = at_hours(2, 10, 16)

    assert at_hours(2, 12, 14) == fit(WEEK, free, let_go=(at_hours(2, 10, 12),))
    assert fit(WEEK, at_hours(2, 10, 13), let_go=(at_hours(2, 10, 12),)) is None


def oracle(wish: Wish, free: list[During], let_go: list[During]) -> During | None:
    """Every half hour of the window, one after the other, and each minute of it."""

    def suits(instant: datetime) -> bool:
        local = instant.astimezone(SHANGHAI)
        minute = local.hour * 60 + local.minute
        return (
            local.weekday() in wish.weekdays
            and wish.earliest_minute <= minute < wish.latest_minute
            and not any(gone.starts_at <= instant < gone.ends_at for gone in let_go)
        )

    starts_at = wish.during.starts_at
    while starts_at < wish.during.ends_at:
        slot = During(starts_at, starts_at + wish.minutes * MINUTE)
        inside = wish.during.covers(slot) and any(one.covers(slot) for one in free)
        minutes = range(0, wish.minutes, 30)
        if inside and all(suits(starts_at + each * MINUTE) for each in minutes):
            return slot
        starts_at += 30 * MINUTE
    return None


half_hours = st.integers(min_value=0, max_value=5 * 48)


def stretches(most: int) -> st.SearchStrategy[list[During]]:
    return st.lists(
        st.tuples(half_hours, st.integers(min_value=1, max_value=30)).map(
            lambda each: at_hours(0, each[0] / 2, (each[0] + each[1]) / 2)
        ),
        max_size=most,
    )


@given(
    window=st.tuples(half_hours, st.integers(min_value=1, max_value=240)),
    halves=st.integers(min_value=1, max_value=20),
    weekdays=st.sets(st.integers(min_value=0, max_value=6), min_size=1),
    hours=st.sampled_from([(0, 1440), (480, 1080), (0, 720), (720, 1440)]),
    free=stretches(6),
    let_go=stretches(2),
)
def test_the_earliest_fit_is_what_trying_every_half_hour_finds(
    window, halves, weekdays, hours, free, let_go
):
    wish = Wish(
        at_hours(0, window[0] / 2, (window[0] + window[1]) / 2),
        halves * 30,
        tuple(sorted(weekdays)),
        *hours,
    )

    found = earliest_fit(
        wish, free, step_minutes=30, not_before=wish.during.starts_at, let_go=let_go
    )

    assert oracle(wish, free, let_go) == found


@given(st.integers(min_value=-600, max_value=6000), st.integers(min_value=0, max_value=3000))
def test_a_kept_time_can_still_be_reserved_at_its_last_moment(ahead, notice):
    schedule = replace(SCHEDULE, terms=replace(TERMS, notice_minutes=notice))
    during = During(NOW + ahead * MINUTE, NOW + (ahead + 120) * MINUTE)
    until = kept_until(during, schedule, at=NOW, terms=OFFER)

    if during.starts_at < first_start(schedule, at=NOW, terms=OFFER):
        assert until is None
    else:
        assert until is not None
        assert NOW + 15 * MINUTE <= until <= NOW + 120 * MINUTE
        assert until + notice * MINUTE <= during.starts_at


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (WEEK, []),
        (replace(WEEK, during=at_hours(0, 8, 9)), ["past", "window"]),
        (replace(WEEK, during=at_hours(0, 9, 12)), ["notice"]),
        (replace(WEEK, during=at_hours(0, 9, 12.5)), []),
        (replace(WEEK, during=at_hours(31, 9, 12)), ["horizon"]),
        (replace(WEEK, minutes=45), ["step", "minimum"]),
        (replace(WEEK, minutes=540), ["maximum"]),
        (replace(WEEK, during=at_hours(1, 9, 10)), ["window"]),
        (replace(WEEK, weekdays=(6,)), ["window"]),
        (replace(WEEK, earliest_minute=540, latest_minute=600), ["window"]),
        (replace(WEEK, earliest_minute=600, latest_minute=600), ["window"]),
        (replace(WEEK, earliest_minute=1320, latest_minute=360), ["window"]),
    ],
)
def test_every_reason_against_waiting_is_said(wish, expected):
    assert sorted(expected) == sorted(rules(wish))


def test_nobody_waits_for_what_does_not_serve_them():
    only_own = ClassTerms(UserClass.ENTERPRISE, may_book=False)
    of_enterprise = replace(SCHEDULE, class_terms=(only_own,)).for_class(UserClass.ENTERPRISE)

    assert rules(WEEK, replace(SCHEDULE, status="withdrawn")) == ["instrument-status"]
    assert rules(WEEK, replace(SCHEDULE, open_to_others=False)) == ["not-shared"]
    assert rules(WEEK, of_enterprise) == ["class"]
    assert rules(WEEK, replace(SCHEDULE, open_to_others=False), Purpose.TEACHING) == []


def test_hours_and_closures_do_not_stop_anybody_from_waiting():
    """They may change: hours are widened, closures end early. That is what is waited for."""
    assert rules(WEEK, replace(SCHEDULE, hours=())) == []


@given(st.integers(min_value=0, max_value=300))
def test_a_wish_is_over_when_nothing_of_its_window_could_be_offered(left):
    wish = Wish(During(NOW - timedelta(days=1), NOW + max(1, left) * MINUTE), 120)
    possible = earliest_fit(
        wish, [wish.during], step_minutes=1, not_before=first_start_without_notice()
    )

    assert is_over(wish, at=NOW, terms=OFFER) == (possible is None)


def first_start_without_notice() -> datetime:
    return first_start(
        replace(SCHEDULE, terms=replace(TERMS, notice_minutes=0)), at=NOW, terms=OFFER
    )


def test_welcome_days_beside_each_other_are_one():
    assert welcome(Wish(at_hours(0, 12, 36), 60)) == [at_hours(0, 12, 36)]
    assert welcome(Wish(at_hours(0, 12, 60), 60, weekdays=(0, 2))) == [
        at_hours(0, 12, 24),
        at_hours(2, 0, 12),
    ]


@pytest.mark.parametrize("status", list(Status))
def test_every_state_of_a_reservation_says_what_became_of_its_offer(status):
    assert (outcome_of(status) is None) == (status is Status.OFFERED)


def test_who_lets_three_offers_lapse_does_not_wait_any_more():
    after = [
        entry_after(Outcome.LAPSED, offers_lapsed=count, lapsed_max=3) for count in (1, 2, 3, 4)
    ]

    assert after == [EntryStatus.WAITING] * 2 + [EntryStatus.CLOSED] * 2
    assert entry_after(Outcome.DECLINED, offers_lapsed=3, lapsed_max=3) is EntryStatus.WAITING
    assert entry_after(Outcome.ACCEPTED, offers_lapsed=0, lapsed_max=3) is EntryStatus.TAKEN


def test_open_entries_are_those_from_which_a_step_leads_on():
    assert {status for status, following in TRANSITIONS.items() if following} == OPEN


def test_a_step_that_does_not_follow_is_refused_with_what_would_be_possible():
    with pytest.raises(EntryNotInState) as refusal:
        require_entry_in(EntryStatus.WAITING, EntryStatus.OFFERED)

    assert refusal.value.extras["possible"] == ["closed", "lapsed", "offered", "withdrawn"]
