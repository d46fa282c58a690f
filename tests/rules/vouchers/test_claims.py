"""What a claim needs: evidence, a spot check that anybody can repeat, a notice."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.vouchers.rules.claims import (
    may_approve_on,
    missing_evidence,
    notice_ends_on,
    spot_check,
    spot_check_count,
)


def test_every_missing_piece_of_every_redemption_is_named():
    reasons = missing_evidence(
        {7: ("contract", "invoice"), 8: ("contract",), 9: ("contract", "invoice")},
        [(7, "contract"), (8, "contract")],
        source="J.gap",
    )

    assert [reason.asked for reason in reasons] == [
        {"redemption_id": 7, "missing": ["invoice"]},
        {"redemption_id": 9, "missing": ["contract", "invoice"]},
    ]


@pytest.mark.parametrize(
    ("redemptions", "basis_points", "count"),
    [
        (0, 500, 0),
        (1, 500, 1),
        (20, 500, 1),
        (21, 500, 2),
        (100, 500, 5),
        (10, 0, 1),
        (3, 10_000, 3),
    ],
)
def test_at_least_one_in_twenty_is_checked_and_never_none(redemptions, basis_points, count):
    assert spot_check_count(redemptions, basis_points) == count


def test_a_draw_can_be_repeated_from_its_seed():
    ids = list(range(1, 101))

    assert spot_check(ids, 500, seed=20250303) == [20, 26, 70, 72, 99]
    assert spot_check(list(reversed(ids)), 500, seed=20250303) == [20, 26, 70, 72, 99]


@given(
    ids=st.sets(st.integers(1, 10**9), min_size=1, max_size=200),
    basis_points=st.integers(0, 10_000),
    seed=st.integers(0, 2**62),
)
def test_a_draw_takes_enough_distinct_redemptions_of_the_claim(ids, basis_points, seed):
    drawn = spot_check(sorted(ids), basis_points, seed)

    assert set(drawn) <= ids
    assert len(set(drawn)) == len(drawn) >= 1
    assert len(drawn) * 10_000 >= len(ids) * basis_points


def test_a_notice_counts_working_days_over_a_holiday_and_its_last_day_is_the_publics():
    # 2025-04-04 to 06 is Qingming.
    last = notice_ends_on(date(2025, 3, 31), 5)

    assert last == date(2025, 4, 8)
    assert not may_approve_on(last, last)
    assert may_approve_on(date(2025, 4, 9), last)
