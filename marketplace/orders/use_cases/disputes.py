"""A dispute: the buyer objects, the provider answers, the two agree or the centre rules.

Every end but a withdrawal settles the order in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.orders.errors import (
    AnswerByParty,
    DisputeAnswered,
    DisputedBefore,
    NothingOffered,
    ReviewWindowOver,
    RulingByParty,
    RulingTooSoon,
)
from marketplace.orders.events import DisputeReplied, DisputeWithdrawn, OrderDisputed
from marketplace.orders.queries.disputes import Dispute, open_dispute
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.disputes import answer_due_at, may_rule
from marketplace.orders.rules.review_window import may_object
from marketplace.orders.rules.states import DisputeEnd, Status, Step, after
from marketplace.orders.tables import dispute
from marketplace.orders.use_cases.settlement import settle
from marketplace.orders.use_cases.steps import (
    lock_as_buyer,
    lock_as_provider,
    lock_order,
    note,
    take_step,
)
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class DisputeOrder:
    """The buyer objects."""

    order_id: int
    reason: str


async def dispute_order(tx: Tx, command: DisputeOrder) -> Order:
    """Object to what was delivered, or to nothing being delivered; the provider has to answer.

    Policy: J.18a

    Raises:
        OrderMissing: when it is another buyer's.
        DisputedBefore: while an earlier objection stands.
        StepNotOpen: when there is nothing to object to.
        ReviewWindowOver: when the service counts as accepted.
    """
    found = await lock_as_buyer(tx, command.order_id)
    if found.status == Status.DISPUTED:
        raise DisputedBefore("Add what you have to say to the dispute that is open.")
    after(Status(found.status), Step.DISPUTE)
    if not may_object(at=tx.now, review_ends=found.review_ends_at):
        raise ReviewWindowOver("The service counts as accepted; it settles shortly.")
    days = rulebook().orders.dispute_answer_working_days.on(tx.today)
    due_at = answer_due_at(tx.today, working_days=days)
    await tx.execute(
        insert(dispute).values(
            order_id=found.id,
            reason=command.reason,
            opened_by=tx.actor.person_id,
            opened_at=tx.now,
            answer_due_at=due_at,
        )
    )
    moved = await take_step(
        tx,
        found,
        Step.DISPUTE,
        facts={"reason": command.reason, "answer_due_at": due_at.isoformat()},
    )
    tx.record(OrderDisputed(moved.id, moved.buyer_id, moved.provider_id))
    return moved


@dataclass(frozen=True, slots=True)
class AnswerDispute:
    """The provider's answer.

    Without `offered_basis_points` it stands by all it charged; with them it would be content with
    that part of the used value; with 0 it concedes.
    """

    order_id: int
    answer: str
    offered_basis_points: int | None = None


async def answer_dispute(tx: Tx, command: AnswerDispute) -> Order:
    """Answer an objection, once; a concession settles the order at nothing, at once.

    An answer after its day is heard too, as long as nobody has ruled.
    Policy: J.18a

    Raises:
        OrderMissing: when another provider serves it.
        StepNotOpen: when the order is not disputed.
        DisputeAnswered: for the second time.
        AnswerByParty: when the one who answers is the one who objected.
    """
    found = await lock_as_provider(tx, command.order_id)
    after(Status(found.status), Step.CONCEDE)
    open_one = await open_dispute(tx, found.id)
    if open_one.answered_at is not None:
        raise DisputeAnswered("What was answered stands; add evidence to it.")
    if open_one.opened_by == tx.actor.person_id:
        raise AnswerByParty("Another person of the provider answers.")
    await _write(
        tx,
        open_one,
        answer=command.answer,
        answered_by=tx.actor.person_id,
        answered_at=tx.now,
        offered_basis_points=command.offered_basis_points,
    )
    late = tx.now > open_one.answer_due_at
    await note(
        tx,
        found.id,
        "answer",
        answer=command.answer,
        offered_basis_points=command.offered_basis_points,
        late=late,
    )
    tx.record(
        DisputeReplied(found.id, found.buyer_id, found.provider_id, command.offered_basis_points)
    )
    if command.offered_basis_points != 0:
        return found
    await _end(tx, open_one, DisputeEnd.CONCEDED)
    return await settle(tx, found, Step.CONCEDE, because="conceded", pay_basis_points=0)


@dataclass(frozen=True, slots=True)
class AgreeToOffer:
    """The buyer is content with what the provider offered."""

    order_id: int


async def agree_to_offer(tx: Tx, command: AgreeToOffer) -> Order:
    """Settle a dispute by agreement, at the part of the used value that the provider offered.

    Policy: J.18a

    Raises:
        OrderMissing: when it is another buyer's.
        StepNotOpen: when the order is not disputed.
        NothingOffered: when the provider has not answered, or stands by all it charged.
    """
    found = await lock_as_buyer(tx, command.order_id)
    after(Status(found.status), Step.AGREE)
    open_one = await open_dispute(tx, found.id)
    offered = open_one.offered_basis_points
    if offered is None:
        raise NothingOffered("Withdraw the dispute, or wait for the centre's ruling.")
    await _end(tx, open_one, DisputeEnd.AGREED)
    return await settle(tx, found, Step.AGREE, because="agreed", pay_basis_points=offered)


@dataclass(frozen=True, slots=True)
class WithdrawDispute:
    """The buyer objects no longer, with the reason."""

    order_id: int
    reason: str


async def withdraw_dispute(tx: Tx, command: WithdrawDispute) -> Order:
    """Take an objection back: the order stands where it stood, and its review window runs on.

    Policy: J.18a

    Raises:
        OrderMissing: when it is another buyer's.
        StepNotOpen: when the order is not disputed.
    """
    found = await lock_as_buyer(tx, command.order_id)
    step = Step.RESUME if found.delivered_at is None else Step.WITHDRAW
    after(Status(found.status), step)
    await _end(tx, await open_dispute(tx, found.id), DisputeEnd.WITHDRAWN)
    moved = await take_step(tx, found, step, facts={"reason": command.reason})
    tx.record(DisputeWithdrawn(moved.id, moved.buyer_id, moved.provider_id))
    return moved


@dataclass(frozen=True, slots=True)
class RuleOnDispute:
    """The centre's ruling: which part of the used value the provider may have, and why."""

    order_id: int
    pay_basis_points: int
    ruling: str


async def rule_on_dispute(tx: Tx, command: RuleOnDispute) -> Order:
    """Rule on a dispute and settle by the ruling, in the same transaction.

    Policy: J.18a

    Raises:
        StepNotOpen: when the order is not disputed.
        RulingTooSoon: before the provider has answered or its time to answer is over.
        RulingByParty: when the one who rules objected or answered.
    """
    found = await lock_order(tx, command.order_id)
    after(Status(found.status), Step.RULE)
    open_one = await open_dispute(tx, found.id)
    if not may_rule(
        at=tx.now, answered_at=open_one.answered_at, answer_due_at=open_one.answer_due_at
    ):
        raise RulingTooSoon(
            f"The provider may answer until {open_one.answer_due_at.isoformat()}.",
            limit=open_one.answer_due_at,
            asked=tx.now,
        )
    if tx.actor.person_id in (open_one.opened_by, open_one.answered_by):
        raise RulingByParty("Somebody rules who has spoken for neither side.")
    await _end(
        tx,
        open_one,
        DisputeEnd.RULED,
        pay_basis_points=command.pay_basis_points,
        ruling=command.ruling,
        ruled_by=tx.actor.person_id,
        ruled_at=tx.now,
    )
    return await settle(
        tx,
        found,
        Step.RULE,
        because=command.ruling,
        pay_basis_points=command.pay_basis_points,
    )


async def _end(tx: Tx, found: Dispute, how: DisputeEnd, **values: object) -> None:
    await _write(
        tx,
        found,
        ended_how=how,
        ended_by=tx.actor.person_id,
        ended_at=tx.now,
        **values,
    )


async def _write(tx: Tx, found: Dispute, **values: object) -> None:
    await tx.execute(update(dispute).where(dispute.c.id == found.id).values(**values))
