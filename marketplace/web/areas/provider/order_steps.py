"""What a provider does with an order: sign or decline, serve, test, deliver, answer objections."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.limits import address_of
from marketplace.orders import queries as orders
from marketplace.orders import use_cases as serving
from marketplace.orders.errors import OrderMissing
from marketplace.orders.use_cases import DELIVERABLE_BYTES_MAX
from marketplace.web.acting import StepAsked, act, take
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.areas.sme.order_pages import order_page
from marketplace.web.forms import Typed, typed
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import told

MINUTES_MAX = 86_400
SAMPLES_MAX = 1_000_000
CUSTODY = ("opened", "stored", "returned", "disposed")
# Beside the file, what a form of the browser needs around it.
UPLOAD_BYTES_MAX = DELIVERABLE_BYTES_MAX + 100_000


async def own_order(tx: Tx, order_id: int) -> orders.Order:
    """An order of which the actor's organisation is the provider.

    Raises:
        OrderMissing: otherwise.
    """
    found = await orders.order(tx, order_id)
    if found.provider_id != tx.actor.organisation_id:
        raise OrderMissing()
    return found


@post("/orders/{order_id:int}/confirm", **members(*MANAGER))
async def send_confirm(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Sign for the provider."""
    command = serving.ConfirmOrder(order_id, signed_from=address_of(request))
    said = ("已确认并签署合同", "Confirmed; the contract is signed.")
    return await _do(request, order_id, lambda _: (serving.confirm_order, command), said)


@post("/orders/{order_id:int}/reject", **members(*MANAGER))
async def send_reject(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Decline it; time, voucher and money go back whole."""

    def asked(form: Typed) -> tuple[Any, Any]:
        reason = form.text("reason", length_max=500)
        return serving.reject_order, serving.RejectOrder(order_id, reason)

    return await _do(
        request, order_id, asked, ("已拒绝，款项全部退回", "Declined; all is given back.")
    )


@post("/orders/{order_id:int}/open-service", **members(*STAFF))
async def send_open_service(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """The buyer has come."""

    def asked(form: Typed) -> tuple[Any, Any]:
        return serving.open_service, serving.OpenService(order_id, _item(form))

    return await _do(request, order_id, asked, ("已开始服务", "The service has begun."))


@post("/orders/{order_id:int}/close-service", **members(*STAFF))
async def send_close_service(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """The work is done; its minutes are what is settled."""

    def asked(form: Typed) -> tuple[Any, Any]:
        return serving.close_service, serving.CloseService(
            order_id,
            preparation_minutes=form.whole("preparation", most=MINUTES_MAX, needed=False) or 0,
            post_minutes=form.whole("post", most=MINUTES_MAX, needed=False) or 0,
            samples_run=form.whole("samples", most=SAMPLES_MAX, needed=False),
            note=form.text("note", length_max=500, needed=False) or None,
            item=_item(form),
        )

    return await _do(request, order_id, asked, ("已结束服务", "The service has ended."))


@post("/orders/{order_id:int}/receive-samples", **members(*STAFF))
async def send_receipt(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """So many have arrived."""

    def asked(form: Typed) -> tuple[Any, Any]:
        count = form.whole("count", least=0, most=SAMPLES_MAX)
        return serving.receive_samples, serving.ReceiveSamples(order_id, count or 0)

    return await _do(request, order_id, asked, ("已登记收样", "The samples are received."))


@post("/orders/{order_id:int}/finish-samples", **members(*STAFF))
async def send_tests(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """So many are tested, and whether they went back with it."""

    def asked(form: Typed) -> tuple[Any, Any]:
        tested = form.whole("tested", least=0, most=SAMPLES_MAX)
        return serving.finish_samples, serving.FinishSamples(
            order_id, tested or 0, returned=form.ticked("returned"), item=_item(form)
        )

    return await _do(request, order_id, asked, ("已登记测试", "The tests are noted."))


@post("/orders/{order_id:int}/custody", **members(*STAFF))
async def send_custody(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """One more link of the chain of custody: opened, stored, given back, destroyed."""

    def asked(form: Typed) -> tuple[Any, Any]:
        kind = form.choice("kind", CUSTODY)
        samples = form.whole("samples", least=1, most=SAMPLES_MAX)
        place = form.text("place", length_max=200, needed=False)
        who = form.text("who", length_max=200, needed=False)
        note = form.text("note", length_max=500, needed=False)
        form.require()
        return serving.note_custody, serving.NoteCustody(
            order_id, orders.CustodyKind(kind), samples or 0, place=place, who=who, note=note
        )

    return await _do(request, order_id, asked, ("已登记样品流转", "The handling is noted."))


@post(
    "/orders/{order_id:int}/deliverables",
    request_max_body_size=UPLOAD_BYTES_MAX,
    **members(*STAFF),
)
async def send_deliverable(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Upload a result; it is handed over by a step of its own."""
    speech = visitor_of(request).speech
    await read(request, own_order, order_id)
    form = await typed(request, speech)
    file = await form.file("file", bytes_max=DELIVERABLE_BYTES_MAX)
    try:
        form.require()
        assert file is not None
        command = serving.StoreDeliverable(order_id, name=file[0], content=file[1])
        said = ("结果已上传，交付后用户可下载", "Uploaded; deliver it so that the buyer has it.")
        to = f"/orders/{order_id}"
        return await act(request, form, serving.store_deliverable, command, to=to, said=said)
    except DomainError as error:
        return await order_page(request, order_id, form, told(error, speech), error.status)


@post("/orders/{order_id:int}/deliver", **members(*STAFF))
async def send_deliver(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Hand the results over; the buyer's review begins."""
    command = serving.DeliverOrder(order_id)
    said = ("已交付，等待用户验收", "Delivered; the buyer reviews it.")
    return await _do(request, order_id, lambda _: (serving.deliver_order, command), said)


@post("/orders/{order_id:int}/dispute/answer", **members(*MANAGER))
async def send_answer(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Answer an objection: stand by it, be content with a part, or concede."""

    def asked(form: Typed) -> tuple[Any, Any]:
        answer = form.text("answer", length_max=2_000)
        offered = form.percentage("offered", needed=False)
        return serving.answer_dispute, serving.AnswerDispute(order_id, answer, offered)

    return await _do(request, order_id, asked, ("已答复异议", "The objection is answered."))


def _item(form: Typed) -> int | None:
    return form.whole("item", least=1, most=1_000, needed=False)


async def _do(
    request: PageRequest, order_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    """One step of an own order; refused, its page says why."""
    await read(request, own_order, order_id)

    def back(form: Typed) -> str:
        return "/provider/samples" if form.raw("back") == "samples" else f"/orders/{order_id}"

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await order_page(request, order_id, form, told(error, form.speech), error.status)

    return await take(request, asked, to=back, said=said, again=again)


routes: list[ControllerRouterHandler] = [
    send_confirm,
    send_reject,
    send_open_service,
    send_close_service,
    send_receipt,
    send_tests,
    send_custody,
    send_deliverable,
    send_deliver,
    send_answer,
]
