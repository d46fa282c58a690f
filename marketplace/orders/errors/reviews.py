"""What reviews and their replies refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing


class ReviewedBefore(Conflict):
    """An order is rated once."""

    code = "order-reviewed-before"
    title = "This order was rated before"
    constraint = "review_pkey"


class ReviewMissing(Missing):
    """There is no review of this order."""

    code = "review-not-found"
    title = "No such review"


class ReviewAnswered(Conflict):
    """A provider answers a review once."""

    code = "review-answered"
    title = "This review was answered already"
    constraint = "review_reply_once"


class ReviewWritten(Conflict):
    """What a buyer wrote of a service is not rewritten."""

    code = "review-written"
    title = "A review is not changed"
    constraint = "review_written"
