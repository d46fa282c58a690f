"""What a provider does with its redemptions: gather, prove, submit. And what the public sees."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.http import ApiRequest, allow, perform, public, read
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.queries import (
    ClaimSearch,
    EvidenceSearch,
    PageAsked,
    RedemptionSearch,
)
from marketplace.vouchers.rules.states import ClaimStatus
from marketplace.vouchers.schemas import (
    ClaimIn,
    ClaimNoticeOut,
    ClaimOut,
    ClaimPageOut,
    EvidenceIn,
    EvidenceOut,
    LeaveOutIn,
    RedemptionOut,
)
from marketplace.vouchers.schemas.claims import SubmitIn
from marketplace.vouchers.schemas.requests import PaperDaysIn
from marketplace.vouchers.use_cases import (
    SubmitClaim,
    attach_evidence,
    date_papers,
    draft_claim,
    leave_out,
    submit_claim,
)

READERS = (
    Role.PROVIDER_MANAGER,
    Role.SME_ADMINISTRATOR,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
    Role.REGULATOR,
)
"""Who reads claims: a claimant its own, the others everybody's."""


CLAIMANTS = (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR)
"""Who claims: providers, and SMEs of programmes that pay them back."""


@get("/redemptions", summary="Redeemed voucher money", **allow(*READERS))
async def get_redemptions(
    request: ApiRequest,
    claim_id: FromQuery[Id | None] = None,
    unclaimed: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[RedemptionOut]:
    """Redemptions of a claim, or those not yet claimed; a provider sees its own."""
    search = RedemptionSearch(claim_id, unclaimed, PageAsked(page, page_size))
    found = await read(request, queries.redemptions, search)
    return Page(
        results=[RedemptionOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post("/claims", summary="Draft a claim", **allow(*CLAIMANTS))
async def post_claim(request: ApiRequest, data: JSONBody[ClaimIn]) -> Response[ClaimOut]:
    """Gather what the own organisation has not claimed yet."""
    return await perform(request, draft_claim, data.to_command(), present=ClaimOut.of)


@get("/claims", summary="Claims", **allow(*READERS))
async def get_claims(
    request: ApiRequest,
    status: FromQuery[ClaimStatus | None] = None,
    provider_id: FromQuery[Id | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ClaimOut]:
    """Claims, the newest first; a provider sees its own. By name, reason, paper or invoice."""
    search = ClaimSearch(status, provider_id, PageAsked(page, page_size), text)
    found = await read(request, queries.claims, search)
    return Page(
        results=[ClaimOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/claims/{claim_id:int}", summary="A claim", **allow(*READERS))
async def get_claim(request: ApiRequest, claim_id: FromPath[Id]) -> ClaimPageOut:
    """A claim with its spot checks."""
    return ClaimPageOut.of(await read(request, queries.claim_page, claim_id))


@post(
    "/claims/{claim_id:int}/leave-out",
    summary="Leave redemptions out",
    **allow(*CLAIMANTS),
)
async def post_leave_out(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[LeaveOutIn]
) -> Response[ClaimOut]:
    """Take redemptions out of the own draft, to claim them another time."""
    command = data.to_command(claim_id)
    return await perform(request, leave_out, command, present=ClaimOut.of, status=200)


@post(
    "/claims/{claim_id:int}/evidence",
    summary="Attach evidence",
    **allow(*CLAIMANTS),
)
async def post_evidence(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[EvidenceIn]
) -> Response[ClaimOut]:
    """Attach files by their SHA-256; what proves another redemption already is refused."""
    command = data.to_command(claim_id)
    return await perform(request, attach_evidence, command, present=ClaimOut.of)


@post("/claims/{claim_id:int}/paper-days", summary="Date papers", **allow(*CLAIMANTS))
async def post_paper_days(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[PaperDaysIn]
) -> Response[ClaimOut]:
    """Say of which days the invoices and payments of the own draft are, or correct it."""
    command = data.to_command(claim_id)
    return await perform(request, date_papers, command, present=ClaimOut.of, status=200)


@get("/claims/{claim_id:int}/evidence", summary="The evidence of a claim", **allow(*READERS))
async def get_evidence(
    request: ApiRequest,
    claim_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[EvidenceOut]:
    """The evidence of a claim, the newest first."""
    search = EvidenceSearch(claim_id, PageAsked(page, page_size))
    found = await read(request, queries.evidence, search)
    return Page(
        results=[EvidenceOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post("/claims/{claim_id:int}/submit", summary="Submit a claim", **allow(*CLAIMANTS))
async def post_submit(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[SubmitIn | None] = None
) -> Response[ClaimOut]:
    """Hand the own claim to the voucher officer; all evidence that is missing is listed."""
    told = data.corrections if data is not None else []
    command = SubmitClaim(claim_id, {each.redemption_id: each.correction for each in told})
    return await perform(request, submit_claim, command, present=ClaimOut.of, status=200)


@get("/claim-notices", summary="Claims in public notice", **public())
async def get_claim_notices(
    request: ApiRequest,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ClaimNoticeOut]:
    """The claims to which anybody may object, and until when."""
    asked = PageAsked(page, page_size)
    found = await read(request, queries.claim_notices, asked, actor=NOBODY)
    return Page(
        results=[ClaimNoticeOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


routes: list[ControllerRouterHandler] = [
    get_redemptions,
    post_claim,
    get_claims,
    get_claim,
    post_leave_out,
    post_evidence,
    post_paper_days,
    get_evidence,
    post_submit,
    get_claim_notices,
]
