"""For how long an instrument could be used from this minute on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.booking.queries.timetables import schedule, taken
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.rules.walk_up import (
    LENGTHS_MINUTES,
    from_now,
    walk_up_lengths,
    walk_up_refusals,
)
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason


@dataclass(frozen=True, slots=True)
class WalkUpAsked:
    """What somebody of the provider would do with it now."""

    instrument_id: int
    purpose: Purpose = Purpose.OWN_RESEARCH


@dataclass(frozen=True, slots=True)
class WalkUpOffers:
    """The lengths possible from `starts_at` on; the reasons when there is none."""

    instrument_id: int
    starts_at: datetime
    minutes: tuple[int, ...]
    reasons: tuple[Reason, ...] = ()


async def walk_up_offers(tx: Tx, asked: WalkUpAsked) -> WalkUpOffers:
    """The lengths for which an instrument of the actor's own is free and open from now on.

    Raises:
        InstrumentMissing: when it belongs to others.
    """
    await own_instrument(tx, asked.instrument_id)
    longest = from_now(tx.now, LENGTHS_MINUTES[-1])
    found = await schedule(tx, asked.instrument_id, longest, user_class=UserClass.OWN_UNIT)
    beside = (await taken(tx, [found], longest))[found.instrument_id]
    minutes = walk_up_lengths(found, beside, purpose=asked.purpose, at=tx.now)
    reasons: tuple[Reason, ...] = ()
    if not minutes:
        shortest = from_now(tx.now, max(LENGTHS_MINUTES[0], found.terms.minimum_minutes))
        reasons = walk_up_refusals(found, shortest, purpose=asked.purpose, at=tx.now) or (
            Reason("busy", "Somebody else holds the instrument now."),
        )
    return WalkUpOffers(found.instrument_id, longest.starts_at, minutes, reasons)
