"""The price book of an instrument: versions, what changed, what somebody would pay, filing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries as pricing
from marketplace.billing.pricing.queries import CostKind, CustomerClass, ExtraKind, Unit
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
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.areas.provider.tariff_form import (
    HOURS_ROWS,
    ITEM_ROWS,
    SELDOM,
    TIMED,
    USUAL,
    components_of,
    days_named,
    extras_of,
    fields_of,
    hours_of,
    items_of,
    prices_of,
    question_of,
    term_named,
)
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

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

    @property
    def items(self) -> Sequence[pricing.CostItem]:
        """Help and material whose costs are filed: what may be priced beside the instrument."""
        return self.sheets[0].items if self.sheets else ()

    @property
    def extras(self) -> Sequence[pricing.ExtraPrice]:
        """What the newest list offers beside the instrument."""
        return self.lists[0].extras if self.lists else ()

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
        command = FileCostSheet(
            instrument_id, year or 0, (hours or 0) * 60, components_of(form), items_of(form)
        )
        return file_cost_sheet, command

    said = ("成本已报送，可据此定价", "The costs are filed; prices may follow them.")
    return await _do(request, instrument_id, asked, said)


@post("/provider/instruments/{instrument_id:int}/price-lists", **members(*MANAGER))
async def send_price_list(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """File prices; they are in notice before they are in force."""

    book = await read(request, price_book, BookAsked(instrument_id))

    def asked(form: Typed) -> tuple[Any, Any]:
        command = FilePriceList(
            instrument_id,
            prices_of(form),
            form.day("wanted_from", needed=False),
            form.text("state_source", length_max=200, needed=False),
            hours_of(form),
            form.percentage("urgent", needed=False),
            extras_of(form, book.items),
        )
        return file_price_list, command

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
    request: PageRequest, instrument_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, catalogue.own_instrument, instrument_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        if isinstance(error, Missing):
            raise error
        return await _shown(request, instrument_id, form, told(error, form.speech), error.status)

    to = f"/provider/instruments/{instrument_id}/prices"
    return await take(request, asked, to=to, said=said, again=again)


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
                request, pricing.price_for_customer, question_of(query, instrument_id, book.extras)
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
        form=form or empty(visitor.speech, year=book.year, **fields_of(book.lists, book.sheets)),
        refusal=refusal,
        customers=list(CustomerClass),
        kinds=list(CostKind),
        units=list(Unit),
        usual=USUAL,
        seldom=SELDOM,
        timed=TIMED,
        hours_rows=HOURS_ROWS,
        item_rows=len(book.items) + ITEM_ROWS,
        days=days_named(visitor.speech),
        extra_kinds=list(ExtraKind),
        term_named=lambda what: term_named(what, visitor.speech),
        today=await read(request, _today, None),
        may_change=visitor.has(*MANAGER),
        key=new_key(),
    )


async def _today(tx: Tx, _: None) -> Any:
    return tx.today


routes: list[ControllerRouterHandler] = [
    show_prices,
    send_cost_sheet,
    send_price_list,
    send_withdrawal,
    send_objection_answer,
]
