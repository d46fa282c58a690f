"""Reviews and response times on the wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from marketplace.kernel.wire import In, Out
from marketplace.orders import queries
from marketplace.orders.rules.reviews import LABELS
from marketplace.orders.use_cases import AnswerReview, HideComment, ShowComment

# Not empty, not only blanks, and no control characters.
Said = Annotated[
    str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*\S")
]


class ReplyIn(In):
    """What the provider answers, in public and once."""

    text: Said

    def to_command(self, order_id: int) -> AnswerReview:
        """The command for one order."""
        return AnswerReview(order_id, text=self.text)


class ModerationIn(In):
    """Why a comment is hidden, or shown again."""

    reason: Said

    def to_hiding(self, order_id: int) -> HideComment:
        """Hide the words."""
        return HideComment(order_id, reason=self.reason)

    def to_showing(self, order_id: int) -> ShowComment:
        """Show them again."""
        return ShowComment(order_id, reason=self.reason)


class PublicReviewOut(Out):
    """A review as everybody reads it; `order_id` only for those who may see the order."""

    order_id: int | None
    instrument_id: int
    stars: int
    buyer: str
    written_on: date
    text: str
    reply: str | None
    replied_on: date | None
    hidden: bool


class StepCountOut(Out):
    """How many chose a step of the national scale."""

    stars: int
    label: str
    label_en: str
    reviews: int


class ReviewsOut(Out):
    """Reviews, newest first; `counts` and `mean` are of all of them, whatever is listed."""

    results: list[PublicReviewOut]
    total: int
    page: int
    page_size: int
    counts: list[StepCountOut]
    mean: Decimal | None

    @classmethod
    def of(cls, found: queries.ReviewPage) -> ReviewsOut:
        """The wire form of a page of reviews."""
        return cls(
            results=[
                msgspec.convert(row, PublicReviewOut, from_attributes=True) for row in found.rows
            ],
            total=found.total,
            page=found.page,
            page_size=found.page_size,
            counts=[
                StepCountOut(
                    stars=step, label=LABELS[step][0], label_en=LABELS[step][1], reviews=reviews
                )
                for step, reviews in found.counts.items()
            ],
            mean=found.mean,
        )


class ResponseTimeOut(Out):
    """How long a provider took to answer: median and 90th percentile in minutes.

    Requests that its standing offer took at once count in neither; those that lapsed are told.
    """

    provider_id: int
    days: int
    answered: int
    at_once: int
    unanswered: int
    median_minutes: int | None
    p90_minutes: int | None

    @classmethod
    def of(cls, found: queries.ResponseTime) -> ResponseTimeOut:
        """The wire form of a response time."""
        return msgspec.convert(found, cls, from_attributes=True)
