"""The inbox: reservations and orders that wait for a yes or a no, the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.use_cases import (
    ApproveReservation,
    RejectReservation,
    approve_reservation,
    reject_reservation,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.limits import address_of
from marketplace.orders import queries as orders
from marketplace.orders.use_cases import ConfirmOrder, RejectOrder, confirm_order, reject_order
from marketplace.parties import queries as parties
from marketplace.web.acting import act
from marketplace.web.areas.provider.own import choices, own_list
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, told

# As many as are looked at; whoever has more waiting answers some first.
WAITING_MAX = 200
PICKS_MAX = 100
URGENT = timedelta(hours=4)
HEADS = (
    ("编号", "Number"),
    ("类型", "Kind"),
    ("仪器", "Instrument"),
    ("单位", "Organisation"),
    ("申请人", "Person"),
    ("开始", "From"),
    ("结束", "Until"),
    ("样品数", "Samples"),
    ("答复期限", "Answer by"),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing to answer: a reservation of its own, or an order with whatever it reserves."""

    pick: str
    order_id: int | None
    title: str
    instrument_id: int
    organisation: str
    organisation_id: int
    person: str
    starts_at: datetime | None
    ends_at: datetime | None
    samples: int | None
    arrives_on: date | None
    purpose: str | None
    answer_until: datetime
    urgent: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Which to show: of an instrument, of a kind."""

    instrument_id: int | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits, soonest deadline first, and the instruments to choose from."""

    rows: list[Waiting]
    instruments: list[catalogue.Instrument]
    companies: dict[int, parties.Organisation]

    def title(self, one: Waiting, speech: Speech) -> str:
        """What is asked for: the instrument's name in the reader's language."""
        machine = next((each for each in self.instruments if each.id == one.instrument_id), None)
        same = machine is not None and machine.cname == one.title
        return speech.either(one.title, machine.ename if machine and same else None)

    def company(self, one: Waiting, speech: Speech) -> str:
        """Who asks, in the reader's language."""
        return speech.either(one.organisation, self.companies[one.organisation_id].name_en)


async def inbox(tx: Tx, asked: Asked) -> Inbox:
    """Everything that waits for the actor's organisation."""
    found = await booking.requests(
        tx, booking.RequestSearch(instrument_id=asked.instrument_id, page_size=WAITING_MAX)
    )
    own = await own_list(tx)
    rows = {each.pick: each for each in map(_of_request, reversed(found.requests))}
    waiting = await orders.awaiting(tx, orders.AwaitingList(page_size=WAITING_MAX))
    for each in waiting.rows:
        if asked.instrument_id in (None, each.order.instrument_id):
            rows[f"o{each.order.id}"] = _of_order(each, tx.now)
    kept = [
        each
        for each in rows.values()
        if not asked.kind or (asked.kind == "orders") == (each.order_id is not None)
    ]
    return Inbox(
        sorted(kept, key=lambda each: (each.answer_until, each.pick)),
        own,
        await parties.organisations(tx, {each.organisation_id for each in kept}),
    )


def _of_request(found: booking.Request) -> Waiting:
    one = found.reservation
    assert one.held_until is not None, "a request has a deadline"
    return Waiting(
        pick=f"r{one.id}" if one.order_id is None else f"o{one.order_id}",
        order_id=one.order_id,
        title=found.instrument,
        instrument_id=one.instrument_id,
        organisation=found.organisation,
        organisation_id=one.organisation_id,
        person=found.person,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        samples=None,
        arrives_on=None,
        purpose=one.purpose,
        answer_until=one.held_until,
        urgent=found.minutes_left < URGENT // timedelta(minutes=1),
    )


def _of_order(found: orders.AwaitedOrder, at: datetime) -> Waiting:
    return Waiting(
        pick=f"o{found.order.id}",
        order_id=found.order.id,
        title=found.order.title,
        instrument_id=found.order.instrument_id,
        organisation=found.buyer,
        organisation_id=found.order.buyer_id,
        person="",
        starts_at=None,
        ends_at=None,
        samples=found.samples,
        arrives_on=found.arrives_on,
        purpose=None,
        answer_until=found.answer_until,
        urgent=found.answer_until - at < URGENT,
    )


@dataclass(frozen=True, slots=True)
class AnswerAll:
    """One answer to several: yes, or no with the reason."""

    picks: Sequence[str]
    accept: bool
    reason: str
    signed_from: str


async def answer_all(tx: Tx, command: AnswerAll) -> list[tuple[str, DomainError]]:
    """Answer each as far as it can be answered; returns those that were not, and why.

    Each is answered by its own use case, whole or not at all, whatever becomes of the others.
    """
    refused: list[tuple[str, DomainError]] = []
    for pick in command.picks:
        try:
            async with tx.attempt():
                await _answer(tx, pick, command)
        except DomainError as error:
            refused.append((pick, error))
    return refused


async def _answer(tx: Tx, pick: str, command: AnswerAll) -> None:
    number = int(pick[1:])
    if pick.startswith("o"):
        if command.accept:
            await confirm_order(tx, ConfirmOrder(number, signed_from=command.signed_from))
        else:
            await reject_order(tx, RejectOrder(number, command.reason))
    elif command.accept:
        await approve_reservation(tx, ApproveReservation(number))
    else:
        await reject_reservation(tx, RejectReservation(number, command.reason))


@get("/provider/requests", **members(*STAFF))
async def show_requests(request: PageRequest) -> Response[Any]:
    """What waits for an answer."""
    return await _shown(request, Typed(request.query_params, visitor_of(request).speech))


@post("/provider/requests", **members(*MANAGER))
async def send_answers(request: PageRequest) -> Response[Any]:
    """Say yes or no to all that were picked."""
    visitor = visitor_of(request)
    form = await typed(request, visitor.speech)
    picks = list(dict.fromkeys(form.all("pick")))[:PICKS_MAX]
    accept = form.choice("answer", ("accept", "decline")) == "accept"
    if not picks or not all(_is_pick(each) for each in picks):
        form.wrong("pick", "请至少勾选一项", "Tick at least one")
    reason = form.text("reason", length_max=500, needed=not accept)
    command = AnswerAll(picks, accept, reason, address_of(request))
    refused: list[tuple[str, DomainError]] = []

    def onwards(found: list[tuple[str, DomainError]]) -> str:
        refused.extend(found)
        return "/provider/requests"

    try:
        form.require()
        done = ("已接受", "Accepted.") if accept else ("已拒绝，并通知对方", "Declined, and told.")
        answer = await act(request, form, answer_all, command, to=onwards, said=done)
    except DomainError as error:
        return await _shown(request, form, told(error, visitor.speech), error.status)
    if not refused:
        return answer
    return await _shown(request, form, _not_answered(refused, len(picks), visitor.speech), 409)


def _is_pick(value: str) -> bool:
    return value[:1] in ("r", "o") and value[1:].isdecimal() and len(value) <= 16


def _not_answered(refused: Sequence[tuple[str, DomainError]], asked: int, speech: Speech) -> Told:
    lines = []
    for pick, error in refused:
        said = told(error, speech)
        name = speech.t("订单", "Order") if pick.startswith("o") else speech.t("预约", "Request")
        why = "; ".join((said.title, *filter(None, (said.detail,)), *said.reasons))
        lines.append(f"{name} {pick[1:]}: {why}")
    title = speech.t(
        "{n} 项已处理，{m} 项未能处理",
        "{n} answered, {m} not",
        n=asked - len(refused),
        m=len(refused),
    )
    return Told("partly", title, "", tuple(lines), ())


@get("/provider/requests/file", **members(*STAFF))
async def show_requests_file(request: PageRequest) -> Response[bytes]:
    """The same list as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, inbox, _asked(form))
    rows = [
        [
            each.pick[1:],
            speech.t("订单", "Order") if each.order_id else speech.t("预约", "Reservation"),
            found.title(each, speech),
            found.company(each, speech),
            each.person,
            speech.moment(each.starts_at) if each.starts_at else "",
            speech.moment(each.ends_at) if each.ends_at else "",
            each.samples or "",
            speech.moment(each.answer_until),
        ]
        for each in found.rows[:ROWS_MAX]
    ]
    return await as_file(form, "requests", HEADS, rows)


def _asked(form: Typed) -> Asked:
    asked = Asked(
        instrument_id=form.whole("instrument", least=1, needed=False),
        kind=form.choice("kind", ("orders", "reservations"), needed=False),
    )
    form.require()
    return asked


async def _shown(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    found = await read(request, inbox, _asked(filters))
    return page(
        request,
        "provider/requests.html",
        status=status,
        form=form,
        filters=filters,
        found=found,
        instruments=choices(found.instruments, visitor.speech),
        may_answer=visitor.has(*MANAGER),
        refusal=refusal,
        picked=form.all("pick"),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_requests, send_answers, show_requests_file]
