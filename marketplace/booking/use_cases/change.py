"""The one way in which a reservation changes its state, and how calendars are locked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, text, update

from marketplace.booking.queries.reservations import Reservation
from marketplace.booking.rules.states import LIVE, Status, require_transition
from marketplace.booking.tables import reservation as table
from marketplace.kernel.db import Prepared, Tx
from marketplace.kernel.errors import Missing
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


async def change_status(tx: Tx, present: Reservation, following: Status, **values: Any) -> None:
    """Move a reservation, whose row is locked, to `following`.

    Raises:
        ReservationNotInState: when that step does not exist.
    """
    await change_together(tx, [present], following, **values)


async def change_together(
    tx: Tx, presents: Sequence[Reservation], following: Status, **values: Any
) -> None:
    """Move reservations, whose rows are locked, to `following` in one statement: all or none.

    Raises:
        ReservationNotInState: when that step does not exist for one of them.
    """
    for present in presents:
        require_transition(present.status, following)
    if following not in LIVE:
        values["ended_at"] = tx.now
    await tx.execute(
        update(table)
        .where(table.c.id.in_([present.id for present in presents]))
        .values(status=following, revision=table.c.revision + 1, changed_at=tx.now, **values)
    )


def require_provider(tx: Tx, present: Reservation) -> None:
    """Nothing, when the actor belongs to the instrument's provider, or is the platform.

    Raises:
        Missing: for everybody else.
    """
    if tx.actor.organisation_id != present.provider_id and not tx.actor.has("system"):
        raise Missing("There is no such reservation.")


def is_by_provider(tx: Tx, present: Reservation) -> bool:
    """Whether the instrument's own staff act, or the platform itself."""
    if tx.actor.has("system"):
        return True
    return tx.actor.organisation_id == present.provider_id and tx.actor.has(*STAFF)


_LOCK = text(
    "select pg_advisory_xact_lock(hashtextextended('calendar:' || id, 0))"
    " from unnest(cast(:calendar_ids as bigint[])) as id"
)
_LOCK_OF = Prepared(
    text(
        "select pg_advisory_xact_lock(hashtextextended('calendar:' || calendar_id, 0))"
        " from reservation where id = :reservation_id"
    ).bindparams(bindparam("reservation_id", type_=BigInteger))
)


async def lock_calendars(tx: Tx, calendar_ids: Iterable[int]) -> None:
    """Take calendars in one order for everybody who takes several times in them, until COMMIT.

    The constraint alone keeps times apart; this keeps those who write several from waiting for
    each other in a circle. Who places a single reservation needs no lock.
    """
    await tx.execute(_LOCK, {"calendar_ids": sorted(set(calendar_ids))})


async def lock_calendar_of(tx: Tx, reservation_id: int) -> None:
    """Take the calendar of a reservation that moves: two that swap their times do not deadlock."""
    await tx.fetch(_LOCK_OF, {"reservation_id": reservation_id})
