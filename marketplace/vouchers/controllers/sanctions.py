"""Sanctions: proposed, heard, decided, appealed; and who is under one."""

from datetime import date

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize
from marketplace.parties.roles import Role
from marketplace.vouchers.controllers.claims import READERS
from marketplace.vouchers.queries import PageAsked
from marketplace.vouchers.queries.sanctions import SanctionSearch, sanction, sanctions
from marketplace.vouchers.rules.states import SanctionKind, SanctionStatus
from marketplace.vouchers.schemas.claims import AgreementIn, AnswerIn
from marketplace.vouchers.schemas.sanctions import SanctionIn, SanctionOut, StatementIn
from marketplace.vouchers.use_cases.sanctions import (
    AppealSanction,
    StateCase,
    appeal_sanction,
    decide_appeal,
    decide_sanction,
    propose_sanction,
    state_case,
)

# Whoever decides about a sanction reads it first.
SANCTION_READERS = (*READERS, Role.ADMINISTRATOR)
PARTIES = (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR)


@post("/sanctions", summary="Propose a sanction", **allow(Role.VOUCHER_OFFICER))
async def post_sanction(request: ApiRequest, data: JSONBody[SanctionIn]) -> Response[SanctionOut]:
    """A warning, a suspension of voucher rights, or an exclusion from a programme."""
    return await perform(request, propose_sanction, data.to_command(), present=SanctionOut.of)


@get("/sanctions", summary="Sanctions", **allow(*SANCTION_READERS))
async def get_sanctions(
    request: ApiRequest,
    organisation_id: FromQuery[Id | None] = None,
    kind: FromQuery[SanctionKind | None] = None,
    status: FromQuery[SanctionStatus | None] = None,
    in_force_on: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[SanctionOut]:
    """Sanctions, the newest first; a party sees its own."""
    search = SanctionSearch(
        organisation_id, kind, status, in_force_on, text, PageAsked(page, page_size)
    )
    found = await read(request, sanctions, search)
    rows = [SanctionOut.of(row) for row in found.rows]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@get("/sanctions/{sanction_id:int}", summary="A sanction", **allow(*SANCTION_READERS))
async def get_sanction(request: ApiRequest, sanction_id: FromPath[Id]) -> SanctionOut:
    """A sanction with its statement, decision and appeal."""
    return SanctionOut.of(await read(request, sanction, sanction_id))


@post("/sanctions/{sanction_id:int}/state", summary="State one's case", **allow(*PARTIES))
async def post_statement(
    request: ApiRequest, sanction_id: FromPath[Id], data: JSONBody[StatementIn]
) -> Response[SanctionOut]:
    """The party is heard before it is sanctioned."""
    command = StateCase(sanction_id, data.statement)
    return await perform(request, state_case, command, present=SanctionOut.of, status=200)


@post(
    "/sanctions/{sanction_id:int}/decide",
    summary="Decide a sanction",
    **allow(Role.FINANCE_CHECKER, Role.ADMINISTRATOR),
)
async def post_decide(
    request: ApiRequest, sanction_id: FromPath[Id], data: JSONBody[AgreementIn]
) -> Response[SanctionOut]:
    """A second person imposes it, and it binds at once; or drops it."""
    command = data.to_sanction(sanction_id)
    return await perform(request, decide_sanction, command, present=SanctionOut.of, status=200)


@post("/sanctions/{sanction_id:int}/appeal", summary="Appeal a sanction", **allow(*PARTIES))
async def post_appeal(
    request: ApiRequest, sanction_id: FromPath[Id], data: JSONBody[StatementIn]
) -> Response[SanctionOut]:
    """The party says why it is wrong; it stays in force meanwhile."""
    command = AppealSanction(sanction_id, data.statement)
    return await perform(request, appeal_sanction, command, present=SanctionOut.of, status=200)


@post(
    "/sanctions/{sanction_id:int}/appeal/decide",
    summary="Decide an appeal",
    **allow(Role.FINANCE_CHECKER, Role.ADMINISTRATOR),
)
async def post_decide_appeal(
    request: ApiRequest, sanction_id: FromPath[Id], data: JSONBody[AnswerIn]
) -> Response[SanctionOut]:
    """A third person lifts the sanction or keeps it."""
    command = data.to_appeal(sanction_id)
    return await perform(request, decide_appeal, command, present=SanctionOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    post_sanction,
    get_sanctions,
    get_sanction,
    post_statement,
    post_decide,
    post_appeal,
    post_decide_appeal,
]
