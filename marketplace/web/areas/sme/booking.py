"""From an instrument to an order: the price as ordering would find it, the quote, the signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.credit import queries as credit
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.limits import address_of
from marketplace.orders import queries as orders
from marketplace.orders.use_cases import (
    MakeQuote,
    PlaceOrder,
    SamplesSent,
    make_quote,
    place_order,
)
from marketplace.parties.roles import Role
from marketplace.web.acting import act, rehearse
from marketplace.web.areas.sme.account import wallet_balance
from marketplace.web.forms import Typed, new_key, time_fields, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, told
from marketplace.web.words.labels import LABELS

BUYERS = (Role.BUYER, Role.STATION_AGENT)
MODES = ("machine_time", "samples")
HOURS_MAX = 24
SAMPLES_MAX = 10_000
TIME_REFUSED = ("reservation-refused", "reservation-overlaps")
# The kinds of service that programmes tell apart; the first where the buyer says none.
KINDS = tuple(LABELS["service_kind"])
PERSONS_MAX = 10_000
DISPOSALS = ("return", "destroy", "keep")


@dataclass(frozen=True, slots=True)
class Price:
    """What a booking would cost just now, everything that speaks against it, and what is left.

    `wallet_fen` is what the own wallet has; None for those who order for a company.
    """

    quote: orders.Quote
    refusal: DomainError | None
    wallet_fen: int | None

    @property
    def left_fen(self) -> int | None:
        """What the order would leave in the wallet; below nothing when it does not suffice."""
        return None if self.wallet_fen is None else self.wallet_fen - self.quote.own_fen


@get("/bookings/new", **members(*BUYERS))
async def show_booking(request: PageRequest) -> Response[Any]:
    """The form, with its price once a time or a number of samples is filled in.

    The calendar asks for the same page and shows only its price.
    """
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    instrument_id = form.whole("instrument", least=1) or 0
    instrument = await read(request, catalogue.visible_instrument, instrument_id)
    price: Price | None = None
    refusal: Told | None = None
    if form.raw("day") or form.raw("samples"):
        try:
            command = _asked(form, instrument_id)
            form.require()
            price = await rehearse(request, would_cost, command)
        except DomainError as error:
            refusal = told(error, speech)
    if price is not None and price.refusal is not None:
        refusal = told(price.refusal, speech)
    only_price = form.raw("part") == "price"
    return page(
        request,
        "sme/price.html" if only_price else "sme/booking.html",
        instrument=instrument,
        kinds=_kinds(speech),
        form=form,
        price=price,
        refusal=refusal,
        shifts=_shifts(refusal),
        may_wait=_may_wait(request, form, refusal),
        key=new_key(),
    )


async def would_cost(tx: Tx, command: MakeQuote) -> Price:
    """Quote and order as a rehearsal: the caller undoes both.

    Policy: J.21d, J.22b
    """
    quote = await make_quote(tx, command)
    own = quote.buyer_id == tx.actor.organisation_id
    wallet = (await wallet_balance(tx, quote.buyer_id)).available_fen if own else None
    clauses = {form.name: form.text or form.name for form in orders.offered_clauses(quote)}
    samples = SamplesSent("样品", "无", "return") if quote.samples else None
    try:
        await place_order(tx, PlaceOrder(quote.id, clauses, samples=samples))
    except DomainError as error:
        return Price(quote, error, wallet)
    return Price(quote, None, wallet)


@post("/bookings", **members(*BUYERS))
async def send_booking(request: PageRequest) -> Response[Any]:
    """Have the price frozen as a quote; the order is the next page."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    instrument_id = form.whole("instrument", least=1) or 0
    try:
        command = _asked(form, instrument_id)
        form.require()
        said = ("报价已生成，请核对后下单", "Here is your quote; check it and place the order.")
        return await act(
            request, form, make_quote, command, to=lambda quote: f"/quotes/{quote.id}", said=said
        )
    except DomainError as error:
        refusal = told(error, speech)
        return page(
            request,
            "sme/booking.html",
            status=error.status,
            instrument=await read(request, catalogue.visible_instrument, instrument_id),
            kinds=_kinds(speech),
            form=form,
            price=None,
            refusal=refusal,
            shifts=_shifts(refusal),
            may_wait=_may_wait(request, form, refusal),
            key=new_key(),
        )


@get("/quotes/{quote_id:int}", **members(*BUYERS, Role.SME_ADMINISTRATOR))
async def show_quote(request: PageRequest, quote_id: FromPath[int]) -> Response[Any]:
    """A quote: every line, what vouchers pay and why, the contract to sign."""
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _quote_page(request, quote_id, form)


@post("/quotes/{quote_id:int}/order", **members(*BUYERS))
async def send_order(request: PageRequest, quote_id: FromPath[int]) -> Response[Any]:
    """Sign and order: time, voucher and own money are held together, or nothing is."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    quote = await read(request, orders.quote, quote_id)
    if not form.ticked("agreed"):
        form.wrong("agreed", "请先阅读并同意合同条款", "Read the contract and agree to it first")
    clauses = {
        each.name: form.text(f"clause-{each.name}", length_max=2_000)
        for each in orders.offered_clauses(quote)
    }
    samples = None
    if quote.samples:
        samples = SamplesSent(
            form.text("description", length_max=500),
            form.text("hazards", length_max=500),
            form.choice("disposal", DISPOSALS),
        )
    try:
        form.require()
        command = PlaceOrder(
            quote_id,
            clauses,
            samples=samples,
            own_fen_max=quote.own_fen,
            signed_from=address_of(request),
            on_account=form.ticked("on_account"),
        )
        said = ("订单已提交，合同已签署", "Your order is placed and your signature recorded.")
        return await act(
            request, form, place_order, command, to=lambda order: f"/orders/{order.id}", said=said
        )
    except DomainError as error:
        return await _quote_page(request, quote_id, form, told(error, speech), error.status)


async def _quote_page(
    request: PageRequest,
    quote_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    quote = await read(request, orders.quote, quote_id)
    return page(
        request,
        "sme/quote.html",
        status=status,
        quote=quote,
        line=await read(request, _credit, quote),
        instrument=await read(request, catalogue.visible_instrument, quote.instrument_id),
        clauses=orders.offered_clauses(quote),
        form=form,
        refusal=refusal,
        key=new_key(),
    )


async def _credit(tx: Tx, quote: orders.Quote) -> credit.LineInUse | None:
    """The line on which the buyer may owe its own part, while there is one in force."""
    line = await credit.credit_line_between(tx, quote.provider_id, quote.buyer_id)
    return line if line and line.line.due_days is not None else None


def _kinds(speech: Speech) -> list[tuple[str, str]]:
    """The kinds of service to choose from, each with its name."""
    return [
        (kind, speech.either(named.chinese, named.english))
        for kind, named in LABELS["service_kind"].items()
    ]


def _asked(form: Typed, instrument_id: int) -> MakeQuote:
    """The command of a form; fields that do not read are noted in the form."""
    use_voucher = form.raw("voucher", "yes") != "no"
    urgent = form.ticked("urgent")
    kind = form.choice("kind", KINDS, needed=False) or KINDS[0]
    persons = form.whole("persons", least=0, most=PERSONS_MAX, needed=False) or 0
    if form.raw("mode", MODES[0]) == "samples":
        return MakeQuote(
            instrument_id,
            orders.Mode.SAMPLES,
            samples=form.whole("samples", least=1, most=SAMPLES_MAX),
            arrives_on=form.day("arrives", needed=False),
            use_voucher=use_voucher,
            urgent=urgent,
            service_kind=kind,
            persons=persons,
        )
    starts_at = form.moment("day", "start")
    minutes = form.whole("minutes", least=1, most=HOURS_MAX * 60, needed=False)
    hours = form.whole("hours", least=1, most=HOURS_MAX, needed=minutes is None)
    length = timedelta(minutes=minutes or (hours or 0) * 60)
    return MakeQuote(
        instrument_id,
        orders.Mode.MACHINE_TIME,
        starts_at=starts_at,
        ends_at=None if starts_at is None else starts_at + length,
        use_voucher=use_voucher,
        urgent=urgent,
        service_kind=kind,
        persons=persons,
    )


@dataclass(frozen=True, slots=True)
class Shift:
    """Another time that is free, as the form takes it."""

    starts_at: datetime
    ends_at: datetime
    changes: Mapping[str, str]


def _shifts(refusal: Told | None) -> list[Shift]:
    """Free times that the refusal offers instead."""
    found = []
    for each in refusal.alternatives if refusal else ():
        begins, ends = each.get("starts_at"), each.get("ends_at")
        if begins is None or ends is None or each.get("instrument_id"):
            continue
        starts_at, ends_at = _instant(begins), _instant(ends)
        found.append(Shift(starts_at, ends_at, time_fields(starts_at, ends_at)))
    return found


def _may_wait(request: PageRequest, form: Typed, refusal: Told | None) -> bool:
    """Whether the time was refused to somebody who may wait for another."""
    timed = refusal is not None and refusal.code in TIME_REFUSED and bool(form.raw("day"))
    return timed and visitor_of(request).has(Role.BUYER)


def _instant(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


routes: list[ControllerRouterHandler] = [show_booking, send_booking, show_quote, send_order]
