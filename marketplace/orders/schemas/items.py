"""What is sent about one item of an order."""

from __future__ import annotations

from typing import Annotated

import msgspec

from marketplace.kernel.wire import In, Line, Why
from marketplace.orders.rules.items import ITEMS_MAX
from marketplace.orders.schemas.quoting import Extras, Runs, extras_of
from marketplace.orders.use_cases import DeclareUndeliverable, DeliverItem

ItemNumber = Annotated[int, msgspec.Meta(ge=1, le=ITEMS_MAX)]
Pieces = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class DeliverItemIn(In):
    """A part of an item: so many samples, and the runs and extras that it took.

    Without a `quantity` it is everything that is ready.
    """

    quantity: Pieces | None = None
    runs: Runs | None = None
    extras: Extras = msgspec.field(default_factory=list)
    note: Line = ""

    def to_command(self, order_id: int, item: int) -> DeliverItem:
        """The command for one item."""
        return DeliverItem(
            order_id,
            item,
            quantity=self.quantity,
            runs=self.runs,
            extras=extras_of(self.extras),
            note=self.note,
        )


class UndeliverableIn(In):
    """Why an item cannot be given, or so many pieces of it; by default everything due."""

    reason: Why
    quantity: Pieces | None = None

    def to_command(self, order_id: int, item: int) -> DeclareUndeliverable:
        """The command for one item."""
        return DeclareUndeliverable(order_id, item, reason=self.reason, quantity=self.quantity)
