"""Reminding buyers of what they owe: before it is due, on the day, and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert

from marketplace.billing.credit.events import ReceivableReminded
from marketplace.billing.credit.queries.receivables import to_remind
from marketplace.billing.credit.tables import credit_reminder
from marketplace.kernel.db import Tx
from marketplace.kernel.reminders import reminder_step
from marketplace.rulebook import rulebook

REMINDED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RemindAfter:
    """The receivables after one id."""

    receivable_id: int


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many were reminded of, and where to go on; None at the end."""

    sent: int
    next_id: int | None


async def remind(tx: Tx, command: RemindAfter) -> Reminded:
    """Send the reminders of today for the next receivables; a step that went out is not repeated.

    Policy: J.gap
    """
    steps = rulebook().credit.reminder_days.on(tx.today)
    due_until = tx.today - timedelta(days=min(steps))
    found = await to_remind(tx, due_until, after_id=command.receivable_id, limit=REMINDED_AT_ONCE)
    due = []
    for each in found:
        step = reminder_step(each.due_on, today=tx.today, steps=steps, sent=each.sent)
        if step is not None:
            due.append((each, step))
    sent: set[int] = set()
    if due:
        made = await tx.scalars(
            insert(credit_reminder)
            .values(
                [
                    {
                        "receivable_id": each.id,
                        "step_days": step,
                        "sent_on": tx.today,
                        "owed_fen": each.left_fen,
                    }
                    for each, step in due
                ]
            )
            .on_conflict_do_nothing()
            .returning(credit_reminder.c.receivable_id)
        )
        sent = set(made)
    for each, step in due:
        if each.id in sent:
            tx.record(
                ReceivableReminded(
                    receivable_id=each.id,
                    line_id=each.line_id,
                    provider_id=each.provider_id,
                    buyer_id=each.buyer_id,
                    order_id=each.order_id,
                    step_days=step,
                    owed_fen=each.left_fen,
                    due_on=each.due_on.isoformat(),
                )
            )
    whole = len(found) == REMINDED_AT_ONCE
    return Reminded(len(sent), found[-1].id if whole else None)
