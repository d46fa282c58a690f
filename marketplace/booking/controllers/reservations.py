"""Reservations."""

from datetime import datetime
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.errors import WindowRefused
from marketplace.booking.queries import (
    ListOrder,
    Reservation,
    ReservationSearch,
    SessionRepair,
    UsageSession,
)
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.schemas import (
    CancelIn,
    CancelledOut,
    RejectIn,
    ReservationDetailOut,
    ReservationIn,
    ReservationOut,
    SessionOut,
    SessionRepairOut,
    instant_within,
    open_period_of,
    reservation_page,
    reservation_table,
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
from marketplace.kernel.spreadsheets.writing import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role, Scope

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
FILE_ROWS_MAX = 20_000

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
    status: FromQuery[list[Status] | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    user_class: FromQuery[UserClass | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    person_id: FromQuery[Id | None] = None,
    mine: FromQuery[bool] = False,
    series_id: FromQuery[Id | None] = None,
    group_id: FromQuery[Id | None] = None,
    from_: _FromIfAny = None,
    until: FromQuery[datetime | None] = None,
    starts_from: FromQuery[datetime | None] = None,
    starts_before: FromQuery[datetime | None] = None,
    with_problem: FromQuery[bool] = False,
    order: FromQuery[ListOrder] = ListOrder.LATEST,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ReservationOut]:
    """What one's organisation reserved, and what is reserved on its instruments.

    `from` and `until` are about the time that a reservation touches, `starts_…` about its start;
    `mine` leaves one's own. `with_problem` leaves those whose session the platform had to close:
    they wait for a repair.
    """
    search = ReservationSearch(
        statuses=tuple(status or ()),
        purpose=purpose,
        instrument_id=instrument_id,
        during=open_period_of(from_, until),
        with_problem=with_problem,
        page=page,
        page_size=page_size,
        person_id=person_id,
        organisation_id=organisation_id,
        user_class=user_class,
        series_id=series_id,
        group_id=group_id,
        starts_from=starts_from and instant_within(starts_from),
        starts_before=starts_before and instant_within(starts_before),
        mine=mine,
        order=order,
    )
    return reservation_page(await read(request, queries.reservations, search), page, page_size)


@get("/reservations/file", summary="The same reservations as a file", **signed_in())
async def get_reservations_file(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
    status: FromQuery[list[Status] | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    user_class: FromQuery[UserClass | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    person_id: FromQuery[Id | None] = None,
    mine: FromQuery[bool] = False,
    series_id: FromQuery[Id | None] = None,
    group_id: FromQuery[Id | None] = None,
    from_: _FromIfAny = None,
    until: FromQuery[datetime | None] = None,
    starts_from: FromQuery[datetime | None] = None,
    starts_before: FromQuery[datetime | None] = None,
    with_problem: FromQuery[bool] = False,
    order: FromQuery[ListOrder] = ListOrder.LATEST,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list, as far as one file goes."""
    search = ReservationSearch(
        statuses=tuple(status or ()),
        purpose=purpose,
        instrument_id=instrument_id,
        during=open_period_of(from_, until),
        with_problem=with_problem,
        page_size=FILE_ROWS_MAX,
        person_id=person_id,
        organisation_id=organisation_id,
        user_class=user_class,
        series_id=series_id,
        group_id=group_id,
        starts_from=starts_from and instant_within(starts_from),
        starts_before=starts_before and instant_within(starts_before),
        mine=mine,
        order=order,
    )
    found = await read(request, queries.reservations, search)
    if found.total > FILE_ROWS_MAX:
        raise WindowRefused("Ask for a shorter period.", limit=FILE_ROWS_MAX, asked=found.total)
    return Response(
        content=await table_file(reservation_table(found), file_format, sheet="预约 reservations"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="reservations.{file_format}"'},
    )


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
    get_reservations_file,
    get_reservation,
    post_approve,
    post_reject,
    post_cancel,
]
