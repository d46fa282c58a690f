"""How long a buyer may object."""

from datetime import UTC, datetime, timedelta

from marketplace.orders.rules.review_window import may_object, review_ends_at

DELIVERED = datetime(2025, 3, 10, 8, tzinfo=UTC)


def test_the_window_is_whole_days_after_delivery():
    assert datetime(2025, 3, 17, 8, tzinfo=UTC) == review_ends_at(DELIVERED, window_days=7)


def test_a_buyer_may_object_until_the_window_closes_and_before_delivery():
    ends = review_ends_at(DELIVERED, window_days=7)

    assert may_object(at=ends - timedelta(seconds=1), review_ends=ends)
    assert not may_object(at=ends, review_ends=ends)
    assert may_object(at=DELIVERED, review_ends=None)
