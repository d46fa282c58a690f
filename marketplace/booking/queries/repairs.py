"""What was done to sessions after they had ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from marketplace.booking.queries.reservations import visible_reservation
from marketplace.booking.rules.sessions import RepairKind
from marketplace.booking.tables import session_repair, usage_session
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing


@dataclass(frozen=True, slots=True)
class SessionRepair:
    """One thing said of a session after it ended: who, when, why, and what it was before.

    `answer` is how a user's proposal was answered, None while it waits.
    """

    id: int
    session_id: int
    reservation_id: int
    kind: RepairKind
    answers_id: int | None
    made_by: int
    made_at: datetime
    by_staff: bool
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
    answer: RepairKind | None


_ANSWER = session_repair.alias("answer")


def repair_select() -> Select[Any]:
    """Every column of a `SessionRepair`."""
    return (
        select(session_repair, usage_session.c.reservation_id, _ANSWER.c.kind.label("answer"))
        .join(usage_session, usage_session.c.id == session_repair.c.session_id)
        .outerjoin(_ANSWER, _ANSWER.c.answers_id == session_repair.c.id)
    )


def made_repair(**row: Any) -> SessionRepair:
    """A `SessionRepair` from a row of `repair_select`."""
    answer = row["answer"]
    return SessionRepair(
        **{
            **row,
            "kind": RepairKind(row["kind"]),
            "answer": None if answer is None else RepairKind(answer),
        }
    )


async def repairs_of(tx: Tx, reservation_id: int) -> list[SessionRepair]:
    """Everything that was said of a reservation's session, oldest first."""
    return await tx.all(
        made_repair,
        repair_select()
        .where(usage_session.c.reservation_id == reservation_id)
        .order_by(session_repair.c.id),
    )


async def proposal(tx: Tx, repair_id: int) -> SessionRepair:
    """A user's word that a session was shorter, answered or not, whoever asks.

    Raises:
        Missing: when there is none.
    """
    found = await tx.first(
        made_repair,
        repair_select().where(
            session_repair.c.id == repair_id, session_repair.c.kind == RepairKind.PROPOSAL
        ),
    )
    if found is None:
        raise Missing("There is no such report.")
    return found


async def own_proposal(tx: Tx, repair_id: int) -> SessionRepair:
    """A user's word about a session on an instrument of the actor's organisation.

    Raises:
        Missing: otherwise.
    """
    found = await proposal(tx, repair_id)
    reserved = await visible_reservation(tx, found.reservation_id)
    if reserved.provider_id != tx.actor.organisation_id:
        raise Missing("There is no such report.")
    return found


async def open_proposal(tx: Tx, session_id: int) -> SessionRepair | None:
    """The user's word that waits for the provider, if there is one."""
    return await tx.first(
        made_repair,
        repair_select().where(
            session_repair.c.session_id == session_id,
            session_repair.c.kind == RepairKind.PROPOSAL,
            _ANSWER.c.id.is_(None),
        ),
    )
