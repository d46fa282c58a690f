"""The JSON API of pricing: filing for providers, reading for everybody."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.rules.states import CustomerClass, Mode
from marketplace.billing.pricing.schemas import (
    CostSheetIn,
    CostSheetOut,
    PricedServiceOut,
    PriceListIn,
    PriceListOut,
)
from marketplace.billing.pricing.use_cases import (
    WithdrawPriceList,
    file_cost_sheet,
    file_price_list,
    withdraw_price_list,
)
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    caller_or_nobody,
    perform,
    public,
    read,
)
from marketplace.kernel.wire import Id, Minutes, Word
from marketplace.parties.roles import Role

# Even at the highest price that can be filed, the total is a number that a client can hold.
Samples = Annotated[int, msgspec.Meta(ge=0, le=1_000)]


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
    "/instruments/{instrument_id:int}/price",
    **public(),
    summary="What would this customer pay",
)
async def get_price(
    request: ApiRequest,
    instrument_id: FromPath[Id],
    customer_class: Annotated[CustomerClass, QueryParameter(name="class")],
    mode: FromQuery[Mode] = Mode.MACHINE_TIME,
    minutes: FromQuery[Minutes] = 0,
    samples: FromQuery[Samples] = 0,
    on: FromQuery[date | None] = None,
    purpose: FromQuery[Word | None] = None,
) -> PricedServiceOut:
    """By the price list in force on the day, before any voucher; a public purpose is free."""
    question = queries.PriceQuestion(
        instrument_id=instrument_id,
        customer_class=customer_class.value,
        mode=mode.value,
        minutes=minutes,
        samples=samples,
        on=on,
        purpose=purpose,
    )
    priced = await read(
        request, queries.price_for_customer, question, actor=caller_or_nobody(request)
    )
    return PricedServiceOut.of(priced)


routes: list[ControllerRouterHandler] = [
    post_cost_sheet,
    get_cost_sheets,
    post_price_list,
    get_price_lists,
    post_withdrawal,
    get_price,
]
