"""Giving back what a settled order was charged: proposed by one, decided by another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.invoicing import queries as invoicing
from marketplace.billing.invoicing.errors import InvoiceMissing
from marketplace.billing.invoicing.use_cases import TakeInvoiceBack, take_invoice_back
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.errors import OrderMissing
from marketplace.orders.use_cases import (
    DecideCorrection,
    ProposeCorrection,
    approve_correction,
    propose_correction,
    refuse_correction,
    withdraw_correction,
)
from marketplace.parties.roles import Role
from marketplace.web.acting import StepAsked, act, take
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, Visitor, members, visitor_of
from marketplace.web.words import Told, label, told

PROPOSERS = (Role.PROVIDER_MANAGER, Role.VOUCHER_OFFICER, Role.FINANCE_MAKER)
DECIDERS = (Role.PROVIDER_MANAGER, Role.FINANCE_CHECKER)
CENTRE = (Role.VOUCHER_OFFICER, Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.AUDITOR)
READERS = (Role.BUYER, Role.SME_ADMINISTRATOR, Role.PROVIDER_MANAGER, *CENTRE)
HERE = "/corrections"
PAGE_SIZE = 30
REASON_LENGTH_MAX = 2_000
NUMBER_LENGTH_MAX = 40
STATUSES = ("proposed", "approved", "refused", "withdrawn")
SIDES = ("provider", "centre")
HEADS = (
    ("更正", "Correction"),
    ("订单", "Order"),
    ("委托方", "Buyer"),
    ("服务方", "Provider"),
    ("提出方", "Side"),
    ("状态", "State"),
    ("创新券（元）", "Vouchers (CNY)"),
    ("自付（元）", "Own part (CNY)"),
    ("理由", "Reason"),
    ("提出", "Proposed"),
    ("决定", "Decided"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of corrections, and who they are between."""

    found: orders.CorrectionPage
    names: Names


async def desk(tx: Tx, question: orders.CorrectionList) -> Desk:
    """One's own, everybody's for the centre; the newest first."""
    found = await orders.corrections(tx, question)
    sides = [number for each in found.rows for number in (each.buyer_id, each.provider_id)]
    return Desk(found, await names(tx, sides))


@dataclass(frozen=True, slots=True)
class Case:
    """A correction with its order, what it does to the charge, and the invoices that stand."""

    correction: orders.Correction
    order: orders.Order
    sums: orders.CorrectionSums
    invoices: list[invoicing.Invoice]
    names: Names
    instrument: catalogue.Instrument | None


async def case(tx: Tx, correction_id: int) -> Case:
    """One correction that the reader may see.

    Raises:
        CorrectionMissing: when it is between others.
    """
    found = await orders.correction(tx, correction_id)
    order = await orders.order(tx, found.order_id)
    issued = await invoicing.invoices(tx, invoicing.InvoiceSearch(order_id=order.id))
    return Case(
        found,
        order,
        await orders.correction_sums(tx, order, before=found),
        [each for each in issued.results if each.kind == "blue" and each.left_fen],
        await names(tx, [order.buyer_id, order.provider_id], [found.proposed_by, found.decided_by]),
        await _instrument(tx, order),
    )


async def _instrument(tx: Tx, order: orders.Order) -> catalogue.Instrument | None:
    return (await catalogue.instruments(tx, {order.instrument_id})).get(order.instrument_id)


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that may be corrected: what stands charged, and what was given back before."""

    order: orders.Order
    sums: orders.CorrectionSums
    before: orders.CorrectionPage
    names: Names
    instrument: catalogue.Instrument | None

    @property
    def waiting(self) -> orders.Correction | None:
        """The correction that waits for its decision: one at a time."""
        return next((each for each in self.before.rows if each.status == "proposed"), None)


async def draft(tx: Tx, order_id: int) -> Draft:
    """An order that the reader serves or checks.

    Raises:
        OrderMissing: when it is another provider's.
    """
    order = await orders.order(tx, order_id)
    if order.provider_id != tx.actor.organisation_id and not tx.actor.has(*CENTRE):
        raise OrderMissing()
    return Draft(
        order,
        await orders.correction_sums(tx, order),
        await orders.corrections(tx, orders.CorrectionList(order_id=order_id)),
        await names(tx, [order.buyer_id, order.provider_id]),
        await _instrument(tx, order),
    )


def _question(form: Typed, page_size: int = PAGE_SIZE) -> orders.CorrectionList:
    question = orders.CorrectionList(
        order_id=form.whole("order", least=1, needed=False),
        status=form.choice("status", STATUSES, needed=False) or None,
        side=form.choice("side", SIDES, needed=False) or None,
        proposed_from=form.day("from", needed=False),
        proposed_until=form.day("until", needed=False),
        text=form.text("text", length_max=100, needed=False) or None,
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return question


@get(HERE, **members(*READERS))
async def show_corrections(request: PageRequest) -> Response[Any]:
    """What was given back after settlement, and what waits for its second person."""
    form = Typed(request.query_params, visitor_of(request).speech)
    question = _question(form)
    return page(
        request,
        "finance/corrections.html",
        form=form,
        question=question,
        found=await read(request, desk, question),
        statuses=STATUSES,
        sides=SIDES,
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_corrections_file(request: PageRequest) -> Response[bytes]:
    """The corrections that the filters leave, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    speech = form.speech
    desk_found = await read(request, desk, _question(form, ROWS_MAX + 1))
    rows = []
    for each in desk_found.found.rows:
        buyer = desk_found.names.organisations[each.buyer_id]
        provider = desk_found.names.organisations[each.provider_id]
        side, status = label("side", each.side), label("correction", each.status)
        rows.append(
            [
                each.id,
                each.order_id,
                speech.either(buyer.name, buyer.name_en),
                speech.either(provider.name, provider.name_en),
                speech.either(side.chinese, side.english),
                speech.either(status.chinese, status.english),
                each.voucher_fen / 100,
                each.own_fen / 100,
                each.reason,
                speech.moment(each.proposed_at),
                speech.moment(each.decided_at) if each.decided_at else "",
            ]
        )
    return await as_file(form, "corrections", HEADS, rows)


@get("/orders/{order_id:int}/correction", **members(*PROPOSERS))
async def show_draft(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """What stands charged for an order, and how much of it to give back."""
    return await _draft(request, order_id, empty(visitor_of(request).speech))


@post("/orders/{order_id:int}/correction", **members(*PROPOSERS))
async def send_proposal(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Propose to give a part back; nothing moves until another person approves."""
    speech = visitor_of(request).speech
    await read(request, draft, order_id)
    form = await typed(request, speech)
    command = ProposeCorrection(
        order_id,
        voucher_fen=form.amount("voucher", needed=False) or 0,
        own_fen=form.amount("own", needed=False) or 0,
        reason=form.text("reason", length_max=REASON_LENGTH_MAX),
    )
    try:
        form.require()
        return await act(
            request,
            form,
            propose_correction,
            command,
            to=lambda made: f"{HERE}/{made.id}",
            said=("已提出，等待他人批准", "Proposed; somebody else decides."),
        )
    except DomainError as error:
        return await _draft(request, order_id, form, told(error, speech), error.status)


async def _draft(
    request: PageRequest,
    order_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    return page(
        request,
        "finance/correction_new.html",
        status=status,
        found=await read(request, draft, order_id),
        form=form,
        refusal=refusal,
        key=new_key(),
    )


@get(f"{HERE}/{{correction_id:int}}", **members(*READERS))
async def show_correction(request: PageRequest, correction_id: FromPath[int]) -> Response[Any]:
    """What is given back and what that leaves, who proposed and who decided."""
    return await _correction(request, correction_id, empty(visitor_of(request).speech))


@post(f"{HERE}/{{correction_id:int}}/approve", **members(*DECIDERS))
async def send_approval(request: PageRequest, correction_id: FromPath[int]) -> Response[Any]:
    """The money is back at once."""
    said = ("已批准，款项已退回", "Approved; the money is back.")
    return await _decided(request, correction_id, approve_correction, said, needed=False)


@post(f"{HERE}/{{correction_id:int}}/refuse", **members(*DECIDERS))
async def send_refusal(request: PageRequest, correction_id: FromPath[int]) -> Response[Any]:
    """Nothing moves."""
    said = ("未批准，款项不变", "Refused; nothing moves.")
    return await _decided(request, correction_id, refuse_correction, said)


@post(f"{HERE}/{{correction_id:int}}/withdraw", **members(*PROPOSERS))
async def send_withdrawal(request: PageRequest, correction_id: FromPath[int]) -> Response[Any]:
    """By the side that proposed it."""
    said = ("已撤回", "Taken back.")
    return await _decided(request, correction_id, withdraw_correction, said)


@post(f"{HERE}/{{correction_id:int}}/red-letter", **members(Role.PROVIDER_MANAGER))
async def send_red_letter(request: PageRequest, correction_id: FromPath[int]) -> Response[Any]:
    """Record the red invoice that has to come first. Policy: F.invoice"""
    found = await read(request, case, correction_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        invoice_id = form.whole("invoice", least=1)
        if invoice_id is not None and invoice_id not in {each.id for each in found.invoices}:
            raise InvoiceMissing("Only its provider takes a blue invoice back.")
        number = form.text("number", length_max=NUMBER_LENGTH_MAX)
        amount_fen = form.amount("amount")
        issued_on = form.day("issued_on")
        form.require()
        assert invoice_id is not None, "required"
        assert amount_fen is not None, "required"
        assert issued_on is not None, "required"
        return take_invoice_back, TakeInvoiceBack(
            invoice_id, number, amount_fen, issued_on, found.correction.reason
        )

    said = ("已登记红字发票", "The red invoice is recorded.")
    return await _taken(request, correction_id, asked, said)


async def _decided(
    request: PageRequest,
    correction_id: int,
    verb: Callable[[Tx, DecideCorrection], Awaitable[Any]],
    said: tuple[str, str],
    *,
    needed: bool = True,
) -> Response[Any]:
    await read(request, orders.correction, correction_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        because = form.text("because", length_max=REASON_LENGTH_MAX, needed=needed)
        return verb, DecideCorrection(correction_id, because)

    return await _taken(request, correction_id, asked, said)


async def _taken(
    request: PageRequest, correction_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await _correction(request, correction_id, form, refusal, error.status)

    return await take(request, asked, to=f"{HERE}/{correction_id}", said=said, again=again)


async def _correction(
    request: PageRequest,
    correction_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, case, correction_id)
    open_still = found.correction.status == "proposed"
    return page(
        request,
        "finance/correction.html",
        status=status,
        found=found,
        form=form,
        refusal=refusal,
        red_fen=found.sums.red_letter_fen(found.correction.asked) if open_still else 0,
        may_decide=open_still and may_decide(visitor, found),
        may_withdraw=open_still and proposes(visitor, found),
        is_own=visitor.actor.person_id == found.correction.proposed_by,
        gives=visitor.has(Role.PROVIDER_MANAGER)
        and visitor.actor.organisation_id == found.order.provider_id,
        key=new_key(),
    )


def may_decide(visitor: Visitor, found: Case) -> bool:
    """Whether to offer a decision: to the centre's checker, and to whom gives it back itself."""
    own = (
        found.correction.side == "provider"
        and visitor.actor.organisation_id == found.order.provider_id
        and visitor.has(Role.PROVIDER_MANAGER)
    )
    return own or visitor.has(Role.FINANCE_CHECKER)


def proposes(visitor: Visitor, found: Case) -> bool:
    """Whether the visitor stands on the side that proposed it."""
    if found.correction.side == "provider":
        return visitor.has(Role.PROVIDER_MANAGER) and (
            visitor.actor.organisation_id == found.order.provider_id
        )
    return visitor.has(Role.VOUCHER_OFFICER, Role.FINANCE_MAKER)


routes: list[ControllerRouterHandler] = [
    show_corrections,
    get_corrections_file,
    show_draft,
    send_proposal,
    show_correction,
    send_approval,
    send_refusal,
    send_withdrawal,
    send_red_letter,
]
