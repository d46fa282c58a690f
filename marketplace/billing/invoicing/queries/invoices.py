"""Invoices as their providers recorded them, blue and red."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, ColumnElement, case, func, or_, select, true

from marketplace.billing.invoicing.errors import InvoiceMissing
from marketplace.billing.invoicing.tables import (
    charge_line,
    invoice,
    invoice_file,
    provider_revenue,
)
from marketplace.kernel.db import Tx
from marketplace.parties.roles import Role

# Centre staff who settle money need every invoice for it.
SEES_EVERY_INVOICE = (
    Role.AUDITOR,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.VOUCHER_OFFICER,
    "system",
)


@dataclass(frozen=True, slots=True)
class Invoice:
    """A tax invoice as its provider recorded it; a red one takes (part of) a blue one back.

    `left_fen` is what of a blue invoice has not been taken back. `has_file` says whether the tax
    authority's file is kept.
    """

    id: int
    order_id: int
    provider_id: int
    buyer_id: int
    kind: str
    reverses: int | None
    reason: str
    number: str
    amount_fen: int
    tax_fen: int | None
    left_fen: int
    non_tax_revenue: bool
    has_file: bool
    issued_on: date
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceSearch:
    """Which invoices, and which page of them."""

    page: int = 1
    page_size: int = 50
    order_id: int | None = None
    number: str | None = None
    kind: str | None = None
    non_tax_revenue: bool | None = None
    issued_from: date | None = None
    issued_until: date | None = None


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One page of invoices, newest first; `total` counts all that match."""

    results: list[Invoice]
    total: int


@dataclass(frozen=True, slots=True)
class InvoiceFile:
    """The tax authority's file of an invoice."""

    name: str
    sha256: str
    content: bytes


_RED = invoice.alias("red")
_TAKEN_BACK = (
    select(func.coalesce(func.sum(_RED.c.amount_fen), 0).cast(BigInteger))
    .where(_RED.c.reverses == invoice.c.id)
    .scalar_subquery()
)
_INVOICES = select(
    *(
        invoice.c[name]
        for name in Invoice.__dataclass_fields__
        if name not in ("left_fen", "has_file")
    ),
    (invoice.c.amount_fen - _TAKEN_BACK).label("left_fen"),
    select(invoice_file.c.invoice_id)
    .where(invoice_file.c.invoice_id == invoice.c.id)
    .exists()
    .label("has_file"),
)


async def invoice_of(tx: Tx, order_id: int) -> Invoice | None:
    """The invoice that stands for an order, or None; the caller has checked who may see it."""
    table = invoice.c
    return await tx.first(
        Invoice,
        _INVOICES.where(
            table.order_id == order_id, table.kind == "blue", table.amount_fen > _TAKEN_BACK
        )
        .order_by(table.id.desc())
        .limit(1),
    )


async def issued_on(tx: Tx, order_ids: Collection[int]) -> dict[tuple[int, str], date]:
    """When the invoices of some orders were issued, by order and number; the caller has checked."""
    table = invoice.c
    rows = await tx.execute(
        select(table.order_id, table.number, table.issued_on).where(
            table.order_id.in_(sorted(order_ids)), table.kind == "blue"
        )
    )
    return {(row.order_id, row.number): row.issued_on for row in rows}


async def invoice_by_id(tx: Tx, invoice_id: int) -> Invoice:
    """An invoice that the actor's organisation issued or received; finance and auditors any.

    Raises:
        InvoiceMissing: also when it is between others.
    """
    return await tx.one(
        Invoice, _INVOICES.where(invoice.c.id == invoice_id, _visible(tx)), missing=InvoiceMissing
    )


async def invoice_file_of(tx: Tx, invoice_id: int) -> InvoiceFile:
    """The file of an invoice that the actor may see.

    Raises:
        InvoiceMissing: also when it was recorded without a file.
    """
    found = await invoice_by_id(tx, invoice_id)
    return await tx.one(
        InvoiceFile,
        select(invoice_file.c.name, invoice_file.c.sha256, invoice_file.c.content).where(
            invoice_file.c.invoice_id == found.id
        ),
        missing=InvoiceMissing,
    )


async def invoiced(tx: Tx, order_id: int) -> int:
    """What of an order stands invoiced: blue less red, in fen."""
    table = invoice.c
    signed = func.sum(table.amount_fen).filter(table.kind == "blue")
    red = func.sum(table.amount_fen).filter(table.kind == "red")
    standing: int = await tx.scalar(
        select((func.coalesce(signed, 0) - func.coalesce(red, 0)).cast(BigInteger)).where(
            table.order_id == order_id
        )
    )
    return standing


async def invoices(tx: Tx, search: InvoiceSearch) -> InvoicePage:
    """The invoices that the actor's organisation issued or received; finance and auditors all."""
    table = invoice.c
    wanted: list[ColumnElement[bool]] = [_visible(tx)]
    if search.order_id is not None:
        wanted.append(table.order_id == search.order_id)
    if search.number is not None:
        wanted.append(table.number == search.number)
    if search.kind is not None:
        wanted.append(table.kind == search.kind)
    if search.non_tax_revenue is not None:
        wanted.append(table.non_tax_revenue == search.non_tax_revenue)
    if search.issued_from is not None:
        wanted.append(table.issued_on >= search.issued_from)
    if search.issued_until is not None:
        wanted.append(table.issued_on <= search.issued_until)
    total = await tx.scalar(select(func.count()).select_from(invoice).where(*wanted))
    results = await tx.all(
        Invoice,
        _INVOICES.where(*wanted)
        .order_by(table.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return InvoicePage(results=results, total=total)


async def is_non_tax_revenue(tx: Tx, provider_id: int, on: date) -> bool:
    """Whether a provider books what it earns on a day as non-tax revenue.

    Policy: J.21b (service income of budget units is managed as non-tax revenue).
    """
    table = provider_revenue.c
    noted: bool | None = await tx.scalar(
        select(table.non_tax_revenue)
        .where(table.provider_id == provider_id, table.since <= on)
        .order_by(table.since.desc())
        .limit(1)
    )
    return bool(noted)


def _visible(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERY_INVOICE):
        return true()
    own = tx.actor.organisation_id
    return or_(invoice.c.provider_id == own, invoice.c.buyer_id == own)


@dataclass(frozen=True, slots=True)
class Uninvoiced:
    """An order with what stands charged and is in no invoice yet."""

    order_id: int
    buyer_id: int
    open_fen: int
    settled_on: date


@dataclass(frozen=True, slots=True)
class UninvoicedSearch:
    """What the caller's organisation has to invoice: to these buyers, settled until a day."""

    buyer_ids: Collection[int] | None = None
    settled_until: date | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class UninvoicedPage:
    """One page of orders, the longest settled first, and what all pages come to."""

    rows: list[Uninvoiced]
    total: int
    open_fen: int


async def uninvoiced(tx: Tx, search: UninvoicedSearch) -> UninvoicedPage:
    """Orders of the caller's provider whose charge is more than its invoices. Policy: F.invoice"""
    mine = tx.actor.organisation_id
    line, paper = charge_line.c, invoice.c
    wanted = [line.provider_id == mine]
    if search.buyer_ids is not None:
        wanted.append(line.buyer_id.in_(sorted(search.buyer_ids)))
    charged = (
        select(
            line.order_id,
            line.buyer_id,
            func.sum(line.service_value_fen).cast(BigInteger).label("fen"),
            func.max(line.settled_on).label("settled_on"),
        )
        .where(*wanted)
        .group_by(line.order_id, line.buyer_id)
        .subquery()
    )
    amount = case((paper.kind == "red", -paper.amount_fen), else_=paper.amount_fen)
    issued = (
        select(paper.order_id, func.sum(amount).cast(BigInteger).label("fen"))
        .where(paper.provider_id == mine)
        .group_by(paper.order_id)
        .subquery()
    )
    open_fen = charged.c.fen - func.coalesce(issued.c.fen, 0)
    found = select(
        charged.c.order_id,
        charged.c.buyer_id,
        open_fen.label("open_fen"),
        charged.c.settled_on,
    ).outerjoin_from(charged, issued, issued.c.order_id == charged.c.order_id)
    found = found.where(open_fen > 0)
    if search.settled_until is not None:
        found = found.where(charged.c.settled_on <= search.settled_until)
    everything = found.subquery()
    sums = (
        await tx.execute(
            select(
                func.count().label("total"),
                func.coalesce(func.sum(everything.c.open_fen), 0).cast(BigInteger).label("fen"),
            ).select_from(everything)
        )
    ).one()
    rows = await tx.all(
        Uninvoiced,
        found.order_by(charged.c.settled_on, charged.c.order_id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return UninvoicedPage(rows, sums.total, sums.fen)
