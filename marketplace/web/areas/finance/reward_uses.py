"""How rewards were used: who owes a report, what was handed in, and what it sums up to (J.27d)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries as rewards
from marketplace.billing.rewards.use_cases import (
    DecideUseReport,
    DownloadEvidence,
    decide_use_report,
    download_evidence,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.kernel.uploads import saved_file
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import FINANCE, READS_REWARDS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
STATUSES = ("overdue", "due", "filed", "returned", "accepted")
HEADS = (
    ("报告", "Report"),
    ("年度", "Year"),
    ("单位", "Provider"),
    ("奖励金额", "Reward"),
    ("付款日", "Paid on"),
    ("截止日", "Due on"),
    ("状态", "State"),
    ("其他用途", "Other uses"),
)


@dataclass(frozen=True, slots=True)
class Uses:
    """A page of reports, and what the year's reports sum up to."""

    rows: list[rewards.UseReport]
    total: int
    summary: rewards.UseSummary
    today: date
    names: Names


async def uses(tx: Tx, search: rewards.ReportSearch) -> Uses:
    """What is owed first; the sums are of the year asked, or of this one."""
    found = await rewards.use_reports(tx, search)
    return Uses(
        found.results,
        found.total,
        await rewards.use_summary(tx, search.year or tx.today.year),
        tx.today,
        await names(tx, (each.provider_id for each in found.results)),
    )


@dataclass(frozen=True, slots=True)
class OneUse:
    """A report with everything that was handed in, and names."""

    found: rewards.OneReport
    today: date
    names: Names


async def one_use(tx: Tx, report_id: int) -> OneUse:
    """One report as finance reads it."""
    found = await rewards.use_report(tx, report_id)
    people = [who for each in found.filings for who in (each.filed_by, each.decided_by)]
    return OneUse(found, tx.today, await names(tx, (found.report.provider_id,), people))


def _search(form: Typed, page_size: int = PAGE_SIZE) -> rewards.ReportSearch:
    search = rewards.ReportSearch(
        year=form.whole("year", least=2000, most=2100, needed=False),
        status=form.choice("status", STATUSES, needed=False) or None,
        outside_only=form.ticked("outside"),
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/rewards/uses", **members(*READS_REWARDS))
async def show_uses(request: PageRequest) -> Response[Any]:
    """Every report, what is owed first."""
    filters = Typed(request.query_params, visitor_of(request).speech)
    search = _search(filters)
    return page(
        request,
        "finance/reward_uses.html",
        filters=filters,
        search=search,
        statuses=STATUSES,
        found=await read(request, uses, search),
    )


@get("/finance/rewards/uses/file", **members(*READS_REWARDS))
async def show_uses_file(request: PageRequest) -> Response[bytes]:
    """The same reports as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, uses, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        provider = found.names.organisations[each.provider_id]
        status = label("use_report", each.shown(found.today))
        rows.append(
            [
                each.id,
                each.year,
                speech.either(provider.name, provider.name_en),
                yuan(each.amount_fen),
                each.paid_on.isoformat(),
                each.due_on.isoformat(),
                speech.either(status.chinese, status.english),
                "" if each.outside_fen is None else yuan(each.outside_fen),
            ]
        )
    return await as_file(form, "reward-uses", HEADS, rows)


@get("/finance/rewards/uses/{use_report_id:int}", **members(*READS_REWARDS))
async def show_use(request: PageRequest, use_report_id: FromPath[int]) -> Response[Any]:
    """A report with its papers, and whether it is accepted."""
    return await _use(request, use_report_id)


@post("/finance/rewards/uses/{use_report_id:int}/decide", **members(*FINANCE))
async def send_decision(request: PageRequest, use_report_id: FromPath[int]) -> Response[Any]:
    """Accept a report, or return it to be corrected."""
    speech = visitor_of(request).speech
    await read(request, rewards.use_report, use_report_id)
    form = await typed(request, speech)
    accepted = form.choice("decision", ("accept", "return")) == "accept"
    reason = form.text("reason", length_max=500, needed=not accepted)
    try:
        form.require()
        command = DecideUseReport(use_report_id, accepted, reason)
        said = ("已审核", "Decided.")
        here = f"/finance/rewards/uses/{use_report_id}"
        return await act(request, form, decide_use_report, command, to=here, said=said)
    except DomainError as error:
        return await _use(request, use_report_id, told(error, speech), error.status)


@get(
    "/finance/rewards/uses/{use_report_id:int}/papers/{use_evidence_id:int}",
    **members(*READS_REWARDS),
)
async def show_paper(
    request: PageRequest, use_report_id: FromPath[int], use_evidence_id: FromPath[int]
) -> Response[bytes]:
    """A paper of a report; every download is written down."""
    file = await read(request, download_evidence, DownloadEvidence(use_report_id, use_evidence_id))
    return saved_file(
        name=file.name, content=file.content, media_type=file.media_type, sha256=file.sha256
    )


async def _use(
    request: PageRequest, report_id: int, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    return page(
        request,
        "finance/reward_use.html",
        status=status,
        one=await read(request, one_use, report_id),
        refusal=refusal,
        may_decide=visitor_of(request).has(*FINANCE),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_uses,
    show_uses_file,
    show_use,
    send_decision,
    show_paper,
]
