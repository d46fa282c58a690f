"""What happens to reservations when nobody does anything: requests lapse, no-shows, forgotten use.

Each works off one batch of what is due at `tx.now` and returns how many there were. A row that
somebody else is working on is left to them, and doing it twice changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, func

from marketplace.booking.events import (
    ReservationCancelled,
    ReservationExpired,
    ReservationNoShow,
)
from marketplace.booking.queries.reservations import (
    Reservation,
    made_reservation,
    reservation_select,
)
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.cancellation import no_show
from marketplace.booking.rules.states import Status
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases.cancel import cancel_terms, is_unusable
from marketplace.booking.use_cases.change import change_status
from marketplace.booking.use_cases.sessions import NEVER_CLOSED, end_by_itself
from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_day
from marketplace.rulebook import rulebook

BATCH = 100


async def expire_requests(tx: Tx, _: None = None) -> int:
    """Let go of requests that the provider did not answer in time."""
    lapsed = await _due(tx, Status.REQUESTED, table.c.held_until <= tx.now)
    for present in lapsed:
        await change_status(tx, present, Status.EXPIRED, reason="Not answered in time.")
        tx.record(
            ReservationExpired(
                reservation_id=present.id,
                order_id=present.order_id or 0,
                instrument_id=present.instrument_id,
            )
        )
    return len(lapsed)


async def mark_no_shows(tx: Tx, _: None = None) -> int:
    """End confirmed reservations that nobody took up; free of charge where it was shut.

    How long a time is kept for who is late is today's term; what it costs is the term of the day
    on which it was placed.
    """
    grace = timedelta(minutes=rulebook().booking.no_show_after_minutes.on(tx.today))
    due = await _due(tx, Status.CONFIRMED, func.lower(table.c.during) <= tx.now - grace)
    for present in due:
        shut = is_unusable(
            await schedule(tx, present.instrument_id, present.during), present.during
        )
        ending = no_show(terms=cancel_terms(shanghai_day(present.placed_at)), instrument_down=shut)
        await change_status(tx, present, ending.status, reason=ending.why)
        tx.record(
            ReservationCancelled(
                reservation_id=present.id,
                order_id=present.order_id or 0,
                instrument_id=present.instrument_id,
                late=False,
                fee_basis_points=0,
                by_provider=True,
                reason=ending.why,
            )
            if ending.status is Status.CANCELLED
            else ReservationNoShow(
                reservation_id=present.id,
                order_id=present.order_id or 0,
                instrument_id=present.instrument_id,
                fee_basis_points=ending.fee_basis_points,
            )
        )
    return len(due)


async def close_forgotten_sessions(tx: Tx, _: None = None) -> int:
    """Close sessions left open too long past their reserved end, into the problem queue."""
    limit = timedelta(minutes=rulebook().booking.session_limit_minutes.on(tx.today))
    forgotten = await _due(tx, Status.IN_USE, func.upper(table.c.during) <= tx.now - limit)
    for present in forgotten:
        await end_by_itself(tx, present, problem=NEVER_CLOSED)
    return len(forgotten)


async def _due(tx: Tx, status: Status, when: ColumnElement[bool]) -> list[Reservation]:
    return await tx.all(
        made_reservation,
        reservation_select()
        .where(table.c.status == status, when)
        .order_by(table.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True),
    )
