"""Handing an order over item by item."""

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id
from marketplace.orders import queries
from marketplace.orders.controllers.serving import SIDES, STAFF
from marketplace.orders.queries.access import READS_ORDERS
from marketplace.orders.schemas import DeliverItemIn, OrderItemOut, OrderOut, UndeliverableIn
from marketplace.orders.use_cases import declare_undeliverable, deliver_item
from marketplace.parties.roles import Role


@get(
    "/orders/{order_id:int}/items",
    **allow(*SIDES, Role.STATION_AGENT, *READS_ORDERS),
    summary="The items of an order",
)
async def get_items(request: ApiRequest, order_id: FromPath[Id]) -> list[OrderItemOut]:
    """What is delivered of each, what is still due, and what it came to, line by line."""
    found = await read(request, queries.items_to_read, order_id)
    return [OrderItemOut.of(item) for item in found]


@post(
    "/orders/{order_id:int}/items/{position:int}/deliver",
    **allow(*STAFF),
    summary="Hand over a part of an order",
    status_code=200,
)
async def post_part(
    request: ApiRequest,
    order_id: FromPath[Id],
    position: FromPath[Id],
    data: JSONBody[DeliverItemIn],
) -> Response[OrderOut]:
    """What is ready of an item, with the extras used; the last part begins the review window."""
    command = data.to_command(order_id, position)
    return await perform(request, deliver_item, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/items/{position:int}/undeliverable",
    **allow(*STAFF),
    summary="Give up what is due of an item",
    status_code=200,
)
async def post_giving_up(
    request: ApiRequest,
    order_id: FromPath[Id],
    position: FromPath[Id],
    data: JSONBody[UndeliverableIn],
) -> Response[OrderOut]:
    """Nothing is charged for it; its time is given back."""
    command = data.to_command(order_id, position)
    return await perform(request, declare_undeliverable, command, present=OrderOut.of, status=200)


routes: list[ControllerRouterHandler] = [get_items, post_part, post_giving_up]
