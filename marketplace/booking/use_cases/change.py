"""The one way in which a reservation changes its state."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from marketplace.booking.queries.reservations import Reservation
from marketplace.booking.rules.states import LIVE, Status, require_transition
from marketplace.booking.tables import reservation as table
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing


async def change_status(tx: Tx, present: Reservation, following: Status, **values: Any) -> None:
    """Move a reservation, whose row is locked, to `following`.

    Raises:
        ReservationNotInState: when that step does not exist.
    """
    require_transition(present.status, following)
    if following not in LIVE:
        values["ended_at"] = tx.now
    await tx.execute(
        update(table)
        .where(table.c.id == present.id)
        .values(status=following, revision=table.c.revision + 1, changed_at=tx.now, **values)
    )


def require_provider(tx: Tx, present: Reservation) -> None:
    """Nothing, when the actor belongs to the instrument's provider, or is the platform.

    Raises:
        Missing: for everybody else.
    """
    if tx.actor.organisation_id != present.provider_id and not tx.actor.has("system"):
        raise Missing("There is no such reservation.")
