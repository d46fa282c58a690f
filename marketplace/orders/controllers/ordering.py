"""Placing orders, reading them, and the provider's answer."""

from datetime import date

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.limits import address_of
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize
from marketplace.orders import queries
from marketplace.orders.queries import OrderList
from marketplace.orders.rules.states import Status
from marketplace.orders.schemas import (
    ContractOut,
    OrderIn,
    OrderOut,
    OrderStoryOut,
    ReasonIn,
    RegistrationIn,
)
from marketplace.orders.use_cases import (
    ConfirmOrder,
    cancel_order,
    confirm_order,
    place_order,
    register_contract,
    reject_order,
)
from marketplace.parties.roles import Role

READERS = (
    Role.BUYER,
    Role.SME_ADMINISTRATOR,
    Role.STATION_AGENT,
    Role.TECHNICIAN,
    Role.PROVIDER_MANAGER,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
)
"""The two sides, the agent who asked, and those whose work is to check."""


@post("/orders", **allow(Role.BUYER), summary="Order what a quote describes")
async def post_order(request: ApiRequest, data: JSONBody[OrderIn]) -> Response[OrderOut]:
    """Time reserved, voucher and own money held, contract signed: all of it or nothing."""
    command = data.to_command(signed_from=address_of(request))
    return await perform(request, place_order, command, present=OrderOut.of)


@get("/orders", **allow(*READERS), summary="Your orders")
async def get_orders(
    request: ApiRequest,
    status: FromQuery[Status | None] = None,
    placed_from: FromQuery[date | None] = None,
    placed_until: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[OrderOut]:
    """As buyer, provider or agent, the newest first; everybody's for those who check."""
    question = OrderList(
        status=status,
        placed_from=placed_from,
        placed_until=placed_until,
        text=text,
        page=page,
        page_size=page_size,
    )
    found = await read(request, queries.orders, question)
    return Page(
        results=[OrderOut.of(order) for order in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@get("/orders/{order_id:int}", **allow(*READERS), summary="An order and its story")
async def get_order(request: ApiRequest, order_id: FromPath[Id]) -> OrderStoryOut:
    """With quote, contract, timeline, samples, deliverables, dispute and review."""
    return OrderStoryOut.of(await read(request, queries.order_story, order_id))


@get("/orders/{order_id:int}/contract", **allow(*READERS), summary="The contract of an order")
async def get_contract(request: ApiRequest, order_id: FromPath[Id]) -> ContractOut:
    """As text, as a document, and the digest that both sides signed."""
    return ContractOut.of(await read(request, queries.contract_of, order_id))


@post(
    "/orders/{order_id:int}/confirm",
    **allow(Role.PROVIDER_MANAGER),
    summary="Sign for the provider",
    status_code=200,
)
async def post_confirmation(request: ApiRequest, order_id: FromPath[Id]) -> Response[OrderOut]:
    """The contract then has both signatures, and the time is the buyer's."""
    command = ConfirmOrder(order_id, signed_from=address_of(request))
    return await perform(request, confirm_order, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/reject",
    **allow(Role.PROVIDER_MANAGER),
    summary="Decline an order",
    status_code=200,
)
async def post_rejection(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ReasonIn]
) -> Response[OrderOut]:
    """Time, voucher and money go back whole."""
    command = data.to_rejection(order_id)
    return await perform(request, reject_order, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/cancel",
    **allow(Role.BUYER, Role.PROVIDER_MANAGER),
    summary="Call an order off",
    status_code=200,
)
async def post_cancellation(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ReasonIn]
) -> Response[OrderOut]:
    """A buyer that is late pays the fee of the terms from its own money, never the voucher."""
    command = data.to_cancellation(order_id)
    return await perform(request, cancel_order, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/contract/registration",
    **allow(Role.PROVIDER_MANAGER),
    summary="Note the technology contract's registration",
    status_code=200,
)
async def post_registration(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[RegistrationIn]
) -> Response[ContractOut]:
    """The number under which the contract was recognised."""
    command = data.to_command(order_id)
    return await perform(request, register_contract, command, present=ContractOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    post_order,
    get_orders,
    get_order,
    get_contract,
    post_confirmation,
    post_rejection,
    post_cancellation,
    post_registration,
]
