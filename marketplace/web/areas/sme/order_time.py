"""Another time for an order: the difference and the fee first, then the signature or an answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.errors import DomainError, Refused
from marketplace.kernel.http import read
from marketplace.kernel.limits import address_of
from marketplace.orders import queries as orders
from marketplace.orders.queries.changes import OrderChange
from marketplace.orders.rules.rescheduling import ChangeKind
from marketplace.orders.use_cases import (
    AcceptChange,
    ChangeAsked,
    ChangeView,
    DeclineChange,
    ExtendOrder,
    ProposalLook,
    RescheduleOrder,
    WithdrawChange,
    accept_change,
    decline_change,
    every_reason,
    extend_order,
    preview_change,
    preview_proposal,
    reschedule_order,
    withdraw_change,
)
from marketplace.web.acting import act
from marketplace.web.areas.sme.order_pages import step, titled
from marketplace.web.areas.sme.roles import ASKERS, SIGNERS
from marketplace.web.forms import Typed, empty, new_key, time_fields, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

HOURS_MAX = 24
TOKEN_LENGTH = 64


class _NotSo(Refused):
    """Carries the reasons of a look to the page as a refusal is told."""

    code = "change-refused"
    title = "The time cannot change so"


@get("/orders/{order_id:int}/time", **members(*ASKERS))
async def show_time(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """The form; with a time filled in, the price before and after, the fee, and who has to agree.

    Without one it shows the time as it is.
    """
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _page(request, order_id, form, None, 200)


@post("/orders/{order_id:int}/time", **members(*ASKERS))
async def send_time(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Have it so, at the figures that were shown; or propose it to the other side."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, orders.order, order_id)
    starts_at, ends_at, kind, item = _asked(form)
    agreed = form.text("agreed", length_max=TOKEN_LENGTH, needed=False) or None
    reason = form.text("reason", length_max=500, needed=False)
    signed_from = address_of(request)
    said = ("已提交", "Done: the order has its new time, or the other side is asked.")
    try:
        form.require()
        assert ends_at is not None
        to = f"/orders/{order_id}"
        if kind is ChangeKind.EXTEND:
            extension = ExtendOrder(order_id, ends_at, agreed, reason, signed_from, item)
            return await act(request, form, extend_order, extension, to=to, said=said)
        assert starts_at is not None
        move = RescheduleOrder(order_id, starts_at, ends_at, agreed, reason, signed_from, item)
        return await act(request, form, reschedule_order, move, to=to, said=said)
    except DomainError as error:
        return await _page(request, order_id, form, told(error, speech), error.status)


async def _page(
    request: PageRequest, order_id: int, form: Typed, refusal: Told | None, status: int
) -> Response[Any]:
    speech = visitor_of(request).speech
    story = await read(request, orders.order_story, order_id)
    timed = [each for each in story.items if each.is_machine_time]
    view: ChangeView | None = None
    if form.raw("day"):
        try:
            starts_at, ends_at, kind, number = _asked(form)
            form.require()
            assert ends_at is not None
            asked = ChangeAsked(order_id, kind, ends_at, starts_at, number)
            view = await read(request, preview_change, asked)
        except DomainError as error:
            refusal = refusal or told(error, speech)
    else:
        form = await _as_it_is(request, form, timed)
    if view is not None and (reasons := every_reason(view)):
        refusal = refusal or told(_NotSo(reasons=reasons, alternatives=view.alternatives), speech)
    known = await read(request, catalogue.instruments, {each.instrument_id for each in story.items})
    return page(
        request,
        "sme/order_time.html",
        status=status,
        called=lambda one: titled(one.title, known.get(one.instrument_id), speech),
        order=story.order,
        timed=timed,
        form=form,
        view=view,
        allowed=view is not None and not every_reason(view),
        refusal=refusal,
        key=new_key(),
    )


async def _as_it_is(request: PageRequest, form: Typed, timed: list[orders.OrderItem]) -> Typed:
    """The form at the time that the asked item has now; of the first one when none is named."""
    number = form.whole("item", least=1, most=100, needed=False)
    item = next((each for each in timed if number in (None, each.position)), None)
    if item is None or item.reservation_id is None:
        return form
    # Who sees the order sees its times, also the agent who asked for it.
    held = await read(request, booking.reservations_by_id, [item.reservation_id])
    reserved = held[item.reservation_id]
    return empty(
        form.speech,
        kind=form.raw("kind", ChangeKind.RESCHEDULE),
        item=item.position,
        **time_fields(reserved.starts_at, reserved.ends_at),
    )


def _asked(form: Typed) -> tuple[datetime | None, datetime | None, ChangeKind, int | None]:
    """The time of a form; to extend an order only its end counts."""
    kind = ChangeKind(form.raw("kind") or ChangeKind.RESCHEDULE) if _known(form) else None
    starts_at = form.moment("day", "start")
    minutes = form.whole("minutes", least=1, most=HOURS_MAX * 60)
    item = form.whole("item", least=1, most=100, needed=False)
    ends_at = starts_at + timedelta(minutes=minutes) if starts_at and minutes else None
    if kind is ChangeKind.EXTEND:
        return None, ends_at, kind, item
    return starts_at, ends_at, kind or ChangeKind.RESCHEDULE, item


def _known(form: Typed) -> bool:
    return bool(form.choice("kind", list(ChangeKind), needed=False)) or not form.raw("kind")


@get("/orders/{order_id:int}/changes/{change_id:int}", **members(*SIGNERS))
async def show_proposal(
    request: PageRequest, order_id: FromPath[int], change_id: FromPath[int]
) -> Response[Any]:
    """What the other side proposes, at the figures of now, to agree to or to decline."""
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _proposal(request, order_id, change_id, form, None, 200)


async def _proposal(
    request: PageRequest,
    order_id: int,
    change_id: int,
    form: Typed,
    refusal: Told | None,
    status: int,
) -> Response[Any]:
    speech = visitor_of(request).speech
    found = await read(request, orders.changes, orders.ChangeList(order_id))
    change: OrderChange | None = next((one for one in found.rows if one.id == change_id), None)
    view: ChangeView | None = None
    try:
        view = await read(request, preview_proposal, ProposalLook(order_id, change_id))
    except DomainError as error:
        if change is None:
            raise
        refusal = refusal or told(error, speech)
    if view is not None and (reasons := every_reason(view)):
        refusal = refusal or told(_NotSo(reasons=reasons), speech)
    return page(
        request,
        "sme/proposal.html",
        status=status,
        order=await read(request, orders.order, order_id),
        change=change,
        view=view,
        allowed=view is not None and not every_reason(view),
        form=form,
        refusal=refusal,
        key=new_key(),
    )


@post("/orders/{order_id:int}/changes/{change_id:int}/accept", **members(*SIGNERS))
async def send_accept_change(
    request: PageRequest, order_id: FromPath[int], change_id: FromPath[int]
) -> Response[Any]:
    """Sign the addendum at the figures that were shown."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, orders.order, order_id)
    agreed = form.text("agreed", length_max=TOKEN_LENGTH, needed=False) or None
    command = AcceptChange(order_id, change_id, agreed, address_of(request))
    said = ("已同意新的时间", "You agreed to the new time.")
    try:
        to = f"/orders/{order_id}"
        return await act(request, form, accept_change, command, to=to, said=said)
    except DomainError as error:
        refusal = told(error, speech)
        return await _proposal(request, order_id, change_id, form, refusal, error.status)


@post("/orders/{order_id:int}/changes/{change_id:int}/decline", **members(*SIGNERS))
async def send_decline_change(
    request: PageRequest, order_id: FromPath[int], change_id: FromPath[int]
) -> Response[Any]:
    """Leave the order as it is."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    await read(request, orders.order, order_id)
    command = DeclineChange(order_id, change_id, form.text("reason", length_max=500))
    said = ("已谢绝，订单保持不变", "Declined; the order stays as it was.")
    try:
        form.require()
        to = f"/orders/{order_id}"
        return await act(request, form, decline_change, command, to=to, said=said)
    except DomainError as error:
        refusal = told(error, speech)
        return await _proposal(request, order_id, change_id, form, refusal, error.status)


@post("/orders/{order_id:int}/changes/{change_id:int}/withdraw", **members(*ASKERS))
async def send_withdraw_change(
    request: PageRequest, order_id: FromPath[int], change_id: FromPath[int]
) -> Response[Any]:
    """Take one's own proposal back while nobody has answered."""
    said = ("提议已撤回", "Your proposal is taken back.")
    return await step(
        request, order_id, lambda _: (withdraw_change, WithdrawChange(order_id, change_id)), said
    )


routes: list[ControllerRouterHandler] = [
    show_time,
    send_time,
    show_proposal,
    send_accept_change,
    send_decline_change,
    send_withdraw_change,
]
