"""Invoices on the wire."""

from __future__ import annotations

from datetime import date, datetime

from marketplace.billing.invoicing import queries
from marketplace.kernel.wire import Out


class InvoiceOut(Out):
    """A tax invoice as its provider recorded it."""

    id: int
    order_id: int
    provider_id: int
    buyer_id: int
    number: str
    amount_fen: int
    issued_on: date
    recorded_at: datetime

    @classmethod
    def of(cls, recorded: queries.Invoice) -> InvoiceOut:
        """The wire form of an invoice."""
        return cls(
            id=recorded.id,
            order_id=recorded.order_id,
            provider_id=recorded.provider_id,
            buyer_id=recorded.buyer_id,
            number=recorded.number,
            amount_fen=recorded.amount_fen,
            issued_on=recorded.issued_on,
            recorded_at=recorded.recorded_at,
        )
