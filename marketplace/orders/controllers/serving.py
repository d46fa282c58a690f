"""Giving the service and handing over its results."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.uploads import saved_file
from marketplace.kernel.wire import Id, Sha256
from marketplace.orders import queries
from marketplace.orders.controllers import downloads
from marketplace.orders.schemas import (
    CloseServiceIn,
    DeliverableOut,
    FinishSamplesIn,
    ItemNumber,
    OrderOut,
    ReceiveSamplesIn,
)
from marketplace.orders.use_cases import (
    DELIVERABLE_BYTES_MAX,
    DeliverOrder,
    DownloadDeliverable,
    OpenService,
    StoreDeliverable,
    close_service,
    deliver_order,
    download_deliverable,
    finish_samples,
    open_service,
    receive_samples,
    store_deliverable,
)
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
SIDES = (*STAFF, Role.BUYER, Role.SME_ADMINISTRATOR)
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")]


@post(
    "/orders/{order_id:int}/open-service",
    **allow(*STAFF),
    summary="The buyer has come",
    status_code=200,
)
async def post_opening(
    request: ApiRequest, order_id: FromPath[Id], item: FromQuery[ItemNumber | None] = None
) -> Response[OrderOut]:
    """Opens the usage session of the order; of several items it says of which."""
    command = OpenService(order_id, item)
    return await perform(request, open_service, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/close-service",
    **allow(*STAFF),
    summary="The work is done",
    status_code=200,
)
async def post_closing(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[CloseServiceIn]
) -> Response[OrderOut]:
    """Closes the usage session; its minutes are what the buyer pays for."""
    command = data.to_command(order_id)
    return await perform(request, close_service, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/receive-samples",
    **allow(*STAFF),
    summary="Samples have arrived",
    status_code=200,
)
async def post_receipt(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ReceiveSamplesIn]
) -> Response[OrderOut]:
    """At most as many as were ordered."""
    command = data.to_command(order_id)
    return await perform(request, receive_samples, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/finish-samples",
    **allow(*STAFF),
    summary="Samples were tested",
    status_code=200,
)
async def post_tests(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[FinishSamplesIn]
) -> Response[OrderOut]:
    """How many were tested is what the buyer pays for."""
    command = data.to_command(order_id)
    return await perform(request, finish_samples, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/deliverables",
    **allow(*STAFF),
    summary="Upload a result",
    request_max_body_size=DELIVERABLE_BYTES_MAX,
)
async def post_deliverable(
    request: ApiRequest,
    order_id: FromPath[Id],
    name: FromQuery[FileName],
    sha256: FromQuery[Sha256 | None] = None,
) -> Response[DeliverableOut]:
    """The body is the file as it is, at most 10 MB; with `sha256` what arrives is checked.

    A paper, picture, table, text, common data file or archive: by its bytes, and named like it.
    """
    command = StoreDeliverable(
        order_id,
        name=name,
        content=await request.body(),
        sha256=sha256,
    )
    return await perform(request, store_deliverable, command, present=DeliverableOut.of)


@get("/orders/{order_id:int}/deliverables", **allow(*SIDES), summary="The results of an order")
async def get_deliverables(request: ApiRequest, order_id: FromPath[Id]) -> list[DeliverableOut]:
    """For buyer and provider only."""
    found = await read(request, queries.deliverables, order_id)
    return [DeliverableOut.of(each) for each in found]


@get(
    "/orders/{order_id:int}/deliverables/{deliverable_id:int}",
    **allow(*SIDES),
    summary="Download a result",
    media_type="application/octet-stream",
)
async def get_deliverable(
    request: ApiRequest, order_id: FromPath[Id], deliverable_id: FromPath[Id]
) -> Response[bytes]:
    """For buyer and provider only; every download is logged."""
    taken = await read(request, download_deliverable, DownloadDeliverable(order_id, deliverable_id))
    return saved_file(
        name=taken.name,
        content=taken.content,
        media_type=taken.media_type,
        sha256=taken.sha256,
    )


@post(
    "/orders/{order_id:int}/deliver",
    **allow(*STAFF),
    summary="Hand the results over",
    status_code=200,
)
async def post_delivery(request: ApiRequest, order_id: FromPath[Id]) -> Response[OrderOut]:
    """The buyer's review window begins."""
    return await perform(
        request, deliver_order, DeliverOrder(order_id), present=OrderOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [
    post_opening,
    post_closing,
    post_receipt,
    post_tests,
    post_deliverable,
    get_deliverables,
    get_deliverable,
    *downloads.routes,
    post_delivery,
]
