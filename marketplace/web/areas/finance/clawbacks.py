"""Approved voucher money that is asked back: proposed by one, decided by another, set off."""

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
from marketplace.vouchers.queries.claims import claim
from marketplace.vouchers.queries.clawbacks import (
    Clawback,
    ClawbackPage,
    ClawbackSearch,
    clawback_page,
    clawbacks,
)
from marketplace.vouchers.queries.paging import PageAsked
from marketplace.vouchers.rules.states import ClawbackStatus, RecoverySource
from marketplace.vouchers.use_cases import (
    DecideClawback,
    ProposeClawback,
    SetOff,
    decide_clawback,
    propose_clawback,
    set_off,
)
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import (
    CHECKER,
    MAKER,
    OFFICER,
    READS_CLAIMS,
    READS_ENTRIES,
)
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
PROPOSERS: tuple[Role, ...] = (*OFFICER, *MAKER)
STATUSES = tuple(str(each) for each in ClawbackStatus)
SOURCES = tuple(str(each) for each in RecoverySource)
HERE = "/finance/clawbacks"
HEADS = (
    ("追回", "Clawback"),
    ("申请", "Claim"),
    ("单位", "Organisation"),
    ("起因", "Cause"),
    ("金额", "Amount"),
    ("已收回", "Recovered"),
    ("状态", "State"),
    ("理由", "Reason"),
    ("提出人", "Proposed by"),
    ("决定人", "Decided by"),
)


@dataclass(frozen=True, slots=True)
class ClawbackList:
    """A page of clawbacks with the names behind them."""

    rows: list[Clawback]
    total: int
    names: Names


async def clawback_list(tx: Tx, search: ClawbackSearch) -> ClawbackList:
    """The newest first."""
    found = await clawbacks(tx, search)
    people = [who for each in found.rows for who in (each.proposed_by, each.decided_by)]
    who = await names(tx, [each.organisation_id for each in found.rows], people)
    return ClawbackList(list(found.rows), found.total, who)


@dataclass(frozen=True, slots=True)
class OneClawback:
    """A clawback with the names behind it."""

    page: ClawbackPage
    names: Names


async def one_clawback(tx: Tx, clawback_id: int) -> OneClawback:
    """Its lines, and what came in of it."""
    found = await clawback_page(tx, clawback_id)
    it = found.clawback
    people = [it.proposed_by, it.decided_by, *(each.made_by for each in found.recoveries)]
    return OneClawback(found, await names(tx, [it.organisation_id], people))


def _search(form: Typed, page_size: int = PAGE_SIZE) -> ClawbackSearch:
    number = form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1
    search = ClawbackSearch(
        organisation_id=form.whole("organisation", least=1, needed=False),
        claim_id=form.whole("claim", least=1, needed=False),
        status=form.choice("status", STATUSES, needed=False) or None,
        owed=form.ticked("owed"),
        page=PageAsked(number, page_size),
    )
    form.require()
    return search


@get(HERE, **members(*READS_CLAIMS))
async def show_clawbacks(request: PageRequest) -> Response[Any]:
    """What is asked back, of whom, and what of it came in."""
    return await _clawbacks(request, empty(visitor_of(request).speech))


@get("/finance/clawbacks/file", **members(*READS_CLAIMS))
async def show_clawbacks_file(request: PageRequest) -> Response[bytes]:
    """The same clawbacks as a file."""
    form = Typed(request.query_params, visitor_of(request).speech)
    speech = form.speech
    found = await read(request, clawback_list, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        of = found.names.organisations[each.organisation_id]
        cause, state = label("clawback_cause", each.cause), label("clawback", each.status)
        rows.append(
            [
                each.id,
                each.claim_id,
                speech.either(of.name, of.name_en),
                speech.either(cause.chinese, cause.english),
                yuan(each.amount_fen),
                yuan(each.recovered_fen),
                speech.either(state.chinese, state.english),
                each.reason,
                found.names.people.get(each.proposed_by, ""),
                found.names.people.get(each.decided_by or 0, ""),
            ]
        )
    return await as_file(form, "clawbacks", HEADS, rows)


@post("/finance/vouchers/{claim_id:int}/clawbacks", **members(*PROPOSERS))
async def send_clawback(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Ask approved money back: of one redemption, or of all that are left. Nothing moves yet."""
    speech = visitor_of(request).speech
    await read(request, claim, claim_id)
    form = await typed(request, speech)
    redemption = form.whole("redemption", least=1, needed=False)
    amount = form.amount("amount", needed=False)
    if amount is not None and redemption is None:
        form.wrong("redemption", "写金额时请写明用券编号", "Name the redemption, too")
    reason = form.text("reason", length_max=500)
    try:
        form.require()
        command = ProposeClawback(claim_id, reason, {redemption: amount} if redemption else {})
        return await act(
            request,
            form,
            propose_clawback,
            command,
            to=lambda made: f"{HERE}/{made.clawback.id}",
            said=("已提出追回，等待另一人决定", "Proposed; somebody else decides."),
        )
    except DomainError as error:
        return await _clawbacks(request, form, told(error, speech), error.status, claim_id)


@get("/finance/clawbacks/{clawback_id:int}", **members(*READS_CLAIMS))
async def show_clawback(request: PageRequest, clawback_id: FromPath[int]) -> Response[Any]:
    """A clawback down to its redemptions and entries."""
    return await _clawback(request, clawback_id, empty(visitor_of(request).speech))


@post("/finance/clawbacks/{clawback_id:int}/decide", **members(*CHECKER))
async def send_clawback_decision(request: PageRequest, clawback_id: FromPath[int]) -> Response[Any]:
    """Make the claimant owe it, or drop it; by another person than proposed it."""
    speech = visitor_of(request).speech
    await read(request, clawback_page, clawback_id)
    form = await typed(request, speech)
    agreed = form.choice("result", ("agreed", "dropped"))
    reason = form.text("reason", length_max=500)
    try:
        form.require()
        command = DecideClawback(clawback_id, agreed == "agreed", reason)
        to = f"{HERE}/{clawback_id}"
        said = ("已决定", "Decided.")
        return await act(request, form, decide_clawback, command, to=to, said=said)
    except DomainError as error:
        return await _clawback(request, clawback_id, form, told(error, speech), error.status)


@post("/finance/clawbacks/{clawback_id:int}/set-off", **members(*CHECKER))
async def send_set_off(request: PageRequest, clawback_id: FromPath[int]) -> Response[Any]:
    """Take what its organisation owes from what it has with us."""
    speech = visitor_of(request).speech
    found = await read(request, clawback_page, clawback_id)
    form = await typed(request, speech)
    source = form.choice("source", SOURCES)
    try:
        form.require()
        command = SetOff(found.clawback.organisation_id, RecoverySource(source))
        to = f"{HERE}/{clawback_id}"
        return await act(request, form, set_off, command, to=to, said=("已抵扣", "Set off."))
    except DomainError as error:
        return await _clawback(request, clawback_id, form, told(error, speech), error.status)


async def _clawbacks(
    request: PageRequest,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
    claim_id: int | None = None,
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _search(filters)
    return page(
        request,
        "finance/clawbacks.html",
        status=status,
        form=form,
        filters=filters,
        search=search,
        found=await read(request, clawback_list, search),
        statuses=STATUSES,
        claim_id=claim_id or search.claim_id,
        refusal=refusal,
        may_propose=visitor.has(*PROPOSERS),
        key=new_key(),
    )


async def _clawback(
    request: PageRequest,
    clawback_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    return page(
        request,
        "finance/clawback.html",
        status=status,
        found=await read(request, one_clawback, clawback_id),
        form=form,
        refusal=refusal,
        sources=SOURCES,
        may_check=visitor.has(*CHECKER),
        reads_entries=visitor.has(*READS_ENTRIES),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_clawbacks,
    show_clawbacks_file,
    send_clawback,
    show_clawback,
    send_clawback_decision,
    send_set_off,
]
