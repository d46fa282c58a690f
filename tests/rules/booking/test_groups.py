"""Several instruments at once: the nearest time that is free for all of them."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.groups import SHIFTS_OFFERED, Wanted, free_shifts, shifted
from marketplace.booking.rules.intervals import widest
from marketplace.kernel.time import During, shanghai_instant

MIDNIGHT = shanghai_instant(date(2025, 3, 3))


def span(from_hour: float, until_hour: float) -> During:
    return During(MIDNIGHT + timedelta(hours=from_hour), MIDNIGHT + timedelta(hours=until_hour))


def hours(shifts: list[timedelta]) -> list[float]:
    return [shift / timedelta(hours=1) for shift in shifts]


def test_all_of_them_are_free_after_a_shift_the_nearest_first():
    wanted = [Wanted((1,), span(9, 11)), Wanted((2,), span(11, 12))]
    free = {1: [span(8, 10), span(12, 20)], 2: [span(0, 24)]}

    assert hours(free_shifts(wanted, free, step_minutes=60)) == [-1, 3, 4]


def test_an_item_takes_any_of_its_instruments_and_two_never_share_one():
    wanted = [Wanted((1, 2), span(9, 10)), Wanted((2,), span(9, 10))]

    only_one = {2: [span(10, 12)]}
    both = {1: [span(11, 12)], 2: [span(10, 12)]}

    assert free_shifts(wanted, only_one, step_minutes=60) == []
    assert hours(free_shifts(wanted, both, step_minutes=60)) == [2]


def test_nothing_is_offered_where_one_is_never_free():
    wanted = [Wanted((1,), span(9, 10)), Wanted((2,), span(9, 10))]

    assert free_shifts(wanted, {1: [span(0, 24)]}, step_minutes=30) == []


@given(
    free=st.dictionaries(
        st.integers(1, 3),
        st.lists(
            st.builds(
                lambda start, length: span(start, start + length),
                st.integers(0, 40),
                st.integers(1, 12),
            ),
            max_size=4,
        ).map(lambda spans: widest(set(spans))),
    )
)
def test_whatever_is_offered_is_free_for_all(free: dict[int, list[During]]):
    wanted = [Wanted((1, 2), span(9, 10)), Wanted((3,), span(9, 12))]
    offered = free_shifts(wanted, free, step_minutes=30)

    assert len(offered) <= SHIFTS_OFFERED
    for shift in offered:
        for item in wanted:
            asked = shifted(item.during, shift)
            candidates = [one for id_ in item.instrument_ids for one in free.get(id_, [])]
            assert any(one.covers(asked) for one in candidates)
