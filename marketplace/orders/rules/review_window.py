"""How long a buyer may look at what was delivered before it counts as accepted."""

from __future__ import annotations

from datetime import datetime, timedelta


def review_ends_at(delivered_at: datetime, *, window_days: int) -> datetime:
    """When the review window closes: whole days after delivery.

    Policy: J.gap
    """
    return delivered_at + timedelta(days=window_days)


def may_object(*, at: datetime, review_ends: datetime | None) -> bool:
    """Whether a dispute may still be opened; before delivery there is no window to be over.

    Policy: J.18a
    """
    return review_ends is None or at < review_ends
