"""Samples of an order, from the buyer's side: declaring what they are like, sending them."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.errors import OrderMissing, WrongMode
from marketplace.orders.queries.custody import Declaration, declaration
from marketplace.orders.rules.custody import Condition, Hazard, Storage
from marketplace.orders.use_cases.custody import (
    DeclareSamples,
    ReceiveShipment,
    SendSamples,
    declare_samples,
    receive_shipment,
    send_samples,
)
from marketplace.parties.roles import Role
from marketplace.web.acting import act
from marketplace.web.areas.sme.order_pages import step
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

PIECES_MAX = 10_000
NOTE_LENGTH_MAX = 500


async def _declared(tx: Tx, order_id: int) -> tuple[orders.OrderStory, Declaration | None]:
    story = await orders.order_story(tx, order_id)
    if tx.actor.organisation_id != story.order.buyer_id:
        raise OrderMissing()
    if story.samples is None:
        raise WrongMode("Only samples are declared.")
    return story, await declaration(tx, order_id)


@get("/orders/{order_id:int}/samples", **members(Role.BUYER))
async def show_samples(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """What was declared so far, to be changed until the first sample arrives."""
    speech = visitor_of(request).speech
    _, found = await read(request, _declared, order_id)
    form = empty(speech, storage=Storage.ROOM)
    if found is not None:
        form = empty(
            speech,
            hazard_note=found.hazard_note,
            storage=found.storage,
            storage_note=found.storage_note,
            keep_until=found.keep_until.isoformat() if found.keep_until else None,
            return_to=found.return_to,
            **dict.fromkeys(found.ghs, "yes"),
        )
    return await _page(request, order_id, form, None, 200)


@post("/orders/{order_id:int}/samples", **members(Role.BUYER))
async def send_declaration(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Declare dangers, keeping, and the way back."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, _declared, order_id)
    storage = form.choice("storage", list(Storage))
    command = DeclareSamples(
        order_id,
        ghs=tuple(each for each in Hazard if form.ticked(each)),
        hazard_note=form.text("hazard_note", length_max=500, needed=False),
        storage=Storage(storage or Storage.ROOM),
        storage_note=form.text("storage_note", length_max=500, needed=False),
        keep_until=form.day("keep_until", needed=False),
        return_to=form.text("return_to", length_max=300, needed=False),
    )
    said = ("样品已申报", "Your samples are declared.")
    try:
        form.require()
        to = f"/orders/{order_id}#samples"
        return await act(request, form, declare_samples, command, to=to, said=said)
    except DomainError as error:
        return await _page(request, order_id, form, told(error, speech), error.status)


async def _page(
    request: PageRequest, order_id: int, form: Typed, refusal: Told | None, status: int
) -> Response[Any]:
    story, _ = await read(request, _declared, order_id)
    return page(
        request,
        "sme/samples.html",
        status=status,
        order=story.order,
        samples=story.samples,
        hazards=list(Hazard),
        storages=list(Storage),
        form=form,
        refusal=refusal,
        key=new_key(),
    )


@post("/orders/{order_id:int}/shipments", **members(Role.BUYER))
async def send_shipment(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Say that samples are on their way, with carrier and number."""
    said = ("寄送信息已登记", "The parcel is noted.")
    return await step(
        request,
        order_id,
        lambda form: (
            send_samples,
            SendSamples(
                order_id,
                carrier=form.text("carrier", length_max=50),
                number=form.text("number", length_max=50),
                pieces=form.whole("pieces", least=1, most=PIECES_MAX) or 0,
            ),
        ),
        said,
    )


@post("/orders/{order_id:int}/shipments/{shipment_id:int}/receive", **members(Role.BUYER))
async def send_receipt(
    request: PageRequest, order_id: FromPath[int], shipment_id: FromPath[int]
) -> Response[Any]:
    """Say that what the provider sent back has arrived, how much of it, and in which condition."""
    await read(request, _declared, order_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        pieces = form.whole("arrived", least=0, most=PIECES_MAX)
        condition = form.choice("condition", list(Condition))
        note = form.text("condition_note", length_max=NOTE_LENGTH_MAX, needed=False)
        form.require()
        return receive_shipment, ReceiveShipment(
            order_id, shipment_id, pieces or 0, Condition(condition), note
        )

    return await step(request, order_id, asked, ("已登记收到", "The parcel has arrived."))


routes: list[ControllerRouterHandler] = [
    show_samples,
    send_declaration,
    send_shipment,
    send_receipt,
]
