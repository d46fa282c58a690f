"""Samples on their way: declaring, sending, receiving, and the chain of custody."""

import asyncio
from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read, services
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.orders.controllers.serving import SIDES, STAFF
from marketplace.orders.queries.custody import (
    CustodyAsked,
    custody,
    declaration,
    scanned_sample,
    shipments,
)
from marketplace.orders.queries.sample_sheet import sample_sheet
from marketplace.orders.rules.custody import CustodyKind, Direction
from marketplace.orders.sample_sheet import sample_sheet_paper
from marketplace.orders.schemas.custody import (
    CustodyIn,
    CustodyOut,
    DeclarationIn,
    DeclarationOut,
    ScannedSampleOut,
    ShipmentIn,
    ShipmentOut,
    ShipmentReceiptIn,
)
from marketplace.orders.use_cases.custody import (
    declare_samples,
    note_custody,
    receive_shipment,
    send_samples,
)
from marketplace.parties.roles import Role

HANDS = (*STAFF, Role.BUYER)
SampleNumber = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
SampleCode = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


@put(
    "/orders/{order_id:int}/sample-declaration",
    **allow(Role.BUYER),
    summary="Declare what samples are like",
)
async def put_declaration(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[DeclarationIn]
) -> Response[DeclarationOut]:
    """Dangers, keeping, until when they are kept, and the way back; until the first arrives."""
    command = data.to_command(order_id)
    return await perform(request, declare_samples, command, present=DeclarationOut.of, status=200)


@get(
    "/orders/{order_id:int}/sample-declaration",
    **allow(*SIDES),
    summary="What samples are like",
)
async def get_declaration(request: ApiRequest, order_id: FromPath[Id]) -> DeclarationOut:
    """For buyer and provider only; `declared_at` is null before anything was declared."""
    found = await read(request, declaration, order_id)
    return DeclarationOut(order_id=order_id) if found is None else DeclarationOut.of(found)


@post("/orders/{order_id:int}/shipments", **allow(*HANDS), summary="Send samples, or send back")
async def post_shipment(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ShipmentIn]
) -> Response[ShipmentOut]:
    """The buyer's goes out to the provider, the provider's goes back to the buyer."""
    return await perform(request, send_samples, data.to_command(order_id), present=ShipmentOut.of)


@get("/orders/{order_id:int}/shipments", **allow(*SIDES), summary="Shipments of an order")
async def get_shipments(
    request: ApiRequest,
    order_id: FromPath[Id],
    direction: FromQuery[Direction | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ShipmentOut]:
    """Both ways, for buyer and provider only."""
    asked = CustodyAsked(order_id, direction, page=page, page_size=page_size)
    found = await read(request, shipments, asked)
    return Page(
        results=[ShipmentOut.of(each) for each in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@post(
    "/orders/{order_id:int}/shipments/{shipment_id:int}/receive",
    **allow(*HANDS),
    summary="A shipment has arrived",
    status_code=200,
)
async def post_shipment_receipt(
    request: ApiRequest,
    order_id: FromPath[Id],
    shipment_id: FromPath[Id],
    data: JSONBody[ShipmentReceiptIn],
) -> Response[ShipmentOut]:
    """By the side that it goes to; the first samples that arrive open the service."""
    command = data.to_command(order_id, shipment_id)
    return await perform(request, receive_shipment, command, present=ShipmentOut.of, status=200)


@post(
    "/orders/{order_id:int}/custody",
    **allow(*HANDS),
    summary="Note what happened to samples",
)
async def post_custody(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[CustodyIn]
) -> Response[CustodyOut]:
    """Handed over, opened, stored, returned by hand, destroyed under a certificate."""
    return await perform(request, note_custody, data.to_command(order_id), present=CustodyOut.of)


@get("/orders/{order_id:int}/custody", **allow(*SIDES), summary="The chain of custody")
async def get_custody(
    request: ApiRequest,
    order_id: FromPath[Id],
    kind: FromQuery[CustodyKind | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[CustodyOut]:
    """From the first hand to the last, for buyer and provider only."""
    asked = CustodyAsked(order_id, kind, page=page, page_size=page_size)
    found = await read(request, custody, asked)
    return Page(
        results=[CustodyOut.of(each) for each in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@get(
    "/orders/{order_id:int}/sample-sheet",
    **allow(*SIDES),
    summary="The sheet that travels with samples, as PDF",
    media_type="application/pdf",
)
async def get_sample_sheet(
    request: ApiRequest,
    order_id: FromPath[Id],
    language: FromQuery[Literal["zh", "en"]] = "zh",
    first: FromQuery[SampleNumber] = 1,
) -> Response[bytes]:
    """Order, hazards, keeping, both addresses, and 100 labels from the sample `first` on."""
    sheet = await read(request, sample_sheet, order_id)
    made_at = services(request).database.clock.now()
    # Drawing a hundred labels takes a quarter of a second, in which others are answered.
    content = await asyncio.to_thread(
        sample_sheet_paper, sheet, made_at=made_at, language=language, first=first
    )
    return Response(
        content=content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="samples-{order_id}.pdf"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        },
    )


@get("/sample-codes/{code:str}", **allow(*STAFF), summary="What the code on a label stands for")
async def get_sample_code(request: ApiRequest, code: FromPath[SampleCode]) -> ScannedSampleOut:
    """For the staff of the provider that has the sample: order, dangers, keeping, last link."""
    return ScannedSampleOut.of(await read(request, scanned_sample, code))


routes: list[ControllerRouterHandler] = [
    put_declaration,
    get_declaration,
    post_shipment,
    get_shipments,
    post_shipment_receipt,
    post_custody,
    get_custody,
    get_sample_sheet,
    get_sample_code,
]
