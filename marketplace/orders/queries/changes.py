"""Changes of an order's time: what was proposed, what was agreed, and what waits for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from marketplace.kernel.db import Tx
from marketplace.orders.queries.orders import Order, order, order_columns
from marketplace.orders.rules.rescheduling import ChangeKind, ChangeStatus, Side
from marketplace.orders.tables import order_change as table
from marketplace.orders.tables import service_order


@dataclass(frozen=True, slots=True)
class OrderChange:
    """A change of an order's time: from when to when, at which price and fee, who, and its fate.

    The quotes name the prices before and, once it is agreed, after.
    """

    id: int
    order_id: int
    kind: str
    side: str
    status: str
    was_starts_at: datetime
    was_ends_at: datetime
    starts_at: datetime
    ends_at: datetime
    total_fen: int
    voucher_fen: int
    own_fen: int
    fee_fen: int
    reason: str
    proposed_by: int
    proposed_at: datetime
    proposed_from: str
    answer_until: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    old_quote_id: int
    new_quote_id: int | None
    position: int


@dataclass(frozen=True, slots=True)
class ChangeList:
    """Which changes of one order: those of a status, or all."""

    order_id: int
    status: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of changes, the newest first."""

    rows: list[OrderChange]
    total: int
    page: int
    page_size: int


def change_columns() -> Select[Any]:
    """Every column that an `OrderChange` has."""
    return select(*(table.c[name] for name in OrderChange.__dataclass_fields__))


async def changes(tx: Tx, question: ChangeList) -> ChangePage:
    """The changes of an order that the caller may see, the newest first.

    Raises:
        OrderMissing: when the order is somebody else's.
    """
    await order(tx, question.order_id)
    conditions = [table.c.order_id == question.order_id]
    if question.status is not None:
        conditions.append(table.c.status == question.status)
    rows = await tx.all(
        OrderChange,
        change_columns()
        .where(*conditions)
        .order_by(table.c.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(table).where(*conditions))
    return ChangePage(rows, int(total), question.page, question.page_size)


async def open_proposal(tx: Tx, order_id: int) -> OrderChange | None:
    """The proposal that waits for its answer; the caller has checked who may see it."""
    return await tx.first(
        OrderChange,
        change_columns().where(
            table.c.order_id == order_id,
            table.c.status == ChangeStatus.PROPOSED,
            table.c.answer_until > tx.now,
        ),
    )


async def proposals_to_answer(tx: Tx, limit: int) -> list[tuple[Order, OrderChange]]:
    """What the other side asks of the actor's organisation as buyer, the soonest first."""
    mine, bought = tx.actor.organisation_id, service_order.c
    found = await tx.all(
        OrderChange,
        change_columns()
        .join(service_order, bought.id == table.c.order_id)
        .where(
            bought.buyer_id == mine,
            table.c.side != Side.BUYER,
            table.c.status == ChangeStatus.PROPOSED,
            table.c.answer_until > tx.now,
        )
        .order_by(table.c.answer_until, table.c.id)
        .limit(limit),
    )
    named = {
        each.id: each
        for each in await tx.all(
            Order, order_columns().where(bought.id.in_([one.order_id for one in found]))
        )
    }
    return [(named[each.order_id], each) for each in found]


@dataclass(frozen=True, slots=True)
class ChangesMade:
    """How often an order changed: `moves` are those that the buyer's side asked for."""

    agreed: int
    moves: int


async def changes_made(tx: Tx, order_id: int) -> ChangesMade:
    """How often the order's time changed by agreement."""
    return await tx.one(
        ChangesMade,
        select(
            func.count().label("agreed"),
            func.count()
            .filter(table.c.kind == ChangeKind.RESCHEDULE, table.c.side != Side.PROVIDER)
            .label("moves"),
        ).where(table.c.order_id == order_id, table.c.status == ChangeStatus.AGREED),
    )


async def due_to_lapse(tx: Tx, limit: int) -> Sequence[int]:
    """Proposals that nobody answered in time, the oldest first."""
    return await tx.scalars(
        select(table.c.id)
        .where(table.c.status == ChangeStatus.PROPOSED, table.c.answer_until <= tx.now)
        .order_by(table.c.answer_until, table.c.id)
        .limit(limit)
    )
