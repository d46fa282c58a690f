"""Accepting, objecting, ruling, rating, invoicing."""

from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform
from marketplace.kernel.wire import Id
from marketplace.orders.schemas import (
    InvoiceIn,
    InvoiceOut,
    OrderOut,
    ReasonIn,
    ReviewIn,
    RulingIn,
)
from marketplace.orders.use_cases import (
    AcceptOrder,
    IssueInvoiceFile,
    accept_order,
    dispute_order,
    issue_invoice,
    issue_invoice_file,
    review_order,
    rule_on_dispute,
)
from marketplace.parties.roles import Role

INVOICE_BYTES_MAX = 1_048_576
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")]


@post(
    "/orders/{order_id:int}/accept",
    **allow(Role.BUYER),
    summary="Accept what was delivered",
    status_code=200,
)
async def post_acceptance(request: ApiRequest, order_id: FromPath[Id]) -> Response[OrderOut]:
    """Settles at once: the provider has what was used, the rest goes back."""
    return await perform(
        request, accept_order, AcceptOrder(order_id), present=OrderOut.of, status=200
    )


@post(
    "/orders/{order_id:int}/dispute",
    **allow(Role.BUYER),
    summary="Object to what was delivered",
    status_code=200,
)
async def post_dispute(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ReasonIn]
) -> Response[OrderOut]:
    """Until the review window is over; the provider has to answer."""
    command = data.to_dispute(order_id)
    return await perform(request, dispute_order, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/rule",
    **allow(Role.VOUCHER_OFFICER),
    summary="Rule on a dispute",
    status_code=200,
)
async def post_ruling(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[RulingIn]
) -> Response[OrderOut]:
    """Which part of the used value the provider may have, once it was heard; settles at once."""
    command = data.to_command(order_id)
    return await perform(request, rule_on_dispute, command, present=OrderOut.of, status=200)


@post("/orders/{order_id:int}/review", **allow(Role.BUYER), summary="Rate a service")
async def post_review(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ReviewIn]
) -> Response[OrderOut]:
    """One to five stars, once, after settlement."""
    return await perform(request, review_order, data.to_command(order_id), present=OrderOut.of)


@post(
    "/orders/{order_id:int}/invoice",
    **allow(Role.PROVIDER_MANAGER),
    summary="Record the tax invoice",
)
async def post_invoice(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[InvoiceIn]
) -> Response[InvoiceOut]:
    """For all that was charged, once, with the number the tax authority gave."""
    return await perform(request, issue_invoice, data.to_command(order_id), present=InvoiceOut.of)


@post(
    "/orders/{order_id:int}/invoice-file",
    **allow(Role.PROVIDER_MANAGER),
    summary="Record the tax invoice from its XML file",
    request_max_body_size=INVOICE_BYTES_MAX,
)
async def post_invoice_file(
    request: ApiRequest, order_id: FromPath[Id], name: FromQuery[FileName] = "invoice.xml"
) -> Response[InvoiceOut]:
    """The body is the file as the tax authority gave it, at most 1 MB.

    Seller, buyer and amount are held against the order; the file is kept.
    """
    command = IssueInvoiceFile(order_id, name=name, content=await request.body())
    return await perform(request, issue_invoice_file, command, present=InvoiceOut.of)


routes: list[ControllerRouterHandler] = [
    post_acceptance,
    post_dispute,
    post_ruling,
    post_review,
    post_invoice,
    post_invoice_file,
]
