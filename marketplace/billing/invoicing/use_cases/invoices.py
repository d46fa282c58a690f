"""Recording invoices, typed or from the tax authority's file, and taking them back in red."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import insert

from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.errors import ChargeMissing, InvoiceMissing, OrderInvoiced
from marketplace.billing.invoicing.rules.einvoice import Party, read_invoice, require_invoice_of
from marketplace.billing.invoicing.rules.fapiao import (
    require_invoice_fits,
    require_invoice_number,
    require_red_fits,
)
from marketplace.billing.invoicing.tables import invoice, invoice_file, provider_revenue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing


@dataclass(frozen=True, slots=True)
class RecordInvoice:
    """The tax invoice of an order; who sells and who buys are the order's."""

    order_id: int
    provider_id: int
    buyer_id: int
    number: str
    amount_fen: int
    issued_on: date
    tax_fen: int | None = None


async def record_invoice(tx: Tx, command: RecordInvoice) -> queries.Invoice:
    """Record the invoice that the order's provider issued for all that is to be invoiced.

    Raises:
        Missing: when the actor is not the order's provider.
        InvoiceNumberRefused: for a number that no tax authority gave.
        ChargeMissing: when nothing was charged yet.
        InvoiceRefused: when amount or day do not fit.
        OrderInvoiced: when the order has an invoice over all that was charged.
        InvoiceNumberUsed: when another invoice has this number.

    Policy: F.invoice, J.21b
    """
    require_invoice_number(command.number, issued_on=command.issued_on)
    open_fen = await _to_be_invoiced(tx, command.order_id, command.provider_id)
    require_invoice_fits(
        amount_fen=command.amount_fen,
        charged_fen=open_fen,
        issued_on=command.issued_on,
        today=tx.today,
    )
    invoice_id: int = await tx.scalar(
        insert(invoice)
        .values(
            order_id=command.order_id,
            provider_id=command.provider_id,
            buyer_id=command.buyer_id,
            number=command.number,
            amount_fen=command.amount_fen,
            tax_fen=command.tax_fen,
            non_tax_revenue=await queries.is_non_tax_revenue(
                tx, command.provider_id, command.issued_on
            ),
            issued_on=command.issued_on,
            recorded_by=tx.actor.person_id,
            recorded_at=tx.now,
        )
        .returning(invoice.c.id)
    )
    tx.audit("record", subject="invoice", subject_id=invoice_id, number=command.number)
    return await queries.invoice_by_id(tx, invoice_id)


async def _to_be_invoiced(tx: Tx, order_id: int, provider_id: int) -> int:
    """What stands charged and is not invoiced.

    Raises:
        Missing: when the actor is not the order's provider.
        ChargeMissing: when nothing was charged yet.
        OrderInvoiced: when all of it is.
    """
    if tx.actor.organisation_id != provider_id and not tx.actor.has("system"):
        raise Missing
    if await queries.charge_line(tx, order_id) is None:
        raise ChargeMissing("An order is invoiced once it is settled.")
    standing = await queries.charged(tx, order_id)
    invoiced_fen = await queries.invoiced(tx, order_id)
    open_fen = standing.service_value_fen - invoiced_fen
    if invoiced_fen and open_fen <= 0:
        raise OrderInvoiced("Take the invoice back first, or a part of it.")
    return open_fen


@dataclass(frozen=True, slots=True)
class RecordInvoiceFile:
    """The XML file of an order's invoice, with the two sides as their legal entities stand."""

    order_id: int
    provider_id: int
    buyer_id: int
    seller: Party
    buyer: Party
    name: str
    content: bytes = field(repr=False)


async def record_invoice_file(tx: Tx, command: RecordInvoiceFile) -> queries.Invoice:
    """Read the file, hold it against the order, and record the invoice with it.

    Raises:
        InvoiceFileUnreadable: when it is no electronic invoice.
        InvoiceRefused: when seller, buyer, amount or day are not the order's, with each reason.
        InvoiceFileUsed: when the same file was recorded before.
        ChargeMissing, OrderInvoiced, InvoiceNumberUsed, InvoiceNumberRefused: see record_invoice.

    Policy: F.invoice
    """
    found = read_invoice(command.content)
    require_invoice_of(
        found,
        seller=command.seller,
        buyer=command.buyer,
        amount_fen=await _to_be_invoiced(tx, command.order_id, command.provider_id),
    )
    recorded = await record_invoice(
        tx,
        RecordInvoice(
            order_id=command.order_id,
            provider_id=command.provider_id,
            buyer_id=command.buyer_id,
            number=found.number,
            amount_fen=found.total_fen,
            issued_on=found.issued_on,
            tax_fen=found.tax_fen,
        ),
    )
    await tx.execute(
        insert(invoice_file).values(
            invoice_id=recorded.id,
            name=command.name,
            sha256=hashlib.sha256(command.content).hexdigest(),
            content=command.content,
        )
    )
    return await queries.invoice_by_id(tx, recorded.id)


@dataclass(frozen=True, slots=True)
class TakeInvoiceBack:
    """The red invoice by which a blue one, or a part of it, is taken back."""

    invoice_id: int
    number: str
    amount_fen: int
    issued_on: date
    reason: str


async def take_invoice_back(tx: Tx, command: TakeInvoiceBack) -> queries.Invoice:
    """Record a red invoice; what it frees can be invoiced anew.

    Raises:
        InvoiceMissing: when it is not the actor's own blue invoice.
        InvoiceNumberRefused: for a number that no tax authority gave.
        InvoiceRefused: when amount or day do not fit.
        RedAboveBlue: when more would be taken back than is left.
        InvoiceNumberUsed: when another invoice has this number.

    Policy: F.invoice
    """
    found = await queries.invoice_by_id(tx, command.invoice_id)
    if found.kind != "blue" or tx.actor.organisation_id != found.provider_id:
        raise InvoiceMissing("Only its provider takes a blue invoice back.")
    require_invoice_number(command.number, issued_on=command.issued_on)
    require_red_fits(
        amount_fen=command.amount_fen,
        left_fen=found.left_fen,
        issued_on=command.issued_on,
        blue_issued_on=found.issued_on,
        today=tx.today,
    )
    red_id: int = await tx.scalar(
        insert(invoice)
        .values(
            order_id=found.order_id,
            provider_id=found.provider_id,
            buyer_id=found.buyer_id,
            kind="red",
            reverses=found.id,
            reason=command.reason,
            number=command.number,
            amount_fen=command.amount_fen,
            non_tax_revenue=found.non_tax_revenue,
            issued_on=command.issued_on,
            recorded_by=tx.actor.person_id,
            recorded_at=tx.now,
        )
        .returning(invoice.c.id)
    )
    tx.audit("take_back", subject="invoice", subject_id=found.id, red=command.number)
    return await queries.invoice_by_id(tx, red_id)


@dataclass(frozen=True, slots=True)
class NoteRevenue:
    """How a provider books what it earns, from a day on."""

    provider_id: int
    since: date
    non_tax_revenue: bool


async def note_revenue(tx: Tx, command: NoteRevenue) -> bool:
    """Note it for the invoices issued from that day on; those that stand keep theirs.

    Raises:
        RevenueNotedAtOnce: when it was noted for that day before.

    Policy: J.21b
    """
    await tx.execute(
        insert(provider_revenue).values(
            provider_id=command.provider_id,
            since=command.since,
            non_tax_revenue=command.non_tax_revenue,
            noted_by=tx.actor.person_id,
            noted_at=tx.now,
        )
    )
    tx.audit(
        "note_revenue",
        subject="organisation",
        subject_id=command.provider_id,
        since=command.since.isoformat(),
        non_tax_revenue=command.non_tax_revenue,
    )
    return command.non_tax_revenue
