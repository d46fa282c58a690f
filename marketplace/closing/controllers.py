"""The JSON API of closing: checklists, sign-offs, reopenings, balances of a day."""

from __future__ import annotations

from datetime import date

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.schemas import PeriodOut
from marketplace.billing.ledger.use_cases import (
    ApproveReopening,
    ClosePeriod,
    approve_reopening,
    propose_reopening,
)
from marketplace.closing.queries import months as queries
from marketplace.closing.queries import packs as pack_queries
from marketplace.closing.rules.months import Month
from marketplace.closing.schemas import (
    ChecklistOut,
    DatedBalanceOut,
    MonthIn,
    MonthNumber,
    MonthSignOffOut,
    PackOut,
    ReopeningIn,
    ReopeningOut,
    YearLineOut,
)
from marketplace.closing.use_cases.months import (
    SignMonth,
    close_checked_period,
    draft_month,
    sign_month,
)
from marketplace.closing.use_cases.packs import ask_pack, pack_content, pack_name, take_pack
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Year
from marketplace.parties.roles import Role

FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
READERS = (*FINANCE, Role.AUDITOR)


@get(
    "/closing/months/{year:int}/{month:int}/checklist",
    summary="A month's checklist",
    **allow(*READERS),
)
async def get_checklist(
    request: ApiRequest, year: FromPath[Year], month: FromPath[MonthNumber]
) -> ChecklistOut:
    """Each item with its state, its figure and the oldest things that are open.

    Reads every posting: with millions of them this takes seconds.
    """
    asked = Month(year, month)
    return ChecklistOut.of(asked, await read(request, queries.days_checklist, asked))


@get("/closing/sign-offs", summary="Months signed off or drafted", **allow(*READERS))
async def get_sign_offs(
    request: ApiRequest,
    year: FromQuery[Year | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[MonthSignOffOut]:
    """The latest month first; a month that was opened again has one for each closing."""
    search = queries.SignOffSearch(year=year, page=page, page_size=page_size)
    rows, total = await read(request, queries.sign_offs, search)
    return Page(
        results=[MonthSignOffOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@post("/closing/sign-offs", summary="Draft a month's sign-off", **allow(Role.FINANCE_MAKER))
async def post_draft(request: ApiRequest, data: JSONBody[MonthIn]) -> Response[MonthSignOffOut]:
    """Refused while a blocking item of the checklist is open, with a reason for each."""
    return await perform(request, draft_month, data.to_month(), present=MonthSignOffOut.of)


@post(
    "/closing/sign-offs/{close_id:int}/sign",
    summary="Sign a month off",
    **allow(Role.FINANCE_CHECKER),
)
async def post_signature(request: ApiRequest, close_id: FromPath[Id]) -> Response[MonthSignOffOut]:
    """By another person than drafted it; closes the month's books in every ledger."""
    return await perform(
        request, sign_month, SignMonth(close_id), present=MonthSignOffOut.of, status=200
    )


@post(
    "/ledger/periods/{period_id:int}/close",
    summary="Close a period",
    **allow(Role.FINANCE_CHECKER),
)
async def post_close(request: ApiRequest, period_id: FromPath[Id]) -> Response[PeriodOut]:
    """By another person than proposed it, and by the same checklist as a month.

    Refused while a blocking item is open, with a reason for each. No entry is posted to its days
    any more.
    """
    return await perform(
        request,
        close_checked_period,
        ClosePeriod(period_id),
        present=PeriodOut.of,
        status=200,
    )


@get(
    "/ledger/periods/{period_id:int}/reopenings",
    summary="Requests to open a period again",
    **allow(*READERS),
)
async def get_reopenings(request: ApiRequest, period_id: FromPath[Id]) -> list[ReopeningOut]:
    """The latest first, each with what the closing had said; at most 200."""
    return [ReopeningOut.of(row) for row in await read(request, ledger.reopenings, period_id)]


@post(
    "/ledger/periods/{period_id:int}/reopenings",
    summary="Ask to open a closed period again",
    **allow(Role.FINANCE_MAKER),
)
async def post_reopening(
    request: ApiRequest, period_id: FromPath[Id], data: JSONBody[ReopeningIn]
) -> Response[ReopeningOut]:
    """With a reason; only the latest closed period of its ledger, and another person agrees."""
    return await perform(
        request, propose_reopening, data.to_command(period_id), present=ReopeningOut.of
    )


@post(
    "/ledger/period-reopenings/{reopening_id:int}/approve",
    summary="Open a closed period again",
    **allow(Role.FINANCE_CHECKER),
)
async def post_reopening_approval(
    request: ApiRequest, reopening_id: FromPath[Id]
) -> Response[ReopeningOut]:
    """By another person than asked for it; its days take entries until it is closed again."""
    return await perform(
        request,
        approve_reopening,
        ApproveReopening(reopening_id),
        present=ReopeningOut.of,
        status=200,
    )


@get(
    "/ledger/accounts/{account_id:int}/balance",
    summary="The balance of an account on a day",
    **allow(*READERS),
)
async def get_balance(
    request: ApiRequest,
    account_id: FromPath[Id],
    as_of: FromQuery[date],
    by: FromQuery[ledger.DatedBy] = ledger.DatedBy.EFFECTIVE,
) -> DatedBalanceOut:
    """By the day on which it was so, or by the day on which the books were told."""
    asked = ledger.BalanceAsked(account_id, as_of, by)
    return DatedBalanceOut.of(await read(request, ledger.balance_as_of, asked))


@get(
    "/ledger/years/{year:int}",
    summary="How a year opened, moved and closed",
    **allow(*READERS, Role.REGULATOR),
)
async def get_year(request: ApiRequest, year: FromPath[Year]) -> list[YearLineOut]:
    """Each type of account; a year opens with what the one before it closed with."""
    return [YearLineOut.of(line) for line in await read(request, ledger.year_of, year)]


@post(
    "/closing/audit-packs",
    summary="Ask for a month's audit pack",
    **allow(Role.FINANCE_CHECKER, Role.AUDITOR),
)
async def post_pack(request: ApiRequest, data: JSONBody[MonthIn]) -> Response[PackOut]:
    """A job builds it; `entries_done` of `entries_total` says how far it is."""
    return await perform(request, ask_pack, data.to_month(), present=PackOut.of)


@get("/closing/audit-packs", summary="Audit packs", **allow(*READERS))
async def get_packs(
    request: ApiRequest,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[PackOut]:
    """The latest first."""
    search = pack_queries.PackSearch(page=page, page_size=page_size)
    rows, total = await read(request, pack_queries.packs, search)
    return Page(
        results=[PackOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@get("/closing/audit-packs/{pack_id:int}", summary="An audit pack", **allow(*READERS))
async def get_pack(request: ApiRequest, pack_id: FromPath[Id]) -> PackOut:
    """How far it is and, once it is ready, its manifest."""
    return PackOut.of(await read(request, pack_queries.pack_by_id, pack_id))


@get(
    "/closing/audit-packs/{pack_id:int}/file",
    summary="The archive of an audit pack",
    media_type="application/zip",
    **allow(*READERS),
)
async def get_pack_file(request: ApiRequest, pack_id: FromPath[Id]) -> Stream:
    """A ZIP archive with a manifest of digests; who takes it is noted in the audit trail."""
    pack, keys = await read(request, take_pack, pack_id)
    return Stream(
        pack_content(keys),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{pack_name(pack)}"',
            "Content-Length": str(pack.size),
        },
    )


routes: list[ControllerRouterHandler] = [
    get_checklist,
    get_sign_offs,
    post_draft,
    post_signature,
    post_close,
    get_reopenings,
    post_reopening,
    post_reopening_approval,
    get_balance,
    get_year,
    post_pack,
    get_packs,
    get_pack,
    get_pack_file,
]
