"""When an instrument is open, and when it is closed all the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import delete, insert, update
from sqlalchemy.dialects.postgresql import Range

from marketplace.catalogue import tables
from marketplace.catalogue.errors import ClosureOver, ClosureRefused, OpeningHoursRefused
from marketplace.catalogue.events import InstrumentClosed, InstrumentReopened
from marketplace.catalogue.queries import Closure, OpeningHours, opening_hours, own_instrument
from marketplace.catalogue.queries.closures import locked_closure
from marketplace.catalogue.rules.opening import (
    ClosureKind,
    check_closure,
    check_opening_hours,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During, as_utc


@dataclass(frozen=True, slots=True)
class SetOpeningHours:
    """The usual week of an instrument, which replaces the one before."""

    instrument_id: int
    hours: tuple[OpeningHours, ...]


async def set_opening_hours(tx: Tx, command: SetOpeningHours) -> list[OpeningHours]:
    """Store the week; an empty one means that the instrument is never open.

    Raises:
        InstrumentMissing: when it is not the caller's own.
        OpeningHoursRefused: with every interval that is wrong.
    """
    check_opening_hours(command.hours).raise_as(OpeningHoursRefused)
    found = await own_instrument(tx, command.instrument_id)
    hours = tables.opening_hours
    await tx.execute(delete(hours).where(hours.c.instrument_id == found.id))
    if command.hours:
        await tx.execute(
            insert(hours),
            [
                {
                    "instrument_id": found.id,
                    "weekday": interval.weekday,
                    "opens_minute": interval.opens_minute,
                    "closes_minute": interval.closes_minute,
                }
                for interval in sorted(command.hours)
            ],
        )
    tx.audit(
        "set_opening_hours",
        subject="instrument",
        subject_id=found.id,
        hours=[
            [interval.weekday, interval.opens_minute, interval.closes_minute]
            for interval in sorted(command.hours)
        ],
    )
    return await opening_hours(tx, found.id)


@dataclass(frozen=True, slots=True)
class CloseInstrument:
    """Close an instrument for a time, for a reason that users see."""

    instrument_id: int
    during: During
    reason: str
    kind: ClosureKind = ClosureKind.CLOSED


async def close_instrument(tx: Tx, command: CloseInstrument) -> Closure:
    """Store the closure. What is already reserved in it stays; booking hears of it and acts.

    Raises:
        InstrumentMissing: when it is not the caller's own.
        ClosureRefused: when it lasts too long or says no reason.
    """
    check_closure(command.during, command.reason).raise_as(ClosureRefused)
    found = await own_instrument(tx, command.instrument_id)
    starts_at, ends_at = as_utc(command.during.starts_at), as_utc(command.during.ends_at)
    closure_id: int = await tx.scalar(
        insert(tables.closure)
        .values(
            instrument_id=found.id,
            during=Range(starts_at, ends_at, bounds="[)"),
            kind=command.kind,
            reason=command.reason.strip(),
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(tables.closure.c.id)
    )
    tx.audit(
        "close",
        subject="instrument",
        subject_id=found.id,
        closure_id=closure_id,
        starts_at=starts_at.isoformat(),
        ends_at=ends_at.isoformat(),
        kind=command.kind,
        reason=command.reason,
    )
    tx.record(InstrumentClosed(found.id, closure_id, starts_at, ends_at, command.kind))
    return Closure(
        closure_id, found.id, starts_at, ends_at, command.kind, command.reason.strip(), tx.now
    )


@dataclass(frozen=True, slots=True)
class ReopenInstrument:
    """End a closure now: the repair is done, or the plan was dropped."""

    instrument_id: int
    closure_id: int


async def reopen_instrument(tx: Tx, command: ReopenInstrument) -> Closure | None:
    """Let a closure end now; one that has not begun is taken back, and None is left of it.

    Raises:
        InstrumentMissing: when it is not the caller's own.
        ClosureMissing: when it has no such closure.
        ClosureOver: when it has ended already.
    """
    found = await own_instrument(tx, command.instrument_id)
    present = await locked_closure(tx, found.id, command.closure_id)
    if present.ends_at <= tx.now:
        raise ClosureOver("Close it again if need be.", ended_at=present.ends_at)
    mine = tables.closure.c.id == present.id
    left = None if tx.now <= present.starts_at else replace(present, ends_at=tx.now)
    if left is None:
        await tx.execute(delete(tables.closure).where(mine))
    else:
        during = Range(left.starts_at, left.ends_at, bounds="[)")
        await tx.execute(update(tables.closure).where(mine).values(during=during))
    tx.audit(
        "reopen",
        subject="instrument",
        subject_id=found.id,
        closure_id=present.id,
        starts_at=present.starts_at.isoformat(),
        ends_at=present.ends_at.isoformat(),
        reason=present.reason,
    )
    tx.record(InstrumentReopened(found.id, present.id, tx.now))
    return left
