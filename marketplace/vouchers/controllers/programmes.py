"""Programmes, applications, decisions."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, allow, caller_or_nobody, perform, public, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, PositiveFen, Year
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.queries import (
    Eligibility,
    EligibilityQuestion,
    PageAsked,
    ProgrammeSearch,
)
from marketplace.vouchers.rules.states import ProgrammeStatus
from marketplace.vouchers.schemas import (
    ApplicationIn,
    ApplicationOut,
    DecidedOut,
    DecisionIn,
    EligibilityOut,
    ProgrammeIn,
    ProgrammeOut,
    ProgrammePageOut,
)
from marketplace.vouchers.use_cases import (
    ApproveProgramme,
    CloseProgramme,
    WithdrawApplication,
    apply_for_voucher,
    approve_programme,
    close_programme,
    decide_application,
    draft_programme,
    withdraw_application,
)

READERS = (
    Role.SME_ADMINISTRATOR,
    Role.BUYER,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
    Role.REGULATOR,
)
"""Who reads applications and wallets: the SME its own, the others everybody's."""


@post("/voucher-programmes", summary="Draft a voucher programme", **allow(Role.VOUCHER_OFFICER))
async def post_programme(
    request: ApiRequest, data: JSONBody[ProgrammeIn]
) -> Response[ProgrammeOut]:
    """Draft a programme with the rulebook's terms of its first day; no money moves yet."""
    return await perform(request, draft_programme, data.to_command(), present=ProgrammeOut.of)


@get("/voucher-programmes", summary="Voucher programmes", **public())
async def get_programmes(
    request: ApiRequest,
    year: FromQuery[Year | None] = None,
    status: FromQuery[ProgrammeStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ProgrammeOut]:
    """Programmes, the newest first; drafts for the centre only."""
    search = ProgrammeSearch(year, status, PageAsked(page, page_size))
    found = await read(request, queries.programmes, search, actor=caller_or_nobody(request))
    return Page(
        results=[ProgrammeOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/voucher-programmes/{programme_id:int}", summary="A voucher programme", **public())
async def get_programme(request: ApiRequest, programme_id: FromPath[Id]) -> ProgrammePageOut:
    """A programme with its layers and what became of each budget."""
    return ProgrammePageOut.of(
        await read(request, queries.programme_page, programme_id, actor=caller_or_nobody(request))
    )


@post(
    "/voucher-programmes/{programme_id:int}/approve",
    summary="Approve a voucher programme",
    **allow(Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER),
)
async def post_approve(request: ApiRequest, programme_id: FromPath[Id]) -> Response[ProgrammeOut]:
    """Open a drafted programme; another person than the one who drafted it."""
    command = ApproveProgramme(programme_id)
    return await perform(request, approve_programme, command, present=ProgrammeOut.of, status=200)


@post(
    "/voucher-programmes/{programme_id:int}/close",
    summary="Close a voucher programme",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_close(request: ApiRequest, programme_id: FromPath[Id]) -> Response[ProgrammeOut]:
    """Take no more applications; vouchers already granted go on until their last day."""
    command = CloseProgramme(programme_id)
    return await perform(request, close_programme, command, present=ProgrammeOut.of, status=200)


async def _own_eligibility(tx: Tx, asked: tuple[int, int]) -> Eligibility:
    programme_id, asked_fen = asked
    question = EligibilityQuestion(programme_id, tx.actor.organisation_id, asked_fen, tx.today)
    return await queries.visible_eligibility(tx, question)


@get(
    "/voucher-programmes/{programme_id:int}/eligibility",
    summary="May my company have a voucher?",
    **allow(Role.SME_ADMINISTRATOR, Role.BUYER),
)
async def get_eligibility(
    request: ApiRequest, programme_id: FromPath[Id], asked_fen: FromQuery[PositiveFen]
) -> EligibilityOut:
    """Every eligibility rule for the own company today, before anything is submitted."""
    return EligibilityOut.of(await read(request, _own_eligibility, (programme_id, asked_fen)))


@post("/voucher-applications", summary="Apply for a voucher", **allow(Role.SME_ADMINISTRATOR))
async def post_application(
    request: ApiRequest, data: JSONBody[ApplicationIn]
) -> Response[ApplicationOut]:
    """Apply for the own company; every rule that is not met is told at once."""
    return await perform(request, apply_for_voucher, data.to_command(), present=ApplicationOut.of)


@get(
    "/voucher-applications/{application_id:int}",
    summary="A voucher application",
    **allow(*READERS),
)
async def get_application(request: ApiRequest, application_id: FromPath[Id]) -> ApplicationOut:
    """An application with what every check found."""
    return ApplicationOut.of(await read(request, queries.application, application_id))


@post(
    "/voucher-applications/{application_id:int}/withdraw",
    summary="Withdraw an application",
    **allow(Role.SME_ADMINISTRATOR),
)
async def post_withdraw(
    request: ApiRequest, application_id: FromPath[Id]
) -> Response[ApplicationOut]:
    """Take the own application back before it is decided."""
    command = WithdrawApplication(application_id)
    return await perform(
        request, withdraw_application, command, present=ApplicationOut.of, status=200
    )


@post(
    "/voucher-applications/{application_id:int}/decide",
    summary="Decide an application",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_decide(
    request: ApiRequest, application_id: FromPath[Id], data: JSONBody[DecisionIn]
) -> Response[DecidedOut]:
    """Grant an amount, or refuse with a reason."""
    command = data.to_command(application_id)
    return await perform(request, decide_application, command, present=DecidedOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    post_programme,
    get_programmes,
    get_programme,
    post_approve,
    post_close,
    get_eligibility,
    post_application,
    get_application,
    post_withdraw,
    post_decide,
]
