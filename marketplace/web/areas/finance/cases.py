"""Open lines that are not explained today: who looks after each, why it is left, and papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.reconciliation.rules.cases import CaseReason
from marketplace.billing.reconciliation.use_cases.cases import (
    ATTACHMENT_BYTES_MAX,
    AttachFile,
    DownloadFile,
    SetCases,
    attach_file,
    download_file,
    set_cases,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, colleagues, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.reconciliation import show_line_again
from marketplace.web.areas.finance.roles import FINANCE, MAKER, READERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 50
REASONS = tuple(str(each) for each in CaseReason)
AGES = ("0", "7", "30", "90")
HEADS = (
    ("流水", "Line"),
    ("日期", "Day"),
    ("天数", "Days"),
    ("对方户名", "Other party"),
    ("摘要", "Remark"),
    ("金额", "Amount"),
    ("负责人", "Owner"),
    ("原因", "Reason"),
    ("备注", "Note"),
    ("附件", "Papers"),
)


@dataclass(frozen=True, slots=True)
class CaseList:
    """A page of open lines, how old all of them are, and who may look after them."""

    rows: list[reconciliation.OpenCase]
    total: int
    balancing: reconciliation.Balancing
    owners: list[tuple[int, str]]
    names: Names


async def case_list(tx: Tx, search: reconciliation.CaseSearch) -> CaseList:
    """The oldest first."""
    rows, total = await reconciliation.open_cases(tx, search)
    return CaseList(
        rows,
        total,
        await reconciliation.balancing(tx, reconciliation.BalancingAsked()),
        await colleagues(tx),
        await names(tx, people=[each.owner_id for each in rows]),
    )


def _search(form: Typed, me: int, page_size: int = PAGE_SIZE) -> reconciliation.CaseSearch:
    owner = form.raw("owner")
    owner_id = me if owner == "me" else None
    if owner not in ("", "me", "nobody"):
        owner_id = form.whole("owner", least=1)
    search = reconciliation.CaseSearch(
        owner_id=owner_id,
        unowned=owner == "nobody",
        reason_code=form.choice("reason_code", REASONS, needed=False) or None,
        at_least_days=int(form.choice("days", AGES, needed=False) or 0),
        text=form.text("text", length_max=100, needed=False),
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/reconciliation/cases", **members(*READERS))
async def show_cases(request: PageRequest) -> Response[Any]:
    """Every open line with its owner, age and reason; several are given to somebody at once."""
    return await _cases(request, empty(visitor_of(request).speech))


@get("/finance/reconciliation/cases/file", **members(*READERS))
async def show_cases_file(request: PageRequest) -> Response[bytes]:
    """The same lines as a file."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    search = _search(form, visitor.actor.person_id, ROWS_MAX + 1)
    found = await read(request, case_list, search)
    rows = [
        [
            each.line_id,
            each.booked_on.isoformat(),
            each.age_days,
            each.counterparty_name,
            each.remark,
            yuan(each.amount_fen) if each.amount_fen >= 0 else f"-{yuan(-each.amount_fen)}",
            found.names.people.get(each.owner_id or 0, ""),
            _reason(form, each.reason_code),
            each.case_note or "",
            each.attachments,
        ]
        for each in found.rows
    ]
    return await as_file(form, "open-lines", HEADS, rows)


def _reason(form: Typed, code: str | None) -> str:
    found = label("case_reason", code or "")
    return form.speech.either(found.chinese, found.english) if code else ""


@post("/finance/reconciliation/cases", **members(*FINANCE))
async def send_cases(request: PageRequest) -> Response[Any]:
    """Give the lines that are ticked to somebody, with the reason why they are left."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    picked = [int(each) for each in form.all("pick") if each.isdecimal() and len(each) < 18]
    if not picked:
        form.wrong("pick", "请先勾选流水", "Tick lines first")
    try:
        command = _case(form, picked[:PAGE_SIZE])
        to = "/finance/reconciliation/cases"
        said = ("已分派", "Assigned.")
        return await act(request, form, set_cases, command, to=to, said=said)
    except DomainError as error:
        return await _cases(request, form, told(error, speech), error.status)


@post("/finance/reconciliation/{line_id:int}/case", **members(*FINANCE))
async def send_case(request: PageRequest, line_id: FromPath[int]) -> Response[Any]:
    """Say who looks after a line, and why it is left."""
    speech = visitor_of(request).speech
    await read(request, reconciliation.line_by_id, line_id)
    form = await typed(request, speech)
    try:
        command = _case(form, [line_id])
        to = f"/finance/reconciliation/{line_id}"
        return await act(request, form, set_cases, command, to=to, said=("已记录", "Noted."))
    except DomainError as error:
        return await show_line_again(request, line_id, form, told(error, speech), error.status)


def _case(form: Typed, line_ids: Sequence[int]) -> SetCases:
    owner = form.whole("owner", least=1, needed=False)
    code = form.choice("reason_code", REASONS)
    note = form.text("note", length_max=1000, needed=False)
    form.require()
    return SetCases(line_ids, owner, CaseReason(code), note)


@post(
    "/finance/reconciliation/{line_id:int}/papers",
    request_max_body_size=ATTACHMENT_BYTES_MAX + 100_000,
    **members(*FINANCE),
)
async def send_paper(request: PageRequest, line_id: FromPath[int]) -> Response[Any]:
    """Keep a paper with a line: a receipt, a letter of the payer."""
    speech = visitor_of(request).speech
    await read(request, reconciliation.line_by_id, line_id)
    form = await typed(request, speech)
    upload = await form.file("paper", bytes_max=ATTACHMENT_BYTES_MAX)
    try:
        form.require()
        assert upload is not None, "required"
        command = AttachFile(line_id, upload[0], upload[1])
        to = f"/finance/reconciliation/{line_id}"
        return await act(request, form, attach_file, command, to=to, said=("已附上", "Attached."))
    except DomainError as error:
        return await show_line_again(request, line_id, form, told(error, speech), error.status)


@get("/finance/reconciliation/{line_id:int}/papers/{attachment_id:int}/file", **members(*READERS))
async def show_paper(
    request: PageRequest, line_id: FromPath[int], attachment_id: FromPath[int]
) -> Response[bytes]:
    """A paper; who takes it is in the audit trail."""
    file = await read(request, download_file, DownloadFile(line_id, attachment_id))
    return Response(
        content=file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"},
    )


async def _cases(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _search(filters, visitor.actor.person_id)
    return page(
        request,
        "finance/cases.html",
        status=status,
        form=form,
        filters=filters,
        search=search,
        found=await read(request, case_list, search),
        reasons=REASONS,
        refusal=refusal,
        works=visitor.has(*FINANCE),
        may_make=visitor.has(*MAKER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_cases,
    show_cases_file,
    send_cases,
    send_case,
    send_paper,
    show_paper,
]
