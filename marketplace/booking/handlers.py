"""What booking does when it hears from the catalogue: what cannot take place is given back."""

from __future__ import annotations

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


HANDLERS: Handlers = {
    InstrumentClosed: [give_back_closed_time],
    InstrumentWithdrawn: [give_back_what_is_gone],
}
