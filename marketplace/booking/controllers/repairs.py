"""Sessions nobody vouches for, and saying what they really were."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import ProblemSearch
from marketplace.booking.rules.sessions import Problem
from marketplace.booking.schemas import (
    RepairSessionIn,
    ReportEndIn,
    SessionOut,
    SessionProblemOut,
    SessionRepairOut,
    VouchIn,
    problem_page,
)
from marketplace.booking.schemas.periods import Hours
from marketplace.booking.use_cases import (
    accept_session,
    confirm_repair,
    reject_repair,
    repair_session,
    report_session_end,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import SEES_EVERYTHING, Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
USERS = (*STAFF, Role.BUYER, Role.SME_ADMINISTRATOR)


@get(
    "/session-problems",
    summary="The problem queue of sessions",
    **allow(*STAFF, *SEES_EVERYTHING),
)
async def get_session_problems(
    request: ApiRequest,
    problem: FromQuery[Problem | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    older_than_hours: FromQuery[Hours | None] = None,
    proposed: FromQuery[bool | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[SessionProblemOut]:
    """What waits for a word of staff, longest first, with what user and log say of it.

    `proposed` leaves those of which their user said when they ended, or the others.
    """
    search = ProblemSearch(problem, instrument_id, older_than_hours, proposed, page, page_size)
    return problem_page(await read(request, queries.session_problems, search), page, page_size)


@post(
    "/reservations/{reservation_id:int}/repair-session",
    summary="Repair a session",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_repair_session(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[RepairSessionIn]
) -> Response[SessionOut]:
    """Say when it really was, with or without an order; who did so and why is kept.

    Not once its order is settled: money has moved on its minutes.
    """
    return await perform(
        request,
        repair_session,
        data.to_command(reservation_id),
        present=SessionOut.of,
        status=200,
    )


@post(
    "/reservations/{reservation_id:int}/accept-session",
    summary="Accept a session as it stands",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_accept_session(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[VouchIn]
) -> Response[SessionOut]:
    """Take a session out of the problem queue unchanged."""
    return await perform(
        request,
        accept_session,
        data.to_acceptance(reservation_id),
        present=SessionOut.of,
        status=200,
    )


@post(
    "/reservations/{reservation_id:int}/report-session-end",
    summary="Say when one's own session really ended",
    **allow(*USERS),
)
async def post_report_session_end(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[ReportEndIn]
) -> Response[SessionRepairOut]:
    """For who used the instrument and forgot to check out; an earlier end only.

    It holds at once, unless it lowers what is billed by much: then `kind` is `proposal`, and the
    provider decides.
    """
    return await perform(
        request,
        report_session_end,
        data.to_command(reservation_id),
        present=SessionRepairOut.of,
    )


@post(
    "/session-repairs/{repair_id:int}/confirm",
    summary="Agree with a user's report",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_confirmation(
    request: ApiRequest, repair_id: FromPath[Id], data: JSONBody[VouchIn]
) -> Response[SessionRepairOut]:
    """The session ended when its user said; never one's own report."""
    return await perform(
        request, confirm_repair, data.to_answer(repair_id), present=SessionRepairOut.of
    )


@post(
    "/session-repairs/{repair_id:int}/reject",
    summary="Disagree with a user's report",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_rejection(
    request: ApiRequest, repair_id: FromPath[Id], data: JSONBody[VouchIn]
) -> Response[SessionRepairOut]:
    """The session stays in the problem queue until staff repair or accept it."""
    return await perform(
        request, reject_repair, data.to_answer(repair_id), present=SessionRepairOut.of
    )


routes: list[ControllerRouterHandler] = [
    get_session_problems,
    post_repair_session,
    post_accept_session,
    post_report_session_end,
    post_confirmation,
    post_rejection,
]
