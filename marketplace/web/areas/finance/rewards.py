"""Reward runs: drafted, tried under other terms, approved by another person, and explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries as rewards
from marketplace.billing.rewards.use_cases import (
    AnswerObjection,
    ApproveRun,
    DiscardRun,
    DraftRun,
    PublishRun,
    answer_objection,
    approve_run,
    discard_run,
    draft_run,
    publish_run,
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
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
STATUSES = ("draft", "in_notice", "approved", "discarded")
OBJECTIONS_SHOWN = 100
RUN_HEADS = (
    ("奖励", "Run"),
    ("年度", "Year"),
    ("次数", "Number"),
    ("计至", "Through"),
    ("状态", "State"),
    ("法人", "Legal entities"),
    ("单位", "Providers"),
    ("服务总额", "Services"),
    ("奖励金额", "Rewards"),
    ("经办", "Made by"),
    ("核准", "Approved by"),
)
SHARE_HEADS = (
    ("单位编号", "Provider"),
    ("单位", "Name"),
    ("法人编号", "Legal entity"),
    ("服务总额", "Services"),
    ("等级", "Grade"),
    ("费率", "Rate"),
    ("封顶前", "Before caps"),
    ("此前已付", "Paid before"),
    ("奖励", "Reward"),
    ("受限于", "Lowered by"),
)


OBJECTION_HEADS = (
    ("异议", "Objection"),
    ("提出人", "By"),
    ("联系方式", "Contact"),
    ("内容", "Statement"),
    ("时间", "When"),
    ("状态", "State"),
    ("答复", "Answer"),
)


@dataclass(frozen=True, slots=True)
class RunList:
    """A page of runs, and names."""

    rows: list[rewards.RewardRun]
    total: int
    today: date
    names: Names


async def run_list(tx: Tx, search: rewards.RunSearch) -> RunList:
    """The newest first."""
    found = await rewards.runs(tx, search)
    people = [who for each in found.results for who in (each.made_by, each.approved_by)]
    return RunList(found.results, found.total, tx.today, await names(tx, people=people))


@dataclass(frozen=True, slots=True)
class OneRun:
    """A run with a page of its shares."""

    run: rewards.RewardRun
    rows: list[rewards.RewardShare]
    total: int
    names: Names
    objections: list[rewards.Objection]


async def one_run(tx: Tx, search: rewards.ShareSearch) -> OneRun:
    """A run with its shares, in the order of entities and providers."""
    run = await rewards.run(tx, search.run_id)
    found = await rewards.shares(tx, search)
    who = await names(
        tx,
        (each.provider_id for each in found.results),
        (run.made_by, run.approved_by, run.discarded_by),
    )
    objections = await rewards.objections(
        tx, rewards.ObjectionSearch(run_id=run.id, page_size=OBJECTIONS_SHOWN)
    )
    return OneRun(run, found.results, found.total, who, objections.results)


def _run_search(form: Typed, page_size: int = PAGE_SIZE) -> rewards.RunSearch:
    search = rewards.RunSearch(
        year=form.whole("year", least=2000, most=2100, needed=False),
        status=form.choice("status", STATUSES, needed=False) or None,
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


def _share_search(form: Typed, run_id: int, page_size: int = PAGE_SIZE) -> rewards.ShareSearch:
    search = rewards.ShareSearch(
        run_id=run_id,
        legal_entity_id=form.whole("entity", least=1, needed=False),
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/rewards", **members(*READS_REWARDS))
async def show_runs(request: PageRequest) -> Response[Any]:
    """Every run, and a form for the next one."""
    return await _runs(request, empty(visitor_of(request).speech))


@post("/finance/rewards/draft", **members(*MAKER))
async def send_draft(request: PageRequest) -> Response[Any]:
    """Compute every provider's share through a day; nobody is paid yet."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    through = form.day("through")
    budget_fen = form.amount("budget", needed=False)
    try:
        form.require()
        assert through is not None, "required"
        command = DraftRun(year=through.year, through=through, budget_fen=budget_fen)
        said = ("已计算，等待他人核准", "Computed; somebody else approves it.")
        return await act(
            request,
            form,
            draft_run,
            command,
            to=lambda made: f"/finance/rewards/{made.id}",
            said=said,
        )
    except DomainError as error:
        return await _runs(request, form, told(error, speech), error.status)


async def _runs(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _run_search(filters)
    return page(
        request,
        "finance/rewards.html",
        status=status,
        form=form,
        filters=filters,
        search=search,
        statuses=STATUSES,
        found=await read(request, run_list, search),
        refusal=refusal,
        may_make=visitor.has(*MAKER),
        key=new_key(),
    )


@get("/finance/rewards/file", **members(*READS_REWARDS))
async def show_runs_file(request: PageRequest) -> Response[bytes]:
    """The same runs as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, run_list, _run_search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        status = label("reward_run", each.status)
        rows.append(
            [
                each.id,
                each.year,
                each.sequence,
                each.through.isoformat(),
                speech.either(status.chinese, status.english),
                each.entities,
                each.providers,
                yuan(each.service_total_fen),
                yuan(each.total_fen),
                found.names.people.get(each.made_by, ""),
                found.names.people.get(each.approved_by or 0, ""),
            ]
        )
    return await as_file(form, "rewards", RUN_HEADS, rows)


@get("/finance/rewards/{run_id:int}", **members(*READS_REWARDS))
async def show_run(request: PageRequest, run_id: FromPath[int]) -> Response[Any]:
    """A run, the terms it was computed by, and the share of every provider."""
    return await _run(request, run_id)


@get("/finance/rewards/{run_id:int}/file", **members(*READS_REWARDS))
async def show_run_file(request: PageRequest, run_id: FromPath[int]) -> Response[bytes]:
    """The shares of a run as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, one_run, _share_search(form, run_id, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        provider = found.names.organisations[each.provider_id]
        grade = label("grade", each.grade or "")
        rows.append(
            [
                each.provider_id,
                speech.either(provider.name, provider.name_en),
                each.legal_entity_id,
                yuan(each.service_total_fen),
                speech.either(grade.chinese, grade.english),
                speech.percent(each.rate_basis_points),
                yuan(each.uncapped_fen),
                yuan(each.paid_before_fen),
                yuan(each.amount_fen),
                "; ".join(
                    speech.either(cap.chinese, cap.english)
                    for cap in (
                        label("bound_by", name) for name in each.arithmetic.get("bound_by", [])
                    )
                ),
            ]
        )
    return await as_file(form, f"reward-run-{run_id}", SHARE_HEADS, rows)


@post("/finance/rewards/{run_id:int}/approve", **members(*CHECKER))
async def send_approval(request: PageRequest, run_id: FromPath[int]) -> Response[Any]:
    """Post the shares and instruct the payouts."""
    speech = visitor_of(request).speech
    await read(request, rewards.run, run_id)
    form = await typed(request, speech)
    try:
        said = ("已核准，付款已指令", "Approved; the payouts are instructed.")
        here = f"/finance/rewards/{run_id}"
        return await act(request, form, approve_run, ApproveRun(run_id), to=here, said=said)
    except DomainError as error:
        return await _run(request, run_id, told(error, speech), error.status)


@post("/finance/rewards/{run_id:int}/publish", **members(*FINANCE))
async def send_publication(request: PageRequest, run_id: FromPath[int]) -> Response[Any]:
    """Show a draft to everybody; from now on its figures stay as they are."""
    speech = visitor_of(request).speech
    await read(request, rewards.run, run_id)
    form = await typed(request, speech)
    try:
        said = ("已公示", "The run is in public notice.")
        here = f"/finance/rewards/{run_id}"
        return await act(request, form, publish_run, PublishRun(run_id), to=here, said=said)
    except DomainError as error:
        return await _run(request, run_id, told(error, speech), error.status)


@post("/finance/rewards/{run_id:int}/objections/{objection_id:int}", **members(*CHECKER))
async def send_answer(
    request: PageRequest, run_id: FromPath[int], objection_id: FromPath[int]
) -> Response[Any]:
    """Answer an objection; one that is right keeps the run from being paid."""
    speech = visitor_of(request).speech
    await read(request, rewards.objection, objection_id)
    form = await typed(request, speech)
    upheld = form.choice("upheld", ("yes", "no")) == "yes"
    answer = form.text("answer", length_max=2_000)
    try:
        form.require()
        command = AnswerObjection(objection_id, upheld, answer)
        said = ("已答复", "Answered.")
        here = f"/finance/rewards/{run_id}"
        return await act(request, form, answer_objection, command, to=here, said=said)
    except DomainError as error:
        return await _run(request, run_id, told(error, speech), error.status)


@get("/finance/rewards/{run_id:int}/objections/file", **members(*READS_REWARDS))
async def show_objections_file(request: PageRequest, run_id: FromPath[int]) -> Response[bytes]:
    """The objections to a run as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    await read(request, rewards.run, run_id)
    search = rewards.ObjectionSearch(run_id=run_id, page_size=ROWS_MAX + 1)
    found = await read(request, rewards.objections, search)
    rows = [
        [
            each.id,
            each.name,
            each.contact,
            each.statement,
            speech.moment(each.filed_at),
            each.status,
            each.answer or "",
        ]
        for each in found.results
    ]
    return await as_file(form, f"objections-{run_id}", OBJECTION_HEADS, rows)


@post("/finance/rewards/{run_id:int}/discard", **members(*FINANCE))
async def send_discard(request: PageRequest, run_id: FromPath[int]) -> Response[Any]:
    """Give a draft up; it stays readable and pays nobody."""
    speech = visitor_of(request).speech
    await read(request, rewards.run, run_id)
    form = await typed(request, speech)
    try:
        said = ("草稿已作废", "The draft is discarded.")
        here = f"/finance/rewards/{run_id}"
        return await act(request, form, discard_run, DiscardRun(run_id), to=here, said=said)
    except DomainError as error:
        return await _run(request, run_id, told(error, speech), error.status)


async def _run(
    request: PageRequest, run_id: int, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _share_search(filters, run_id)
    found = await read(request, one_run, search)
    return page(
        request,
        "finance/reward_run.html",
        status=status,
        found=found,
        search=search,
        refusal=refusal,
        needs_notice=found.run.terms.get("notice_working_days", {}).get("value", 0),
        may_check=visitor.has(*CHECKER),
        may_discard=visitor.has(*FINANCE),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_runs,
    send_draft,
    show_runs_file,
    show_run,
    show_run_file,
    send_approval,
    send_publication,
    send_answer,
    show_objections_file,
    send_discard,
]
