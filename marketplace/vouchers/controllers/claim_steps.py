"""The steps of a claim beside its straight way: lines, local audits, objections, clawbacks."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import atomically
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
    public,
    read,
    request_id_of,
    services,
)
from marketplace.kernel.limits import SIGN_IN
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role
from marketplace.vouchers.controllers.claims import CLAIMANTS, READERS
from marketplace.vouchers.queries import PageAsked
from marketplace.vouchers.queries.clawbacks import ClawbackSearch, clawback_page, clawbacks
from marketplace.vouchers.queries.lines import LineSearch, audits, claim_lines, completeness
from marketplace.vouchers.queries.objections import ObjectionSearch, notice_page, objections
from marketplace.vouchers.rules.states import ClawbackStatus, ObjectionStatus
from marketplace.vouchers.schemas import ClaimOut, ClaimPageOut, ReasonIn
from marketplace.vouchers.schemas.claims import (
    AgreementIn,
    AnswerIn,
    ClaimAuditOut,
    ClaimLineOut,
    ClawbackIn,
    ClawbackOut,
    ClawbackPageOut,
    CompletenessOut,
    FiledOut,
    LineIn,
    LocalAuditIn,
    NoticePageOut,
    ObjectionIn,
    ObjectionOut,
    RecoveredOut,
    SetOffIn,
)
from marketplace.vouchers.use_cases import (
    WithdrawClaim,
    answer_objection,
    audit_locally,
    decide_clawback,
    decide_line,
    file_objection,
    propose_clawback,
    set_off,
    withdraw_claim,
)


@get("/claims/{claim_id:int}/lines", summary="The lines of a claim", **allow(*READERS))
async def get_lines(
    request: ApiRequest,
    claim_id: FromPath[Id],
    short: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ClaimLineOut]:
    """What was claimed, approved and clawed back of each redemption; or only what was cut."""
    search = LineSearch(claim_id, short, PageAsked(page, page_size))
    found = await read(request, claim_lines, search)
    rows = [ClaimLineOut.of(row) for row in found.rows]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@get(
    "/claims/{claim_id:int}/completeness",
    summary="What the evidence of a claim lacks",
    **allow(*READERS),
)
async def get_completeness(request: ApiRequest, claim_id: FromPath[Id]) -> CompletenessOut:
    """Of each redemption what it needs, has and lacks."""
    return CompletenessOut.of(await read(request, completeness, claim_id))


@get("/claims/{claim_id:int}/audits", summary="The audits of a claim", **allow(*READERS))
async def get_audits(request: ApiRequest, claim_id: FromPath[Id]) -> list[ClaimAuditOut]:
    """The local audits and the centre's re-check."""
    return [ClaimAuditOut.of(row) for row in await read(request, audits, claim_id)]


@post("/claims/{claim_id:int}/withdraw", summary="Withdraw a claim", **allow(*CLAIMANTS))
async def post_withdraw(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[ReasonIn]
) -> Response[ClaimOut]:
    """Take the own claim back before it is approved."""
    command = WithdrawClaim(claim_id, data.reason)
    return await perform(request, withdraw_claim, command, present=ClaimOut.of, status=200)


@post(
    "/claims/{claim_id:int}/layers/{layer_id:int}/audit",
    summary="Audit a layer of a claim locally",
    **allow(Role.VOUCHER_OFFICER, Role.REGULATOR),
)
async def post_local_audit(
    request: ApiRequest,
    claim_id: FromPath[Id],
    layer_id: FromPath[Id],
    data: JSONBody[LocalAuditIn],
) -> Response[ClaimPageOut]:
    """The office of the layer's own city or zone says what it found."""
    command = data.to_command(claim_id, layer_id)
    return await perform(request, audit_locally, command, present=ClaimPageOut.of, status=200)


@post(
    "/claims/{claim_id:int}/lines/{redemption_id:int}/decide",
    summary="Decide a line of a claim",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_line(
    request: ApiRequest,
    claim_id: FromPath[Id],
    redemption_id: FromPath[Id],
    data: JSONBody[LineIn],
) -> Response[ClaimPageOut]:
    """Approve a line in full, in part with the reason, or not at all."""
    command = data.to_command(claim_id, redemption_id)
    return await perform(request, decide_line, command, present=ClaimPageOut.of, status=200)


@get("/claim-notices/{claim_id:int}", summary="A claim in public notice", **public())
async def get_notice(request: ApiRequest, claim_id: FromPath[Id]) -> NoticePageOut:
    """Its lines, and the seed with which anybody repeats the draw of the spot check."""
    return NoticePageOut.of(await read(request, notice_page, claim_id, actor=NOBODY))


@post(
    "/claim-notices/{claim_id:int}/objections",
    rate_limit=SIGN_IN,
    summary="Object to a claim",
    **public(),
)
async def post_objection(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[ObjectionIn]
) -> FiledOut:
    """Anybody objects, with a name and where to be reached, until the notice's last day."""
    filed = await atomically(
        services(request).database,
        file_objection,
        data.to_command(claim_id),
        actor=NOBODY,
        request_id=request_id_of(request),
    )
    return FiledOut.of(filed)


@get("/claim-objections", summary="Objections to claims", **allow(*READERS))
async def get_objections(
    request: ApiRequest,
    claim_id: FromQuery[Id | None] = None,
    status: FromQuery[ObjectionStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ObjectionOut]:
    """Objections, the newest first; a claimant names one of its claims."""
    search = ObjectionSearch(claim_id, status, PageAsked(page, page_size))
    found = await read(request, objections, search)
    rows = [ObjectionOut.of(row) for row in found.rows]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@post(
    "/claim-objections/{objection_id:int}/answer",
    summary="Answer an objection",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_answer(
    request: ApiRequest, objection_id: FromPath[Id], data: JSONBody[AnswerIn]
) -> Response[ObjectionOut]:
    """Upheld, it excludes its redemption, or refuses the whole claim."""
    command = data.to_objection(objection_id)
    return await perform(request, answer_objection, command, present=ObjectionOut.of, status=200)


@post(
    "/claims/{claim_id:int}/clawbacks",
    summary="Propose a clawback",
    **allow(Role.VOUCHER_OFFICER, Role.FINANCE_MAKER),
)
async def post_clawback(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[ClawbackIn]
) -> Response[ClawbackPageOut]:
    """Ask approved money back: of lines, or of the whole claim. Nothing moves yet."""
    command = data.to_command(claim_id)
    return await perform(request, propose_clawback, command, present=ClawbackPageOut.of)


@get("/clawbacks", summary="Clawbacks", **allow(*READERS))
async def get_clawbacks(
    request: ApiRequest,
    organisation_id: FromQuery[Id | None] = None,
    claim_id: FromQuery[Id | None] = None,
    status: FromQuery[ClawbackStatus | None] = None,
    owed: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ClawbackOut]:
    """Clawbacks, the newest first; a claimant sees its own."""
    search = ClawbackSearch(organisation_id, claim_id, status, owed, PageAsked(page, page_size))
    found = await read(request, clawbacks, search)
    rows = [ClawbackOut.of(row) for row in found.rows]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@get("/clawbacks/{clawback_id:int}", summary="A clawback", **allow(*READERS))
async def get_clawback(request: ApiRequest, clawback_id: FromPath[Id]) -> ClawbackPageOut:
    """Its lines and what came in of it."""
    return ClawbackPageOut.of(await read(request, clawback_page, clawback_id))


@post(
    "/clawbacks/{clawback_id:int}/decide",
    summary="Decide a clawback",
    **allow(Role.FINANCE_CHECKER),
)
async def post_decide_clawback(
    request: ApiRequest, clawback_id: FromPath[Id], data: JSONBody[AgreementIn]
) -> Response[ClawbackPageOut]:
    """A second person makes the claimant owe it, or drops it."""
    command = data.to_clawback(clawback_id)
    return await perform(request, decide_clawback, command, present=ClawbackPageOut.of, status=200)


@post("/clawbacks/set-off", summary="Set off what is owed", **allow(Role.FINANCE_CHECKER))
async def post_set_off(request: ApiRequest, data: JSONBody[SetOffIn]) -> Response[RecoveredOut]:
    """Take what an organisation owes from its balance, or from the wallet it paid into."""
    return await perform(request, set_off, data.to_command(), present=RecoveredOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    get_lines,
    get_completeness,
    get_audits,
    post_withdraw,
    post_local_audit,
    post_line,
    get_notice,
    post_objection,
    get_objections,
    post_answer,
    post_clawback,
    get_clawbacks,
    get_clawback,
    post_decide_clawback,
    post_set_off,
]
