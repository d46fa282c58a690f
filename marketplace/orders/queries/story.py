"""Orders with their story: contract, timeline, samples, deliverables, dispute, review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Tx
from marketplace.orders import tables
from marketplace.orders.queries.access import is_side
from marketplace.orders.queries.changes import OrderChange, open_proposal
from marketplace.orders.queries.disputes import Dispute, last_dispute
from marketplace.orders.queries.items import ItemDelivery, OrderItem, order_items
from marketplace.orders.queries.items import deliveries as item_deliveries
from marketplace.orders.queries.orders import Order, SampleSet, order, order_quote, sample_set_of
from marketplace.orders.queries.quotes import Quote

TIMELINE_MAX = 1_000
DELIVERABLES_MAX = 200


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of an order, with both signatures; addenda are counted by `amendment`."""

    id: int
    order_id: int
    version: int
    document: dict[str, Any]
    text: str
    sha256: str
    buyer_signed_by: int
    buyer_signed_at: datetime
    provider_signed_how: str | None
    provider_signed_by: int | None
    provider_signed_at: datetime | None
    registration_number: str | None
    registered_on: date | None
    amendment: int


@dataclass(frozen=True, slots=True)
class ContractList:
    """Every contract of an order: as it was first signed, and each addendum."""

    order_id: int
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ContractPage:
    """One page of contracts, the one that stands first."""

    rows: list[Contract]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One thing that happened to an order."""

    at: datetime
    person_id: int
    kind: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deliverable:
    """A result that was uploaded, without its bytes."""

    id: int
    order_id: int
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """The buyer's rating on the national five-step scale, and the provider's answer.

    A comment that the centre hid is told to those only who may see the order.
    """

    stars: int
    text: str
    written_by: int
    written_at: datetime
    reply: str | None
    replied_at: datetime | None
    hidden_because: str | None
    hidden_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderStory:
    """An order with everything that belongs to it."""

    order: Order
    quote: Quote
    contract: Contract
    timeline: list[TimelineEvent]
    samples: SampleSet | None
    deliverables: list[Deliverable]
    dispute: Dispute | None
    review: Review | None
    proposal: OrderChange | None
    items: list[OrderItem]
    deliveries: list[ItemDelivery]


def _columns(row_type: Any, table: Any) -> Select[Any]:
    return select(*(table.c[name] for name in row_type.__dataclass_fields__))


async def contract_of(tx: Tx, order_id: int) -> Contract:
    """The contract of an order that the caller may see, as it stands: its newest addendum."""
    await order(tx, order_id)
    return await standing_contract(tx, order_id)


async def standing_contract(tx: Tx, order_id: int) -> Contract:
    """The contract of an order as it stands; the caller has checked who may see it."""
    table = tables.contract.c
    return await tx.one(
        Contract,
        _columns(Contract, tables.contract)
        .where(table.order_id == order_id)
        .order_by(table.amendment.desc())
        .limit(1),
    )


async def contracts(tx: Tx, question: ContractList) -> ContractPage:
    """Every contract of an order that the caller may see, the one that stands first.

    Policy: J.18a
    """
    await order(tx, question.order_id)
    table = tables.contract.c
    rows = await tx.all(
        Contract,
        _columns(Contract, tables.contract)
        .where(table.order_id == question.order_id)
        .order_by(table.amendment.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    total = await tx.scalar(
        select(func.count()).select_from(tables.contract).where(table.order_id == question.order_id)
    )
    return ContractPage(rows, int(total), question.page, question.page_size)


async def order_story(tx: Tx, order_id: int) -> OrderStory:
    """An order with its timeline, contract, samples, deliverables, dispute, review, proposal.

    Samples and deliverables are told to the two sides only. Policy: J.20
    """
    found = await order(tx, order_id)
    events = await tx.all(
        TimelineEvent,
        _columns(TimelineEvent, tables.order_event)
        .where(tables.order_event.c.order_id == order_id)
        .order_by(tables.order_event.c.id)
        .limit(TIMELINE_MAX),
    )
    return OrderStory(
        order=found,
        quote=await order_quote(tx, found),
        contract=await standing_contract(tx, order_id),
        timeline=events,
        # What a buyer sends in is nobody's business but the two sides' (J.20).
        samples=await sample_set_of(tx, order_id) if _is_side(tx.actor, found) else None,
        deliverables=await deliverables(tx, order_id),
        dispute=await last_dispute(tx, order_id),
        review=await tx.first(
            Review, _columns(Review, tables.review).where(tables.review.c.order_id == order_id)
        ),
        proposal=await open_proposal(tx, order_id),
        items=await order_items(tx, order_id),
        deliveries=await item_deliveries(tx, order_id),
    )


def _is_side(actor: Actor, found: Order) -> bool:
    return is_side(actor, buyer_id=found.buyer_id, provider_id=found.provider_id)


async def deliverables(tx: Tx, order_id: int) -> list[Deliverable]:
    """The results of an order by name, for its two sides; nobody else learns what they are.

    Policy: J.20
    """
    found = await order(tx, order_id)
    if not _is_side(tx.actor, found):
        return []
    return await tx.all(
        Deliverable,
        _columns(Deliverable, tables.deliverable)
        .where(tables.deliverable.c.order_id == order_id)
        .order_by(tables.deliverable.c.id)
        .limit(DELIVERABLES_MAX),
    )
