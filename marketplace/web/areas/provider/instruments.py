"""Own instruments: the list, what is known of one, and its booking rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import queries as booking
from marketplace.booking.use_cases import SetBookingRule, set_booking_rule
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.web.acting import act
from marketplace.web.areas.provider.own import own_list
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.files import as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 30
MINUTES_MAX = 525_600
STATUSES = ("listed", "unlisted", "withdrawn", "disposed")
HEADS = (
    ("单位内部编号", "Number"),
    ("仪器", "Instrument"),
    ("型号", "Model"),
    ("生产厂商", "Manufacturer"),
    ("原值（元）", "Original value, CNY"),
    ("状态", "State"),
    ("对外每小时（元）", "An hour for companies, CNY"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """An instrument with what an hour of it costs companies."""

    instrument: catalogue.Instrument
    hour_fen: int | None


@dataclass(frozen=True, slots=True)
class Holding:
    """The list, and the notices of prices to which somebody objected."""

    rows: list[Row]
    total: int
    notices: list[pricing.PriceNotice]


@dataclass(frozen=True, slots=True)
class Asked:
    """Words, state and page."""

    text: str
    status: str
    page: int
    page_size: int = PAGE_SIZE


async def holding(tx: Tx, asked: Asked) -> Holding:
    """The instruments of the actor's organisation."""
    words = asked.text.casefold()
    own = [
        each
        for each in await own_list(tx)
        if words in f"{each.cname} {each.ename} {each.model} {each.inner_id}".casefold()
        and asked.status in ("", each.status)
    ]
    first = (asked.page - 1) * asked.page_size
    shown = own[first : first + asked.page_size]
    prices = await pricing.prices_in_force(tx, [each.id for each in shown], tx.today)
    hours = {
        each.instrument_id: each.amount_fen
        for each in prices
        if each.unit == "hour" and each.customer_class == "enterprise"
    }
    notices = await pricing.price_notices(
        tx, pricing.NoticeSearch(provider_id=tx.actor.organisation_id, page_size=100)
    )
    return Holding(
        [Row(each, hours.get(each.id)) for each in shown], len(own), list(notices.notices)
    )


@get("/provider/instruments", **members(*STAFF))
async def show_instruments(request: PageRequest) -> Response[Any]:
    """The list of own instruments."""
    form, asked = _asked(request)
    return page(
        request,
        "provider/instruments.html",
        form=form,
        asked=asked,
        found=await read(request, holding, asked),
        statuses=STATUSES,
        may_file=visitor_of(request).has(*MANAGER),
    )


@get("/provider/instruments/file", **members(*STAFF))
async def show_instruments_file(request: PageRequest) -> Response[bytes]:
    """The same list as a file."""
    form, asked = _asked(request)
    found = await read(request, holding, replace(asked, page=1, page_size=5_000))
    rows = [
        [
            each.instrument.inner_id,
            each.instrument.cname,
            each.instrument.model,
            each.instrument.manufacturer,
            each.instrument.worth_fen / 100,
            each.instrument.status,
            "" if each.hour_fen is None else each.hour_fen / 100,
        ]
        for each in found.rows
    ]
    return await as_file(form, "instruments", HEADS, rows)


def _asked(request: PageRequest) -> tuple[Typed, Asked]:
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = Asked(
        text=form.text("text", length_max=100, needed=False),
        status=form.choice("status", STATUSES, needed=False),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
    )
    form.require()
    return form, asked


@get("/provider/instruments/{instrument_id:int}", **members(*STAFF))
async def show_instrument(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """What is known of an own instrument."""
    found = await read(request, catalogue.own_instrument, instrument_id)
    return page(
        request,
        "provider/instrument.html",
        instrument=found,
        category=catalogue.middle_class(found.category_code),
        tab="details",
    )


@dataclass(frozen=True, slots=True)
class RuleSheet:
    """An instrument with its rule."""

    instrument: catalogue.Instrument
    terms: booking.BookingTerms


async def rule_sheet(tx: Tx, instrument_id: int) -> RuleSheet:
    """An own instrument and its booking rule, or the province's.

    Raises:
        InstrumentMissing: when it is not the actor's own.
    """
    found = await catalogue.own_instrument(tx, instrument_id)
    return RuleSheet(found, await booking.booking_terms(tx, instrument_id))


@get("/provider/instruments/{instrument_id:int}/rules", **members(*STAFF))
async def show_rules(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Who may book how long, how far ahead, and who answers."""
    return await _rules(request, instrument_id)


@post("/provider/instruments/{instrument_id:int}/rules", **members(*MANAGER))
async def send_rules(request: PageRequest, instrument_id: FromPath[int]) -> Response[Any]:
    """Replace the rule; reservations that stand are kept."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    sheet = await read(request, rule_sheet, instrument_id)
    numbers = {
        name: form.whole(name, most=MINUTES_MAX)
        for name in (
            "step_minutes",
            "minimum_minutes",
            "maximum_minutes",
            "notice_minutes",
            "horizon_days",
            "before_minutes",
            "after_minutes",
            "seats",
        )
    }
    answer = form.whole("answer_minutes", least=1, most=MINUTES_MAX, needed=False)
    try:
        form.require()
        known: dict[str, Any] = {
            name: value for name, value in numbers.items() if value is not None
        }
        terms = replace(
            sheet.terms,
            **known,
            answer_minutes=answer,
            needs_approval=form.ticked("needs_approval"),
            open_on_holidays=form.ticked("open_on_holidays"),
        )
        said = ("预约规则已更新", "The booking rule is set.")
        to = f"/provider/instruments/{instrument_id}/rules"
        command = SetBookingRule(instrument_id, terms)
        return await act(request, form, set_booking_rule, command, to=to, said=said)
    except DomainError as error:
        return await _rules(request, instrument_id, form, told(error, speech), error.status)


async def _rules(
    request: PageRequest,
    instrument_id: int,
    form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    sheet = await read(request, rule_sheet, instrument_id)
    terms = sheet.terms
    shown = form or empty(
        visitor.speech,
        step_minutes=terms.step_minutes,
        minimum_minutes=terms.minimum_minutes,
        maximum_minutes=terms.maximum_minutes,
        notice_minutes=terms.notice_minutes,
        horizon_days=terms.horizon_days,
        before_minutes=terms.before_minutes,
        after_minutes=terms.after_minutes,
        seats=terms.seats,
        answer_minutes=terms.answer_minutes,
        needs_approval="yes" if terms.needs_approval else None,
        open_on_holidays="yes" if terms.open_on_holidays else None,
    )
    return page(
        request,
        "provider/rules.html",
        status=status,
        instrument=sheet.instrument,
        terms=terms,
        tab="rules",
        form=shown,
        refusal=refusal,
        may_change=visitor.has(*MANAGER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_instruments,
    show_instruments_file,
    show_instrument,
    show_rules,
    send_rules,
]
