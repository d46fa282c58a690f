"""What booking does when time comes free, or somebody misuses it: within a second of the commit.

Each is repeated by a job that looks at the rows themselves, so nothing is lost with an event.
"""

from __future__ import annotations

from marketplace.booking.events import (
    OfferDeclined,
    OutsideTimesChanged,
    ReservationCancelled,
    ReservationConfirmed,
    ReservationExpired,
    ReservationMoved,
    ReservationNoShow,
    ReservationPlaced,
    ReservationRejected,
    SessionClosed,
    WaitingBegan,
)
from marketplace.booking.use_cases.handing_on import HandOn, hand_on
from marketplace.booking.use_cases.strikes import JudgeReservations, judge_reservations
from marketplace.booking.use_cases.waitlist import NoteTaken, note_taken
from marketplace.catalogue.events import (
    InstrumentChanged,
    InstrumentListed,
    InstrumentReopened,
    InstrumentWithdrawn,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.outbox import Handlers

# What may leave time free, or end what was offered.
Freed = (
    ReservationCancelled
    | ReservationExpired
    | ReservationMoved
    | ReservationNoShow
    | ReservationRejected
    | SessionClosed
    | OutsideTimesChanged
    | OfferDeclined
    | WaitingBegan
    | InstrumentReopened
    | InstrumentListed
    | InstrumentChanged
    | InstrumentWithdrawn
)


async def hand_on_freed_time(tx: Tx, event: Freed) -> None:
    """Offer the time to who waits for it."""
    await hand_on(tx, HandOn(event.instrument_id))


async def end_taken_offer(tx: Tx, event: ReservationPlaced | ReservationConfirmed) -> None:
    """An order took an offered time over: who waited for it does not wait any more."""
    await note_taken(tx, NoteTaken(event.reservation_id))


async def judge_ended(
    tx: Tx, event: ReservationCancelled | ReservationNoShow | SessionClosed
) -> None:
    """Give the strikes that the end of a reservation deserves; mostly none."""
    await judge_reservations(tx, JudgeReservations((event.reservation_id,)))


HANDLERS: Handlers = {
    ReservationPlaced: [end_taken_offer],
    ReservationConfirmed: [end_taken_offer],
    ReservationCancelled: [judge_ended, hand_on_freed_time],
    ReservationNoShow: [judge_ended, hand_on_freed_time],
    SessionClosed: [judge_ended, hand_on_freed_time],
    ReservationExpired: [hand_on_freed_time],
    ReservationRejected: [hand_on_freed_time],
    ReservationMoved: [hand_on_freed_time],
    OutsideTimesChanged: [hand_on_freed_time],
    OfferDeclined: [hand_on_freed_time],
    WaitingBegan: [hand_on_freed_time],
    InstrumentReopened: [hand_on_freed_time],
    InstrumentListed: [hand_on_freed_time],
    InstrumentChanged: [hand_on_freed_time],
    InstrumentWithdrawn: [hand_on_freed_time],
}
