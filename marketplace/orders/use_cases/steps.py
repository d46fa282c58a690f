"""How every use case takes an order by the hand and leads it one step on.

Locks are always taken in one order, so that no two transactions wait for each other: the order's
row, its calendar when it moves, its reservation, the voucher's accounts, the wallet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, insert, update

from marketplace.kernel.db import Tx
from marketplace.orders.errors import OrderMissing
from marketplace.orders.events import OrderChangeEnded
from marketplace.orders.queries.orders import Order, order_columns
from marketplace.orders.rules.rescheduling import ChangeStatus
from marketplace.orders.rules.states import ENDS, Status, Step, after
from marketplace.orders.tables import order_change, order_event, service_order


async def lock_order(tx: Tx, order_id: int) -> Order:
    """The order, locked until the transaction ends.

    Raises:
        OrderMissing: when there is none.
    """
    return await tx.one(
        Order,
        order_columns().where(service_order.c.id == order_id).with_for_update(),
        missing=OrderMissing,
    )


async def lock_as_buyer(tx: Tx, order_id: int) -> Order:
    """The buyer's own order, locked; another's does not exist for them."""
    found = await lock_order(tx, order_id)
    if not tx.actor.has("system") and tx.actor.organisation_id != found.buyer_id:
        raise OrderMissing()
    return found


async def lock_as_provider(tx: Tx, order_id: int) -> Order:
    """An order that the actor's organisation serves, locked; another's does not exist for them."""
    found = await lock_order(tx, order_id)
    if not tx.actor.has("system") and tx.actor.organisation_id != found.provider_id:
        raise OrderMissing()
    return found


async def take_step(
    tx: Tx,
    found: Order,
    step: Step,
    *,
    facts: dict[str, Any] | None = None,
    **changes: Any,
) -> Order:
    """Lead the order one step on: its status, its timeline and the audit trail.

    Raises:
        StepNotOpen: when the order's status has no such step.
    """
    status = after(Status(found.status), step)
    moved = await tx.one(
        Order,
        update(service_order)
        .where(service_order.c.id == found.id)
        .values(status=status, **changes)
        .returning(*(service_order.c[name] for name in Order.__dataclass_fields__)),
    )
    await note(tx, found.id, str(step), status=str(status), **(facts or {}))
    if status in ENDS:
        await lapse_proposals_of(tx, [moved])
    return moved


async def lapse_late_proposals(tx: Tx, found: Order) -> None:
    """End the proposal of an order that nobody answered in time, whether or not a worker runs."""
    await lapse_proposals_of(tx, [found], order_change.c.answer_until <= tx.now)


async def lapse_proposals_of(tx: Tx, orders: Sequence[Order], *which: ColumnElement[bool]) -> None:
    """End what is proposed for some orders; of one, at most one waits (`order_change_open`)."""
    lapsed = await tx.execute(
        update(order_change)
        .where(
            order_change.c.order_id.in_([found.id for found in orders]),
            order_change.c.status == ChangeStatus.PROPOSED,
            *which,
        )
        .values(
            status=ChangeStatus.LAPSED,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            decided_because="Nobody answered before the order ended or the time was over.",
        )
        .returning(order_change.c.id, order_change.c.order_id)
    )
    known = {found.id: found for found in orders}
    for row in lapsed.all():
        await note(tx, row.order_id, str(ChangeStatus.LAPSED), change_id=row.id)
        tx.record(
            OrderChangeEnded(
                order_id=row.order_id,
                buyer_id=known[row.order_id].buyer_id,
                provider_id=known[row.order_id].provider_id,
                change_id=row.id,
                status=ChangeStatus.LAPSED,
            )
        )


async def note(tx: Tx, order_id: int, kind: str, **facts: Any) -> None:
    """Write a line to the order's timeline and to the audit trail."""
    await tx.execute(
        insert(order_event).values(
            order_id=order_id, at=tx.now, person_id=tx.actor.person_id, kind=kind, facts=facts
        )
    )
    tx.audit(kind, subject="service_order", subject_id=order_id, **facts)
