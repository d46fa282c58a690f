"""After the service: rating, the tax authority's invoice, the technology contract's number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import insert, update

from marketplace.billing.invoicing import use_cases as invoicing
from marketplace.billing.invoicing.queries import Invoice
from marketplace.kernel.db import Tx
from marketplace.orders.errors import StepNotOpen
from marketplace.orders.events import ServiceReviewed
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.story import Contract, contract_of
from marketplace.orders.rules.states import Status
from marketplace.orders.tables import contract, review
from marketplace.orders.use_cases.steps import lock_as_buyer, lock_as_provider, note
from marketplace.parties import queries as parties


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """The buyer's rating on the national five-step scale."""

    order_id: int
    stars: int
    text: str


async def review_order(tx: Tx, command: ReviewOrder) -> Order:
    """Rate a settled service, once; the yearly evaluation counts it.

    Policy: J.25

    Raises:
        OrderMissing: when it is another buyer's.
        StepNotOpen: before the order is settled.
        ReviewedBefore: for the second time.
    """
    found = await lock_as_buyer(tx, command.order_id)
    if found.status != Status.SETTLED:
        raise StepNotOpen(
            f"The order is {found.status}; a service is rated once it is settled.",
            order_status=found.status,
        )
    await tx.execute(
        insert(review).values(
            order_id=found.id,
            stars=command.stars,
            text=command.text,
            written_by=tx.actor.person_id,
            written_at=tx.now,
        )
    )
    await note(tx, found.id, "review", stars=command.stars)
    tx.record(ServiceReviewed(found.id, found.provider_id, command.stars))
    return found


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


@dataclass(frozen=True, slots=True)
class RegisterContract:
    """The number under which the technology contract was recognised and registered."""

    order_id: int
    number: str
    registered_on: date


async def register_contract(tx: Tx, command: RegisterContract) -> Contract:
    """Note the contract's registration as a technology contract.

    Policy: J.18b

    Raises:
        OrderMissing: when it is another provider's.
        StepNotOpen: before both sides have signed.
    """
    found = await lock_as_provider(tx, command.order_id)
    if found.confirmed_at is None:
        raise StepNotOpen("Only a contract that both sides signed is registered.")
    await tx.execute(
        update(contract)
        .where(contract.c.order_id == found.id)
        .values(registration_number=command.number, registered_on=command.registered_on)
    )
    await note(tx, found.id, "register", number=command.number)
    return await contract_of(tx, found.id)
