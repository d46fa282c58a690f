"""Another time for a reservation: until when, for what fee, and how far its end can go."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.errors import ReservationNotInState, TooLateToMove
from marketplace.booking.rules.availability import refusals, seat_gaps
from marketplace.booking.rules.moving import (
    MOVABLE,
    MoveTerms,
    latest_end,
    move_fee,
    reasons_for_stretch,
    require_movable,
    status_after_move,
)
from marketplace.booking.rules.schedule import BookingTerms, Closed, Hours, Schedule, Taken
from marketplace.booking.rules.states import Purpose, Status
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During, shanghai_instant

MONDAY = date(2025, 3, 3)
TERMS = MoveTerms(late_minutes=1440, fee_basis_points=2500)
STEP = timedelta(minutes=30)


def clock(minutes: float) -> datetime:
    """`minutes` after midnight of Monday 3 March 2025."""
    return shanghai_instant(MONDAY) + timedelta(minutes=minutes)


def span(from_hour: float, until_hour: float) -> During:
    return During(clock(from_hour * 60), clock(until_hour * 60))


STARTS_AT = clock(2880)


@pytest.mark.parametrize(
    ("status", "before", "by_provider", "down", "fee"),
    [
        (Status.CONFIRMED, 1441, False, False, 0),
        (Status.CONFIRMED, 1440, False, False, 0),
        (Status.CONFIRMED, 1439, False, False, 2500),
        (Status.CONFIRMED, 1, False, False, 2500),
        (Status.CONFIRMED, 1, True, False, 0),
        (Status.CONFIRMED, 1, False, True, 0),
        (Status.REQUESTED, 1, False, False, 0),
        (Status.HELD, 1, False, False, 0),
    ],
)
def test_a_fee_is_due_only_for_a_confirmed_time_that_the_customer_gives_back_late(
    status: Status, before: int, by_provider: bool, down: bool, fee: int
):
    due = move_fee(
        status,
        STARTS_AT,
        at=STARTS_AT - timedelta(minutes=before),
        terms=TERMS,
        by_provider=by_provider,
        instrument_down=down,
    )

    assert due.basis_points == fee
    assert due.why


@pytest.mark.parametrize("status", list(Status))
def test_only_what_is_still_to_come_moves(status: Status):
    if status in MOVABLE:
        require_movable(status, STARTS_AT, at=clock(0), by_provider=False)
    else:
        with pytest.raises(ReservationNotInState):
            require_movable(status, STARTS_AT, at=clock(0), by_provider=True)


def test_after_the_start_only_the_provider_moves():
    require_movable(Status.CONFIRMED, STARTS_AT, at=STARTS_AT - STEP, by_provider=False)
    require_movable(Status.CONFIRMED, STARTS_AT, at=STARTS_AT, by_provider=True)
    with pytest.raises(TooLateToMove):
        require_movable(Status.CONFIRMED, STARTS_AT, at=STARTS_AT, by_provider=False)


@pytest.mark.parametrize(
    ("status", "approval", "purpose", "by_provider", "expected"),
    [
        (Status.CONFIRMED, False, Purpose.EXTERNAL, False, Status.CONFIRMED),
        (Status.CONFIRMED, True, Purpose.EXTERNAL, False, Status.REQUESTED),
        (Status.CONFIRMED, True, Purpose.EXTERNAL, True, Status.CONFIRMED),
        (Status.CONFIRMED, True, Purpose.MAINTENANCE, False, Status.CONFIRMED),
        (Status.REQUESTED, False, Purpose.EXTERNAL, False, Status.REQUESTED),
        (Status.HELD, True, Purpose.TEACHING, True, Status.HELD),
    ],
)
def test_who_needs_approval_for_a_time_needs_it_for_another(
    status: Status, approval: bool, purpose: Purpose, by_provider: bool, expected: Status
):
    assert expected == status_after_move(
        status, needs_approval=approval, purpose=purpose, by_provider=by_provider
    )


def test_where_the_start_stays_nothing_is_said_of_starts():
    reasons = [Reason(rule, rule) for rule in ("notice", "maximum", "past", "horizon", "closed")]
    later = reasons_for_stretch(reasons, before=span(9, 10), after=span(9, 11))
    elsewhere = reasons_for_stretch(reasons, before=span(9, 10), after=span(10, 11))

    assert [reason.rule for reason in later] == ["maximum", "closed"]
    assert list(elsewhere) == reasons


def schedule(**terms: Any) -> Schedule:
    rule: dict[str, Any] = {
        "step_minutes": 30,
        "minimum_minutes": 30,
        "maximum_minutes": 480,
        "notice_minutes": 0,
        "horizon_days": 30,
    }
    hours = (Hours(0, 8 * 60, 18 * 60),)
    return Schedule(1, 2, "listed", BookingTerms(**(rule | terms)), hours)


@pytest.mark.parametrize(
    ("beside", "terms", "closed", "expected"),
    [
        # Nothing in the way: to closing time, or to the longest time that is reserved.
        ([], {"maximum_minutes": 600}, [], 18),
        ([], {"maximum_minutes": 180}, [], 12),
        ([], {"maximum_minutes": 60}, [], 10),
        # To the next one, with room for one's own cleaning and its preparation.
        ([(1, 14, 15)], {}, [], 14),
        ([(1, 14, 15)], {"after_minutes": 60}, [], 13),
        ([(1, 14, 15)], {"after_minutes": 40}, [], 13),
        ([(1, 10, 11)], {}, [], 10),
        # Somebody on another seat is in nobody's way.
        ([(2, 14, 15)], {"seats": 2}, [], 17),
        # Closed from 15:10 on: the last whole step.
        ([], {}, [(15 + 1 / 6, 16)], 15),
        ([], {}, [(10, 11)], 10),
    ],
)
def test_a_reservation_extends_to_the_next_one_or_to_closing_time(
    beside: list[tuple[int, float, float]],
    terms: dict[str, Any],
    closed: list[tuple[float, float]],
    expected: float,
):
    found = schedule(**terms)
    shut = tuple(Closed(span(*times), "shut") for times in closed)
    with_closures = Schedule(1, 2, "listed", found.terms, found.hours, shut)
    taken = [Taken(seat, span(*times)) for seat, *times in beside]

    end = latest_end(with_closures, taken, span(9, 10), seat=1, at=clock(540))

    assert end == clock(expected * 60)


@given(
    beside=st.lists(
        st.tuples(st.integers(1, 2), st.integers(20, 40), st.integers(1, 6)), max_size=4
    ),
    after=st.integers(0, 4).map(lambda steps: steps * 15),
    maximum=st.integers(1, 20).map(lambda steps: steps * 30),
)
def test_how_far_it_can_go_is_what_trying_every_end_finds(
    beside: list[tuple[int, int, int]], after: int, maximum: int
):
    found = schedule(after_minutes=after, maximum_minutes=maximum, seats=2)
    taken = [
        Taken(seat, During(clock(start * 30), clock((start + length) * 30)))
        for seat, start, length in beside
    ]
    present = span(9, 10)
    at = clock(530)
    tried = present.ends_at
    while True:
        longer = During(present.starts_at, tried + STEP)
        added = During(present.ends_at, tried + STEP)
        free = any(added in gap for gap in seat_gaps(found, taken, added)[:1])
        if refusals(found, longer, purpose=Purpose.TEACHING, at=at) or not free:
            break
        tried += STEP

    assert tried == latest_end(found, taken, present, seat=1, at=at)
