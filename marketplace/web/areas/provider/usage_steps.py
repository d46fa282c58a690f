"""Opening and closing sessions, and saying what those in doubt really were."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking import use_cases as sessions
from marketplace.booking.use_cases import directly
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders import use_cases as serving
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.areas.provider.usage import usage_page
from marketplace.web.forms import Typed
from marketplace.web.visitor import PageRequest, members
from marketplace.web.words import told

MINUTES_MAX = 86_400


async def own_reservation(tx: Tx, reservation_id: int) -> booking.Reservation:
    """A reservation on an instrument of the actor's organisation.

    Raises:
        Missing: also when it stands on somebody else's.
    """
    found = await booking.visible_reservation(tx, reservation_id)
    if found.provider_id != tx.actor.organisation_id:
        raise Missing("There is no such reservation.")
    return found


async def open_either(tx: Tx, command: sessions.OpenSession) -> Any:
    """Check in: the order's service where the time is under one, else the session itself."""
    found = await own_reservation(tx, command.reservation_id)
    if found.order_id is None:
        return await directly(sessions.open_session)(tx, command)
    item = await _item_of(tx, found)
    return await serving.open_service(tx, serving.OpenService(found.order_id, item))


async def close_either(tx: Tx, command: sessions.CloseSession) -> Any:
    """Check out, likewise."""
    found = await own_reservation(tx, command.reservation_id)
    if found.order_id is None:
        return await directly(sessions.close_session)(tx, command)
    return await serving.close_service(
        tx,
        serving.CloseService(
            found.order_id,
            preparation_minutes=command.preparation_minutes,
            post_minutes=command.post_minutes,
            samples_run=command.samples_run,
            note=command.note,
            item=await _item_of(tx, found),
        ),
    )


async def _item_of(tx: Tx, found: booking.Reservation) -> int | None:
    items = await orders.order_items(tx, found.order_id or 0)
    return next((each.position for each in items if each.reservation_id == found.id), None)


@post("/provider/usage/{reservation_id:int}/open", **members(*STAFF))
async def send_open(request: PageRequest, reservation_id: FromPath[int]) -> Response[Any]:
    """The user has come."""
    await read(request, own_reservation, reservation_id)
    return await _do(
        request,
        reservation_id,
        lambda _: (open_either, sessions.OpenSession(reservation_id)),
        ("已开始上机", "The session is open."),
    )


@post("/provider/usage/{reservation_id:int}/close", **members(*STAFF))
async def send_close(request: PageRequest, reservation_id: FromPath[int]) -> Response[Any]:
    """The work is done: from now on the minutes stand."""

    def asked(form: Typed) -> tuple[Any, Any]:
        return close_either, sessions.CloseSession(
            reservation_id,
            preparation_minutes=form.whole("preparation", most=MINUTES_MAX, needed=False) or 0,
            post_minutes=form.whole("post", most=MINUTES_MAX, needed=False) or 0,
            samples_run=form.whole("samples", most=1_000_000, needed=False),
            note=form.text("note", length_max=500, needed=False) or None,
        )

    await read(request, own_reservation, reservation_id)
    return await _do(request, reservation_id, asked, ("已结束上机", "The session is closed."))


@post("/provider/usage/{reservation_id:int}/repair", **members(*MANAGER))
async def send_repair(request: PageRequest, reservation_id: FromPath[int]) -> Response[Any]:
    """Say when it really ended."""
    session = await read(request, _session, reservation_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        closed_at = form.moment("day", "clock")
        return sessions.repair_session, sessions.RepairSession(
            reservation_id,
            closed_at or session.opened_at,
            form.text("reason", length_max=500),
        )

    said = ("已更正，并保留更正记录", "Repaired; who did so and why is kept.")
    return await _do(request, reservation_id, asked, said, show="problems")


async def _session(tx: Tx, reservation_id: int) -> booking.UsageSession:
    found = await own_reservation(tx, reservation_id)
    session = await booking.session_of(tx, found.id)
    if session is None:
        raise Missing("Nobody has checked in.")
    return session


@post("/provider/usage/{reservation_id:int}/accept", **members(*MANAGER))
async def send_accept(request: PageRequest, reservation_id: FromPath[int]) -> Response[Any]:
    """Take it as it stands."""

    def asked(form: Typed) -> tuple[Any, Any]:
        reason = form.text("reason", length_max=500)
        return sessions.accept_session, sessions.AcceptSession(reservation_id, reason)

    said = ("已认可", "Accepted as it stands.")
    await read(request, own_reservation, reservation_id)
    return await _do(request, reservation_id, asked, said, show="problems")


@post("/provider/usage/proposals/{repair_id:int}", **members(*MANAGER))
async def send_proposal(request: PageRequest, repair_id: FromPath[int]) -> Response[Any]:
    """Agree or disagree with what a user says of the end."""

    def asked(form: Typed) -> tuple[Any, Any]:
        agreed = form.choice("answer", ("confirm", "reject")) == "confirm"
        command = sessions.AnswerRepair(repair_id, form.text("reason", length_max=500))
        return (sessions.confirm_repair if agreed else sessions.reject_repair), command

    said = ("已答复使用人", "The user is answered.")
    await read(request, booking.own_proposal, repair_id)
    return await _do(request, repair_id, asked, said, show="problems")


@post("/provider/usage/reports/{report_id:int}/resolve", **members(*STAFF))
async def send_resolution(request: PageRequest, report_id: FromPath[int]) -> Response[Any]:
    """Say what was done about a problem."""

    def asked(form: Typed) -> tuple[Any, Any]:
        resolution = form.text("resolution", length_max=2_000)
        return sessions.resolve_problem, sessions.ResolveProblem(report_id, resolution)

    said = ("已处理", "Dealt with.")
    await read(request, booking.own_report, report_id)
    return await _do(request, report_id, asked, said, show="reports")


@post("/provider/usage/reports/{report_id:int}/close", **members(*MANAGER))
async def send_breakdown(request: PageRequest, report_id: FromPath[int]) -> Response[Any]:
    """Close the instrument that broke down."""

    def asked(form: Typed) -> tuple[Any, Any]:
        until = form.moment("day", "clock")
        reason = form.text("reason", length_max=500)
        form.require()
        assert until is not None
        return sessions.close_for_problem, sessions.CloseForProblem(report_id, until, reason)

    said = ("仪器已停用，受影响的预约已通知", "Closed; those who are hit are told.")
    await read(request, booking.own_report, report_id)
    return await _do(request, report_id, asked, said, show="reports")


async def _do(
    request: PageRequest,
    at: int,
    asked: StepAsked,
    said: tuple[str, str],
    *,
    show: str = "open",
) -> Response[Any]:
    """One step; refused, the page says why."""

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await usage_page(
            request, show=show, form=form, at=at, refusal=refusal, status=error.status
        )

    return await take(request, asked, to=f"/provider/usage?show={show}", said=said, again=again)


routes: list[ControllerRouterHandler] = [
    send_open,
    send_close,
    send_repair,
    send_accept,
    send_proposal,
    send_resolution,
    send_breakdown,
]
