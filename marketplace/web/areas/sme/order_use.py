"""Using an instrument, from the buyer's side: what is wrong with it, and when one really ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries.repairs import SessionRepair
from marketplace.booking.rules.sessions import RepairKind, Severity, Told
from marketplace.booking.use_cases import (
    ReportProblem,
    ReportSessionEnd,
    report_problem,
    report_session_end,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.errors import OrderMissing
from marketplace.parties.roles import Role
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.sme.order_pages import titled
from marketplace.web.forms import Typed, empty, new_key, time_fields
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told as Refused
from marketplace.web.words import told

USERS = (Role.BUYER, Role.SME_ADMINISTRATOR)
NOTE_LENGTH_MAX = 2_000
REASON_LENGTH_MAX = 500
REPORTS_MAX = 50
# What each severity means to whoever works at the instrument.
SEVERITIES = {
    Severity.MINOR: ("可以使用，请看一下", "It can be used; somebody should look at it"),
    Severity.MAJOR: ("只能做部分工作", "It can be used for some work only"),
    Severity.BREAKDOWN: ("无法使用", "It cannot be used"),
}
PATH = "/orders/{order_id:int}/items/{position:int}/use"


@dataclass(frozen=True, slots=True)
class Use:
    """One reserved time of an order: its session, what was said of it, and what was reported."""

    order: orders.Order
    item: orders.OrderItem
    reservation: booking.Reservation
    session: booking.UsageSession | None
    repairs: list[SessionRepair]
    reports: list[booking.ProblemReport]
    instrument: catalogue.Instrument
    names: Names

    @property
    def is_waiting(self) -> bool:
        """Whether a word of the user's waits for the provider."""
        said = (each for each in self.repairs if each.kind is RepairKind.PROPOSAL)
        return any(each.answer is None for each in said)

    @property
    def may_say_end(self) -> bool:
        """Whether the platform closed the session, no money moved on it, and no word waits."""
        it = self.session
        return (
            it is not None
            and it.closed_how == Told.PLATFORM
            and it.settled_at is None
            and not self.is_waiting
        )


async def use(tx: Tx, asked: tuple[int, int]) -> Use:
    """The use of one item of an order of the actor's organisation.

    Raises:
        OrderMissing: when it is others' order, or no machine time.
    """
    order_id, position = asked
    story = await orders.order_story(tx, order_id)
    item = next((each for each in story.items if each.position == position), None)
    ours = story.order.buyer_id == tx.actor.organisation_id
    if not ours or item is None or item.reservation_id is None:
        raise OrderMissing()
    reservation = await booking.visible_reservation(tx, item.reservation_id)
    repairs = await booking.repairs_of(tx, reservation.id)
    search = booking.ReportSearch(reservation_id=reservation.id, page_size=REPORTS_MAX)
    reports = (await booking.problem_reports(tx, search)).reports
    return Use(
        order=story.order,
        item=item,
        reservation=reservation,
        session=await booking.session_of(tx, reservation.id),
        repairs=repairs,
        reports=reports,
        instrument=(await catalogue.instruments(tx, {item.instrument_id}))[item.instrument_id],
        names=await names(
            tx, people=[*(each.made_by for each in repairs), *(each.made_by for each in reports)]
        ),
    )


@get(PATH, **members(*USERS))
async def show_use(
    request: PageRequest, order_id: FromPath[int], position: FromPath[int]
) -> Response[Any]:
    """How the time was used, what was reported, and the forms for both."""
    return await _page(request, (order_id, position))


@post(f"{PATH}/problem", **members(*USERS))
async def send_problem(
    request: PageRequest, order_id: FromPath[int], position: FromPath[int]
) -> Response[Any]:
    """Tell the instrument's staff what is wrong with it; they decide whether to close it."""
    about = (order_id, position)
    reservation_id = (await read(request, use, about)).reservation.id

    def asked(form: Typed) -> tuple[Any, Any]:
        severity = form.choice("severity", list(Severity))
        note = form.text("note", length_max=NOTE_LENGTH_MAX)
        form.require()
        return report_problem, ReportProblem(reservation_id, Severity(severity), note)

    return await _taken(request, about, asked, ("已报告管理单位", "The provider is told."))


@post(f"{PATH}/end", **members(*USERS))
async def send_end(
    request: PageRequest, order_id: FromPath[int], position: FromPath[int]
) -> Response[Any]:
    """Say when one really ended a session that the platform closed; earlier only."""
    about = (order_id, position)
    reservation_id = (await read(request, use, about)).reservation.id

    def asked(form: Typed) -> tuple[Any, Any]:
        ended_at = form.moment("day", "start")
        reason = form.text("reason", length_max=REASON_LENGTH_MAX)
        form.require()
        assert ended_at is not None
        return report_session_end, ReportSessionEnd(reservation_id, ended_at, reason)

    said = (
        "已提交实际结束时间；费用减少较多时由管理单位确认",
        "Noted; if it lowers the price by much, the provider decides.",
    )
    return await _taken(request, about, asked, said)


async def _taken(
    request: PageRequest, about: tuple[int, int], asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _page(request, about, form, told(error, form.speech), error.status)

    order_id, position = about
    to = f"/orders/{order_id}/items/{position}/use"
    return await take(request, asked, to=to, said=said, again=again)


async def _page(
    request: PageRequest,
    about: tuple[int, int],
    sent: Typed | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> Response[Any]:
    speech = visitor_of(request).speech
    found = await read(request, use, about)
    ended = found.session.closed_at if found.session else None
    return page(
        request,
        "sme/order_use.html",
        status=status,
        use=found,
        title=titled(found.item.title, found.instrument, speech),
        severities=[(each.value, speech.t(*meaning)) for each, meaning in SEVERITIES.items()],
        form=sent or empty(speech, **(time_fields(ended, ended) if ended else {})),
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_use, send_problem, send_end]
