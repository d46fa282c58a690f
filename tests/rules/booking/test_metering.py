"""Machine-hours: no minute counts twice, and the parts are the whole."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.metering import Metered, machine_minutes
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
