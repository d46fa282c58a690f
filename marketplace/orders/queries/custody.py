"""Where the samples of an order are: declared, shipped, in whose hands. For its two sides only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, select

from marketplace.kernel.db import Tx
from marketplace.orders import tables
from marketplace.orders.errors import OrderMissing, SampleCodeMissing, ShipmentMissing, WrongMode
from marketplace.orders.queries.access import is_side
from marketplace.orders.queries.orders import Order, SampleSet, order, sample_set_of
from marketplace.orders.rules.custody import (
    CustodyKind,
    CustodySide,
    Direction,
    Standing,
    read_sample_code,
    sample_code,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the buyer says of its samples: dangers, keeping, where what is left goes."""

    order_id: int
    ghs: list[str]
    hazard_note: str
    storage: str
    storage_note: str
    keep_until: date | None
    return_to: str
    declared_by: int
    declared_at: datetime


@dataclass(frozen=True, slots=True)
class Shipment:
    """Samples on their way, and how they arrived."""

    id: int
    order_id: int
    direction: str
    carrier: str
    number: str
    pieces: int
    sent_at: datetime
    noted_by: int
    noted_at: datetime
    received_at: datetime | None
    received_pieces: int | None
    condition: str | None
    condition_note: str | None
    received_by: int | None


@dataclass(frozen=True, slots=True)
class CustodyEvent:
    """One link of the chain: what happened to how many samples, when, where, by whom."""

    id: int
    order_id: int
    kind: str
    side: str
    samples: int
    at: datetime
    place: str
    who: str
    note: str
    shipment_id: int | None
    noted_by: int
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class CustodyAsked:
    """Shipments or custody events of one order; `kind` is a direction or a kind of event."""

    order_id: int
    kind: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class CustodyPage(Generic[T]):
    """One page of them."""

    rows: list[T]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class ScannedSample:
    """What the code on a label stands for."""

    code: str
    number: int
    order: Order
    samples: SampleSet
    declaration: Declaration | None
    last_event: CustodyEvent | None


def columns(row_type: Any, table: Any) -> Select[Any]:
    """Every column that a `row_type` has."""
    return select(*(table.c[name] for name in row_type.__dataclass_fields__))


async def order_of_side(tx: Tx, order_id: int) -> Order:
    """An order of which the caller is one side.

    Policy: J.20

    Raises:
        OrderMissing: for everybody else.
    """
    found = await order(tx, order_id)
    if not is_side(tx.actor, buyer_id=found.buyer_id, provider_id=found.provider_id):
        raise OrderMissing("Samples are the buyer's and the provider's business only.")
    return found


async def samples_of_side(tx: Tx, order_id: int) -> SampleSet:
    """The samples of an order of which the caller is one side.

    Raises:
        OrderMissing: for everybody else.
        WrongMode: for machine time.
    """
    found = await order_of_side(tx, order_id)
    return await require_samples(tx, found)


async def require_samples(tx: Tx, found: Order) -> SampleSet:
    """The samples of an order.

    Raises:
        WrongMode: for machine time.
    """
    samples = await sample_set_of(tx, found.id)
    if samples is None:
        raise WrongMode("Machine time has a session; no samples are sent.")
    return samples


async def declaration_of(tx: Tx, order_id: int) -> Declaration | None:
    """What the buyer declared; the caller has checked who may see it."""
    table = tables.sample_declaration
    return await tx.first(
        Declaration, columns(Declaration, table).where(table.c.order_id == order_id)
    )


async def declaration(tx: Tx, order_id: int) -> Declaration | None:
    """What the buyer declared of its samples, for the two sides."""
    await samples_of_side(tx, order_id)
    return await declaration_of(tx, order_id)


async def standing_of(tx: Tx, samples: SampleSet, order_id: int) -> Standing:
    """How many samples are where; the order is locked."""
    event, sent = tables.custody_event.c, tables.shipment.c
    counted = await tx.execute(
        select(event.kind, func.sum(event.samples).label("samples"))
        .where(
            event.order_id == order_id,
            event.side == CustodySide.PROVIDER,
            event.kind.in_((CustodyKind.RETURNED, CustodyKind.DISPOSED)),
        )
        .group_by(event.kind)
    )
    gone = {row.kind: int(row.samples) for row in counted}
    out = await tx.scalar(
        select(func.sum(func.coalesce(sent.received_pieces, sent.pieces))).where(
            sent.order_id == order_id, sent.direction == Direction.OUT
        )
    )
    return Standing(
        ordered=samples.samples,
        sent=int(out or 0),
        received=samples.received or 0,
        returned=gone.get(CustodyKind.RETURNED, 0),
        disposed=gone.get(CustodyKind.DISPOSED, 0),
        cleared=samples.returned_at is not None,
    )


async def shipment_of(tx: Tx, order_id: int, shipment_id: int) -> Shipment:
    """A shipment of an order; the caller has checked who may see it.

    Raises:
        ShipmentMissing: when the order has none such.
    """
    table = tables.shipment
    return await tx.one(
        Shipment,
        columns(Shipment, table).where(table.c.order_id == order_id, table.c.id == shipment_id),
        missing=ShipmentMissing,
    )


async def shipments(tx: Tx, asked: CustodyAsked) -> CustodyPage[Shipment]:
    """The shipments of an order, both ways, in the order in which they were noted."""
    await order_of_side(tx, asked.order_id)
    table = tables.shipment
    which = [table.c.order_id == asked.order_id]
    if asked.kind is not None:
        which.append(table.c.direction == asked.kind)
    return await _page(tx, Shipment, table, which, (table.c.id,), asked)


async def custody(tx: Tx, asked: CustodyAsked) -> CustodyPage[CustodyEvent]:
    """The chain of custody of an order's samples, from its first link on."""
    await order_of_side(tx, asked.order_id)
    table = tables.custody_event
    which = [table.c.order_id == asked.order_id]
    if asked.kind is not None:
        which.append(table.c.kind == asked.kind)
    return await _page(tx, CustodyEvent, table, which, (table.c.at, table.c.id), asked)


async def _page(
    tx: Tx,
    row_type: type[T],
    table: Any,
    which: list[ColumnElement[bool]],
    by: tuple[ColumnElement[Any], ...],
    asked: CustodyAsked,
) -> CustodyPage[T]:
    rows = await tx.all(
        row_type,
        columns(row_type, table)
        .where(*which)
        .order_by(*by)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(table).where(*which))
    return CustodyPage(rows, int(total), asked.page, asked.page_size)


async def scanned_sample(tx: Tx, code: str) -> ScannedSample:
    """What the code on a label stands for, for the staff of the provider that has the sample.

    Raises:
        SampleCodeMissing: when it is no code, or a sample of somebody else's.
    """
    named = read_sample_code(code)
    if named is None:
        raise SampleCodeMissing("A code reads SC-<order>-<number>.")
    try:
        found = await order(tx, named[0])
    except OrderMissing:
        raise SampleCodeMissing() from None
    samples = await sample_set_of(tx, found.id)
    serves = tx.actor.has("system") or tx.actor.organisation_id == found.provider_id
    if not serves or samples is None or named[1] > samples.samples:
        raise SampleCodeMissing()
    event = tables.custody_event
    return ScannedSample(
        code=sample_code(found.id, named[1]),
        number=named[1],
        order=found,
        samples=samples,
        declaration=await declaration_of(tx, found.id),
        last_event=await tx.first(
            CustodyEvent,
            columns(CustodyEvent, event)
            .where(event.c.order_id == found.id)
            .order_by(event.c.at.desc(), event.c.id.desc())
            .limit(1),
        ),
    )
