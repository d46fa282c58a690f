"""Moving what stands on the timeline: price, fee and every reason first, then the move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries import Purpose
from marketplace.booking.use_cases import (
    MoveElsewhere,
    ReserveOwnTime,
    directly,
    move_elsewhere,
    reserve_own_time,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.kernel.limits import address_of
from marketplace.kernel.time import During, shanghai_day
from marketplace.orders import queries as orders
from marketplace.orders.errors import ChangeRefused
from marketplace.orders.use_cases import (
    ChangeView,
    RescheduleOrder,
    preview_change,
    reschedule_order,
)
from marketplace.web.acting import act, rehearse
from marketplace.web.areas.provider.own import choices, own_list
from marketplace.web.areas.provider.roles import STAFF
from marketplace.web.areas.provider.today import Booked, with_names
from marketplace.web.forms import Typed, empty, new_key, time_fields, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

MINUTES_MAX = 31 * 24 * 60
OWN_PURPOSES = [each for each in Purpose if each is not Purpose.EXTERNAL]


@dataclass(frozen=True, slots=True)
class Movable:
    """A reservation on an own instrument, with what its move is about."""

    booked: Booked
    instruments: list[catalogue.Instrument]
    order: orders.Order | None
    item: int | None

    @property
    def one(self) -> booking.Reservation:
        """The reservation."""
        return self.booked.reservation


async def movable(tx: Tx, reservation_id: int) -> Movable:
    """A reservation on an instrument of the actor's organisation.

    Raises:
        Missing: also when it stands on somebody else's.
    """
    found = await booking.visible_reservation(tx, reservation_id)
    if found.provider_id != tx.actor.organisation_id:
        raise Missing("There is no such reservation.")
    (booked,) = await with_names(tx, [found])
    order, item = None, None
    if found.order_id is not None:
        order = await orders.order(tx, found.order_id)
        items = await orders.order_items(tx, found.order_id)
        item = next(each.position for each in items if each.reservation_id == found.id)
    return Movable(booked, await own_list(tx), order, item)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where and when the form would have it."""

    instrument_id: int
    during: During
    override_reason: str
    reason: str


@get("/provider/schedule/move", **members(*STAFF))
async def show_move(request: PageRequest) -> Response[Any]:
    """The form, filled in with where the reservation was dropped, and what that would mean."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, movable, form.whole("reservation", least=1, most=2**53) or 0)
    if not form.raw("day"):
        return _shown(request, found, empty(speech, **_as_it_is(found.one)))
    try:
        wanted = _wanted(form)
        view = await _looked(request, found, wanted)
    except DomainError as error:
        return _shown(request, found, form, refusal=told(error, speech))
    refusal = None
    if view is not None and view.reasons:
        refused = ChangeRefused(
            "", reasons=list(view.reasons), alternatives=list(view.alternatives)
        )
        refusal = told(refused, speech)
    return _shown(request, found, form, view=view, refusal=refusal, looked=True)


async def _looked(request: PageRequest, found: Movable, wanted: Wanted) -> ChangeView | None:
    """What the move would answer: the figures of an order, or nothing when it just may be.

    Raises:
        DomainError: what it would refuse.
    """
    if found.order is None or wanted.instrument_id != found.one.instrument_id:
        await rehearse(request, directly(move_elsewhere), _move(found, wanted))
        return None
    return await read(request, preview_change, _reschedule(found, found.order, wanted, "").asked)


@post("/provider/schedule/move", **members(*STAFF))
async def send_move(request: PageRequest) -> Response[Any]:
    """Move it, or propose the move to whoever ordered the time."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    found = await read(request, movable, form.whole("reservation", least=1, most=2**53) or 0)
    try:
        wanted = _wanted(form)
        back = f"/provider/schedule?day={shanghai_day(wanted.during.starts_at)}"
        if found.order is not None and wanted.instrument_id == found.one.instrument_id:
            asked = _reschedule(found, found.order, wanted, address_of(request))
            said = ("已提议改期，等待用户同意", "The new time is proposed; the user answers.")
            return await act(request, form, reschedule_order, asked, to=back, said=said)
        said = ("已调整，并通知使用人", "Moved; whoever has it is told.")
        return await act(
            request, form, directly(move_elsewhere), _move(found, wanted), to=back, said=said
        )
    except DomainError as error:
        return _shown(request, found, form, refusal=told(error, speech), status=error.status)


def _move(found: Movable, wanted: Wanted) -> MoveElsewhere:
    return MoveElsewhere(
        found.one.id,
        wanted.instrument_id,
        wanted.during,
        override_reason=wanted.override_reason or None,
    )


def _reschedule(
    found: Movable, order: orders.Order, wanted: Wanted, signed_from: str
) -> RescheduleOrder:
    return RescheduleOrder(
        order.id,
        wanted.during.starts_at,
        wanted.during.ends_at,
        reason=wanted.reason,
        signed_from=signed_from,
        item=found.item,
    )


def _wanted(form: Typed) -> Wanted:
    during = time_of(form)
    instrument_id = form.whole("instrument", least=1, most=2**53)
    override = form.text("override_reason", length_max=500, needed=False)
    reason = form.text("reason", length_max=500, needed=False)
    form.require()
    assert during is not None
    return Wanted(instrument_id or 0, during, override, reason)


def time_of(form: Typed) -> During | None:
    """The time of the fields day, start and minutes; None when they do not read."""
    starts_at = form.moment("day", "start")
    minutes = form.whole("minutes", least=1, most=MINUTES_MAX)
    if starts_at is None or minutes is None:
        return None
    return During(starts_at, starts_at + timedelta(minutes=minutes))


def _as_it_is(one: booking.Reservation) -> dict[str, Any]:
    return {"instrument": one.instrument_id, **time_fields(one.starts_at, one.ends_at)}


def _shown(
    request: PageRequest,
    found: Movable,
    form: Typed,
    *,
    view: ChangeView | None = None,
    refusal: Told | None = None,
    looked: bool = False,
    status: int = 200,
) -> Response[str]:
    speech = visitor_of(request).speech
    return page(
        request,
        "provider/move_form.html" if in_dialog(request) else "provider/move.html",
        status=status,
        found=found,
        one=found.one,
        instruments=choices(found.instruments, speech),
        form=form,
        view=view,
        refusal=refusal,
        looked=looked and refusal is None,
        offers=_offers(found, refusal),
        in_dialog=in_dialog(request),
        key=new_key(),
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """Another time, or another instrument, at which the move would be possible."""

    starts_at: datetime
    ends_at: datetime
    name: str
    address: str


def _offers(found: Movable, refusal: Told | None) -> list[Offer]:
    own = {each.id for each in found.instruments}
    offers = []
    for each in refusal.alternatives if refusal else ():
        begins, ends = each.get("starts_at"), each.get("ends_at")
        instrument_id = each.get("instrument_id", found.one.instrument_id)
        if not isinstance(begins, datetime) or not isinstance(ends, datetime):
            continue
        if instrument_id not in own:
            continue
        fields = {
            "reservation": found.one.id,
            "instrument": instrument_id,
            **time_fields(begins, ends),
        }
        address = f"/provider/schedule/move?{urlencode(fields)}"
        offers.append(Offer(begins, ends, str(each.get("name", "")), address))
    return offers


def in_dialog(request: PageRequest) -> bool:
    """Whether only the form is asked for, to be shown above the timeline."""
    return request.query_params.get("part") == "form"


@get("/provider/schedule/new", **members(*STAFF))
async def show_own_time(request: PageRequest) -> Response[Any]:
    """The form for time of one's own, as it was drawn on the timeline."""
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _own_time(request, form)


@post("/provider/schedule/new", **members(*STAFF))
async def send_own_time(request: PageRequest) -> Response[Any]:
    """Reserve an own instrument for research, teaching or upkeep."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    during = time_of(form)
    instrument_id = form.whole("instrument", least=1, most=2**53)
    purpose = form.choice("purpose", OWN_PURPOSES)
    override = form.text("override_reason", length_max=500, needed=False)
    try:
        form.require()
        assert during is not None
        command = ReserveOwnTime(
            instrument_id or 0, during, Purpose(purpose), override_reason=override or None
        )
        back = f"/provider/schedule?day={shanghai_day(during.starts_at)}"
        said = ("已预约", "The time is reserved.")
        return await act(request, form, reserve_own_time, command, to=back, said=said)
    except DomainError as error:
        return await _own_time(request, form, told(error, speech), error.status)


async def _own_time(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    own = await read(request, own_list, None)
    return page(
        request,
        "provider/own_time_form.html" if in_dialog(request) else "provider/own_time.html",
        status=status,
        instruments=choices(own, visitor_of(request).speech),
        purposes=OWN_PURPOSES,
        form=form,
        refusal=refusal,
        in_dialog=in_dialog(request),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_move, send_move, show_own_time, send_own_time]
