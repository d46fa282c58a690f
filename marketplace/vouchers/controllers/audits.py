"""What the centre does with a claim: audit, spot check, notice, approval, or an end to it."""

from litestar import Response, post
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform
from marketplace.kernel.wire import Id
from marketplace.parties.roles import Role
from marketplace.vouchers.schemas import ClaimPageOut, ReasonIn, SpotCheckIn
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    AuditClaim,
    ExcludeRedemption,
    GiveNotice,
    RefuseClaim,
    ReverseClaim,
    approve_claim,
    audit_claim,
    exclude_redemption,
    give_notice,
    record_spot_check,
    refuse_claim,
    reverse_claim,
)


@post("/claims/{claim_id:int}/audit", summary="Audit a claim", **allow(Role.VOUCHER_OFFICER))
async def post_audit(request: ApiRequest, claim_id: FromPath[Id]) -> Response[ClaimPageOut]:
    """Draw the random spot check; the seed is drawn here, and kept so that all can repeat it."""
    command = AuditClaim(claim_id)
    return await perform(request, audit_claim, command, present=ClaimPageOut.of, status=200)


@post(
    "/claims/{claim_id:int}/spot-checks/{redemption_id:int}",
    summary="Record a spot check",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_spot_check(
    request: ApiRequest,
    claim_id: FromPath[Id],
    redemption_id: FromPath[Id],
    data: JSONBody[SpotCheckIn],
) -> Response[ClaimPageOut]:
    """Note what was found; a redemption that fails is excluded."""
    command = data.to_command(claim_id, redemption_id)
    return await perform(request, record_spot_check, command, present=ClaimPageOut.of, status=200)


@post(
    "/claims/{claim_id:int}/redemptions/{redemption_id:int}/exclude",
    summary="Exclude a redemption",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_exclude(
    request: ApiRequest,
    claim_id: FromPath[Id],
    redemption_id: FromPath[Id],
    data: JSONBody[ReasonIn],
) -> Response[ClaimPageOut]:
    """Exclude a redemption for good, for instance after an objection."""
    command = ExcludeRedemption(claim_id, redemption_id, data.reason)
    return await perform(request, exclude_redemption, command, present=ClaimPageOut.of, status=200)


@post("/claims/{claim_id:int}/refuse", summary="Refuse a claim", **allow(Role.VOUCHER_OFFICER))
async def post_refuse(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[ReasonIn]
) -> Response[ClaimPageOut]:
    """End a claim without money; what was not excluded may be claimed again."""
    command = RefuseClaim(claim_id, data.reason)
    return await perform(request, refuse_claim, command, present=ClaimPageOut.of, status=200)


@post(
    "/claims/{claim_id:int}/give-notice",
    summary="Give public notice",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_give_notice(request: ApiRequest, claim_id: FromPath[Id]) -> Response[ClaimPageOut]:
    """Put an audited claim before the public for the days of the rulebook."""
    command = GiveNotice(claim_id)
    return await perform(request, give_notice, command, present=ClaimPageOut.of, status=200)


@post("/claims/{claim_id:int}/approve", summary="Approve a claim", **allow(Role.FINANCE_CHECKER))
async def post_approve(request: ApiRequest, claim_id: FromPath[Id]) -> Response[ClaimPageOut]:
    """Instruct the payout of the claim, after the notice, by a second person."""
    command = ApproveClaim(claim_id)
    return await perform(request, approve_claim, command, present=ClaimPageOut.of, status=200)


@post(
    "/claims/{claim_id:int}/reverse",
    summary="Take an approved claim back",
    **allow(Role.FINANCE_CHECKER),
)
async def post_reverse(
    request: ApiRequest, claim_id: FromPath[Id], data: JSONBody[ReasonIn]
) -> Response[ClaimPageOut]:
    """Take back a claim whose money is not with the bank, by another checker; its payout too."""
    command = ReverseClaim(claim_id, data.reason)
    return await perform(request, reverse_claim, command, present=ClaimPageOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    post_audit,
    post_spot_check,
    post_exclude,
    post_refuse,
    post_give_notice,
    post_approve,
    post_reverse,
]
