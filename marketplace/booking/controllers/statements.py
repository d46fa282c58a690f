"""Monthly statements: drawn up, confirmed by a second person, compared with what is."""

from datetime import date
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import StatementPart, StatementSearch
from marketplace.booking.rules.statements import StatementStatus
from marketplace.booking.schemas import (
    ConfirmStatementIn,
    DraftStatementIn,
    LineDifferenceOut,
    MissingStatementOut,
    Month,
    MonthsComparedOut,
    StatementDetailOut,
    StatementLineOut,
    StatementOut,
    month_of,
    months_asked,
)
from marketplace.booking.use_cases import confirm_statement, discard_statement, draft_statement
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
READERS = (*STAFF, Role.EVALUATOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.REGULATOR)

_FromDay = Annotated[date, QueryParameter(name="from")]


@post("/hours-statements", summary="Draw up a month", **allow(*STAFF))
async def post_statement(
    request: ApiRequest, data: JSONBody[DraftStatementIn]
) -> Response[StatementOut]:
    """The caller's own month, from its sessions: the first time, anew, or as a correction."""
    return await perform(request, draft_statement, data.to_command(), present=StatementOut.of)


@get("/hours-statements", summary="Monthly statements", **allow(*READERS))
async def get_statements(
    request: ApiRequest,
    provider_id: FromQuery[Id | None] = None,
    month: FromQuery[Month | None] = None,
    status: FromQuery[StatementStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[StatementOut]:
    """Every version, the latest month first; providers see their own."""
    search = StatementSearch(
        provider_id, None if month is None else month_of(month), status, page, page_size
    )
    rows, total = await read(request, queries.statements, search)
    return Page(
        results=[StatementOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get("/hours-statements/missing", summary="Months not confirmed", **allow(*READERS))
async def get_missing(
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    provider_id: FromQuery[Id | None] = None,
    overdue: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[MissingStatementOut]:
    """Months from that of `from` to that of `until` which are over and nobody has confirmed."""
    asked = months_asked(
        from_,
        until,
        provider_id=provider_id,
        overdue_only=overdue,
        page=page,
        page_size=page_size,
    )
    rows, total = await read(request, queries.missing_statements, asked)
    return Page(
        results=[MissingStatementOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get("/hours-statements/compared", summary="Confirmed figures beside live ones", **allow(*READERS))
async def get_compared(
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    provider_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> MonthsComparedOut:
    """Months from that of `from` to that of `until`, as confirmed last and as they are now."""
    asked = months_asked(from_, until, provider_id=provider_id, page=page, page_size=page_size)
    found = await read(request, queries.compared_months, asked)
    return MonthsComparedOut.of(found, page=page, page_size=page_size)


@get("/hours-statements/{statement_id:int}", summary="A monthly statement", **allow(*READERS))
async def get_statement(request: ApiRequest, statement_id: FromPath[Id]) -> StatementDetailOut:
    """Its sums, those of the sessions now, and what stands in its way."""
    return StatementDetailOut.of(await read(request, queries.statement_page, statement_id))


@get(
    "/hours-statements/{statement_id:int}/lines",
    summary="The lines of a statement",
    **allow(*READERS),
)
async def get_lines(
    request: ApiRequest,
    statement_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 200,
) -> Page[StatementLineOut]:
    """By instrument, purpose and class of user."""
    asked = StatementPart(statement_id, page, page_size)
    rows, total = await read(request, queries.statement_lines, asked)
    return Page(
        results=[StatementLineOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get(
    "/hours-statements/{statement_id:int}/differences",
    summary="What its sessions say otherwise by now",
    **allow(*READERS),
)
async def get_differences(
    request: ApiRequest,
    statement_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 200,
) -> Page[LineDifferenceOut]:
    """Lines on which the statement and the sessions disagree; a correction takes them up."""
    asked = StatementPart(statement_id, page, page_size)
    rows, total = await read(request, queries.statement_differences, asked)
    return Page(
        results=[LineDifferenceOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@post(
    "/hours-statements/{statement_id:int}/confirm",
    summary="Vouch for a month",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_confirmation(
    request: ApiRequest, statement_id: FromPath[Id], data: JSONBody[ConfirmStatementIn]
) -> Response[StatementOut]:
    """By another person than who drafted it, for the digest that was read; it stands from then."""
    return await perform(
        request,
        confirm_statement,
        data.to_command(statement_id),
        present=StatementOut.of,
        status=200,
    )


@post(
    "/hours-statements/{statement_id:int}/discard",
    summary="Drop a draft",
    **allow(*STAFF),
)
async def post_discard(request: ApiRequest, statement_id: FromPath[Id]) -> Response[StatementOut]:
    """For instance a correction that came to nothing."""
    return await perform(
        request, discard_statement, statement_id, present=StatementOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [
    post_statement,
    get_statements,
    get_missing,
    get_compared,
    get_statement,
    get_lines,
    get_differences,
    post_confirmation,
    post_discard,
]
