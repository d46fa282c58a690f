"""How the weeks of an instrument stand that leaves a floor of hours to others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, func, or_, select, text, union_all

from marketplace.booking.queries.reservations import as_range
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.floor import (
    COUNTED,
    FloorWeek,
    Use,
    counts_as_own,
    floor_holds,
    floor_refusals,
    floor_weeks,
    weeks_of,
    whole_weeks,
)
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX, Schedule
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.tables import LIVE, booking_rule
from marketplace.booking.tables import reservation as table
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During, shanghai_day

LONGEST = timedelta(minutes=RESERVATION_MINUTES_MAX)
_LOCK = text(
    "select pg_advisory_xact_lock(hashtextextended(week, 0))"
    " from unnest(cast(:weeks as text[])) as week"
)


async def floor_reasons(
    tx: Tx, found: Schedule, during: During, *, purpose: Purpose, besides: int = 0
) -> tuple[Reason, ...]:
    """Why the own unit would leave too little to others; nothing where no floor is set or holds.

    The weeks stay locked until the transaction ends: of two that each find room only one gets it.
    """
    if (
        purpose not in COUNTED
        or not floor_holds(found, during.starts_at, at=tx.now)
        or during.minutes > RESERVATION_MINUTES_MAX
    ):
        return ()
    # In a statement of its own: one that waits for a lock has already chosen what it sees.
    await tx.execute(
        _LOCK,
        {
            "weeks": [
                f"outside-floor:{found.calendar_id}:{shanghai_day(week.starts_at)}"
                for week in weeks_of(during)
            ]
        },
    )
    known = await schedule(tx, found.instrument_id, whole_weeks(during))
    weeks = await floor_of(tx, known, during, besides=besides)
    return floor_refusals(found, during, weeks, purpose=purpose, at=tx.now)


async def floor_of(tx: Tx, found: Schedule, within: During, *, besides: int = 0) -> list[FloorWeek]:
    """How each week that `within` touches stands: `found` was loaded for the whole of them.

    `besides` is a reservation that is not counted because it moves.
    """
    whole = whole_weeks(within)
    rows = await tx.execute(_uses(found.calendar_id, whole, at=tx.now, besides=besides))
    uses = []
    for row in rows:
        own = counts_as_own(UserClass(row.user_class), Purpose(row.purpose))
        # The own unit's upkeep is neither its own use nor anybody else's.
        if own or row.user_class != UserClass.OWN_UNIT:
            uses.append(Use(During(row.starts_at, row.ends_at), own=own))
    return floor_weeks(found, whole, uses)


def _uses(calendar_id: int, whole: During, *, at: datetime, besides: int) -> CompoundSelect[Any]:
    """Live reservations of a calendar and used ones of its instruments: each from its index."""
    columns = (
        func.lower(table.c.during).label("starts_at"),
        func.upper(table.c.during).label("ends_at"),
        table.c.user_class,
        table.c.purpose,
    )
    live = select(*columns).where(
        LIVE,
        table.c.calendar_id == calendar_id,
        table.c.blocked.op("&&")(as_range(whole)),
        table.c.id != besides,
        or_(
            table.c.status.in_([Status.CONFIRMED, Status.IN_USE]),
            table.c.held_until > at,
        ),
    )
    sharing = select(booking_rule.c.instrument_id).where(booking_rule.c.calendar_id == calendar_id)
    used = select(*columns).where(
        table.c.status == Status.USED,
        table.c.calendar_id == calendar_id,
        or_(table.c.instrument_id == calendar_id, table.c.instrument_id.in_(sharing)),
        func.lower(table.c.during).between(whole.starts_at - LONGEST, whole.ends_at),
        table.c.during.op("&&")(as_range(whole)),
    )
    return union_all(live, used)
