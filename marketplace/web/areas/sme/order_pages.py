"""Orders of one's own: the list, and one order with everything that happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.invoicing import queries as invoicing
from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.queries.custody import (
    CustodyAsked,
    CustodyPage,
    Declaration,
    Shipment,
    declaration,
    shipments,
)
from marketplace.orders.rules.custody import Condition
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    ReviewOrder,
    accept_order,
    cancel_order,
    review_order,
)
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.web.acting import StepAsked, act, rehearse, take
from marketplace.web.areas.finance import corrections
from marketplace.web.areas.sme.roles import READERS, SIDES
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, told
from marketplace.web.words.choices import name_of

PAGE_SIZE = 20
FETCHED = "download"
REVIEW_LENGTH_MAX = 1_000
HEADS = (
    ("订单", "Order"),
    ("内容", "What"),
    ("方式", "Mode"),
    ("状态", "State"),
    ("下单时间", "Placed"),
    ("总价（元）", "Total (CNY)"),
    ("创新券（元）", "Vouchers (CNY)"),
    ("自付（元）", "Own part (CNY)"),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of orders, and the instruments after which they are called."""

    found: orders.OrderPage
    instruments: dict[int, catalogue.Instrument]

    def title(self, order: orders.Order, speech: Speech) -> str:
        """What an order is called: its instrument's name in the reader's language."""
        return titled(order.title, self.instruments.get(order.instrument_id), speech)


async def listed(tx: Tx, question: orders.OrderList) -> Listed:
    """A page of orders with their instruments."""
    found = await orders.orders(tx, question)
    ids = {each.instrument_id for each in found.rows}
    return Listed(found, await catalogue.instruments(tx, ids))


def titled(title: str, instrument: catalogue.Instrument | None, speech: Speech) -> str:
    """A title that was kept in Chinese, told in English where it is an instrument's name."""
    same = instrument is not None and instrument.cname == title
    return speech.either(title, instrument.ename if instrument and same else None)


def told_together(
    timeline: Sequence[orders.TimelineEvent],
) -> list[tuple[str, list[orders.TimelineEvent]]]:
    """What happened, the newest first; a paper fetched several times in a row is told once."""
    runs: list[tuple[str, list[orders.TimelineEvent]]] = []
    for event in reversed(timeline):
        if event.kind == FETCHED and runs and runs[-1][0] == FETCHED:
            runs[-1][1].append(event)
        else:
            runs.append((event.kind, [event]))
    return runs


@get("/orders", **members(*READERS))
async def show_orders(request: PageRequest) -> Response[Any]:
    """As buyer, provider or agent, the newest first."""
    form, question = _question(request)
    form.require()
    asked = await read(request, listed, question)
    return page(
        request,
        "sme/orders.html",
        form=form,
        found=asked.found,
        title=lambda order: asked.title(order, form.speech),
        statuses=list(orders.Status),
    )


@get("/orders/file", **members(*READERS))
async def get_orders_file(request: PageRequest) -> Response[Any]:
    """The same orders, all pages, as CSV or XLSX."""
    form, question = _question(request)
    form.require()
    asked = await read(request, listed, replace(question, page=1, page_size=ROWS_MAX + 1))
    rows = [
        (
            each.id,
            asked.title(each, form.speech),
            name_of(form.speech, "mode", each.mode),
            name_of(form.speech, "order", each.status),
            form.speech.moment(each.placed_at),
            each.total_fen / 100,
            each.voucher_fen / 100,
            each.own_fen / 100,
        )
        for each in asked.found.rows
    ]
    return await as_file(form, "orders", HEADS, rows)


def _question(request: PageRequest) -> tuple[Typed, orders.OrderList]:
    form = Typed(request.query_params, visitor_of(request).speech)
    status = form.choice("status", list(orders.Status), needed=False)
    return form, orders.OrderList(
        status=orders.Status(status) if status else None,
        placed_from=form.day("from", needed=False),
        placed_until=form.day("until", needed=False),
        text=form.text("text", length_max=100, needed=False),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=PAGE_SIZE,
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that the page of an order shows."""

    story: orders.OrderStory
    sessions: dict[int, booking.UsageSession]
    instruments: dict[int, catalogue.Instrument]
    buyer: parties.Organisation
    provider: parties.Organisation
    contracts: orders.ContractPage
    invoices: list[invoicing.Invoice]
    corrections: orders.CorrectionPage
    changes: orders.ChangePage
    evidence: list[orders.Evidence]
    declaration: Declaration | None
    shipments: CustodyPage[Shipment] | None


async def sheet(tx: Tx, order_id: int) -> Sheet:
    """An order with what belongs to it; samples and files are told to its two sides only.

    Policy: J.20

    Raises:
        OrderMissing: when it is between others.
    """
    story = await orders.order_story(tx, order_id)
    order = story.order
    sides = await parties.organisations(tx, [order.buyer_id, order.provider_id])
    issued = await invoicing.invoices(tx, invoicing.InvoiceSearch(order_id=order_id))
    return Sheet(
        story=story,
        sessions=await booking.sessions_of(
            tx, [each.reservation_id for each in story.items if each.reservation_id]
        ),
        instruments=await catalogue.instruments(
            tx, {order.instrument_id, *(each.instrument_id for each in story.items)}
        ),
        buyer=sides[order.buyer_id],
        provider=sides[order.provider_id],
        contracts=await orders.contracts(tx, orders.ContractList(order_id)),
        invoices=issued.results,
        corrections=await orders.corrections(tx, orders.CorrectionList(order_id=order_id)),
        changes=await orders.changes(tx, orders.ChangeList(order_id)),
        evidence=await orders.dispute_evidence(tx, order_id) if story.dispute else [],
        declaration=await declaration(tx, order_id) if story.samples else None,
        shipments=await shipments(tx, CustodyAsked(order_id)) if story.samples else None,
    )


@get("/orders/{order_id:int}", **members(*READERS))
async def show_order(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Where an order stands, what comes next, its money, papers and timeline."""
    return await order_page(request, order_id)


async def order_page(
    request: PageRequest,
    order_id: int,
    form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """The page of an order, with what was refused on it."""
    visitor = visitor_of(request)
    found = await read(request, sheet, order_id)
    order, mine = found.story.order, visitor.actor.organisation_id
    side = mine in (order.buyer_id, order.provider_id)
    return page(
        request,
        "sme/order.html",
        status=status,
        sheet=found,
        story=found.story,
        happened=told_together(found.story.timeline),
        order=order,
        title=lambda one: titled(
            one.title, found.instruments.get(one.instrument_id), visitor.speech
        ),
        buyer=found.buyer,
        provider=found.provider,
        is_buyer=mine == order.buyer_id and visitor.has(Role.BUYER),
        conditions=list(Condition),
        uses=mine == order.buyer_id and visitor.has(Role.BUYER, Role.SME_ADMINISTRATOR),
        is_provider=mine == order.provider_id,
        is_side=side and visitor.has(*SIDES),
        reads_corrections=visitor.has(*corrections.READERS),
        may_correct=order.settled_fen
        and (
            visitor.has(Role.VOUCHER_OFFICER, Role.FINANCE_MAKER)
            or (mine == order.provider_id and visitor.has(Role.PROVIDER_MANAGER))
        ),
        may_ask=(side and visitor.has(Role.BUYER, Role.TECHNICIAN, Role.PROVIDER_MANAGER))
        or (mine == order.agent_id and visitor.has(Role.STATION_AGENT)),
        form=form or Typed(request.query_params, visitor.speech),
        refusal=refusal,
        key=new_key(),
    )


@post("/orders/{order_id:int}/accept", **members(Role.BUYER))
async def send_accept(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Take what was delivered: the money moves now."""
    said = ("已验收，订单已结算", "Accepted; the order is settled.")
    return await step(request, order_id, lambda _: (accept_order, AcceptOrder(order_id)), said)


@get("/orders/{order_id:int}/cancel", **members(Role.BUYER))
async def show_cancel(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """What calling the order off would cost just now."""
    return await _cancel_page(request, order_id, None, None, 200)


@post("/orders/{order_id:int}/cancel", **members(Role.BUYER))
async def send_cancel(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Call an order off; late, it has the fee that was shown."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, orders.order, order_id)
    command = CancelOrder(order_id, form.text("reason", length_max=500))
    said = ("订单已取消", "The order is cancelled.")
    try:
        form.require()
        return await act(request, form, cancel_order, command, to=f"/orders/{order_id}", said=said)
    except DomainError as error:
        return await _cancel_page(request, order_id, form, told(error, speech), error.status)


async def _cancel_page(
    request: PageRequest, order_id: int, form: Typed | None, refusal: Told | None, status: int
) -> Response[Any]:
    speech = visitor_of(request).speech
    order = await read(request, orders.order, order_id)
    would: orders.Order | None = None
    try:
        would = await rehearse(request, cancel_order, CancelOrder(order_id, "?"))
    except DomainError as error:
        refusal = refusal or told(error, speech)
    return page(
        request,
        "sme/cancel.html",
        status=status,
        order=order,
        would=would,
        form=form or Typed(request.query_params, speech),
        refusal=refusal,
        key=new_key(),
    )


@post("/orders/{order_id:int}/review", **members(Role.BUYER))
async def send_review(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Say on the national five steps how satisfied one is. Policy: J.25"""
    said = ("感谢您的评价", "Thank you for your review.")
    return await step(
        request,
        order_id,
        lambda form: (
            review_order,
            ReviewOrder(
                order_id,
                form.whole("stars", least=1, most=5) or 0,
                form.text("text", length_max=REVIEW_LENGTH_MAX, needed=False),
            ),
        ),
        said,
    )


async def step(
    request: PageRequest, order_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    """One step of an order; refused, its page says why."""
    await read(request, orders.order, order_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await order_page(request, order_id, form, told(error, form.speech), error.status)

    return await take(request, asked, to=f"/orders/{order_id}", said=said, again=again)


routes: list[ControllerRouterHandler] = [
    show_orders,
    get_orders_file,
    show_order,
    send_accept,
    show_cancel,
    send_cancel,
    send_review,
]
