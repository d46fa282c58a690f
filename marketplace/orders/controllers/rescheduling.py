"""Another time for an order: look at the figures, ask for it, answer what the other side asks."""

from datetime import datetime

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.limits import address_of
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.orders import queries
from marketplace.orders.controllers.ordering import READERS
from marketplace.orders.queries import ChangeList, ContractList
from marketplace.orders.rules.rescheduling import ChangeKind, ChangeStatus
from marketplace.orders.schemas import (
    AcceptanceIn,
    ChangedOut,
    ChangeViewOut,
    ContractOut,
    ExtendIn,
    ItemNumber,
    OrderChangeOut,
    RefusalIn,
    RescheduleIn,
)
from marketplace.orders.use_cases import (
    ChangeAsked,
    ProposalLook,
    WithdrawChange,
    accept_change,
    decline_change,
    extend_order,
    preview_change,
    preview_proposal,
    reschedule_order,
    withdraw_change,
)
from marketplace.parties.roles import Role

ASKERS = (Role.BUYER, Role.STATION_AGENT, Role.TECHNICIAN, Role.PROVIDER_MANAGER)
# Who agrees signs an addendum to the contract: the buyer, or whoever signs for the provider.
SIGNERS = (Role.BUYER, Role.PROVIDER_MANAGER)


@get(
    "/orders/{order_id:int}/reschedule/preview",
    **allow(*ASKERS),
    summary="What another time would cost",
)
async def get_reschedule_preview(
    request: ApiRequest,
    order_id: FromPath[Id],
    starts_at: FromQuery[datetime],
    ends_at: FromQuery[datetime],
    item: FromQuery[ItemNumber | None] = None,
) -> ChangeViewOut:
    """Allowed or every reason, price before and after, fee, and the token that agrees to them."""
    asked = ChangeAsked(order_id, ChangeKind.RESCHEDULE, ends_at, starts_at, item)
    return ChangeViewOut.of(await read(request, preview_change, asked))


@post(
    "/orders/{order_id:int}/reschedule",
    **allow(*ASKERS),
    summary="Have an order at another time",
    status_code=200,
)
async def post_reschedule(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[RescheduleIn]
) -> Response[ChangedOut]:
    """At the figures shown: performed whole or not at all, or proposed to the other side."""
    command = data.to_command(order_id, signed_from=address_of(request))
    return await perform(request, reschedule_order, command, present=ChangedOut.of, status=200)


@get(
    "/orders/{order_id:int}/extend/preview",
    **allow(*ASKERS),
    summary="What a later end would cost",
)
async def get_extension_preview(
    request: ApiRequest,
    order_id: FromPath[Id],
    ends_at: FromQuery[datetime],
    item: FromQuery[ItemNumber | None] = None,
) -> ChangeViewOut:
    """Allowed to the next reservation only; the price before and after, and the token."""
    asked = ChangeAsked(order_id, ChangeKind.EXTEND, ends_at, item=item)
    return ChangeViewOut.of(await read(request, preview_change, asked))


@post(
    "/orders/{order_id:int}/extend",
    **allow(*ASKERS),
    summary="Make an order's time longer",
    status_code=200,
)
async def post_extension(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ExtendIn]
) -> Response[ChangedOut]:
    """While it is confirmed or in service; what is billed are the minutes used, as always."""
    command = data.to_command(order_id, signed_from=address_of(request))
    return await perform(request, extend_order, command, present=ChangedOut.of, status=200)


@get("/orders/{order_id:int}/changes", **allow(*READERS), summary="The changes of an order's time")
async def get_changes(
    request: ApiRequest,
    order_id: FromPath[Id],
    status: FromQuery[ChangeStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[OrderChangeOut]:
    """Proposed, agreed, declined, withdrawn, lapsed: the newest first, with both quotes."""
    question = ChangeList(order_id, status=status, page=page, page_size=page_size)
    found = await read(request, queries.changes, question)
    return Page(
        results=[OrderChangeOut.of(change) for change in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@get("/orders/{order_id:int}/contracts", **allow(*READERS), summary="Every contract of an order")
async def get_contracts(
    request: ApiRequest,
    order_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 20,
) -> Page[ContractOut]:
    """The one that stands first, then what it took the place of, back to the first signed."""
    question = ContractList(order_id, page=page, page_size=page_size)
    found = await read(request, queries.contracts, question)
    return Page(
        results=[ContractOut.of(contract) for contract in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@get(
    "/orders/{order_id:int}/changes/{change_id:int}/preview",
    **allow(*ASKERS),
    summary="What agreeing to a proposal would mean",
)
async def get_proposal_preview(
    request: ApiRequest, order_id: FromPath[Id], change_id: FromPath[Id]
) -> ChangeViewOut:
    """The proposal at the figures of now, with the token that agrees to them."""
    asked = ProposalLook(order_id, change_id)
    return ChangeViewOut.of(await read(request, preview_proposal, asked))


@post(
    "/orders/{order_id:int}/changes/{change_id:int}/accept",
    **allow(*SIGNERS),
    summary="Agree to a proposal",
    status_code=200,
)
async def post_change_acceptance(
    request: ApiRequest,
    order_id: FromPath[Id],
    change_id: FromPath[Id],
    data: JSONBody[AcceptanceIn],
) -> Response[ChangedOut]:
    """Performs it at once, if it can still be had at the figures agreed to."""
    command = data.to_command(order_id, change_id, signed_from=address_of(request))
    return await perform(request, accept_change, command, present=ChangedOut.of, status=200)


@post(
    "/orders/{order_id:int}/changes/{change_id:int}/decline",
    **allow(*SIGNERS),
    summary="Decline a proposal",
    status_code=200,
)
async def post_change_refusal(
    request: ApiRequest,
    order_id: FromPath[Id],
    change_id: FromPath[Id],
    data: JSONBody[RefusalIn],
) -> Response[ChangedOut]:
    """The order stays as it was."""
    command = data.to_command(order_id, change_id)
    return await perform(request, decline_change, command, present=ChangedOut.of, status=200)


@post(
    "/orders/{order_id:int}/changes/{change_id:int}/withdraw",
    **allow(*ASKERS),
    summary="Take a proposal back",
    status_code=200,
)
async def post_change_withdrawal(
    request: ApiRequest, order_id: FromPath[Id], change_id: FromPath[Id]
) -> Response[ChangedOut]:
    """By the side that proposed it, while nobody has answered."""
    command = WithdrawChange(order_id, change_id)
    return await perform(request, withdraw_change, command, present=ChangedOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    get_reschedule_preview,
    post_reschedule,
    get_extension_preview,
    post_extension,
    get_changes,
    get_contracts,
    get_proposal_preview,
    post_change_acceptance,
    post_change_refusal,
    post_change_withdrawal,
]
