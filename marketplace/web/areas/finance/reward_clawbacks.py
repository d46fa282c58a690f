"""What was paid too much for a closed year: found, asked back by two, and taken in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries as rewards
from marketplace.billing.rewards.use_cases import (
    DecideClawback,
    ProposeClawback,
    RecoverClawback,
    RecoverySource,
    decide_clawback,
    overpaid_of_year,
    propose_clawback,
    recover_clawback,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import CHECKER, FINANCE, MAKER, READS_REWARDS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
STATUSES = ("proposed", "owed", "received", "rejected")
SOURCES = tuple(RecoverySource)
HEADS = (
    ("追回", "Clawback"),
    ("法人", "Legal entity"),
    ("年度", "Year"),
    ("已付", "Paid"),
    ("应付", "Due"),
    ("追回金额", "Asked back"),
    ("已收回", "Received"),
    ("状态", "State"),
    ("理由", "Reason"),
)


@dataclass(frozen=True, slots=True)
class Clawbacks:
    """A page of clawbacks, and who is overpaid for the year asked."""

    rows: list[rewards.Clawback]
    total: int
    year: int
    overpaid: list[rewards.Overpaid]


async def listed(tx: Tx, search: rewards.ClawbackSearch) -> Clawbacks:
    """The newest first; what is overpaid is of the year asked, or of the last one."""
    found = await rewards.clawbacks(tx, search)
    year = search.year or tx.today.year - 1
    return Clawbacks(found.results, found.total, year, await overpaid_of_year(tx, year))


@dataclass(frozen=True, slots=True)
class OneClawback:
    """A clawback with names."""

    found: rewards.OneClawback
    names: Names


async def one_clawback(tx: Tx, clawback_id: int) -> OneClawback:
    """One clawback as finance reads it."""
    found = await rewards.clawback(tx, clawback_id)
    people = (found.clawback.proposed_by, found.clawback.decided_by)
    return OneClawback(found, await names(tx, (line.provider_id for line in found.lines), people))


def _search(form: Typed, page_size: int = PAGE_SIZE) -> rewards.ClawbackSearch:
    search = rewards.ClawbackSearch(
        year=form.whole("year", least=2000, most=2100, needed=False),
        status=form.choice("status", STATUSES, needed=False) or None,
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/rewards/clawbacks", **members(*READS_REWARDS))
async def show_clawbacks(request: PageRequest) -> Response[Any]:
    """Every clawback, and who is overpaid for a closed year."""
    return await _clawbacks(request)


@post("/finance/rewards/clawbacks/propose", **members(*MAKER))
async def send_clawback(request: PageRequest) -> Response[Any]:
    """Ask back what corrections have left a legal entity paid too much."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    entity_id = form.whole("entity", least=1)
    year = form.whole("of_year", least=2000, most=2100)
    reason = form.text("reason", length_max=2_000)
    try:
        form.require()
        assert entity_id is not None, "required"
        assert year is not None, "required"
        return await act(
            request,
            form,
            propose_clawback,
            ProposeClawback(entity_id, year, reason),
            to=lambda made: f"/finance/rewards/clawbacks/{made.clawback.id}",
            said=("已提出，等待他人决定", "Proposed; somebody else decides."),
        )
    except DomainError as error:
        return await _clawbacks(request, told(error, speech), error.status)


@get("/finance/rewards/clawbacks/file", **members(*READS_REWARDS))
async def show_clawbacks_file(request: PageRequest) -> Response[bytes]:
    """The same clawbacks as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, rewards.clawbacks, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.results:
        status = label("reward_clawback", each.status)
        rows.append(
            [
                each.id,
                speech.either(each.name, each.name_en),
                each.year,
                yuan(each.paid_fen),
                yuan(each.due_fen),
                yuan(each.amount_fen),
                yuan(each.recovered_fen),
                speech.either(status.chinese, status.english),
                each.reason,
            ]
        )
    return await as_file(form, "reward-clawbacks", HEADS, rows)


@get("/finance/rewards/clawbacks/{reward_clawback_id:int}", **members(*READS_REWARDS))
async def show_clawback(request: PageRequest, reward_clawback_id: FromPath[int]) -> Response[Any]:
    """A clawback: who gives back what, and what has come in."""
    return await _clawback(request, reward_clawback_id)


@post("/finance/rewards/clawbacks/{reward_clawback_id:int}/decide", **members(*CHECKER))
async def send_decision(request: PageRequest, reward_clawback_id: FromPath[int]) -> Response[Any]:
    """Agree with a clawback, or reject it."""
    speech = visitor_of(request).speech
    await read(request, rewards.clawback, reward_clawback_id)
    form = await typed(request, speech)
    agreed = form.choice("decision", ("agree", "reject")) == "agree"
    reason = form.text("reason", length_max=2_000)
    try:
        form.require()
        command = DecideClawback(reward_clawback_id, agreed, reason)
        said = ("已决定", "Decided.")
        here = f"/finance/rewards/clawbacks/{reward_clawback_id}"
        return await act(request, form, decide_clawback, command, to=here, said=said)
    except DomainError as error:
        return await _clawback(request, reward_clawback_id, told(error, speech), error.status)


@post("/finance/rewards/clawbacks/{reward_clawback_id:int}/recover", **members(*FINANCE))
async def send_recovery(request: PageRequest, reward_clawback_id: FromPath[int]) -> Response[Any]:
    """Take what a provider has paid in, or a reward that is due to it."""
    speech = visitor_of(request).speech
    await read(request, rewards.clawback, reward_clawback_id)
    form = await typed(request, speech)
    provider_id = form.whole("provider", least=1)
    source = form.choice("source", SOURCES)
    try:
        form.require()
        assert provider_id is not None, "required"
        command = RecoverClawback(reward_clawback_id, provider_id, RecoverySource(source))
        said = ("已收回", "Taken in.")
        here = f"/finance/rewards/clawbacks/{reward_clawback_id}"
        return await act(request, form, recover_clawback, command, to=here, said=said)
    except DomainError as error:
        return await _clawback(request, reward_clawback_id, told(error, speech), error.status)


async def _clawbacks(
    request: PageRequest, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _search(filters)
    return page(
        request,
        "finance/reward_clawbacks.html",
        status=status,
        filters=filters,
        search=search,
        statuses=STATUSES,
        found=await read(request, listed, search),
        refusal=refusal,
        may_propose=visitor.has(*MAKER),
        key=new_key(),
    )


async def _clawback(
    request: PageRequest, clawback_id: int, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    return page(
        request,
        "finance/reward_clawback.html",
        status=status,
        one=await read(request, one_clawback, clawback_id),
        refusal=refusal,
        may_decide=visitor.has(*CHECKER),
        may_recover=visitor.has(*FINANCE),
        sources=SOURCES,
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_clawbacks,
    send_clawback,
    show_clawbacks_file,
    show_clawback,
    send_decision,
    send_recovery,
]
