"""Cost sheets, prices and objections: filing for providers, reading for everybody."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.rules.states import CustomerClass, Mode, Unit
from marketplace.billing.pricing.schemas import (
    AnswerIn,
    CostSheetIn,
    CostSheetOut,
    DifferenceOut,
    ObjectionIn,
    ObjectionOut,
    PricedServiceOut,
    PriceListIn,
    PriceListOut,
    objection_page,
)
from marketplace.billing.pricing.use_cases import (
    WithdrawPriceList,
    answer_objection,
    file_cost_sheet,
    file_price_list,
    object_to_prices,
    withdraw_price_list,
)
from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    caller_or_nobody,
    perform,
    public,
    read,
    signed_in,
)
from marketplace.kernel.time import as_utc
from marketplace.kernel.wire import Id, Minutes, Page, PageNumber, PageSize, Word
from marketplace.parties.roles import Role

# Even at the highest price that can be filed, the total is a number that a client can hold.
Samples = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=100)]
ExtraWanted = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}:[0-9]{1,4}$", max_length=45)
]


@post(
    "/instruments/{instrument_id:int}/cost-sheets",
    **allow(Role.PROVIDER_MANAGER),
    summary="File what an instrument costs",
)
async def post_cost_sheet(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[CostSheetIn]
) -> Response[CostSheetOut]:
    """The unit cost per hour is computed; an earlier sheet of the year stays as it was filed."""
    return await perform(
        request, file_cost_sheet, data.to_command(instrument_id), present=CostSheetOut.of
    )


@get(
    "/instruments/{instrument_id:int}/cost-sheets",
    **public(),
    summary="What an instrument costs, by component",
)
async def get_cost_sheets(request: ApiRequest, instrument_id: FromPath[Id]) -> list[CostSheetOut]:
    """The public cost breakdowns, newest first."""
    found = await read(request, queries.cost_sheets, instrument_id, actor=caller_or_nobody(request))
    return [CostSheetOut.of(sheet) for sheet in found]


@post(
    "/instruments/{instrument_id:int}/price-lists",
    **allow(Role.PROVIDER_MANAGER),
    summary="File prices and start their notice",
)
async def post_price_list(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[PriceListIn]
) -> Response[PriceListOut]:
    """No price may be above cost, and none is in force before its notice has ended."""
    return await perform(
        request, file_price_list, data.to_command(instrument_id), present=PriceListOut.of
    )


@get(
    "/instruments/{instrument_id:int}/price-lists",
    **public(),
    summary="Every version of an instrument's prices",
)
async def get_price_lists(request: ApiRequest, instrument_id: FromPath[Id]) -> list[PriceListOut]:
    """Newest first: in notice, in force and past, each price beside its cost."""
    found = await read(request, queries.price_lists, instrument_id, actor=caller_or_nobody(request))
    return [PriceListOut.of(filed) for filed in found]


@post(
    "/price-lists/{price_list_id:int}/withdraw",
    **allow(Role.PROVIDER_MANAGER),
    summary="Withdraw a price list",
    status_code=200,
)
async def post_withdrawal(
    request: ApiRequest, price_list_id: FromPath[Id]
) -> Response[PriceListOut]:
    """From today on nothing is sold by it; orders placed by it keep their prices."""
    return await perform(
        request,
        withdraw_price_list,
        WithdrawPriceList(price_list_id),
        present=PriceListOut.of,
        status=200,
    )


@get(
    "/price-lists/{price_list_id:int}/changes",
    **public(),
    summary="What changes from one version of the prices to another",
)
async def get_changes(
    request: ApiRequest,
    price_list_id: FromPath[Id],
    since: Annotated[Id, QueryParameter(name="since")],
) -> list[DifferenceOut]:
    """Every term that differs from the price list `since` of the same instrument."""
    found = await read(
        request,
        queries.compare_price_lists,
        queries.Versions(since, price_list_id),
        actor=caller_or_nobody(request),
    )
    return [DifferenceOut.of(one) for one in found]


@post(
    "/price-lists/{price_list_id:int}/objections",
    **signed_in(),
    summary="Object to prices in notice",
)
async def post_objection(
    request: ApiRequest, price_list_id: FromPath[Id], data: JSONBody[ObjectionIn]
) -> Response[ObjectionOut]:
    """The prices wait for the provider's answer; both are public."""
    return await perform(
        request, object_to_prices, data.to_command(price_list_id), present=ObjectionOut.of
    )


@get(
    "/price-lists/{price_list_id:int}/objections",
    **public(),
    summary="Objections to prices, and their answers",
)
async def get_objections(
    request: ApiRequest,
    price_list_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ObjectionOut]:
    """Oldest first."""
    found = await read(
        request,
        queries.objections,
        queries.ObjectionSearch(price_list_id, page, page_size),
        actor=caller_or_nobody(request),
    )
    return objection_page(found, page, page_size)


@post(
    "/price-objections/{price_objection_id:int}/answer",
    **allow(Role.PROVIDER_MANAGER),
    summary="Answer an objection to one's own prices",
    status_code=200,
)
async def post_answer(
    request: ApiRequest, price_objection_id: FromPath[Id], data: JSONBody[AnswerIn]
) -> Response[ObjectionOut]:
    """Upheld, the prices are withdrawn; rejected, they come into force as filed."""
    return await perform(
        request,
        answer_objection,
        data.to_command(price_objection_id),
        present=ObjectionOut.of,
        status=200,
    )


@get(
    "/instruments/{instrument_id:int}/price",
    **public(),
    summary="What would this customer pay",
)
async def get_price(  # noqa: PLR0913 one argument for each part of the question
    request: ApiRequest,
    instrument_id: FromPath[Id],
    customer_class: Annotated[CustomerClass, QueryParameter(name="class")],
    mode: FromQuery[Mode] = Mode.MACHINE_TIME,
    minutes: FromQuery[Minutes] = 0,
    samples: FromQuery[Samples] = 0,
    elements: FromQuery[Count] = 0,
    runs: FromQuery[Count] = 0,
    unit: FromQuery[Unit | None] = None,
    starts_at: FromQuery[datetime | None] = None,
    urgent: FromQuery[bool] = False,
    extra: Annotated[list[ExtraWanted] | None, QueryParameter(name="extra")] = None,
    on: FromQuery[date | None] = None,
    purpose: FromQuery[Word | None] = None,
) -> PricedServiceOut:
    """By the price list in force on the day, before any voucher; a public purpose is free.

    Without a `unit` it is the cheapest of those that the list has. `starts_at` weighs the hours
    of the day; `extra` is a code and a quantity, for instance `operator:60`.
    """
    question = queries.PriceQuestion(
        instrument_id=instrument_id,
        customer_class=customer_class.value,
        mode=mode.value,
        minutes=minutes,
        samples=samples,
        elements=elements,
        runs=runs,
        unit=unit.value if unit else None,
        starts_at=instant_of(starts_at),
        urgent=urgent,
        extras=extras_of(extra or []),
        on=on,
        purpose=purpose,
    )
    priced = await read(
        request, queries.price_for_customer, question, actor=caller_or_nobody(request)
    )
    return PricedServiceOut.of(priced)


def instant_of(starts_at: datetime | None) -> datetime | None:
    """An instant of a question, in UTC.

    Raises:
        Malformed: without a zone, or outside the years of a calendar.
    """
    if starts_at is None:
        return None
    if starts_at.tzinfo is None or not 2000 <= starts_at.year <= 2100:
        raise Malformed(
            "Ask for another time.",
            reasons=[Reason("starts_at", "an instant of 2000 to 2100 with its time zone")],
        )
    return as_utc(starts_at)


def extras_of(wanted: list[str]) -> tuple[tuple[str, int], ...]:
    """`operator:60` → (`operator`, 60); what stands twice is added up."""
    counted: dict[str, int] = {}
    for one in wanted:
        code, _, quantity = one.partition(":")
        counted[code] = counted.get(code, 0) + int(quantity)
    return tuple(counted.items())


routes: list[ControllerRouterHandler] = [
    post_cost_sheet,
    get_cost_sheets,
    post_price_list,
    get_price_lists,
    get_changes,
    post_withdrawal,
    post_objection,
    get_objections,
    post_answer,
    get_price,
]
