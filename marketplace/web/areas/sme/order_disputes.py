"""Objecting to what was delivered: the objection, evidence, agreeing to an offer, or not."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.use_cases import (
    EVIDENCE_BYTES_MAX,
    AgreeToOffer,
    DisputeOrder,
    ShowEvidence,
    WithdrawDispute,
    agree_to_offer,
    dispute_order,
    show_evidence,
    withdraw_dispute,
)
from marketplace.parties.roles import Role
from marketplace.web.acting import act
from marketplace.web.areas.sme.order_pages import order_page, step
from marketplace.web.forms import typed
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import told

REASON_LENGTH_MAX = 2_000


@post("/orders/{order_id:int}/dispute", **members(Role.BUYER))
async def send_dispute(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Object to what was delivered, with the reason."""
    said = ("异议已提交，等待服务方答复", "Your objection is with the provider.")
    return await step(
        request,
        order_id,
        lambda form: (
            dispute_order,
            DisputeOrder(order_id, form.text("reason", length_max=REASON_LENGTH_MAX)),
        ),
        said,
    )


@post("/orders/{order_id:int}/dispute/agree", **members(Role.BUYER))
async def send_agree(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Agree to what the provider is content with; the order settles at once."""
    said = ("已同意，订单按此比例结算", "Agreed; the order is settled at this part.")
    return await step(request, order_id, lambda _: (agree_to_offer, AgreeToOffer(order_id)), said)


@post("/orders/{order_id:int}/dispute/withdraw", **members(Role.BUYER))
async def send_withdraw(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Object no longer."""
    said = ("异议已撤回", "You object no longer.")
    return await step(
        request,
        order_id,
        lambda form: (
            withdraw_dispute,
            WithdrawDispute(order_id, form.text("reason", length_max=REASON_LENGTH_MAX)),
        ),
        said,
    )


@post(
    "/orders/{order_id:int}/dispute/evidence",
    request_max_body_size=EVIDENCE_BYTES_MAX + 100_000,
    **members(Role.BUYER, Role.TECHNICIAN, Role.PROVIDER_MANAGER),
)
async def send_evidence(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Show a file to the other side and to the centre."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, orders.order, order_id)
    taken = await form.file("evidence", bytes_max=EVIDENCE_BYTES_MAX)
    said = ("证据已提交", "Your evidence is filed.")
    try:
        form.require()
        assert taken is not None
        command = ShowEvidence(order_id, *taken)
        return await act(request, form, show_evidence, command, to=f"/orders/{order_id}", said=said)
    except DomainError as error:
        return await order_page(request, order_id, form, told(error, speech), error.status)


routes: list[ControllerRouterHandler] = [send_dispute, send_agree, send_withdraw, send_evidence]
