"""What the bank says of payment files: taken over from its status reports, payment by payment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries as payouts
from marketplace.billing.payouts.use_cases import (
    REPORT_BYTES_MAX,
    ImportStatusReport,
    import_status_report,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import CHECKER, READERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
HERE = "/finance/batches/reports"
OUTCOMES = ("accepted", "rejected", "pending")
HEADS = (
    ("付款", "Payout"),
    ("收款单位", "Payee"),
    ("金额", "Amount"),
    ("银行说", "The bank says"),
    ("状态码", "Code"),
    ("原因", "Reason"),
    ("付款状态", "State"),
)


@dataclass(frozen=True, slots=True)
class ReportList:
    """A page of reports, and who imported them."""

    rows: list[payouts.StatusReport]
    total: int
    names: Names


async def report_list(tx: Tx, search: payouts.ReportSearch) -> ReportList:
    """The newest first."""
    rows, total = await payouts.status_reports(tx, search)
    return ReportList(rows, total, await names(tx, people=[each.imported_by for each in rows]))


@dataclass(frozen=True, slots=True)
class OneReport:
    """A report with a page of what it says."""

    report: payouts.StatusReport
    rows: list[payouts.ReportedPayment]
    total: int
    names: Names


async def one_report(tx: Tx, search: payouts.ReportedSearch) -> OneReport:
    """What it says of each payment, refused ones first."""
    report = await payouts.status_report_by_id(tx, search.report_id)
    rows, total = await payouts.reported_payments(tx, search)
    who = await names(tx, [each.organisation_id for each in rows], [report.imported_by])
    return OneReport(report, rows, total, who)


def _page_of(form: Typed) -> int:
    return form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1


def _search(form: Typed, report_id: int, page_size: int = PAGE_SIZE) -> payouts.ReportedSearch:
    search = payouts.ReportedSearch(
        report_id,
        form.choice("outcome", OUTCOMES, needed=False) or None,
        page=_page_of(form),
        page_size=page_size,
    )
    form.require()
    return search


@get(HERE, **members(*READERS))
async def show_reports(request: PageRequest) -> Response[Any]:
    """Every report, and the form to take one over."""
    return await _reports(request, empty(visitor_of(request).speech))


@post(HERE, request_max_body_size=REPORT_BYTES_MAX + 100_000, **members(*CHECKER))
async def send_report(request: PageRequest) -> Response[Any]:
    """Take a pain.002 file over; refused payments are owed again."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    upload = await form.file("report", bytes_max=REPORT_BYTES_MAX)
    try:
        form.require()
        assert upload is not None, "required"
        return await act(
            request,
            form,
            import_status_report,
            ImportStatusReport(upload[0], upload[1]),
            to=lambda made: f"{HERE}/{made.id}",
            said=("银行回执已采用", "The report is taken over."),
        )
    except DomainError as error:
        return await _reports(request, form, told(error, speech), error.status)


@get("/finance/batches/reports/{report_id:int}", **members(*READERS))
async def show_report(request: PageRequest, report_id: FromPath[int]) -> Response[Any]:
    """What the bank says of each payment, with its code and reason."""
    form = Typed(request.query_params, visitor_of(request).speech)
    search = _search(form, report_id)
    return page(
        request,
        "finance/report.html",
        form=form,
        search=search,
        found=await read(request, one_report, search),
        outcomes=OUTCOMES,
    )


@get("/finance/batches/reports/{report_id:int}/file", **members(*READERS))
async def show_report_file(request: PageRequest, report_id: FromPath[int]) -> Response[bytes]:
    """The same payments as a file."""
    form = Typed(request.query_params, visitor_of(request).speech)
    speech = form.speech
    found = await read(request, one_report, _search(form, report_id, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        payee = found.names.organisations[each.organisation_id]
        said, state = label("bank_says", each.outcome), label("payout", each.status)
        rows.append(
            [
                each.end_to_end_id,
                speech.either(payee.name, payee.name_en),
                yuan(each.amount_fen),
                speech.either(said.chinese, said.english),
                each.code,
                each.reason,
                speech.either(state.chinese, state.english),
            ]
        )
    return await as_file(form, f"status-report-{report_id}", HEADS, rows)


async def _reports(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    batch = filters.whole("batch", least=1, needed=False)
    search = payouts.ReportSearch(batch_id=batch, page=_page_of(filters), page_size=PAGE_SIZE)
    filters.require()
    return page(
        request,
        "finance/reports.html",
        status=status,
        form=form,
        search=search,
        found=await read(request, report_list, search),
        refusal=refusal,
        may_check=visitor.has(*CHECKER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_reports,
    send_report,
    show_report,
    show_report_file,
]
