"""An order handed over item by item: what is ready now, or what never will be, money said first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders import use_cases as serving
from marketplace.orders.errors import ItemMissing
from marketplace.web.acting import act, rehearse
from marketplace.web.areas.provider.order_steps import own_order
from marketplace.web.areas.provider.roles import STAFF
from marketplace.web.areas.sme.order_pages import titled
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

PIECES_MAX = 10_000
RUNS_MAX = 10_000
EXTRA_MAX = 100_000
RUN = "run"
DELIVER, GIVE_UP = "deliver", "undeliverable"


@dataclass(frozen=True, slots=True)
class Extra:
    """Something used beside the instrument: what was agreed of it, and what was told as used."""

    code: str
    name: str
    unit: str
    agreed: int
    used: int

    @property
    def field(self) -> str:
        """Its field in the form."""
        return f"extra-{self.code}"

    @property
    def left(self) -> int:
        """How much of what was agreed is still to be told."""
        return self.agreed - self.used


@dataclass(frozen=True, slots=True)
class ItemSheet:
    """An item of an own order, as it was quoted and as it stands."""

    order: orders.Order
    item: orders.OrderItem
    quoted: orders.QuoteItem
    instruments: Mapping[int, catalogue.Instrument]

    @property
    def ready(self) -> int:
        """What can be handed over now, as far as the item itself tells."""
        done = self.item.quantity if self.item.is_machine_time else (self.item.tested or 0)
        return max(min(done - self.item.delivered, self.item.due), 0)

    @property
    def by_the_run(self) -> bool:
        """Whether runs are what is priced."""
        return self.quoted.unit == RUN

    @property
    def extras(self) -> list[Extra]:
        """What was agreed beside the instrument; its names stand in the last lines of the quote."""
        agreed = self.quoted.agreed_extras
        lines = self.quoted.lines[-len(agreed) :] if agreed else []
        used = dict(self.item.stated_extras)
        named = [line["quantity"] for line in lines] == [quantity for _, quantity in agreed]
        return [
            Extra(
                code,
                lines[place]["text"] if named else code,
                lines[place]["unit"] if named else "",
                quantity,
                used.get(code, 0),
            )
            for place, (code, quantity) in enumerate(agreed)
        ]


@dataclass(frozen=True, slots=True)
class ItemAt:
    """An item of an order by its place in it."""

    order_id: int
    position: int


async def own_item(tx: Tx, asked: ItemAt) -> ItemSheet:
    """An item of an order of which the actor's organisation is the provider.

    Raises:
        OrderMissing: when the order is another's.
        ItemMissing: when it has no such item.
    """
    found = await own_order(tx, asked.order_id)
    items = await orders.order_items(tx, found.id)
    item = next((each for each in items if each.position == asked.position), None)
    if item is None:
        raise ItemMissing()
    quoted = (await orders.quote_items(tx, found.quote_id))[item.position - 1]
    known = await catalogue.instruments(tx, {each.instrument_id for each in items})
    return ItemSheet(found, item, quoted, known)


@get("/orders/{order_id:int}/items/{position:int}/deliver", **members(*STAFF))
async def show_delivery(
    request: PageRequest, order_id: FromPath[int], position: FromPath[int]
) -> Response[Any]:
    """What to hand over of an item; filled in, what it comes to before it is done."""
    return await _show(request, ItemAt(order_id, position), DELIVER)


@post("/orders/{order_id:int}/items/{position:int}/deliver", **members(*STAFF))
async def send_delivery(
    request: PageRequest, order_id: FromPath[int], position: FromPath[int]
) -> Response[Any]:
    """Hand over what was shown; with the last part the buyer's review begins. Policy: J.18a"""
    return await _send(request, ItemAt(order_id, position), DELIVER)


@get("/orders/{order_id:int}/items/{position:int}/undeliverable", **members(*STAFF))
async def show_giving_up(
    request: PageRequest, order_id: FromPath[int], position: FromPath[int]
) -> Response[Any]:
    """What cannot be given, and why; filled in, what is not charged for before it is said."""
    return await _show(request, ItemAt(order_id, position), GIVE_UP)


@post("/orders/{order_id:int}/items/{position:int}/undeliverable", **members(*STAFF))
async def send_giving_up(
    request: PageRequest, order_id: FromPath[int], position: FromPath[int]
) -> Response[Any]:
    """Give up what is due: nothing is charged for it, its time is free again. Policy: J.22b"""
    return await _send(request, ItemAt(order_id, position), GIVE_UP)


async def _show(request: PageRequest, at: ItemAt, verb: str) -> Response[Any]:
    speech = visitor_of(request).speech
    sheet = await read(request, own_item, at)
    form = Typed(request.query_params, speech)
    if not form.raw("quantity"):
        return await _page(request, sheet, verb, _as_it_stands(sheet, verb, form))
    command = _command(sheet, verb, form)
    try:
        form.require()
        if isinstance(command, serving.DeliverItem):
            look = await rehearse(request, serving.look_at_delivery, command)
        else:
            look = await rehearse(request, serving.look_at_giving_up, command)
        return await _page(request, sheet, verb, form, look=look)
    except DomainError as error:
        return await _page(request, sheet, verb, form, refusal=told(error, speech))


async def _send(request: PageRequest, at: ItemAt, verb: str) -> Response[Any]:
    speech = visitor_of(request).speech
    sheet = await read(request, own_item, at)
    form = await typed(request, speech)
    command = _command(sheet, verb, form)
    to = f"/orders/{at.order_id}"
    try:
        form.require()
        if isinstance(command, serving.DeliverItem):
            said = ("已交付", "Handed over.")
            return await act(request, form, serving.deliver_item, command, to=to, said=said)
        said = ("已登记无法交付，不收取其费用", "Noted; nothing is charged for it.")
        return await act(request, form, serving.declare_undeliverable, command, to=to, said=said)
    except DomainError as error:
        refusal = told(error, speech)
        return await _page(request, sheet, verb, form, refusal=refusal, status=error.status)


def _as_it_stands(sheet: ItemSheet, verb: str, form: Typed) -> Typed:
    """The form as it is first shown: everything that can be handed over, or is still due."""
    if verb == GIVE_UP:
        return empty(form.speech, quantity=sheet.item.due or None)
    left = sheet.quoted.runs - (sheet.item.runs_used or 0)
    return empty(
        form.speech,
        quantity=sheet.ready or None,
        runs=left if sheet.by_the_run else None,
        **{each.field: each.left for each in sheet.extras},
    )


def _command(
    sheet: ItemSheet, verb: str, form: Typed
) -> serving.DeliverItem | serving.DeclareUndeliverable:
    order_id, position = sheet.order.id, sheet.item.position
    quantity = form.whole("quantity", least=1, most=PIECES_MAX)
    if verb == GIVE_UP:
        reason = form.text("reason", length_max=500)
        return serving.DeclareUndeliverable(order_id, position, reason, quantity)
    return serving.DeliverItem(
        order_id,
        position,
        quantity,
        form.whole("runs", most=RUNS_MAX) if sheet.by_the_run else None,
        tuple((each.code, form.whole(each.field, most=EXTRA_MAX) or 0) for each in sheet.extras),
        form.text("note", length_max=500, needed=False),
    )


async def _page(
    request: PageRequest,
    sheet: ItemSheet,
    verb: str,
    form: Typed,
    *,
    look: serving.HandoverLook | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    speech = visitor_of(request).speech
    fields = ["quantity", "reason"] if verb == GIVE_UP else ["quantity", "runs", "note"]
    fields += [each.field for each in sheet.extras]
    return page(
        request,
        "provider/order_item.html",
        status=status,
        sheet=sheet,
        order=sheet.order,
        item=sheet.item,
        title=lambda one: titled(one.title, sheet.instruments.get(one.instrument_id), speech),
        gives_up=verb == GIVE_UP,
        step_path=f"/orders/{sheet.order.id}/items/{sheet.item.position}/{verb}",
        fields=fields,
        form=form,
        look=look,
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_delivery,
    send_delivery,
    show_giving_up,
    send_giving_up,
]
