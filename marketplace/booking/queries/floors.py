"""How the weeks of an instrument stand that leaves a floor of hours to others."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ARRAY, BigInteger, DateTime, Text, bindparam, text
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.booking.queries.reservations import driver_range
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
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.kernel.db import Prepared, Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During, shanghai_day

LONGEST = timedelta(minutes=RESERVATION_MINUTES_MAX)
_LOCK = Prepared(
    text(
        "select pg_advisory_xact_lock(hashtextextended(week, 0)) from unnest(:weeks) as week"
    ).bindparams(bindparam("weeks", type_=ARRAY(Text)))
)
# Live reservations of a calendar and used ones of its instruments: each from its index.
_USES = Prepared(
    text(
        """
    select lower(r.during) as starts_at, upper(r.during) as ends_at, r.user_class, r.purpose
      from reservation r
     where r.status in ('held', 'offered', 'requested', 'confirmed', 'in_use')
       and r.calendar_id = :calendar_id
       and r.blocked && :whole
       and r.id <> :besides
       and (r.status in ('confirmed', 'in_use') or r.held_until > :at)
    union all
    select lower(r.during), upper(r.during), r.user_class, r.purpose
      from reservation r
     where r.status = 'used'
       and r.calendar_id = :calendar_id
       and r.instrument_id = any(array(
             select :calendar_id
             union all
             select sharing.instrument_id from booking_rule as sharing
              where sharing.calendar_id = :calendar_id))
       and lower(r.during) between :earliest and upper(cast(:whole as tstzrange))
       and r.during && :whole
    """
    ).bindparams(
        bindparam("calendar_id", type_=BigInteger),
        bindparam("besides", type_=BigInteger),
        bindparam("whole", type_=TSTZRANGE),
        bindparam("at", type_=DateTime(timezone=True)),
        bindparam("earliest", type_=DateTime(timezone=True)),
    )
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
    await tx.fetch(
        _LOCK,
        {
            "weeks": [
                f"outside-floor:{found.calendar_id}:{shanghai_day(week.starts_at)}"
                for week in weeks_of(during)
            ]
        },
    )
    whole = whole_weeks(during)
    known = found.in_general
    if known.around is None or not known.around.covers(whole):
        known = await schedule(tx, found.instrument_id, whole)
    weeks = await floor_of(tx, known, during, besides=besides)
    return floor_refusals(found, during, weeks, purpose=purpose, at=tx.now)


async def floor_of(tx: Tx, found: Schedule, within: During, *, besides: int = 0) -> list[FloorWeek]:
    """How each week that `within` touches stands: `found` was loaded for the whole of them.

    `besides` is a reservation that is not counted because it moves.
    """
    whole = whole_weeks(within)
    rows = await tx.fetch(
        _USES,
        {
            "calendar_id": found.calendar_id,
            "whole": driver_range(whole),
            "besides": besides,
            "at": tx.now,
            "earliest": whole.starts_at - LONGEST,
        },
    )
    uses = []
    for row in rows:
        own = counts_as_own(UserClass(row["user_class"]), Purpose(row["purpose"]))
        # The own unit's upkeep is neither its own use nor anybody else's.
        if own or row["user_class"] != UserClass.OWN_UNIT:
            uses.append(Use(During(row["starts_at"], row["ends_at"]), own=own))
    return floor_weeks(found, whole, uses)
