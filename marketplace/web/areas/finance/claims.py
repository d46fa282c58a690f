"""Voucher claims: the queue, and one claim with its lines, evidence, checks and objections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries as payouts
from marketplace.billing.payouts.errors import PayoutMissing
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.lines import (
    ClaimAudit,
    ClaimLine,
    LineEvidence,
    LineSearch,
    LocalAudit,
    audits,
    claim_lines,
    completeness,
    local_audits,
)
from marketplace.vouchers.queries.objections import Objection, ObjectionSearch, objections
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import CHECKER, FINANCE, OFFICER, READS_CLAIMS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label

PAGE_SIZE = 25
LINES_SHOWN = 50
STATUSES = (
    "submitted",
    "audited",
    "in_notice",
    "approved",
    "paid",
    "refused",
    "reversed",
    "withdrawn",
    "draft",
)
AT_WORK = ("submitted", "audited", "in_notice")
CLAIM_HEADS = (
    ("申请", "Claim"),
    ("申请单位", "Claimant"),
    ("状态", "State"),
    ("金额", "Amount"),
    ("提交时间", "Submitted"),
    ("公示截止", "Notice until"),
    ("核准时间", "Approved"),
)
LINE_HEADS = (
    ("用券", "Redemption"),
    ("订单", "Order"),
    ("用券日", "Used on"),
    ("申请", "Claimed"),
    ("核准", "Approved"),
    ("理由", "Reason"),
    ("缺少的证明", "Evidence missing"),
)


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of claims, and how many are at each step of the work."""

    rows: list[vouchers.Claim]
    total: int
    waiting: dict[str, int]
    names: Names


async def queue(tx: Tx, search: vouchers.ClaimSearch) -> Queue:
    """The newest first."""
    found = await vouchers.claims(tx, search)
    waiting = {
        status: (
            await vouchers.claims(
                tx, vouchers.ClaimSearch(status=status, page=vouchers.PageAsked(1, 1))
            )
        ).total
        for status in AT_WORK
    }
    return Queue(
        found.rows, found.total, waiting, await names(tx, (each.payee_id for each in found.rows))
    )


@dataclass(frozen=True, slots=True)
class OneClaim:
    """A claim with everything that its next step is decided by."""

    claim: vouchers.Claim
    redemptions: int
    lines: list[ClaimLine]
    total: int
    evidence: dict[int, LineEvidence]
    checks: dict[int, vouchers.SpotCheck]
    audits: list[ClaimAudit]
    layers: list[LocalAudit]
    objections: list[Objection]
    payout: payouts.Payout | None
    names: Names

    @property
    def complete(self) -> bool:
        """Whether no line lacks evidence."""
        return all(each.complete for each in self.evidence.values())

    @property
    def open_checks(self) -> int:
        """How many spot checks have no result yet."""
        return sum(each.result == "open" for each in self.checks.values())


async def one_claim(tx: Tx, search: LineSearch) -> OneClaim:
    """A claim and its lines.

    Raises:
        ClaimMissing: when there is none that the actor may see.
    """
    shown = await vouchers.claim_page(tx, search.claim_id)
    claim = shown.claim
    lines = await claim_lines(tx, search)
    found = await objections(
        tx, ObjectionSearch(claim_id=claim.id, page=vouchers.PageAsked(1, 100))
    )
    done = await audits(tx, claim.id)
    people = [claim.submitted_by, claim.audited_by, claim.approved_by, claim.refused_by]
    people += [each.made_by for each in done]
    people += [each.checked_by for each in shown.spot_checks]
    return OneClaim(
        claim,
        shown.redemptions,
        lines.rows,
        lines.total,
        {each.redemption_id: each for each in await completeness(tx, claim.id)},
        {each.redemption_id: each for each in shown.spot_checks},
        done,
        await local_audits(tx, claim.id),
        found.rows,
        await _payout(tx, claim),
        await names(tx, [claim.payee_id], people),
    )


async def _payout(tx: Tx, claim: vouchers.Claim) -> payouts.Payout | None:
    try:
        return await payouts.payout_of(tx, payouts.PayoutSource("claim", claim.id, claim.payee_id))
    except PayoutMissing:
        return None


def _search(form: Typed, page_size: int = PAGE_SIZE) -> vouchers.ClaimSearch:
    search = vouchers.ClaimSearch(
        status=form.choice("status", STATUSES, needed=False) or None,
        provider_id=form.whole("provider", least=1, needed=False),
        page=vouchers.PageAsked(_page_of(form), page_size),
    )
    form.require()
    return search


def _page_of(form: Typed) -> int:
    return form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1


def _line_search(form: Typed, claim_id: int, page_size: int = LINES_SHOWN) -> LineSearch:
    search = LineSearch(
        claim_id, form.ticked("short"), vouchers.PageAsked(_page_of(form), page_size)
    )
    form.require()
    return search


@get("/finance/vouchers", **members(*READS_CLAIMS))
async def show_claims(request: PageRequest) -> Response[Any]:
    """Claims and where they stand."""
    filters = Typed(request.query_params, visitor_of(request).speech)
    search = _search(filters)
    return page(
        request,
        "finance/claims.html",
        filters=filters,
        search=search,
        found=await read(request, queue, search),
        statuses=STATUSES,
        at_work=AT_WORK,
    )


@get("/finance/vouchers/file", **members(*READS_CLAIMS))
async def show_claims_file(request: PageRequest) -> Response[bytes]:
    """The same claims as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, queue, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        claimant = found.names.organisations[each.payee_id]
        status = label("claim", each.status)
        rows.append(
            [
                each.id,
                speech.either(claimant.name, claimant.name_en),
                speech.either(status.chinese, status.english),
                yuan(each.amount_fen),
                speech.moment(each.submitted_at) if each.submitted_at else "",
                each.notice_ends_on.isoformat() if each.notice_ends_on else "",
                speech.moment(each.approved_at) if each.approved_at else "",
            ]
        )
    return await as_file(form, "claims", CLAIM_HEADS, rows)


@get("/finance/vouchers/{claim_id:int}", **members(*READS_CLAIMS))
async def show_claim(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """A claim, line by line, with what it needs next."""
    return await claim_shown(request, claim_id, empty(visitor_of(request).speech))


@get("/finance/vouchers/{claim_id:int}/file", **members(*READS_CLAIMS))
async def show_claim_file(request: PageRequest, claim_id: FromPath[int]) -> Response[bytes]:
    """The lines of a claim as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, one_claim, _line_search(form, claim_id, ROWS_MAX + 1))
    rows = []
    for each in found.lines:
        lacks = found.evidence.get(each.redemption_id)
        missing = [label("evidence", kind) for kind in (lacks.missing if lacks else ())]
        rows.append(
            [
                each.redemption_id,
                each.order_id,
                each.redeemed_on.isoformat(),
                yuan(each.claimed_fen),
                yuan(0 if each.excluded_reason else each.approved_fen),
                each.excluded_reason or each.reason,
                ", ".join(speech.either(one.chinese, one.english) for one in missing),
            ]
        )
    return await as_file(form, f"claim-{claim_id}", LINE_HEADS, rows)


async def claim_shown(
    request: PageRequest,
    claim_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """A claim, and the refusal of a step where there is one."""
    visitor = visitor_of(request)
    search = _line_search(Typed(request.query_params, visitor.speech), claim_id)
    return page(
        request,
        "finance/claim.html",
        status=status,
        found=await read(request, one_claim, search),
        search=search,
        form=form,
        refusal=refusal,
        may_audit=visitor.has(*OFFICER),
        may_check=visitor.has(*CHECKER),
        reads_entries=visitor.has(*FINANCE),
        may_audit_locally=visitor.has(*OFFICER, "regulator"),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_claims,
    show_claims_file,
    show_claim,
    show_claim_file,
]
