"""Orders of one's own: the list, and one order with everything that happened to it."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    DisputeOrder,
    accept_order,
    cancel_order,
    dispute_order,
)
from marketplace.parties import queries as parties
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.web.acting import act
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 20
READERS = (
    Role.BUYER,
    Role.SME_ADMINISTRATOR,
    Role.STATION_AGENT,
    Role.TECHNICIAN,
    Role.PROVIDER_MANAGER,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    *SEES_EVERYTHING,
)


@get("/orders", **members(*READERS))
async def show_orders(request: PageRequest) -> Response[Any]:
    """As buyer, provider or agent, the newest first."""
    form = Typed(request.query_params, visitor_of(request).speech)
    status = form.choice("status", list(orders.Status), needed=False)
    question = orders.OrderList(
        status=orders.Status(status) if status else None,
        placed_from=form.day("from", needed=False),
        placed_until=form.day("until", needed=False),
        text=form.text("text", length_max=100, needed=False),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=PAGE_SIZE,
    )
    form.require()
    found = await read(request, orders.orders, question)
    return page(request, "sme/orders.html", form=form, found=found, statuses=list(orders.Status))


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
    story = await read(request, orders.order_story, order_id)
    sides = await read(
        request, parties.organisations, [story.order.buyer_id, story.order.provider_id]
    )
    return page(
        request,
        "sme/order.html",
        status=status,
        story=story,
        order=story.order,
        buyer=sides[story.order.buyer_id],
        provider=sides[story.order.provider_id],
        is_buyer=visitor.actor.organisation_id == story.order.buyer_id and visitor.has(Role.BUYER),
        form=form or Typed(request.query_params, visitor.speech),
        refusal=refusal,
        key=new_key(),
    )


@post("/orders/{order_id:int}/accept", **members(Role.BUYER))
async def send_accept(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Take what was delivered: the money moves now."""
    said = ("已验收，订单已结算", "Accepted; the order is settled.")
    return await _do(request, order_id, lambda _: (accept_order, AcceptOrder(order_id)), said)


@post("/orders/{order_id:int}/dispute", **members(Role.BUYER))
async def send_dispute(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Object to what was delivered, with the reason."""
    said = ("异议已提交，等待服务方答复", "Your objection is with the provider.")
    return await _do(
        request,
        order_id,
        lambda form: (
            dispute_order,
            DisputeOrder(order_id, form.text("reason", length_max=2_000)),
        ),
        said,
    )


@post("/orders/{order_id:int}/cancel", **members(Role.BUYER))
async def send_cancel(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Call an order off; late, it has a fee."""
    said = ("订单已取消", "The order is cancelled.")
    return await _do(
        request,
        order_id,
        lambda form: (cancel_order, CancelOrder(order_id, form.text("reason", length_max=500))),
        said,
    )


async def _do(
    request: PageRequest, order_id: int, asked: Any, said: tuple[str, str]
) -> Response[Any]:
    """One step of an order; refused, its page says why."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    use_case, command = asked(form)
    try:
        form.require()
        return await act(request, form, use_case, command, to=f"/orders/{order_id}", said=said)
    except DomainError as error:
        return await order_page(request, order_id, form, told(error, speech), error.status)


routes: list[ControllerRouterHandler] = [
    show_orders,
    show_order,
    send_accept,
    send_dispute,
    send_cancel,
]
