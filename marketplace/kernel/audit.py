"""The audit trail: who did what, when, to which thing; append-only in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from marketplace.kernel.actors import Actor
from marketplace.kernel.tables import audit_event


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing done: `action` is a verb (`approve`), `subject` a noun (`reward_run`)."""

    action: str
    subject: str
    subject_id: int
    facts: Mapping[str, Any]


async def store(
    connection: AsyncConnection,
    lines: Sequence[AuditLine],
    *,
    actor: Actor,
    at: datetime,
    request_id: str,
) -> None:
    """Append `lines` in one statement."""
    await connection.execute(
        insert(audit_event),
        [
            {
                "at": at,
                "person_id": actor.person_id,
                "organisation_id": actor.organisation_id,
                "label": actor.label,
                "request_id": request_id,
                "action": line.action,
                "subject": line.subject,
                "subject_id": line.subject_id,
                "facts": dict(line.facts),
            }
            for line in lines
        ],
    )
