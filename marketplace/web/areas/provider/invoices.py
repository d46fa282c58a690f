"""Invoices of a provider: orders that wait for one, recording it, and those issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.invoicing import queries as invoicing
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.orders import queries as orders
from marketplace.orders.queries.provider_work import customers
from marketplace.orders.use_cases import (
    IssueInvoice,
    IssueInvoiceFile,
    issue_invoice,
    issue_invoice_file,
)
from marketplace.parties import queries as parties
from marketplace.web.acting import act, take
from marketplace.web.areas.provider.order_steps import own_order
from marketplace.web.areas.provider.own import called
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told
from marketplace.web.words.choices import named

HERE = "/provider/invoices"
PAGE_SIZE = 30
KINDS = ("blue", "red")
NUMBER_LENGTH_MAX = 40
FILE_BYTES_MAX = 1_048_576
UPLOAD_BYTES_MAX = FILE_BYTES_MAX + 100_000
WAITING_HEADS = (
    ("订单", "Order"),
    ("客户", "Customer"),
    ("待开票金额（元）", "To be invoiced (CNY)"),
    ("结算日", "Settled on"),
)
ISSUED_HEADS = (
    ("发票号码", "Number"),
    ("类型", "Kind"),
    ("订单", "Order"),
    ("客户", "Customer"),
    ("金额（元）", "Amount (CNY)"),
    ("税额（元）", "Tax (CNY)"),
    ("开票日", "Issued on"),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Orders to be invoiced, with the names of their buyers."""

    found: invoicing.UninvoicedPage
    buyers: dict[int, parties.Organisation]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose orders, settled until when, which page."""

    text: str
    until: date | None
    page: int
    page_size: int


async def waiting(tx: Tx, asked: Asked) -> Waiting:
    """The longest settled first."""
    buyers = None
    if asked.text:
        known = await parties.organisations(tx, await customers(tx))
        buyers = [each.id for each in called(known.values(), asked.text)]
    search = invoicing.UninvoicedSearch(buyers, asked.until, asked.page, asked.page_size)
    found = await invoicing.uninvoiced(tx, search)
    return Waiting(found, await parties.organisations(tx, {row.buyer_id for row in found.rows}))


def _asked(form: Typed, *, number: int, size: int) -> Asked:
    text = form.text("text", length_max=100, needed=False)
    asked = Asked(text, form.day("until", needed=False), number, size)
    form.require()
    return asked


@get(HERE, **members(*MANAGER))
async def show_waiting(request: PageRequest) -> Response[Any]:
    """Settled orders that have no invoice over all that was charged."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    asked = _asked(form, number=number, size=PAGE_SIZE)
    found = await read(request, waiting, asked)
    return page(request, "provider/invoices.html", form=form, asked=asked, waiting=found)


@get(f"{HERE}/file", **members(*MANAGER))
async def get_waiting_file(request: PageRequest) -> Response[bytes]:
    """The same orders as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, waiting, _asked(form, number=1, size=ROWS_MAX + 1))
    rows = []
    for each in found.found.rows:
        buyer = found.buyers[each.buyer_id]
        name = form.speech.either(buyer.name, buyer.name_en)
        rows.append([each.order_id, name, yuan(each.open_fen), each.settled_on])
    return await as_file(form, "to-be-invoiced", WAITING_HEADS, rows)


@dataclass(frozen=True, slots=True)
class Issued:
    """Invoices with the names of those who received them."""

    found: invoicing.InvoicePage
    buyers: dict[int, parties.Organisation]


async def issued(tx: Tx, search: invoicing.InvoiceSearch) -> Issued:
    """The newest first."""
    found = await invoicing.invoices(tx, search)
    buyers = {each.buyer_id for each in found.results}
    return Issued(found, await parties.organisations(tx, buyers))


def _search(form: Typed, *, number: int, size: int) -> invoicing.InvoiceSearch:
    search = invoicing.InvoiceSearch(
        page=number,
        page_size=size,
        order_id=form.whole("order", least=1, most=2**53 - 1, needed=False),
        number=form.text("number", length_max=NUMBER_LENGTH_MAX, needed=False) or None,
        kind=form.choice("kind", KINDS, needed=False) or None,
        issued_from=form.day("from", needed=False),
        issued_until=form.day("until", needed=False),
    )
    form.require()
    return search


@get(f"{HERE}/issued", **members(*MANAGER))
async def show_issued(request: PageRequest) -> Response[Any]:
    """Invoices that were recorded, blue and red."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = _search(form, number=number, size=PAGE_SIZE)
    return page(
        request,
        "provider/invoices_issued.html",
        form=form,
        search=search,
        issued=await read(request, issued, search),
        kinds=named(form.speech, "invoice", KINDS),
    )


@get(f"{HERE}/issued/file", **members(*MANAGER))
async def get_issued_file(request: PageRequest) -> Response[bytes]:
    """The same invoices as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, issued, _search(form, number=1, size=ROWS_MAX + 1))
    rows = []
    for each in found.found.results:
        kind, buyer = label("invoice", each.kind), found.buyers[each.buyer_id]
        rows.append(
            [
                each.number,
                speech.either(kind.chinese, kind.english),
                each.order_id,
                speech.either(buyer.name, buyer.name_en),
                yuan(each.amount_fen),
                None if each.tax_fen is None else yuan(each.tax_fen),
                each.issued_on,
            ]
        )
    return await as_file(form, "invoices", ISSUED_HEADS, rows)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An order to be invoiced: its buyer as invoices name it, and what is open."""

    order: orders.Order
    buyer: parties.Organisation
    entity: parties.LegalEntity
    open_fen: int
    papers: list[invoicing.Invoice]
    today: date


async def sheet(tx: Tx, order_id: int) -> Sheet:
    """An own order, what stands charged of it and is in no invoice.

    Raises:
        OrderMissing: when it is another provider's.
    """
    order = await own_order(tx, order_id)
    charged = await invoicing.charged(tx, order_id)
    search = invoicing.InvoiceSearch(order_id=order_id)
    return Sheet(
        order=order,
        buyer=await parties.organisation(tx, order.buyer_id),
        entity=await parties.legal_entity(tx, order.buyer_legal_entity_id),
        open_fen=charged.service_value_fen - await invoicing.invoiced(tx, order_id),
        papers=(await invoicing.invoices(tx, search)).results,
        today=tx.today,
    )


@get(f"{HERE}/{{order_id:int}}", **members(*MANAGER))
async def show_order_invoice(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """What an order's invoice has to say, and the form that records it."""
    return await _shown(request, order_id, None)


async def _shown(
    request: PageRequest,
    order_id: int,
    form: Typed | None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    found = await read(request, sheet, order_id)
    asked = {"amount": f"{found.open_fen / 100:.2f}", "on": found.today}
    return page(
        request,
        "provider/invoice.html",
        status=status,
        sheet=found,
        form=form or empty(visitor_of(request).speech, **asked),
        refusal=refusal,
        key=new_key(),
    )


@post(f"{HERE}/{{order_id:int}}", **members(*MANAGER))
async def send_invoice(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Record it by its number, for all that was charged."""
    await read(request, own_order, order_id)

    def asked(form: Typed) -> Any:
        return issue_invoice, IssueInvoice(
            order_id,
            form.text("number", length_max=NUMBER_LENGTH_MAX),
            form.amount("amount") or 0,
            form.day("on") or date.min,
        )

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _shown(request, order_id, form, told(error, form.speech), error.status)

    said = ("发票已登记", "The invoice is recorded.")
    return await take(request, asked, to=f"{HERE}/{order_id}", said=said, again=again)


@post(
    f"{HERE}/{{order_id:int}}/upload", request_max_body_size=UPLOAD_BYTES_MAX, **members(*MANAGER)
)
async def send_invoice_file(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Record it from the tax authority's file: both sides and the amount are held against it."""
    speech = visitor_of(request).speech
    await read(request, own_order, order_id)
    form = await typed(request, speech)
    file = await form.file("file", bytes_max=FILE_BYTES_MAX)
    try:
        form.require()
        assert file is not None, "required"
        command = IssueInvoiceFile(order_id, name=file[0], content=file[1])
        said = ("发票已登记，文件已存档", "The invoice is recorded, and its file is kept.")
        to = f"{HERE}/{order_id}"
        return await act(request, form, issue_invoice_file, command, to=to, said=said)
    except DomainError as error:
        return await _shown(request, order_id, None, told(error, speech), error.status)


routes: list[ControllerRouterHandler] = [
    show_waiting,
    get_waiting_file,
    show_issued,
    get_issued_file,
    show_order_invoice,
    send_invoice,
    send_invoice_file,
]
