"""Claims for redeemed vouchers: gathered, proved, submitted, followed; and what is clawed back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.errors import ClaimMissing
from marketplace.vouchers.queries.clawbacks import Clawback, ClawbackSearch, clawbacks
from marketplace.vouchers.queries.lines import (
    ClaimLine,
    LineEvidence,
    LineSearch,
    claim_lines,
    completeness,
)
from marketplace.vouchers.use_cases import DraftClaim, draft_claim
from marketplace.web.acting import act
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

# Providers; and companies under programmes that pay them back.
CLAIMANTS = (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR)
PAGE_SIZE = 25
LINES_SHOWN = 100
CLAWBACKS_SHOWN = 20
STATUSES = (
    "draft",
    "submitted",
    "audited",
    "in_notice",
    "approved",
    "paid",
    "refused",
    "reversed",
    "withdrawn",
)
HEADS = (
    ("编号", "Number"),
    ("状态", "State"),
    ("金额（元）", "Amount, CNY"),
    ("建立", "Made"),
    ("提交", "Submitted"),
    ("公示至", "Notice until"),
    ("核准", "Approved"),
)


@dataclass(frozen=True, slots=True)
class OwnClaims:
    """A page of own claims, what may be claimed yet, and what is asked back."""

    rows: list[vouchers.Claim]
    total: int
    unclaimed: int
    clawbacks: vouchers.Listed[Clawback]


async def own_claims(tx: Tx, search: vouchers.ClaimSearch) -> OwnClaims:
    """The claims of the actor's organisation, the newest first.

    Policy: J.22b
    """
    found = await vouchers.claims(tx, search)
    left = await vouchers.redemptions(
        tx, vouchers.RedemptionSearch(unclaimed=True, page=vouchers.PageAsked(1, 1))
    )
    asked_back = await clawbacks(tx, ClawbackSearch(page=vouchers.PageAsked(1, CLAWBACKS_SHOWN)))
    return OwnClaims(found.rows, found.total, left.total, asked_back)


@dataclass(frozen=True, slots=True)
class OwnClaim:
    """One own claim: its redemptions, what each needs and has, and what became of each."""

    claim: vouchers.Claim
    redemptions: list[vouchers.Redemption]
    total: int
    needs: dict[int, LineEvidence]
    lines: dict[int, ClaimLine]
    pieces: dict[int, list[vouchers.Evidence]]

    @property
    def complete(self) -> bool:
        """Whether no redemption lacks evidence."""
        return all(each.complete for each in self.needs.values())

    @property
    def to_correct(self) -> list[LineEvidence]:
        """Redemptions that were refused before: what was corrected has to be said."""
        return [each for each in self.needs.values() if each.refused_before]


@dataclass(frozen=True, slots=True)
class ClaimLook:
    """Which page of the redemptions of which claim."""

    claim_id: int
    page: int = 1


async def own_claim(tx: Tx, look: ClaimLook) -> OwnClaim:
    """A claim of the actor's organisation.

    Raises:
        ClaimMissing: when it is another's.
    """
    found = await vouchers.claim(tx, look.claim_id)
    if found.payee_id != tx.actor.organisation_id:
        raise ClaimMissing()
    asked = vouchers.PageAsked(look.page, LINES_SHOWN)
    redeemed = await vouchers.redemptions(
        tx, vouchers.RedemptionSearch(claim_id=found.id, page=asked)
    )
    lines = await claim_lines(tx, LineSearch(found.id, page=asked))
    papers = await vouchers.evidence(
        tx, vouchers.EvidenceSearch(found.id, vouchers.PageAsked(1, ROWS_MAX))
    )
    pieces: dict[int, list[vouchers.Evidence]] = {}
    for each in papers.rows:
        pieces.setdefault(each.redemption_id, []).append(each)
    return OwnClaim(
        found,
        redeemed.rows,
        redeemed.total,
        {each.redemption_id: each for each in await completeness(tx, found.id)},
        {each.redemption_id: each for each in lines.rows},
        pieces,
    )


def _search(form: Typed, page_size: int = PAGE_SIZE) -> vouchers.ClaimSearch:
    search = vouchers.ClaimSearch(
        status=form.choice("status", STATUSES, needed=False) or None,
        provider_id=None,
        page=vouchers.PageAsked(
            form.whole("page", least=1, most=10_000, needed=False) or 1, page_size
        ),
        text=form.text("text", length_max=100, needed=False),
    )
    form.require()
    return search


async def _listed(
    request: PageRequest, *, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    filters = Typed(request.query_params, visitor_of(request).speech)
    search = _search(filters)
    return page(
        request,
        "provider/claims.html",
        status=status,
        filters=filters,
        search=search,
        found=await read(request, own_claims, search),
        statuses=STATUSES,
        refusal=refusal,
        key=new_key(),
    )


@get("/claims", **members(*CLAIMANTS))
async def show_own_claims(request: PageRequest) -> Response[Any]:
    """The own claims and where each stands."""
    return await _listed(request)


@get("/claims/file", **members(*CLAIMANTS))
async def show_own_claims_file(request: PageRequest) -> Response[bytes]:
    """The same list as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, own_claims, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        state = label("claim", each.status)
        rows.append(
            [
                each.id,
                speech.either(state.chinese, state.english),
                yuan(each.amount_fen),
                speech.moment(each.made_at),
                speech.moment(each.submitted_at) if each.submitted_at else "",
                each.notice_ends_on.isoformat() if each.notice_ends_on else "",
                speech.moment(each.approved_at) if each.approved_at else "",
            ]
        )
    return await as_file(form, "claims", HEADS, rows)


@post("/claims/draft", **members(*CLAIMANTS))
async def send_draft(request: PageRequest) -> Response[Any]:
    """Gather everything that was redeemed and is not claimed."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    said = ("已汇总，请补齐证明后提交", "Gathered; attach what is missing and submit it.")
    try:
        return await act(
            request,
            form,
            draft_claim,
            DraftClaim(),
            to=lambda made: f"/claims/{made.id}",
            said=said,
        )
    except DomainError as error:
        return await _listed(request, refusal=told(error, speech), status=error.status)


@get("/claims/{claim_id:int}", **members(*CLAIMANTS))
async def show_own_claim(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """One claim with each redemption, its papers and what became of it."""
    return await claim_shown(request, claim_id, empty(visitor_of(request).speech))


async def claim_shown(
    request: PageRequest,
    claim_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """A claim, and the refusal of a step where there is one."""
    query = Typed(request.query_params, visitor_of(request).speech)
    number = query.whole("page", least=1, most=10_000, needed=False) or 1
    query.require()
    return page(
        request,
        "provider/claim.html",
        status=status,
        found=await read(request, own_claim, ClaimLook(claim_id, number)),
        page_number=number,
        page_size=LINES_SHOWN,
        form=form,
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_own_claims,
    show_own_claims_file,
    send_draft,
    show_own_claim,
]
