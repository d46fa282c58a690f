"""Telling providers that their answer is due, and both sides that it is overdue."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.orders.events import DisputeAnswerDue
from marketplace.orders.queries.disputes import DueAnswer, answers_due
from marketplace.orders.tables import dispute, order_event


@dataclass(frozen=True, slots=True)
class RemindOfDisputes:
    """Work off at most `limit` of each."""

    limit: int = 500


async def remind_of_disputes(tx: Tx, command: RemindOfDisputes) -> int:
    """Remind a day before an answer is due, once; and mark it overdue after, once.

    Both stand on the order's timeline. From then on the centre may rule.
    Policy: J.18a
    """
    late = await answers_due(tx, overdue=True, limit=command.limit)
    soon = await answers_due(tx, overdue=False, limit=command.limit)
    await _tell(tx, late, overdue=True)
    await _tell(tx, soon, overdue=False)
    return len(late) + len(soon)


async def _tell(tx: Tx, due: list[DueAnswer], *, overdue: bool) -> None:
    if not due:
        return
    await tx.execute(
        update(dispute)
        .where(dispute.c.id.in_([each.id for each in due]))
        .values({"overdue_at" if overdue else "reminded_at": tx.now})
    )
    kind = "answer-overdue" if overdue else "answer-due"
    await tx.execute(
        insert(order_event),
        [
            {
                "order_id": each.order_id,
                "at": tx.now,
                "person_id": tx.actor.person_id,
                "kind": kind,
                "facts": {"answer_due_at": each.answer_due_at.isoformat()},
            }
            for each in due
        ],
    )
    for each in due:
        tx.audit(kind, subject="service_order", subject_id=each.order_id, dispute_id=each.id)
        tx.record(
            DisputeAnswerDue(
                order_id=each.order_id,
                buyer_id=each.buyer_id,
                provider_id=each.provider_id,
                answer_due_at=each.answer_due_at,
                overdue=overdue,
            )
        )
