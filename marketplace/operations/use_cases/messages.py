"""Deliver a message again that failed."""

from __future__ import annotations

from marketplace.kernel.db import Tx
from marketplace.kernel.operations import Message, make_due, waiting_message
from marketplace.operations.errors import MessageMissing


async def retry_message(tx: Tx, message_id: int) -> Message:
    """Let an event that failed be tried again at once, with all its attempts before it.

    Raises:
        MessageMissing: when there is none, it was delivered, or it has not failed.
    """
    found = await waiting_message(tx, message_id)
    if found is None or not found.attempts:
        raise MessageMissing()
    await make_due(tx, message_id)
    tx.audit(
        "retry",
        subject="outbox_event",
        subject_id=message_id,
        name=found.name,
        attempts=found.attempts,
        error=found.last_error,
    )
    again = await waiting_message(tx, message_id)
    return again or found
