"""Checking in and out, and what is wrong with instruments."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import ReportSearch
from marketplace.booking.rules.sessions import Severity
from marketplace.booking.schemas import (
    CloseForProblemIn,
    CloseSessionIn,
    ProblemReportIn,
    ProblemReportOut,
    ResolutionIn,
    SessionOut,
    report_page,
)
from marketplace.booking.use_cases import (
    OpenSession,
    close_for_problem,
    close_session,
    directly,
    open_session,
    report_problem,
    resolve_problem,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read, signed_in
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
USERS = (*STAFF, Role.BUYER, Role.SME_ADMINISTRATOR)


@post("/reservations/{reservation_id:int}/open-session", summary="Check in", **allow(*STAFF))
async def post_open_session(
    request: ApiRequest,
    reservation_id: FromPath[Id],
    operator_id: FromQuery[Id | None] = None,
) -> Response[SessionOut]:
    """Begin to use reserved time that has no order, a little early where that is free.

    `operator_id`: who is at the instrument, one of the staff or of the customer's people.
    """
    command = OpenSession(reservation_id, operator_id)
    return await perform(request, directly(open_session), command, present=SessionOut.of)


@post("/reservations/{reservation_id:int}/close-session", summary="Check out", **allow(*STAFF))
async def post_close_session(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[CloseSessionIn]
) -> Response[SessionOut]:
    """End the use of reserved time that has no order, and say what of it was preparation.

    An end in the next one's time, far past the own or unlike the instrument's log goes to the
    problem queue: `problem` says so.
    """
    return await perform(
        request,
        directly(close_session),
        data.to_command(reservation_id),
        present=SessionOut.of,
        status=200,
    )


@post(
    "/reservations/{reservation_id:int}/report-problem",
    summary="Report a problem with the instrument",
    **allow(*USERS),
)
async def post_problem_report(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[ProblemReportIn]
) -> Response[ProblemReportOut]:
    """Tell the instrument's staff what is wrong with it; they decide whether to close it."""
    return await perform(
        request, report_problem, data.to_command(reservation_id), present=ProblemReportOut.of
    )


@get("/problem-reports", summary="Problems reported of instruments", **signed_in())
async def get_problem_reports(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    reservation_id: FromQuery[Id | None] = None,
    severity: FromQuery[Severity | None] = None,
    resolved: FromQuery[bool | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ProblemReportOut]:
    """On one's own instruments, and those that one's own organisation made; latest first."""
    search = ReportSearch(instrument_id, reservation_id, severity, resolved, page, page_size)
    return report_page(await read(request, queries.problem_reports, search), page, page_size)


@post(
    "/problem-reports/{report_id:int}/close-instrument",
    summary="Close an instrument that broke down",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_breakdown(
    request: ApiRequest, report_id: FromPath[Id], data: JSONBody[CloseForProblemIn]
) -> Response[ProblemReportOut]:
    """Close it from now on; nobody is charged for time in which it was down."""
    return await perform(
        request, close_for_problem, data.to_command(report_id), present=ProblemReportOut.of
    )


@post(
    "/problem-reports/{report_id:int}/resolve",
    summary="Say what was done about a problem",
    **allow(*STAFF),
)
async def post_resolution(
    request: ApiRequest, report_id: FromPath[Id], data: JSONBody[ResolutionIn]
) -> Response[ProblemReportOut]:
    """Take a report off the list."""
    return await perform(
        request,
        resolve_problem,
        data.to_command(report_id),
        present=ProblemReportOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    post_open_session,
    post_close_session,
    post_problem_report,
    get_problem_reports,
    post_breakdown,
    post_resolution,
]
