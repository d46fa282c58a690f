"""Payouts: what is owed, refused and paid again."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries, use_cases
from marketplace.billing.payouts.controllers.access import FINANCE, PAYEES, visible
from marketplace.billing.payouts.errors import PayoutMissing
from marketplace.billing.payouts.schemas import (
    PayoutOut,
    RejectionIn,
    SettlementsIn,
    SettlementsOut,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Word
from marketplace.parties.roles import SEES_EVERYTHING, Role


@get("/payouts", summary="Payouts", **allow(*PAYEES, *FINANCE, *SEES_EVERYTHING))
async def get_payouts(
    request: ApiRequest,
    status: FromQuery[Word | None] = None,
    source_kind: FromQuery[Word | None] = None,
    batch_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[PayoutOut]:
    """Newest first; a payee sees its own."""
    search = queries.PayoutSearch(
        organisation_id=visible(request, organisation_id),
        status=status,
        source_kind=source_kind,
        batch_id=batch_id,
        page=page,
        page_size=page_size,
    )
    rows, total = await read(request, queries.payouts, search)
    return Page(
        results=[PayoutOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@get("/payouts/{payout_id:int}", summary="A payout", **allow(*PAYEES, *FINANCE, *SEES_EVERYTHING))
async def get_payout(request: ApiRequest, payout_id: FromPath[Id]) -> PayoutOut:
    """One payout; that of another payee does not exist for you."""

    async def question(tx: Tx, wanted: int) -> queries.Payout:
        found = await queries.payout_by_id(tx, wanted)
        if visible(request, None) not in (None, found.organisation_id):
            raise PayoutMissing()
        return found

    return PayoutOut.of(await read(request, question, payout_id))


@post("/payouts/settlements", summary="Pay what is owed", **allow(Role.FINANCE_MAKER))
async def post_settlements(
    request: ApiRequest, data: JSONBody[SettlementsIn]
) -> Response[SettlementsOut]:
    """One payout for each provider with a balance for services and claims."""
    return await perform(
        request, use_cases.instruct_settlements, data.to_command(), present=SettlementsOut.of
    )


@post(
    "/payouts/{payout_id:int}/reject",
    summary="The bank refused a payment",
    **allow(Role.FINANCE_CHECKER),
)
async def post_rejection(
    request: ApiRequest, payout_id: FromPath[Id], data: JSONBody[RejectionIn]
) -> Response[PayoutOut]:
    """Nothing left the account, and what was owed is owed again."""
    return await perform(
        request,
        use_cases.reject_payout,
        data.to_command(payout_id),
        present=PayoutOut.of,
        status=200,
    )


@post(
    "/payouts/{payout_id:int}/instruct-again",
    summary="Pay a returned payout once more",
    **allow(Role.FINANCE_MAKER),
)
async def post_again(request: ApiRequest, payout_id: FromPath[Id]) -> Response[PayoutOut]:
    """Under a new reference, to the account that is verified when the batch is drafted."""
    return await perform(
        request,
        use_cases.instruct_again,
        use_cases.InstructAgain(payout_id),
        present=PayoutOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    get_payouts,
    get_payout,
    post_settlements,
    post_rejection,
    post_again,
]
