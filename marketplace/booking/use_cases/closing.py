"""Give back what was reserved on an instrument that its provider closed or withdrew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func

from marketplace.booking.queries.reservations import (
    as_range,
    made_reservation,
    reservation_select,
)
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.availability import BOOKABLE
from marketplace.booking.rules.states import WITHOUT_APPROVAL, Status
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases.cancel import cancel_for_provider
from marketplace.catalogue.queries import closures
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During

BATCH = 100
# What has not begun to be used.
_TO_COME = (Status.HELD, Status.OFFERED, Status.REQUESTED, Status.CONFIRMED)


@dataclass(frozen=True, slots=True)
class CancelInClosure:
    """Give back what is reserved in a closure."""

    instrument_id: int
    closure_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class CancelWithdrawn:
    """Give back what is reserved on an instrument that is gone."""

    instrument_id: int
    disposed: bool


async def cancel_in_closure(tx: Tx, command: CancelInClosure) -> int:
    """Give it back free of charge, on everything that shares the machine; how many there were.

    The closure counts as it is now: one that was ended early cancels nothing after its end.
    Upkeep stays, because it is what instruments are closed for, and so does what staff placed
    in the closure afterwards, on purpose.
    """
    asked = During(command.starts_at, command.ends_at)
    known = await closures(tx, [command.instrument_id], asked)
    closure = next((one for one in known if one.id == command.closure_id), None)
    if closure is None or closure.ends_at <= tx.now:
        return 0
    during = During(max(closure.starts_at, tx.now), closure.ends_at)
    found = await schedule(tx, command.instrument_id, during)
    return await _cancel_all(
        tx,
        [
            table.c.calendar_id == found.calendar_id,
            table.c.during.op("&&")(as_range(during)),
            table.c.purpose.not_in(WITHOUT_APPROVAL),
            table.c.placed_at <= closure.made_at,
        ],
        reason=f"The instrument is closed: {closure.reason}",
    )


async def cancel_withdrawn(tx: Tx, command: CancelWithdrawn) -> int:
    """Give back all that lies ahead, free of charge; how many there were.

    Nothing, when the instrument can be booked again by now.
    """
    around = During(tx.now, tx.now + timedelta(minutes=1))
    if (await schedule(tx, command.instrument_id, around)).status in BOOKABLE:
        return 0
    return await _cancel_all(
        tx,
        [
            table.c.instrument_id == command.instrument_id,
            func.upper(table.c.during) > tx.now,
        ],
        reason="The instrument was disposed of."
        if command.disposed
        else "The instrument was withdrawn.",
    )


async def _cancel_all(tx: Tx, wanted: list[ColumnElement[bool]], *, reason: str) -> int:
    """A batch at a time: what is given back is not found again."""
    cancelled = 0
    while True:
        batch = await tx.all(
            made_reservation,
            reservation_select()
            .where(*wanted, table.c.status.in_(_TO_COME))
            .order_by(table.c.id)
            .limit(BATCH)
            .with_for_update(),
        )
        await cancel_for_provider(tx, batch, reason=reason)
        cancelled += len(batch)
        if len(batch) < BATCH:
            return cancelled
