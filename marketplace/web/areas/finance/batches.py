"""Batches of payments: drafted by one, approved by another, handed to the bank as a file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries as payouts
from marketplace.billing.payouts.rules.layouts import PaymentFormat
from marketplace.billing.payouts.use_cases import (
    LINES_MAX,
    BatchStep,
    DraftBatch,
    approve_batch,
    batch_file,
    discard_batch,
    draft_batch,
    send_batch,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import CHECKER, FINANCE, MAKER, READERS
from marketplace.web.areas.finance.sources import source_page
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
PAYOUTS_SHOWN = 500
STATUSES = ("draft", "approved", "sent", "discarded")
HEADS = (
    ("批次", "Batch"),
    ("状态", "State"),
    ("笔数", "Payments"),
    ("金额", "Total"),
    ("经办", "Made by"),
    ("经办时间", "Made"),
    ("复核", "Approved by"),
    ("复核时间", "Approved"),
    ("送出时间", "Sent"),
    ("文件摘要", "SHA-256 of the file"),
)
Step = Callable[[Tx, BatchStep], Awaitable[payouts.Batch]]


@dataclass(frozen=True, slots=True)
class BatchList:
    """A page of batches, what waits for the next one, and names."""

    rows: list[payouts.Batch]
    total: int
    waiting: int
    houses: list[payouts.HouseAccount]
    names: Names


async def batch_list(tx: Tx, search: payouts.BatchSearch) -> BatchList:
    """The newest first."""
    rows, total = await payouts.batches(tx, search)
    _, waiting = await payouts.payouts(tx, payouts.PayoutSearch(status="instructed", page_size=1))
    people = [who for each in rows for who in (each.made_by, each.approved_by)]
    houses = await payouts.house_accounts(tx)
    return BatchList(rows, total, waiting, houses, await names(tx, people=people))


@dataclass(frozen=True, slots=True)
class OneBatch:
    """A batch with its payments."""

    batch: payouts.Batch
    said: dict[int, payouts.ReportedPayment]
    reports: list[payouts.StatusReport]
    payouts: list[payouts.Payout]
    total: int
    names: Names


async def one_batch(tx: Tx, batch_id: int) -> OneBatch:
    """A batch with its payments, in the order of the file."""
    batch = await payouts.batch_by_id(tx, batch_id)
    rows, total = await payouts.payouts(
        tx, payouts.PayoutSearch(batch_id=batch_id, page_size=PAYOUTS_SHOWN)
    )
    who = await names(
        tx, (each.organisation_id for each in rows), [batch.made_by, batch.approved_by]
    )
    said = await payouts.last_words(tx, [each.id for each in rows])
    reports, _ = await payouts.status_reports(tx, payouts.ReportSearch(batch_id=batch_id))
    return OneBatch(batch, said, reports, rows[::-1], total, who)


def _search(form: Typed, page_size: int = PAGE_SIZE) -> payouts.BatchSearch:
    search = payouts.BatchSearch(
        status=form.choice("status", STATUSES, needed=False) or None,
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/batches", **members(*READERS))
async def show_batches(request: PageRequest) -> Response[Any]:
    """Every batch and where it stands."""
    return await _batches(request, empty(visitor_of(request).speech, lines=LINES_MAX))


@post("/finance/batches/draft", **members(*MAKER))
async def send_draft(request: PageRequest) -> Response[Any]:
    """Draft a batch from what waits and has a verified account."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    most = form.whole("lines", least=1, most=LINES_MAX, needed=False) or LINES_MAX
    form_of_file = form.choice("format", list(PaymentFormat), needed=False)
    house = form.text("house", length_max=32, needed=False)
    try:
        form.require()
        said = ("批次已生成，等待他人复核", "The batch is drafted; somebody else approves it.")
        return await act(
            request,
            form,
            draft_batch,
            DraftBatch(
                lines_max=most,
                house_account=house or None,
                format=PaymentFormat(form_of_file) if form_of_file else None,
            ),
            to=lambda made: f"/finance/batches/{made.id}",
            said=said,
        )
    except DomainError as error:
        return await _batches(request, form, told(error, speech), error.status)


async def _batches(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _search(filters)
    return page(
        request,
        "finance/batches.html",
        status=status,
        form=form,
        filters=filters,
        search=search,
        found=await read(request, batch_list, search),
        statuses=STATUSES,
        formats=list(PaymentFormat),
        refusal=refusal,
        may_make=visitor.has(*MAKER),
        lines_max=LINES_MAX,
        key=new_key(),
    )


@get("/finance/batches/file", **members(*READERS))
async def show_batches_file(request: PageRequest) -> Response[bytes]:
    """The same batches as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, batch_list, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        status = label("batch", each.status)
        rows.append(
            [
                each.id,
                speech.either(status.chinese, status.english),
                each.lines,
                yuan(each.total_fen),
                found.names.people.get(each.made_by, ""),
                speech.moment(each.made_at),
                found.names.people.get(each.approved_by or 0, ""),
                speech.moment(each.approved_at) if each.approved_at else "",
                speech.moment(each.sent_at) if each.sent_at else "",
                each.content_sha256.hex(),
            ]
        )
    return await as_file(form, "batches", HEADS, rows)


@get("/finance/batches/{batch_id:int}", **members(*READERS))
async def show_batch(request: PageRequest, batch_id: FromPath[int]) -> Response[Any]:
    """A batch, its payments and its next step."""
    return await _batch(request, batch_id)


@get("/finance/batches/{batch_id:int}/payment-file", **members(*FINANCE))
async def show_payment_file(request: PageRequest, batch_id: FromPath[int]) -> Response[Any]:
    """The file for the bank, the same bytes each time; who fetched it is in the audit trail."""
    try:
        file = await read(request, batch_file, BatchStep(batch_id))
    except DomainError as error:
        refusal = told(error, visitor_of(request).speech)
        return await _batch(request, batch_id, refusal, error.status)
    return Response(
        content=file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
    )


@post("/finance/batches/{batch_id:int}/approve", **members(*CHECKER))
async def send_approval(request: PageRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Approve exactly the bytes that were drafted."""
    said = ("批次已复核", "The batch is approved.")
    return await _step(request, batch_id, approve_batch, said)


@post("/finance/batches/{batch_id:int}/send", **members(*MAKER))
async def send_to_bank(request: PageRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Say that the file was handed to the bank."""
    said = ("已记录送交银行", "Noted: the bank has the file.")
    return await _step(request, batch_id, send_batch, said)


@post("/finance/batches/{batch_id:int}/discard", **members(*FINANCE))
async def send_discard(request: PageRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Give the batch up; its payouts wait for the next one."""
    said = ("批次已作废，付款等待下一批次", "Discarded; its payouts wait for the next batch.")
    return await _step(request, batch_id, discard_batch, said)


async def _step(
    request: PageRequest, batch_id: int, use_case: Step, said: tuple[str, str]
) -> Response[Any]:
    speech = visitor_of(request).speech
    await read(request, payouts.batch_by_id, batch_id)
    form = await typed(request, speech)
    here = f"/finance/batches/{batch_id}"
    try:
        return await act(request, form, use_case, BatchStep(batch_id), to=here, said=said)
    except DomainError as error:
        return await _batch(request, batch_id, told(error, speech), error.status)


async def _batch(
    request: PageRequest, batch_id: int, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    return page(
        request,
        "finance/batch.html",
        status=status,
        found=await read(request, one_batch, batch_id),
        refusal=refusal,
        source_page=source_page,
        may_make=visitor.has(*MAKER),
        may_check=visitor.has(*CHECKER),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_batches,
    send_draft,
    show_batches_file,
    show_batch,
    show_payment_file,
    send_approval,
    send_to_bank,
    send_discard,
]
