"""What happens to reservations when nobody does anything: requests lapse, no-shows, forgotten use.

Each works off one batch of what is due at `tx.now` and returns how many there were. A row that
somebody else is working on is left to them, and doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column

from marketplace.booking.events import ReservationCancelled, ReservationNoShow
from marketplace.booking.queries.reservations import (
    Reservation,
    made_reservation,
    reservation_select,
)
from marketplace.booking.queries.timetables import schedules
from marketplace.booking.rules.cancellation import Ending, no_show
from marketplace.booking.rules.states import Status
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases.cancel import cancel_terms, is_unusable
from marketplace.booking.use_cases.change import change_together
from marketplace.booking.use_cases.seats import end_lapsed
from marketplace.booking.use_cases.sessions import NEVER_CLOSED, end_by_itself
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During, shanghai_day
from marketplace.rulebook import rulebook

BATCH = 100
# Written out, so that the planner finds the indexes that hold these states only.
WAITING = table.c.status.in_(
    literal_column(f"'{status}'") for status in ("requested", "held", "offered")
)
CONFIRMED = table.c.status == literal_column("'confirmed'")
IN_USE = table.c.status == literal_column("'in_use'")


async def expire_requests(tx: Tx, _: None = None) -> int:
    """Let go of requests that were not answered in time, and of holds and offers not taken up."""
    lapsed = await _due(tx, WAITING, table.c.held_until <= tx.now, first=table.c.held_until)
    if lapsed:
        await end_lapsed(tx, lapsed)
    return len(lapsed)


async def mark_no_shows(tx: Tx, _: None = None) -> int:
    """End confirmed reservations that nobody took up; free of charge where it was shut.

    How long a time is kept for who is late is today's term; what it costs is the term of the day
    on which it was placed.
    """
    grace = timedelta(minutes=rulebook().booking.no_show_after_minutes.on(tx.today))
    starts_at = func.lower(table.c.during)
    due = await _due(tx, CONFIRMED, starts_at <= tx.now - grace, first=starts_at)
    endings = await _endings(tx, due)
    for status, why in sorted({(ending.status, ending.why) for ending in endings.values()}):
        ended = [one for one in due if endings[one.id].status is status]
        await change_together(tx, ended, status, reason=why)
    for present in due:
        tx.record(_told(present, endings[present.id]))
    return len(due)


async def _endings(tx: Tx, due: Sequence[Reservation]) -> dict[int, Ending]:
    """How each ends: one statement for the closures of all of them."""
    if not due:
        return {}
    around = During(min(one.starts_at for one in due), max(one.ends_at for one in due))
    found = await schedules(tx, sorted({one.instrument_id for one in due}), around)
    return {
        one.id: no_show(
            terms=cancel_terms(shanghai_day(one.placed_at)),
            instrument_down=is_unusable(found[one.instrument_id], one.during),
        )
        for one in due
    }


def _told(present: Reservation, ending: Ending) -> ReservationCancelled | ReservationNoShow:
    if ending.status is Status.CANCELLED:
        return ReservationCancelled(
            reservation_id=present.id,
            order_id=present.order_id or 0,
            instrument_id=present.instrument_id,
            late=False,
            fee_basis_points=0,
            by_provider=True,
            reason=ending.why,
        )
    return ReservationNoShow(
        reservation_id=present.id,
        order_id=present.order_id or 0,
        instrument_id=present.instrument_id,
        fee_basis_points=ending.fee_basis_points,
    )


async def close_forgotten_sessions(tx: Tx, _: None = None) -> int:
    """Close sessions left open too long past their reserved end, into the problem queue."""
    limit = timedelta(minutes=rulebook().booking.session_limit_minutes.on(tx.today))
    ends_at = func.upper(table.c.during)
    forgotten = await _due(tx, IN_USE, ends_at <= tx.now - limit, first=ends_at)
    for present in forgotten:
        await end_by_itself(tx, present, problem=NEVER_CLOSED)
    return len(forgotten)


async def _due(
    tx: Tx, status: ColumnElement[bool], when: ColumnElement[bool], *, first: ColumnElement[Any]
) -> list[Reservation]:
    """A batch of what is due, longest first; what somebody is working on is left to them."""
    return await tx.all(
        made_reservation,
        reservation_select()
        .where(status, when)
        .order_by(first, table.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True),
    )
