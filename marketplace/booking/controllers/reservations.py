"""Reservations."""

from datetime import datetime
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import (
    Reservation,
    ReservationSearch,
    SessionRepair,
    UsageSession,
)
from marketplace.booking.rules.states import Purpose, Status
from marketplace.booking.schemas import (
    CancelIn,
    CancelledOut,
    RejectIn,
    ReservationDetailOut,
    ReservationIn,
    ReservationOut,
    SessionOut,
    SessionRepairOut,
    during_of,
    reservation_page,
)
from marketplace.booking.use_cases import (
    ApproveReservation,
    approve_reservation,
    cancel_reservation,
    directly,
    reject_reservation,
    reserve_own_time,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
    read,
    signed_in,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role, Scope

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)

_FromIfAny = Annotated[datetime | None, QueryParameter(name="from")]


@post("/reservations", summary="Reserve time on an instrument of one's own", **allow(*STAFF))
async def post_reservation(
    request: ApiRequest, data: JSONBody[ReservationIn]
) -> Response[ReservationOut]:
    """Take time for research, teaching, maintenance or a test run; others order theirs.

    A refusal lists every reason, says which of them staff may set aside with `override_reason`,
    and offers a small shift and the next free slots.
    """
    return await perform(request, reserve_own_time, data.to_command(), present=ReservationOut.of)


@get(
    "/reservations",
    summary="Reservations of one's own organisation",
    **signed_in(scope=Scope.RESERVATIONS_READ),
)
async def get_reservations(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    status: FromQuery[Status | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    from_: _FromIfAny = None,
    until: FromQuery[datetime | None] = None,
    with_problem: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ReservationOut]:
    """What one's organisation reserved, and what is reserved on its instruments; latest first.

    `with_problem` leaves those whose session the platform had to close: they wait for a repair.
    """
    during = None
    if from_ is not None and until is not None:
        during = during_of(from_, until)
    search = ReservationSearch(
        () if status is None else (status,),
        purpose,
        instrument_id,
        during,
        with_problem,
        page,
        page_size,
    )
    return reservation_page(await read(request, queries.reservations, search), page, page_size)


@get(
    "/reservations/{reservation_id:int}",
    summary="A reservation",
    **signed_in(scope=Scope.RESERVATIONS_READ),
)
async def get_reservation(
    request: ApiRequest, reservation_id: FromPath[Id]
) -> ReservationDetailOut:
    """A reservation of one's own, or on an instrument of one's own, with its session."""
    reservation, session, repairs = await read(request, _with_session, reservation_id)
    return ReservationDetailOut(
        reservation=ReservationOut.of(reservation),
        session=None if session is None else SessionOut.of(session),
        repairs=[SessionRepairOut.of(row) for row in repairs],
    )


async def _with_session(
    tx: Tx, reservation_id: int
) -> tuple[Reservation, UsageSession | None, list[SessionRepair]]:
    found = await queries.visible_reservation(tx, reservation_id)
    session = await queries.session_of(tx, found.id)
    return found, session, [] if session is None else await queries.repairs_of(tx, found.id)


@post(
    "/reservations/{reservation_id:int}/approve",
    summary="Approve a request",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_approve(
    request: ApiRequest, reservation_id: FromPath[Id]
) -> Response[ReservationOut]:
    """Confirm a request that has no order; never one's own."""
    return await perform(
        request,
        directly(approve_reservation),
        ApproveReservation(reservation_id),
        present=ReservationOut.of,
        status=200,
    )


@post(
    "/reservations/{reservation_id:int}/reject",
    summary="Reject a request",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_reject(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[RejectIn]
) -> Response[ReservationOut]:
    """Turn down a request that has no order; never one's own."""
    return await perform(
        request,
        directly(reject_reservation),
        data.to_command(reservation_id),
        present=ReservationOut.of,
        status=200,
    )


@post("/reservations/{reservation_id:int}/cancel", summary="Cancel a reservation", **allow(*STAFF))
async def post_cancel(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[CancelIn]
) -> Response[CancelledOut]:
    """Give back time that has no order."""
    return await perform(
        request,
        directly(cancel_reservation),
        data.to_command(reservation_id),
        present=CancelledOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    post_reservation,
    get_reservations,
    get_reservation,
    post_approve,
    post_reject,
    post_cancel,
]
