"""After the service: the tax authority's invoice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from marketplace.billing.invoicing import use_cases as invoicing
from marketplace.billing.invoicing.queries import Invoice
from marketplace.kernel.db import Tx
from marketplace.orders.use_cases.steps import lock_as_provider, note
from marketplace.parties import queries as parties


@dataclass(frozen=True, slots=True)
class IssueInvoice:
    """The tax invoice that the provider has issued for an order."""

    order_id: int
    number: str
    amount_fen: int
    issued_on: date


async def issue_invoice(tx: Tx, command: IssueInvoice) -> Invoice:
    """Record the invoice of an order for its two sides.

    Raises:
        OrderMissing: when it is another provider's.
        ChargeMissing, InvoiceNumberRefused, InvoiceRefused, OrderInvoiced: see invoicing.
    """
    found = await lock_as_provider(tx, command.order_id)
    recorded = await invoicing.record_invoice(
        tx,
        invoicing.RecordInvoice(
            order_id=found.id,
            provider_id=found.provider_id,
            buyer_id=found.buyer_id,
            number=command.number,
            amount_fen=command.amount_fen,
            issued_on=command.issued_on,
        ),
    )
    await note(tx, found.id, "invoice", number=command.number, amount_fen=command.amount_fen)
    return recorded


@dataclass(frozen=True, slots=True)
class IssueInvoiceFile:
    """The XML file of the tax invoice that the provider has issued for an order."""

    order_id: int
    name: str
    content: bytes = field(repr=False)


async def issue_invoice_file(tx: Tx, command: IssueInvoiceFile) -> Invoice:
    """Record the invoice in a file, held against the order's two legal entities and its charge.

    Raises:
        OrderMissing: when it is another provider's.
        InvoiceFileUnreadable, InvoiceRefused, InvoiceFileUsed, ChargeMissing, OrderInvoiced: see
            invoicing.
    """
    found = await lock_as_provider(tx, command.order_id)
    sides = await parties.legal_entities(
        tx, (found.provider_legal_entity_id, found.buyer_legal_entity_id)
    )
    seller, buyer = sides[found.provider_legal_entity_id], sides[found.buyer_legal_entity_id]
    recorded = await invoicing.record_invoice_file(
        tx,
        invoicing.RecordInvoiceFile(
            order_id=found.id,
            provider_id=found.provider_id,
            buyer_id=found.buyer_id,
            seller=invoicing.Party(seller.uscc, seller.name),
            buyer=invoicing.Party(buyer.uscc, buyer.name),
            name=command.name,
            content=command.content,
        ),
    )
    await note(tx, found.id, "invoice", number=recorded.number, amount_fen=recorded.amount_fen)
    return recorded
