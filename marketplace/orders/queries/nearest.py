"""Where nothing is free in the days that were asked: the next days and instruments that are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.orders.queries.offers import FindOffers, candidates

LOOKED_AHEAD = timedelta(days=14)
DAYS_SHOWN, INSTRUMENTS_SHOWN = 6, 5
MINUTES = 60


@dataclass(frozen=True, slots=True)
class FreeDay:
    """A day on which some of the instruments are free."""

    day: date
    instruments: int


@dataclass(frozen=True, slots=True)
class FreeTime:
    """An instrument and the first time at which it can be reserved."""

    instrument: catalogue.InstrumentHit
    during: During


@dataclass(frozen=True, slots=True)
class Nearest:
    """The next days with something free, and what is free first."""

    days: tuple[FreeDay, ...] = ()
    times: tuple[FreeTime, ...] = ()


async def nearest_free(tx: Tx, question: FindOffers) -> Nearest:
    """What of the same search is free in the fortnight after the window.

    Who asks for the past, or for days that are not open yet, is told of the first days from now.

    Policy: F.booking

    Raises:
        OffersUnclear: for half a window.
    """
    window = question.window()
    if window is None:
        return Nearest()
    found, classes = await candidates(tx, question)
    begins = max(window.ends_at, tx.now)
    for first in dict.fromkeys((begins, tx.now)):
        asked = booking.FreeIn(
            [hit.id for hit in found.hits],
            During(first, first + LOOKED_AHEAD),
            minutes=question.minutes or MINUTES,
            classes=classes,
        )
        times = await booking.first_free_times(tx, asked)
        if times:
            return _nearest(found.hits, times)
    return Nearest()


def _nearest(hits: tuple[catalogue.InstrumentHit, ...], times: dict[int, list[During]]) -> Nearest:
    # Who asks for a day finds what is free inside it; what runs into the next is no part of that.
    days = Counter(
        touched[0]
        for some in times.values()
        for touched in (list(each.days()) for each in some)
        if len(touched) == 1
    )
    # Of two that are free at the same time the better hit goes first: sorting keeps their order.
    first = sorted(
        (FreeTime(hit, times[hit.id][0]) for hit in hits if hit.id in times),
        key=lambda each: each.during.starts_at,
    )
    return Nearest(
        days=tuple(FreeDay(day, days[day]) for day in sorted(days)[:DAYS_SHOWN]),
        times=tuple(first[:INSTRUMENTS_SHOWN]),
    )
