"""A buyer objects to what was delivered; the centre rules, and the ruling settles the order."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.orders.errors import DisputedBefore, ReviewWindowOver
from marketplace.orders.events import OrderDisputed
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.review_window import may_object
from marketplace.orders.rules.states import Status, Step, after
from marketplace.orders.tables import dispute
from marketplace.orders.use_cases.settlement import settle
from marketplace.orders.use_cases.steps import lock_as_buyer, lock_order, take_step


@dataclass(frozen=True, slots=True)
class DisputeOrder:
    """The buyer objects."""

    order_id: int
    reason: str


async def dispute_order(tx: Tx, command: DisputeOrder) -> Order:
    """Object to what was delivered, or to nothing being delivered, once; the centre rules.

    Policy: J.18a

    Raises:
        OrderMissing: when it is another buyer's.
        DisputedBefore: for the second time.
        StepNotOpen: when there is nothing to object to.
        ReviewWindowOver: when the service counts as accepted.
    """
    found = await lock_as_buyer(tx, command.order_id)
    if found.status == Status.DISPUTED:
        raise DisputedBefore("The centre is to rule; add what you have to say to its file.")
    after(Status(found.status), Step.DISPUTE)
    if not may_object(at=tx.now, review_ends=found.review_ends_at):
        raise ReviewWindowOver("The service counts as accepted; it settles shortly.")
    await tx.execute(
        insert(dispute).values(
            order_id=found.id,
            reason=command.reason,
            opened_by=tx.actor.person_id,
            opened_at=tx.now,
        )
    )
    moved = await take_step(tx, found, Step.DISPUTE, facts={"reason": command.reason})
    tx.record(OrderDisputed(moved.id, moved.buyer_id, moved.provider_id))
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
        RulingByParty: when the one who rules is the one who objected.
    """
    found = await lock_order(tx, command.order_id)
    after(Status(found.status), Step.RULE)
    await tx.execute(
        update(dispute)
        .where(dispute.c.order_id == found.id)
        .values(
            pay_basis_points=command.pay_basis_points,
            ruling=command.ruling,
            ruled_by=tx.actor.person_id,
            ruled_at=tx.now,
        )
    )
    return await settle(
        tx,
        found,
        Step.RULE,
        because=command.ruling,
        pay_basis_points=command.pay_basis_points,
    )
