"""Reviews: the buyer rates a service, the provider answers once, the centre hides abuse."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.orders.errors import ReviewMissing, StepNotOpen
from marketplace.orders.events import ServiceReviewed
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.story import Review
from marketplace.orders.rules.states import Status
from marketplace.orders.tables import review
from marketplace.orders.use_cases.steps import lock_as_buyer, lock_as_provider, lock_order, note


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """The buyer's rating on the national five-step scale."""

    order_id: int
    stars: int
    text: str


async def review_order(tx: Tx, command: ReviewOrder) -> Order:
    """Rate a settled service, once; the yearly evaluation counts it.

    Policy: J.25

    Raises:
        OrderMissing: when it is another buyer's.
        StepNotOpen: before the order is settled.
        ReviewedBefore: for the second time.
    """
    found = await lock_as_buyer(tx, command.order_id)
    if found.status != Status.SETTLED:
        raise StepNotOpen(
            f"The order is {found.status}; a service is rated once it is settled.",
            order_status=found.status,
        )
    await tx.execute(
        insert(review).values(
            order_id=found.id,
            stars=command.stars,
            text=command.text,
            written_by=tx.actor.person_id,
            written_at=tx.now,
        )
    )
    await note(tx, found.id, "review", stars=command.stars)
    tx.record(ServiceReviewed(found.id, found.provider_id, command.stars))
    return found


@dataclass(frozen=True, slots=True)
class AnswerReview:
    """What the provider says to a review, in public."""

    order_id: int
    text: str


async def answer_review(tx: Tx, command: AnswerReview) -> Review:
    """Answer a review, once; the answer stands below it for everybody.

    Policy: J.25

    Raises:
        OrderMissing: when it is another provider's.
        ReviewMissing: when the buyer has not rated the service.
        ReviewAnswered: for the second time.
    """
    found = await lock_as_provider(tx, command.order_id)
    answered = await _change(
        tx, found.id, reply=command.text, replied_by=tx.actor.person_id, replied_at=tx.now
    )
    await note(tx, found.id, "review_reply")
    return answered


@dataclass(frozen=True, slots=True)
class HideComment:
    """A comment is abusive; the reason is kept, the stars count on."""

    order_id: int
    reason: str


async def hide_comment(tx: Tx, command: HideComment) -> Review:
    """Show the words of a review, and the answer to them, to nobody but the two sides.

    Policy: J.25

    Raises:
        OrderMissing, ReviewMissing: when there is none.
    """
    found = await lock_order(tx, command.order_id)
    hidden = await _change(
        tx,
        found.id,
        hidden_because=command.reason,
        hidden_by=tx.actor.person_id,
        hidden_at=tx.now,
    )
    await note(tx, found.id, "review_hidden", reason=command.reason)
    return hidden


@dataclass(frozen=True, slots=True)
class ShowComment:
    """A comment was hidden for no good reason."""

    order_id: int
    reason: str


async def show_comment(tx: Tx, command: ShowComment) -> Review:
    """Let everybody read the words of a review again.

    Policy: J.25

    Raises:
        OrderMissing, ReviewMissing: when there is none.
    """
    found = await lock_order(tx, command.order_id)
    shown = await _change(tx, found.id, hidden_because=None, hidden_by=None, hidden_at=None)
    await note(tx, found.id, "review_shown", reason=command.reason)
    return shown


async def _change(tx: Tx, order_id: int, **changes: object) -> Review:
    return await tx.one(
        Review,
        update(review)
        .where(review.c.order_id == order_id)
        .values(**changes)
        .returning(*(review.c[name] for name in Review.__dataclass_fields__)),
        missing=ReviewMissing,
    )
