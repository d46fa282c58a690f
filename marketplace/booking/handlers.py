"""What booking does when it hears of something: what cannot take place is given back.

What those who wait hear is in `waiting_handlers`.
"""

from __future__ import annotations

from marketplace.booking import waiting_handlers
from marketplace.booking.use_cases.closing import (
    CancelInClosure,
    CancelWithdrawn,
    cancel_in_closure,
    cancel_withdrawn,
)
from marketplace.catalogue.events import InstrumentClosed, InstrumentWithdrawn
from marketplace.kernel.db import Tx
from marketplace.kernel.outbox import Handlers


async def give_back_closed_time(tx: Tx, event: InstrumentClosed) -> None:
    """An instrument is closed: who reserved in that time is told, and pays nothing."""
    await cancel_in_closure(
        tx,
        CancelInClosure(event.instrument_id, event.closure_id, event.starts_at, event.ends_at),
    )


async def give_back_what_is_gone(tx: Tx, event: InstrumentWithdrawn) -> None:
    """An instrument is gone: whoever reserved it is told, and pays nothing."""
    await cancel_withdrawn(tx, CancelWithdrawn(event.instrument_id, event.disposed))


_CLOSED_AND_GONE: Handlers = {
    InstrumentClosed: [give_back_closed_time],
    InstrumentWithdrawn: [give_back_what_is_gone],
}


def _all_of(*heard: Handlers) -> Handlers:
    """Every handler of each event, in the order given."""
    events = {event for handlers in heard for event in handlers}
    return {
        event: [handler for handlers in heard for handler in handlers.get(event, ())]
        for event in events
    }


HANDLERS: Handlers = _all_of(_CLOSED_AND_GONE, waiting_handlers.HANDLERS)
