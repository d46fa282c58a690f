"""Refunds of wallets: asked for, decided, given up."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries, use_cases
from marketplace.billing.payouts.controllers.access import FINANCE, visible
from marketplace.billing.payouts.schemas import (
    RefundDecisionIn,
    RefundIn,
    RefundOut,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Word
from marketplace.parties.roles import SEES_EVERYTHING, Role


@post("/wallet-refunds", summary="Take unspent money back", **allow(Role.SME_ADMINISTRATOR))
async def post_refund(request: ApiRequest, data: JSONBody[RefundIn]) -> Response[RefundOut]:
    """Held in the wallet until somebody at the centre decides; paid to the verified account."""
    return await perform(request, use_cases.ask_refund, data.to_command(), present=RefundOut.of)


@get(
    "/wallet-refunds",
    summary="Refunds of wallets",
    **allow(Role.SME_ADMINISTRATOR, *FINANCE, *SEES_EVERYTHING),
)
async def get_refunds(
    request: ApiRequest,
    status: FromQuery[Word | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[RefundOut]:
    """Newest first; an SME sees its own."""
    search = queries.RefundSearch(
        organisation_id=visible(request, organisation_id),
        status=status,
        page=page,
        page_size=page_size,
    )
    rows, total = await read(request, queries.wallet_refunds, search)
    return Page(
        results=[RefundOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@post(
    "/wallet-refunds/{refund_id:int}/approve",
    summary="Agree to a refund",
    **allow(Role.FINANCE_CHECKER),
)
async def post_refund_approval(
    request: ApiRequest, refund_id: FromPath[Id], data: JSONBody[RefundDecisionIn]
) -> Response[RefundOut]:
    """The money leaves the wallet and waits for the next batch."""
    command = data.to_command(refund_id)
    return await perform(
        request, use_cases.approve_refund, command, present=RefundOut.of, status=200
    )


@post(
    "/wallet-refunds/{refund_id:int}/refuse",
    summary="Refuse a refund",
    **allow(Role.FINANCE_CHECKER),
)
async def post_refund_refusal(
    request: ApiRequest, refund_id: FromPath[Id], data: JSONBody[RefundDecisionIn]
) -> Response[RefundOut]:
    """The money may be spent again."""
    command = data.to_command(refund_id)
    return await perform(
        request, use_cases.refuse_refund, command, present=RefundOut.of, status=200
    )


@post(
    "/wallet-refunds/{refund_id:int}/withdraw",
    summary="Give a refund up",
    **allow(Role.SME_ADMINISTRATOR),
)
async def post_refund_withdrawal(
    request: ApiRequest, refund_id: FromPath[Id], data: JSONBody[RefundDecisionIn]
) -> Response[RefundOut]:
    """While nobody has decided."""
    command = data.to_command(refund_id)
    return await perform(
        request, use_cases.withdraw_refund, command, present=RefundOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [
    post_refund,
    get_refunds,
    post_refund_approval,
    post_refund_refusal,
    post_refund_withdrawal,
]
