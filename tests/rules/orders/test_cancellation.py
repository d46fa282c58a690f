"""What calling off or missing a service costs."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.orders.rules.cancellation import (
    FeeTerms,
    cancellation_fee,
    is_late,
    no_show_fee,
)

TERMS = FeeTerms(
    late_cancel_minutes=1440, late_cancel_fee_basis_points=5000, no_show_fee_basis_points=10_000
)
START = datetime(2025, 3, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before_start", "late"),
    [
        (timedelta(days=2), False),
        (timedelta(days=1), False),
        (timedelta(days=1) - timedelta(seconds=1), True),
        (timedelta(0), True),
        (-timedelta(hours=1), True),
    ],
)
def test_a_cancellation_is_late_inside_the_frozen_notice(before_start, late):
    assert late is is_late(starts_at=START, at=START - before_start, terms=TERMS)


def test_samples_have_no_start_to_be_late_for():
    assert is_late(starts_at=None, at=START, terms=TERMS) is False


@pytest.mark.parametrize(
    ("late", "by_provider", "confirmed", "fee"),
    [
        (True, False, True, 50),
        (False, False, True, 0),
        (True, True, True, 0),
        (True, False, False, 0),
    ],
)
def test_only_a_late_cancellation_by_the_buyer_of_a_confirmed_order_costs(
    late, by_provider, confirmed, fee
):
    assert fee == cancellation_fee(
        101, late=late, by_provider=by_provider, confirmed=confirmed, terms=TERMS
    )


def test_a_no_show_costs_the_buyers_own_money_and_no_voucher():
    assert 75_000 == no_show_fee(75_000, terms=TERMS)
    assert 0 == no_show_fee(0, terms=TERMS)
