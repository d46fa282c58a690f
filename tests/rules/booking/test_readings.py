"""What an instrument's log says: one run out of many messages, and whose it is."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.readings import (
    Booked,
    Closed,
    Log,
    ReadingState,
    Run,
    Step,
    belongs_to,
    differences,
    log_of,
    merged_run,
    next_step,
    run_reasons,
    state_of,
)
from marketplace.booking.rules.states import Status
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During

NINE = datetime(2025, 3, 10, 9, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def a_run(start: float | None, stop: float | None = None) -> Run:
    return Run(
        None if start is None else after(start),
        None if stop is None else after(stop),
    )


def booked(
    number: int,
    start: float,
    stop: float,
    status: Status = Status.CONFIRMED,
    opened: float | None = None,
    closed: float | None = None,
) -> Booked:
    return Booked(
        number,
        During(after(start), after(stop)),
        status,
        None if opened is None else after(opened),
        None if closed is None else after(closed),
    )


MORNING = booked(1, 0, 120)
NOON = booked(2, 120, 240)


# ------------------------------------------------------------------ one run out of many messages


@given(st.permutations([a_run(0), a_run(None, 60), a_run(0, 60), a_run(0), a_run(None, 60)]))
def test_a_start_and_a_stop_make_one_run_in_any_order_and_however_often(sent: list[Run]):
    kept = Run()
    for one in sent:
        kept, reasons = merged_run(kept, one)
        assert not reasons.found

    assert kept == a_run(0, 60)


def test_two_starts_of_one_run_contradict_each_other():
    kept, reasons = merged_run(a_run(0, 60), a_run(1, 61))

    assert kept == a_run(0, 60)
    assert [reason.rule for reason in reasons.found] == ["contradicts", "contradicts"]


@pytest.mark.parametrize(
    ("run", "rules"),
    [
        (a_run(0, 60), []),
        (a_run(0), []),
        (a_run(None, 60), []),
        (a_run(0, 0), []),
        (a_run(62), []),
        (a_run(63), ["clock-ahead"]),
        (a_run(10, 63), ["clock-ahead"]),
        (a_run(None), ["nothing-told"]),
        (a_run(30, 29), ["stops-before-start"]),
        (a_run(-93 * 1440), ["too-old"]),
        (a_run(-61 * 1440, 0), ["run-days"]),
        (a_run(90, 80), ["clock-ahead", "clock-ahead", "stops-before-start"]),
    ],
)
def test_a_run_that_cannot_be_true_is_refused_with_every_reason(run: Run, rules: list[str]):
    found = run_reasons(run, at=after(60)).found

    assert sorted(reason.rule for reason in found) == rules


# ------------------------------------------------------------------------------- whose run it is


@pytest.mark.parametrize(
    ("start", "among", "whose"),
    [
        (0, [MORNING, NOON], 1),
        (119, [MORNING, NOON], 1),
        (120, [MORNING, NOON], 2),
        (-15, [MORNING], 1),
        (-16, [MORNING], None),
        (240, [MORNING, NOON], None),
        # Before noon's time, and the morning is not over.
        (110, [MORNING, NOON], 1),
        # The morning left at 10:30: ten to eleven is noon's early start.
        (110, [booked(1, 0, 120, Status.USED, 0, 90), NOON], 2),
        # Use that goes on is preferred, also a little past its end.
        (125, [booked(1, 0, 120, Status.IN_USE, 0)], 1),
        (131, [booked(1, 0, 120, Status.IN_USE, 0)], None),
        (125, [booked(1, 0, 120, Status.IN_USE, 0), NOON], 2),
        # A run after the session that it belongs to, within the tolerance.
        (95, [booked(1, 0, 120, Status.USED, 0, 90)], 1),
        (101, [booked(1, 0, 120, Status.USED, 0, 90)], None),
        # Seats side by side: who has checked in.
        (10, [MORNING, booked(3, 0, 120, Status.IN_USE, 5)], 3),
        (10, [booked(5, 0, 120), booked(4, 0, 120)], 4),
        (10, [booked(1, 0, 120, Status.NO_SHOW)], 1),
        (10, [booked(1, 0, 120, Status.NO_SHOW), booked(9, 5, 120)], 9),
        (10, [booked(1, 0, 120, Status.CANCELLED)], None),
        (10, [booked(1, 0, 120, Status.REQUESTED)], None),
        (10, [], None),
    ],
)
def test_a_run_belongs_to_the_time_into_which_its_start_falls(
    start: float, among: list[Booked], whose: int | None
):
    found = belongs_to(a_run(start, start + 20), among, early_minutes=15, tolerance_minutes=10)

    assert (found.reservation_id if found else None) == whose


def test_a_stop_alone_belongs_to_nobody_yet():
    assert belongs_to(a_run(None, 60), [MORNING], early_minutes=15, tolerance_minutes=10) is None


bookings = st.lists(
    st.builds(
        booked,
        st.integers(1, 1000),
        st.integers(0, 300).map(float),
        st.integers(301, 600).map(float),
        st.sampled_from(list(Status)),
    ),
    max_size=5,
    unique_by=lambda one: one.reservation_id,
)


@given(bookings, st.integers(-60, 660), st.integers(0, 60), st.integers(0, 60))
def test_whose_run_it_is_does_not_depend_on_the_order_in_which_one_looks(
    among: list[Booked], start: int, early: int, tolerance: int
):
    answers = {
        belongs_to(a_run(start), order, early_minutes=early, tolerance_minutes=tolerance)
        for order in permutations(among)
    }

    assert len(answers) == 1


@given(bookings, st.integers(-60, 660), st.integers(0, 60), st.integers(0, 60))
def test_nobody_owns_a_run_that_starts_in_nobodys_time(
    among: list[Booked], start: int, early: int, tolerance: int
):
    found = belongs_to(a_run(start), among, early_minutes=early, tolerance_minutes=tolerance)

    reached = [
        one
        for one in among
        if one.status in (Status.CONFIRMED, Status.IN_USE, Status.USED, Status.NO_SHOW)
        and one.during.starts_at - timedelta(minutes=early) <= after(start) < one.during.ends_at
    ]
    assert (found is None) == (not reached)
    assert found is None or found in reached


# --------------------------------------------------------------------------- log against session


@pytest.mark.parametrize(
    ("runs", "log"),
    [
        ([], None),
        ([a_run(None, 5)], None),
        ([a_run(0, 5)], Log(after(0), after(5))),
        ([a_run(10, 20), a_run(0, 5)], Log(after(0), after(20))),
        ([a_run(10), a_run(0, 5)], Log(after(0), None)),
        ([a_run(None, 90), a_run(0, 5)], Log(after(0), after(5))),
    ],
)
def test_several_runs_of_one_reservation_are_one_log(runs: list[Run], log: Log | None):
    assert log_of(runs) == log


@pytest.mark.parametrize(
    ("status", "opens", "stopped", "step"),
    [
        (Status.CONFIRMED, True, False, Step.OPEN),
        (Status.CONFIRMED, True, True, Step.OPEN),
        (Status.CONFIRMED, False, True, Step.WAIT),
        (Status.IN_USE, True, False, Step.WAIT),
        (Status.IN_USE, True, True, Step.CLOSE),
        (Status.IN_USE, False, True, Step.WAIT),
        (Status.USED, True, True, Step.COMPARE),
        (Status.USED, False, False, Step.COMPARE),
        (Status.NO_SHOW, True, True, Step.EXPLAIN),
    ],
)
def test_a_log_opens_and_closes_only_where_the_provider_trusts_it(
    status: Status, opens: bool, stopped: bool, step: Step
):
    assert next_step(status, opens_sessions=opens, stopped=stopped) is step


@pytest.mark.parametrize(
    ("preparation", "post", "start", "stop", "rules"),
    [
        (0, 0, 0, 120, []),
        (0, 0, 10, 110, []),
        (0, 0, -10, 130, []),
        (0, 0, 11, 120, ["ran-later"]),
        (20, 0, 30, 120, []),
        (20, 0, 31, 120, ["ran-later"]),
        (0, 0, -11, 120, ["ran-before"]),
        (0, 0, 0, 109, ["stopped-earlier"]),
        (0, 30, 0, 80, []),
        (0, 30, 0, 79, ["stopped-earlier"]),
        (0, 0, 0, 131, ["ran-after"]),
        (0, 0, 60, None, ["ran-later"]),
        (0, 0, -60, 500, ["ran-before", "ran-after"]),
    ],
)
def test_a_session_differs_from_its_log_beyond_the_tolerance_preparation_and_post_apart(
    preparation: int, post: int, start: float, stop: float | None, rules: list[str]
):
    session = Closed(after(0), after(120), preparation, post)
    log = Log(after(start), None if stop is None else after(stop))

    found = differences(session, log, tolerance_minutes=10)

    assert [reason.rule for reason in found] == rules


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 60))
def test_a_session_never_differs_from_its_own_times(start: int, lasts: int, tolerance: int):
    session = Closed(after(start), after(start + lasts), 0, 0)
    log = Log(after(start), after(start + lasts))

    assert differences(session, log, tolerance_minutes=tolerance) == []


SOMETHING = [Reason("ran-after", "The machine ran after the session was closed.")]


@pytest.mark.parametrize(
    ("run", "status", "reasons", "state"),
    [
        (a_run(0), Status.CONFIRMED, [], ReadingState.WAITING),
        (a_run(0, 5), Status.CONFIRMED, [], ReadingState.WAITING),
        (a_run(0), Status.IN_USE, [], ReadingState.RUNNING),
        (a_run(0, 5), Status.IN_USE, [], ReadingState.WAITING),
        (a_run(0), Status.USED, SOMETHING, ReadingState.RUNNING),
        (a_run(0, 5), Status.USED, [], ReadingState.MATCHED),
        (a_run(0, 5), Status.USED, SOMETHING, ReadingState.DIFFERS),
        (a_run(0, 5), Status.NO_SHOW, [], ReadingState.UNBOOKED),
    ],
)
def test_what_is_known_of_a_run_follows_from_its_reservation(
    run: Run, status: Status, reasons: list[Reason], state: ReadingState
):
    assert state_of(run, status, reasons) is state
