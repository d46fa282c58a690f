"""Figures of machine-hours: periods cut, quotas pro rata, ratios; the parts are the whole."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.booking.rules.machine_hours import (
    Figures,
    Grain,
    HourTerms,
    basis_points,
    buckets_of,
    day_after,
    first_day,
    quota_minutes,
    slices_of,
)
from marketplace.kernel.time import During, shanghai_day, shanghai_instant

TERMS = HourTerms(date(2000, 1, 1), 1400, 800, 1600)


def days(first: date, until: date) -> During:
    return During(shanghai_instant(first), shanghai_instant(until))


def quota_of(period: During, grain: Grain = Grain.TOTAL, terms: tuple[HourTerms, ...] = (TERMS,)):
    """What a general instrument should run, by bucket."""
    found: dict[date, int] = {}
    for one in slices_of(period, grain, terms):
        hours = one.terms.general_hours
        part = quota_minutes(one.during, one.year, hours_a_year=hours)
        found[one.bucket] = found.get(one.bucket, 0) + part
    return found


def test_a_whole_year_is_the_quota_to_the_minute_leap_day_or_not():
    for year in (2023, 2024):
        whole = days(date(year, 1, 1), date(year + 1, 1, 1))

        assert {date(year, 1, 1): 1400 * 60} == quota_of(whole)


def test_a_day_of_a_leap_year_is_a_little_less_of_the_quota():
    february = days(date(2024, 2, 1), date(2024, 3, 1)), days(date(2023, 2, 1), date(2023, 3, 1))
    in_leap_year, in_common_year = (next(iter(quota_of(month).values())) for month in february)

    assert (84_000 * 29 // 366, 84_000 * 28 // 365) == pytest.approx(
        (in_leap_year, in_common_year), abs=1
    )


@pytest.mark.parametrize(
    ("grain", "expected"),
    [
        (Grain.TOTAL, [date(2024, 2, 28)]),
        (Grain.YEAR, [date(2024, 1, 1), date(2025, 1, 1)]),
        (Grain.QUARTER, [date(2024, month, 1) for month in (1, 4, 7, 10)] + [date(2025, 1, 1)]),
        (Grain.MONTH, [date(2024, month, 1) for month in range(2, 13)] + [date(2025, 1, 1)]),
    ],
)
def test_a_period_falls_into_the_stretches_it_touches(grain: Grain, expected: list[date]):
    period = days(date(2024, 2, 28), date(2025, 1, 2))

    assert expected == list(dict.fromkeys(one.bucket for one in slices_of(period, grain, [TERMS])))
    assert len(expected) == buckets_of(period, grain)


def test_weeks_begin_on_monday_also_over_the_new_year():
    period = days(date(2024, 12, 31), date(2025, 1, 8))
    found = slices_of(period, Grain.WEEK, [TERMS])

    assert [date(2024, 12, 30), date(2025, 1, 6)] == list(
        dict.fromkeys(one.bucket for one in found)
    )
    # The year ends inside a week, and each part knows its own year's length.
    assert [366 * 1440, 365 * 1440, 365 * 1440] == [one.year.minutes for one in found]


def test_a_term_that_changes_inside_a_period_holds_from_its_day_on():
    later = HourTerms(date(2025, 7, 1), 2800, 800, 1600, frozenset({"maintenance"}))
    year = days(date(2025, 1, 1), date(2026, 1, 1))

    before, after = slices_of(year, Grain.TOTAL, [later, TERMS])

    assert shanghai_instant(date(2025, 7, 1)) == before.during.ends_at == after.during.starts_at
    assert {date(2025, 1, 1): 84_000 * 181 // 365 + (168_000 - 168_000 * 181 // 365)} == quota_of(
        year, terms=(TERMS, later)
    )
    assert [False, True] == [one.terms.counts("maintenance") for one in (before, after)]


def test_upkeep_counts_only_where_a_term_says_so():
    with_test_runs = HourTerms(date(2000, 1, 1), 1400, 800, 1600, frozenset({"test_run"}))

    assert all(TERMS.counts(purpose) for purpose in ("external", "own_research", "teaching"))
    assert not TERMS.counts("maintenance")
    assert not TERMS.counts("test_run")
    assert with_test_runs.counts("test_run")
    assert not with_test_runs.counts("maintenance")


instants = st.datetimes(datetime(2023, 11, 1), datetime(2026, 3, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(second=0, microsecond=0)
)


@given(
    st.lists(instants, min_size=2, max_size=6, unique=True),
    st.sampled_from(list(Grain)),
    st.dates(date(2023, 12, 1), date(2026, 2, 1)),
)
def test_the_quotas_of_any_partition_sum_to_the_quota_of_the_whole(
    cuts: list[datetime], grain: Grain, changed_on: date
):
    terms = (TERMS, HourTerms(changed_on, 1234, 567, 1600))
    ordered = sorted(cuts)
    whole = During(ordered[0], ordered[-1])

    assert sum(quota_of(whole, terms=terms).values()) == sum(
        sum(quota_of(During(*part), grain, terms).values()) for part in pairwise(ordered)
    )


@given(instants, instants, st.sampled_from(list(Grain)))
def test_slices_follow_upon_each_other_and_none_crosses_a_stretch(
    one: datetime, other: datetime, grain: Grain
):
    if one == other:
        return
    period = During(min(one, other), max(one, other))
    found = slices_of(period, grain, [TERMS])

    assert (period.starts_at, period.ends_at) == (
        found[0].during.starts_at,
        found[-1].during.ends_at,
    )
    assert all(a.during.ends_at == b.during.starts_at for a, b in pairwise(found))
    for each in found:
        last = shanghai_day(each.during.ends_at - timedelta(microseconds=1))
        first = shanghai_day(each.during.starts_at)
        total = shanghai_day(period.starts_at)
        assert first.year == last.year
        assert each.bucket == first_day(first, grain, total=total)
        assert each.bucket == first_day(last, grain, total=total)


def test_the_stretch_after_december_begins_in_january():
    assert date(2025, 1, 1) == day_after(date(2024, 12, 1), Grain.MONTH)
    assert date(2025, 1, 1) == day_after(date(2024, 10, 1), Grain.QUARTER)
    assert date(2024, 2, 29) == day_after(date(2024, 2, 28), Grain.DAY)
    with pytest.raises(ValueError, match="no next"):
        day_after(date(2024, 1, 1), Grain.TOTAL)


def test_what_cannot_be_cut_says_so():
    odd = During(datetime(2025, 1, 1, 0, 0, 30, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC))
    with pytest.raises(ValueError, match="minute"):
        slices_of(odd, Grain.TOTAL, [TERMS])
    with pytest.raises(ValueError, match="no terms"):
        slices_of(days(date(1999, 1, 1), date(2001, 1, 1)), Grain.TOTAL, [TERMS])


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, 0),
        (5, 0, 0),
        (1, 3, 3333),
        (2, 3, 6667),
        (1, 20_000, 1),
        (1, 20_001, 0),
        (7, 7, 10_000),
    ],
)
def test_a_ratio_is_rounded_half_up_and_nothing_of_nothing_is_nothing(part, whole, expected):
    assert expected == basis_points(part, whole)


def test_ratios_are_those_of_the_sums_and_not_the_sums_of_ratios():
    first = Figures(external_minutes=60, effective_minutes=60, quota_minutes=100)
    second = Figures(external_minutes=0, own_research_minutes=30, effective_minutes=30,
                     quota_minutes=900)  # fmt: skip
    both = first + second

    assert (6667, 900) == (both.sharing_basis_points, both.utilisation_basis_points)
    assert 90 == both.machine_minutes
    assert 0 == both.national_utilisation_basis_points
