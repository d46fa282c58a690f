"""Machine-hours: no minute counts twice, and the parts are the whole."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.metering import Metered, Parts, machine_minutes, parts_of
from marketplace.booking.rules.states import Purpose
from marketplace.kernel.time import During, merged

MIDNIGHT = datetime(2025, 3, 1, tzinfo=UTC)
MARCH = During(MIDNIGHT, MIDNIGHT + timedelta(days=31))


def session(number: int, start: float, minutes: int, purpose: Purpose, on: int = 1) -> Metered:
    return Metered(number, on, purpose, MIDNIGHT + timedelta(minutes=start), minutes)


def test_a_multi_sample_run_counts_once_and_belongs_to_whoever_was_first():
    counted = machine_minutes(
        [
            session(1, 60, 120, Purpose.EXTERNAL),
            session(2, 90, 60, Purpose.TEACHING),
            session(3, 120, 120, Purpose.OWN_RESEARCH),
        ],
        MARCH,
    )

    assert {(1, Purpose.EXTERNAL): 120, (1, Purpose.OWN_RESEARCH): 60} == counted


def test_two_instruments_do_not_share_their_minutes():
    counted = machine_minutes(
        [session(1, 0, 60, Purpose.EXTERNAL, on=1), session(2, 0, 60, Purpose.EXTERNAL, on=2)],
        MARCH,
    )

    assert {(1, Purpose.EXTERNAL): 60, (2, Purpose.EXTERNAL): 60} == counted


def test_a_session_over_the_end_of_the_period_counts_up_to_it():
    last_evening = 31 * 1440 - 60
    sessions = [session(1, last_evening, 180, Purpose.EXTERNAL)]
    april = During(MARCH.ends_at, MARCH.ends_at + timedelta(days=30))

    assert {(1, Purpose.EXTERNAL): 60} == machine_minutes(sessions, MARCH)
    assert {(1, Purpose.EXTERNAL): 120} == machine_minutes(sessions, april)


sessions = st.lists(
    st.builds(
        session,
        st.integers(1, 10_000),
        st.floats(-600, 3000, allow_nan=False),
        st.integers(0, 600),
        st.sampled_from(list(Purpose)),
        st.integers(1, 2),
    ),
    max_size=12,
    unique_by=lambda one: one.session_id,
)


@given(sessions)
def test_the_purposes_add_up_to_the_time_in_which_the_machine_ran(found: list[Metered]):
    counted = machine_minutes(found, MARCH)

    for instrument_id in (1, 2):
        ran = [
            During(start, start + timedelta(minutes=one.effective_minutes))
            for one in found
            if one.instrument_id == instrument_id and one.effective_minutes
            for start in [one.opened_at.replace(second=0, microsecond=0)]
        ]
        inside = [part for span in merged(ran) if (part := span.clip(MARCH)) is not None]
        whole = sum(part.minutes for part in inside)
        parts = sum(count for (owner, _), count in counted.items() if owner == instrument_id)
        assert whole == parts


@given(sessions, st.integers(1, 30))
def test_the_months_of_a_year_add_up_to_the_year(found: list[Metered], day: int):
    cut = MIDNIGHT + timedelta(days=day, minutes=0)
    first, second = During(MARCH.starts_at, cut), During(cut, MARCH.ends_at)

    whole = sum(machine_minutes(found, MARCH).values())

    assert whole == sum(machine_minutes(found, first).values()) + sum(
        machine_minutes(found, second).values()
    )


def test_two_services_of_one_machine_share_its_minutes():
    microscope = Metered(1, 1, Purpose.EXTERNAL, MIDNIGHT, 120, 120, calendar_id=1)
    its_detector = Metered(
        2, 2, Purpose.TEACHING, MIDNIGHT + timedelta(minutes=60), 120, 120, calendar_id=1
    )

    counted = machine_minutes([its_detector, microscope], MARCH)

    assert {(1, Purpose.EXTERNAL): 120, (2, Purpose.TEACHING): 60} == counted


def test_a_session_is_machine_time_what_ran_before_and_idle_time():
    first = Metered(1, 1, Purpose.EXTERNAL, MIDNIGHT, 60, 90)
    second = Metered(2, 1, Purpose.TEACHING, MIDNIGHT + timedelta(minutes=30), 90, 100)

    found = parts_of([first, second], MARCH)

    assert {1: Parts(60, 0, 30), 2: Parts(60, 30, 10)} == found
    assert 100 == found[2].session


metered = st.lists(
    st.builds(
        lambda number, start, effective, idle, purpose, on, calendar: Metered(
            number,
            on,
            purpose,
            MIDNIGHT + timedelta(seconds=start),
            effective,
            max(1, effective + idle),
            calendar,
        ),
        st.integers(1, 10_000),
        st.integers(-6_000, 30_000),
        st.integers(0, 200),
        st.integers(0, 60),
        st.sampled_from(list(Purpose)),
        st.integers(1, 3),
        st.sampled_from([None, 1]),
    ),
    max_size=10,
    unique_by=lambda one: one.session_id,
)


def by_hand(found: list[Metered], period: During) -> dict[int, Parts]:
    """Minute by minute: slow, and obviously right."""

    def minutes(starts_at: datetime, count: int) -> set[int]:
        first = (starts_at - MIDNIGHT) // timedelta(minutes=1)
        return set(range(first, first + count))

    inside = minutes(period.starts_at, period.minutes)
    taken: dict[int, set[int]] = {}
    parts = {}
    for one in sorted(found, key=lambda each: (each.opened_at, each.session_id)):
        ran = minutes(one.starts_at, one.effective_minutes)
        lasted = minutes(one.starts_at, one.actual_minutes)
        before = taken.setdefault(one.machine_id, set())
        parts[one.session_id] = Parts(
            len((ran - before) & inside), len(ran & before & inside), len((lasted - ran) & inside)
        )
        before |= ran
    return parts


@given(metered, st.integers(-100, 500), st.integers(1, 400))
def test_the_parts_of_sessions_are_what_counting_minute_by_minute_gives(
    found: list[Metered], starts: int, length: int
):
    starts_at = MIDNIGHT + timedelta(minutes=starts)
    period = During(starts_at, starts_at + timedelta(minutes=length))

    assert by_hand(found, period) == parts_of(found, period)
