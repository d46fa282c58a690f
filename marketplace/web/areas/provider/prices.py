"""The price book of an instrument: versions, what changed, what somebody would pay, filing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries as pricing
from marketplace.billing.pricing.queries import CostKind, CustomerClass, Mode, PriceAsked, Unit
from marketplace.billing.pricing.use_cases import (
    AnswerObjection,
    FileCostSheet,
    FilePriceList,
    WithdrawPriceList,
    answer_objection,
    file_cost_sheet,
    file_price_list,
    withdraw_price_list,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.web.acting import act
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told
from marketplace.web.words.price_words import price_term

UNITS = (Unit.HOUR, Unit.SAMPLE)
HOURS_MAX = 10_000
OBJECTIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Everything filed for an instrument, the newest first."""

    instrument: catalogue.Instrument
    lists: list[pricing.PriceList]
    sheets: list[pricing.CostSheet]
    objections: list[pricing.Objection]
    differences: Sequence[pricing.Difference]
    year: int

    def state(self, filed: pricing.PriceList, today: Any) -> str:
        """Whether a version is in notice, in force, past or withdrawn."""
        if filed.withdrawn_at is not None:
            return "withdrawn"
        if filed.in_force_from > today:
            return "in_notice"
        in_force = [
            each for each in self.lists if each.in_force_from <= today and each.withdrawn_at is None
        ]
        newest = max(in_force, key=lambda each: each.version)
        return "in_force" if newest.id == filed.id else "past"


@dataclass(frozen=True, slots=True)
class BookAsked:
    """Of which instrument, and which two versions to compare."""

    instrument_id: int
    before_id: int | None = None
    after_id: int | None = None


async def price_book(tx: Tx, asked: BookAsked) -> PriceBook:
    """The price book of an own instrument.

    Policy: J.21a, J.21d

    Raises:
        InstrumentMissing: when it is not the actor's own.
    """
    found = await catalogue.own_instrument(tx, asked.instrument_id)
    lists = await pricing.price_lists(tx, found.id)
    changed: Sequence[pricing.Difference] = ()
    before, after = asked.before_id, asked.after_id
    if before is None and after is None and len(lists) > 1:
        before, after = lists[1].id, lists[0].id
    if {before, after} <= {each.id for each in lists} and before and after:
        changed = await pricing.compare_price_lists(tx, pricing.Versions(before, after))
    objections: list[pricing.Objection] = []
    if lists:
        page_of = await pricing.objections(
            tx, pricing.ObjectionSearch(lists[0].id, page_size=OBJECTIONS_MAX)
        )
        objections = list(page_of.objections)
    sheets = await pricing.cost_sheets(tx, found.id)
    return PriceBook(found, lists, sheets, objections, changed, tx.today.year)


@get("/provider/instruments/{instrument_id:int}/prices", **members(*STAFF))
async def show_prices(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Versions, a comparison, a price tried out, and the forms to file."""
    return await _shown(request, instrument_id)


@post("/provider/instruments/{instrument_id:int}/cost-sheets", **members(*MANAGER))
async def send_cost_sheet(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """File what an instrument costs in a year."""

    def asked(form: Typed) -> tuple[Any, Any]:
        year = form.whole("year", least=2000, most=2100)
        hours = form.whole("planned_hours", least=1, most=HOURS_MAX)
        components = tuple(
            (kind, fen)
            for kind in CostKind
            if (fen := form.amount(f"cost-{kind}", needed=False)) is not None and fen
        )
        if not components:
            form.wrong("cost-labour", "请至少填写一项成本", "Give at least one cost")
        command = FileCostSheet(instrument_id, year or 0, (hours or 0) * 60, components)
        return file_cost_sheet, command

    said = ("成本已报送，可据此定价", "The costs are filed; prices may follow them.")
    return await _do(request, instrument_id, asked, said)


@post("/provider/instruments/{instrument_id:int}/price-lists", **members(*MANAGER))
async def send_price_list(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """File prices; they are in notice before they are in force."""

    def asked(form: Typed) -> tuple[Any, Any]:
        minutes = form.whole("sample_minutes", least=1, most=HOURS_MAX, needed=False)
        prices = tuple(
            PriceAsked(
                customer,
                unit,
                fen,
                minutes_per_unit=minutes if unit is Unit.SAMPLE else None,
            )
            for customer in CustomerClass
            for unit in UNITS
            if (fen := form.amount(f"{customer}-{unit}", needed=False)) is not None
        )
        if not prices:
            form.wrong("enterprise-hour", "请至少填写一个价格", "Give at least one price")
        if minutes is None and any(each.unit is Unit.SAMPLE for each in prices):
            form.wrong("sample_minutes", "按样收费须填每样用时", "Say how long one sample takes")
        wanted_from = form.day("wanted_from", needed=False)
        source = form.text("state_source", length_max=200, needed=False)
        urgent = form.percentage("urgent", needed=False)
        return file_price_list, FilePriceList(
            instrument_id, prices, wanted_from, source, urgent_basis_points=urgent
        )

    said = ("价格已报送，进入公示", "The prices are filed and in notice.")
    return await _do(request, instrument_id, asked, said)


@post("/provider/price-lists/{price_list_id:int}/withdraw", **members(*MANAGER))
async def send_withdrawal(request: PageRequest, price_list_id: FromPath[int]) -> Response[Any]:
    """From today on nothing is sold by it."""
    filed = await read(request, own_price_list, price_list_id)
    said = ("价格已撤回", "The prices are withdrawn.")
    command = WithdrawPriceList(price_list_id)
    return await _do(request, filed.instrument_id, lambda _: (withdraw_price_list, command), said)


@post("/provider/price-lists/{price_list_id:int}/answer", **members(*MANAGER))
async def send_objection_answer(
    request: PageRequest, price_list_id: FromPath[int]
) -> Response[Any]:
    """Answer an objection to prices in notice."""
    filed = await read(request, own_price_list, price_list_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        objection_id = form.whole("objection", least=1, most=2**53)
        upheld = form.choice("outcome", ("upheld", "refused")) == "upheld"
        answer = form.text("answer", length_max=2_000)
        return answer_objection, AnswerObjection(objection_id or 0, upheld, answer)

    said = ("已答复异议", "The objection is answered.")
    return await _do(request, filed.instrument_id, asked, said)


async def own_price_list(tx: Tx, price_list_id: int) -> pricing.PriceList:
    """A price list of an own instrument.

    Raises:
        Missing: otherwise.
    """
    filed = await pricing.price_list_by_id(tx, price_list_id)
    await catalogue.own_instrument(tx, filed.instrument_id)
    return filed


async def _do(
    request: PageRequest, instrument_id: int, asked: Any, said: tuple[str, str]
) -> Response[Any]:
    speech = visitor_of(request).speech
    await read(request, catalogue.own_instrument, instrument_id)
    form = await typed(request, speech)
    to = f"/provider/instruments/{instrument_id}/prices"
    try:
        use_case, command = asked(form)
        form.require()
        return await act(request, form, use_case, command, to=to, said=said)
    except DomainError as error:
        if isinstance(error, Missing):
            raise
        return await _shown(request, instrument_id, form, told(error, speech), error.status)


async def _shown(
    request: PageRequest,
    instrument_id: int,
    form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    query = Typed(request.query_params, visitor.speech)
    before = query.whole("before", least=1, most=2**53, needed=False)
    after = query.whole("after", least=1, most=2**53, needed=False)
    book = await read(request, price_book, BookAsked(instrument_id, before, after))
    priced: pricing.PricedService | None = None
    unpriced: Told | None = None
    if query.raw("customer"):
        try:
            priced = await read(
                request, pricing.price_for_customer, _question(query, instrument_id)
            )
        except DomainError as error:
            unpriced = told(error, visitor.speech)
    return page(
        request,
        "provider/prices.html",
        status=status,
        instrument=book.instrument,
        book=book,
        tab="prices",
        query_form=query,
        priced=priced,
        unpriced=unpriced,
        form=form or empty(visitor.speech, year=book.year, **_present(book)),
        refusal=refusal,
        customers=list(CustomerClass),
        kinds=list(CostKind),
        today=await read(request, _today, None),
        may_change=visitor.has(*MANAGER),
        price_term=price_term,
        key=new_key(),
    )


async def _today(tx: Tx, _: None) -> Any:
    return tx.today


def _question(query: Typed, instrument_id: int) -> pricing.PriceQuestion:
    customer = query.choice("customer", list(CustomerClass))
    mode = query.choice("mode", list(Mode), needed=False) or Mode.MACHINE_TIME
    amount = query.whole("amount", least=1, most=1_000)
    on = query.day("on", needed=False)
    query.require()
    by_time = mode == Mode.MACHINE_TIME
    return pricing.PriceQuestion(
        instrument_id,
        customer,
        mode,
        minutes=(amount or 0) * 60 if by_time else 0,
        samples=0 if by_time else amount or 0,
        on=on,
    )


def _present(book: PriceBook) -> dict[str, Any]:
    """The newest prices and costs, to begin the next ones from."""
    fields: dict[str, Any] = {}
    for price in book.lists[0].prices if book.lists else ():
        fields[f"{price.customer_class}-{price.unit}"] = f"{price.amount_fen / 100:.2f}"
        if price.minutes_per_unit:
            fields["sample_minutes"] = price.minutes_per_unit
    if book.sheets:
        newest = book.sheets[0]
        fields["planned_hours"] = newest.planned_minutes // 60
        for part in newest.components:
            fields[f"cost-{part.kind}"] = f"{part.amount_fen / 100:.2f}"
    return fields


routes: list[ControllerRouterHandler] = [
    show_prices,
    send_cost_sheet,
    send_price_list,
    send_withdrawal,
    send_objection_answer,
]
