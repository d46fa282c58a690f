"""What the centre does with a claim: audit, check, decide by line, give notice, approve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.objections import objection
from marketplace.vouchers.use_cases import (
    AnswerObjection,
    ApproveClaim,
    AuditClaim,
    AuditLocally,
    DecideLine,
    ExcludeRedemption,
    GiveNotice,
    RecordSpotCheck,
    RefuseClaim,
    ReverseClaim,
    answer_objection,
    approve_claim,
    audit_claim,
    audit_locally,
    decide_line,
    exclude_redemption,
    give_notice,
    record_spot_check,
    refuse_claim,
    reverse_claim,
)
from marketplace.web.acting import act
from marketplace.web.areas.finance.claims import claim_shown
from marketplace.web.areas.finance.roles import CHECKER, OFFICER
from marketplace.web.forms import Typed, typed
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import told

TEXT_MAX = 500
C = TypeVar("C")


async def _step(
    request: PageRequest,
    claim_id: int,
    use_case: Callable[[Tx, C], Awaitable[Any]],
    command: Callable[[Typed], C],
    said: tuple[str, str],
) -> Response[Any]:
    """Take a step of a claim, or show the claim again with what was refused."""
    speech = visitor_of(request).speech
    await read(request, vouchers.claim, claim_id)
    form = await typed(request, speech)
    asked = command(form)
    try:
        form.require()
        here = f"/finance/vouchers/{claim_id}"
        return await act(request, form, use_case, asked, to=here, said=said)
    except DomainError as error:
        return await claim_shown(request, claim_id, form, told(error, speech), error.status)


def _text(form: Typed, name: str = "reason", *, needed: bool = True) -> str:
    return form.text(name, length_max=TEXT_MAX, needed=needed)


@post("/finance/vouchers/{claim_id:int}/audit", **members(*OFFICER))
async def send_audit(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Begin the audit and draw the spot check by a seed that everybody can repeat."""
    said = ("已开始审核并抽取抽查样本", "The audit has begun; the spot check is drawn.")
    return await _step(
        request,
        claim_id,
        audit_claim,
        lambda form: AuditClaim(claim_id, finding=_text(form, "finding", needed=False)),
        said,
    )


@post(
    "/finance/vouchers/{claim_id:int}/layers/{layer_id:int}/audit",
    **members(*OFFICER, Role.REGULATOR),
)
async def send_local_audit(
    request: PageRequest, claim_id: FromPath[int], layer_id: FromPath[int]
) -> Response[Any]:
    """What the office of a layer's own city or zone found."""
    return await _step(
        request,
        claim_id,
        audit_locally,
        lambda form: AuditLocally(
            claim_id,
            layer_id,
            form.choice("result", ("passed", "failed")) == "passed",
            _text(form, "finding"),
        ),
        ("地方审核已记录", "The local audit is recorded."),
    )


@post("/finance/vouchers/{claim_id:int}/lines/{redemption_id:int}/check", **members(*OFFICER))
async def send_check(
    request: PageRequest, claim_id: FromPath[int], redemption_id: FromPath[int]
) -> Response[Any]:
    """Note what a spot check found; a redemption that fails is excluded."""
    return await _step(
        request,
        claim_id,
        record_spot_check,
        lambda form: RecordSpotCheck(
            claim_id,
            redemption_id,
            form.choice("result", ("passed", "failed")) == "passed",
            _text(form, "finding"),
        ),
        ("抽查结果已记录", "The spot check is recorded."),
    )


@post("/finance/vouchers/{claim_id:int}/lines/{redemption_id:int}/decide", **members(*OFFICER))
async def send_decision(
    request: PageRequest, claim_id: FromPath[int], redemption_id: FromPath[int]
) -> Response[Any]:
    """Approve a line in full, in part with the reason, or not at all."""
    return await _step(
        request,
        claim_id,
        decide_line,
        lambda form: DecideLine(
            claim_id, redemption_id, form.amount("approved") or 0, _text(form, needed=False)
        ),
        ("已核定", "Decided."),
    )


@post("/finance/vouchers/{claim_id:int}/lines/{redemption_id:int}/exclude", **members(*OFFICER))
async def send_exclusion(
    request: PageRequest, claim_id: FromPath[int], redemption_id: FromPath[int]
) -> Response[Any]:
    """Exclude a redemption for good."""
    return await _step(
        request,
        claim_id,
        exclude_redemption,
        lambda form: ExcludeRedemption(claim_id, redemption_id, _text(form)),
        ("已剔除", "Excluded."),
    )


@post("/finance/vouchers/{claim_id:int}/notice", **members(*OFFICER))
async def send_notice(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Put an audited claim before the public."""
    said = ("已开始公示", "The public notice has begun.")
    return await _step(request, claim_id, give_notice, lambda _: GiveNotice(claim_id), said)


@post("/finance/vouchers/{claim_id:int}/refuse", **members(*OFFICER))
async def send_refusal(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """End a claim without money; what was not excluded may be claimed again."""
    said = ("申请已退回", "The claim is refused.")
    return await _step(
        request, claim_id, refuse_claim, lambda form: RefuseClaim(claim_id, _text(form)), said
    )


@post("/finance/vouchers/{claim_id:int}/approve", **members(*CHECKER))
async def send_approval(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Owe the claimant what is approved, and instruct its payout."""
    said = ("已核准，付款已指令", "Approved; the payout is instructed.")
    return await _step(request, claim_id, approve_claim, lambda _: ApproveClaim(claim_id), said)


@post("/finance/vouchers/{claim_id:int}/reverse", **members(*CHECKER))
async def send_reversal(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Take an approved claim back while its money is not with the bank."""
    said = ("已撤销核准", "The approval is taken back.")
    return await _step(
        request, claim_id, reverse_claim, lambda form: ReverseClaim(claim_id, _text(form)), said
    )


@post("/finance/objections/{objection_id:int}/answer", **members(*OFFICER))
async def send_answer(request: PageRequest, objection_id: FromPath[int]) -> Response[Any]:
    """Uphold an objection, which excludes what it is about, or dismiss it."""
    found = await read(request, objection, objection_id)
    return await _step(
        request,
        found.claim_id,
        answer_objection,
        lambda form: AnswerObjection(
            objection_id,
            form.choice("result", ("upheld", "dismissed")) == "upheld",
            _text(form, "answer"),
        ),
        ("异议已答复", "The objection is answered."),
    )


routes: list[ControllerRouterHandler] = [
    send_audit,
    send_local_audit,
    send_check,
    send_decision,
    send_exclusion,
    send_notice,
    send_refusal,
    send_approval,
    send_reversal,
    send_answer,
]
