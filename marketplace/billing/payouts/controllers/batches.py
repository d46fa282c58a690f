"""Batches of payouts, their files, and what the bank says of them."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries, use_cases
from marketplace.billing.payouts.controllers.access import FINANCE
from marketplace.billing.payouts.rules.pain002 import BankOutcome
from marketplace.billing.payouts.schemas import (
    BatchIn,
    BatchOut,
    ReportedPaymentOut,
    StatusReportOut,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Word
from marketplace.parties.roles import SEES_EVERYTHING, Role


@get("/payout-batches", summary="Batches", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_batches(
    request: ApiRequest,
    status: FromQuery[Word | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[BatchOut]:
    """Newest first."""
    search = queries.BatchSearch(status=status, page=page, page_size=page_size)
    rows, total = await read(request, queries.batches, search)
    return Page(
        results=[BatchOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@post("/payout-batches", summary="Draft a batch", **allow(Role.FINANCE_MAKER))
async def post_batch(request: ApiRequest, data: JSONBody[BatchIn]) -> Response[BatchOut]:
    """From what waits and has a verified account."""
    return await perform(request, use_cases.draft_batch, data.to_command(), present=BatchOut.of)


@get("/payout-batches/{batch_id:int}", summary="A batch", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_batch(request: ApiRequest, batch_id: FromPath[Id]) -> BatchOut:
    """One batch."""
    return BatchOut.of(await read(request, queries.batch_by_id, batch_id))


@post(
    "/payout-batches/{batch_id:int}/approve",
    summary="Approve a batch",
    **allow(Role.FINANCE_CHECKER, Role.ADMINISTRATOR),
)
async def post_approval(request: ApiRequest, batch_id: FromPath[Id]) -> Response[BatchOut]:
    """By another person than its maker, up to what the person's role may approve in one file."""
    step = use_cases.BatchStep(batch_id)
    return await perform(request, use_cases.approve_batch, step, present=BatchOut.of, status=200)


@post("/payout-batches/{batch_id:int}/send", summary="Send a batch", **allow(Role.FINANCE_MAKER))
async def post_sending(request: ApiRequest, batch_id: FromPath[Id]) -> Response[BatchOut]:
    """The file was handed to the bank."""
    step = use_cases.BatchStep(batch_id)
    return await perform(request, use_cases.send_batch, step, present=BatchOut.of, status=200)


@post("/payout-batches/{batch_id:int}/discard", summary="Discard a batch", **allow(*FINANCE))
async def post_discard(request: ApiRequest, batch_id: FromPath[Id]) -> Response[BatchOut]:
    """Its payouts wait for the next one."""
    step = use_cases.BatchStep(batch_id)
    return await perform(request, use_cases.discard_batch, step, present=BatchOut.of, status=200)


@get("/payout-batches/{batch_id:int}/file", summary="The payment file", **allow(*FINANCE))
async def get_file(request: ApiRequest, batch_id: FromPath[Id]) -> Response[bytes]:
    """CSV, XLSX or pain.001, the same bytes each time; who fetched it is in the audit trail."""
    file = await read(request, use_cases.batch_file, use_cases.BatchStep(batch_id))
    return Response(
        content=file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
    )


@post(
    "/payment-status-reports",
    summary="Import what the bank says of a payment file",
    request_max_body_size=use_cases.REPORT_BYTES_MAX,
    **allow(Role.FINANCE_CHECKER),
)
async def post_status_report(
    request: ApiRequest, file_name: FromQuery[Word] = "pain002.xml"
) -> Response[StatusReportOut]:
    """Send the pain.002 file as the body. Refused payments are owed again; all or nothing."""
    command = use_cases.ImportStatusReport(file_name, await request.body())
    return await perform(
        request, use_cases.import_status_report, command, present=StatusReportOut.of
    )


@get("/payment-status-reports", summary="Status reports", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_status_reports(
    request: ApiRequest,
    batch_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[StatusReportOut]:
    """Newest first."""
    search = queries.ReportSearch(batch_id=batch_id, page=page, page_size=page_size)
    rows, total = await read(request, queries.status_reports, search)
    return Page(
        results=[StatusReportOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get(
    "/payment-status-reports/{report_id:int}/payments",
    summary="What a status report says",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_reported_payments(
    request: ApiRequest,
    report_id: FromPath[Id],
    outcome: FromQuery[BankOutcome | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ReportedPaymentOut]:
    """Each payment with the bank's code and reason, refused ones first."""

    async def question(
        tx: Tx, search: queries.ReportedSearch
    ) -> tuple[list[queries.ReportedPayment], int]:
        await queries.status_report_by_id(tx, search.report_id)
        return await queries.reported_payments(tx, search)

    search = queries.ReportedSearch(report_id, outcome, page=page, page_size=page_size)
    rows, total = await read(request, question, search)
    return Page(
        results=[ReportedPaymentOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


routes: list[ControllerRouterHandler] = [
    get_batches,
    post_batch,
    get_batch,
    post_approval,
    post_sending,
    post_discard,
    get_file,
    post_status_report,
    get_status_reports,
    get_reported_payments,
]
