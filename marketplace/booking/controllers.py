"""The JSON API of booking."""

from datetime import date, datetime
from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import (
    MachineHours,
    MachineMinutesAsked,
    Reservation,
    ReservationSearch,
    UsageSession,
    Window,
)
from marketplace.booking.rules.states import Purpose, Status
from marketplace.booking.schemas import (
    AvailabilityOut,
    BookingRuleIn,
    BookingRuleOut,
    CancelIn,
    CancelledOut,
    CloseSessionIn,
    MachineHoursPage,
    RejectIn,
    RepairSessionIn,
    ReservationDetailOut,
    ReservationIn,
    ReservationOut,
    SessionOut,
    during_of,
    period_of,
    reservation_page,
    window_of,
)
from marketplace.booking.use_cases import (
    ApproveReservation,
    OpenSession,
    approve_reservation,
    cancel_reservation,
    close_session,
    directly,
    open_session,
    reject_reservation,
    repair_session,
    reserve_own_time,
    set_booking_rule,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    caller_or_nobody,
    perform,
    public,
    read,
    signed_in,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)

_From = Annotated[datetime, QueryParameter(name="from")]
_FromIfAny = Annotated[datetime | None, QueryParameter(name="from")]
_FromDay = Annotated[date, QueryParameter(name="from")]


@get(
    "/instruments/{instrument_id:int}/availability",
    summary="When an instrument is free",
    **public(),
)
async def get_availability(
    request: ApiRequest,
    instrument_id: FromPath[Id],
    from_: _From,
    until: FromQuery[datetime],
) -> AvailabilityOut:
    """Free time in a window of at most 62 days, and why the rest is not free."""
    found = await read(
        request,
        queries.availability,
        Window(instrument_id, window_of(from_, until)),
        actor=caller_or_nobody(request),
    )
    return AvailabilityOut.of(found)


@get(
    "/instruments/{instrument_id:int}/booking-rule",
    summary="An instrument's booking rule",
    **public(),
)
async def get_booking_rule(request: ApiRequest, instrument_id: FromPath[Id]) -> BookingRuleOut:
    """The rule in force: the instrument's own, or the province's terms where it has none."""
    found = await read(
        request, queries.visible_booking_terms, instrument_id, actor=caller_or_nobody(request)
    )
    return BookingRuleOut.of(found)


@put(
    "/instruments/{instrument_id:int}/booking-rule",
    summary="Set an instrument's booking rule",
    **allow(Role.PROVIDER_MANAGER),
)
async def put_booking_rule(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[BookingRuleIn]
) -> Response[BookingRuleOut]:
    """Replace the rule of an instrument of one's own; reservations that stand are kept."""
    return await perform(
        request,
        set_booking_rule,
        data.to_command(instrument_id),
        present=BookingRuleOut.of,
        status=200,
    )


@post("/reservations", summary="Reserve time on an instrument of one's own", **allow(*STAFF))
async def post_reservation(
    request: ApiRequest, data: JSONBody[ReservationIn]
) -> Response[ReservationOut]:
    """Take time for research, teaching, maintenance or a test run; others order theirs.

    A refusal lists every reason, says which of them staff may set aside with `override_reason`,
    and offers a small shift and the next free slots.
    """
    return await perform(request, reserve_own_time, data.to_command(), present=ReservationOut.of)


@get("/reservations", summary="Reservations of one's own organisation", **signed_in())
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
        status, purpose, instrument_id, during, with_problem, page, page_size
    )
    return reservation_page(await read(request, queries.reservations, search), page, page_size)


@get("/reservations/{reservation_id:int}", summary="A reservation", **signed_in())
async def get_reservation(
    request: ApiRequest, reservation_id: FromPath[Id]
) -> ReservationDetailOut:
    """A reservation of one's own, or on an instrument of one's own, with its session."""
    reservation, session = await read(request, _with_session, reservation_id)
    return ReservationDetailOut(
        reservation=ReservationOut.of(reservation),
        session=None if session is None else SessionOut.of(session),
    )


async def _with_session(tx: Tx, reservation_id: int) -> tuple[Reservation, UsageSession | None]:
    found = await queries.visible_reservation(tx, reservation_id)
    return found, await queries.session_of(tx, found.id)


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


@post("/reservations/{reservation_id:int}/open-session", summary="Check in", **allow(*STAFF))
async def post_open_session(
    request: ApiRequest, reservation_id: FromPath[Id]
) -> Response[SessionOut]:
    """Begin to use reserved time that has no order, a little early where that is free."""
    return await perform(
        request, directly(open_session), OpenSession(reservation_id), present=SessionOut.of
    )


@post("/reservations/{reservation_id:int}/close-session", summary="Check out", **allow(*STAFF))
async def post_close_session(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[CloseSessionIn]
) -> Response[SessionOut]:
    """End the use of reserved time that has no order, and say what of it was preparation."""
    return await perform(
        request,
        directly(close_session),
        data.to_command(reservation_id),
        present=SessionOut.of,
        status=200,
    )


@post(
    "/reservations/{reservation_id:int}/repair-session",
    summary="Repair a session that the platform had to close",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_repair_session(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[RepairSessionIn]
) -> Response[SessionOut]:
    """Say when it really ended, with or without an order; who did so and why is kept."""
    return await perform(
        request,
        repair_session,
        data.to_command(reservation_id),
        present=SessionOut.of,
        status=200,
    )


@get(
    "/machine-hours",
    summary="Machine-hours by instrument, purpose and month",
    **allow(*STAFF, Role.EVALUATOR, Role.AUDITOR, Role.REGULATOR),
)
async def get_machine_hours(
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    provider_id: FromQuery[Id | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 200,
) -> MachineHoursPage:
    """Effective minutes from `from` up to, not including, `until`; overlaps count once.

    Staff of a provider see their own instruments, evaluators and auditors all.
    """
    asked = MachineMinutesAsked(
        period=period_of(from_, until),
        instrument_ids=None if instrument_id is None else (instrument_id,),
        provider_id=provider_id,
        by_month=True,
    )
    found = await read(request, queries.machine_hours, MachineHours(asked, page, page_size))
    return MachineHoursPage.of(found, page=page, page_size=page_size)


routes: list[ControllerRouterHandler] = [
    get_availability,
    get_booking_rule,
    put_booking_rule,
    post_reservation,
    get_reservations,
    get_reservation,
    post_approve,
    post_reject,
    post_cancel,
    post_open_session,
    post_close_session,
    post_repair_session,
    get_machine_hours,
]
