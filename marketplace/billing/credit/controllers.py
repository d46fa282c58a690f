"""The JSON API of credit: lines and their terms, what is owed, payments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.credit import queries
from marketplace.billing.credit.queries import AgeingAsked, LineSearch, ReceivableSearch
from marketplace.billing.credit.schemas import (
    AgeingOut,
    CreditLineOut,
    CreditReceiptOut,
    CreditTermsOut,
    DecideTermsIn,
    EndTermsIn,
    PayCreditIn,
    ProposeTermsIn,
    ReceivableOut,
    ReceivablesOut,
    ReceivableState,
    require_day,
)
from marketplace.billing.credit.use_cases import (
    decide_terms,
    end_terms,
    pay_credit,
    propose_terms,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

SIDES = (Role.PROVIDER_MANAGER, Role.BUYER, Role.SME_ADMINISTRATOR, Role.AUDITOR)
SELLERS = (Role.PROVIDER_MANAGER, Role.AUDITOR)


@get("/credit-lines", **allow(*SIDES), summary="Credit that one grants or was granted")
async def get_lines(
    request: ApiRequest,
    other_id: FromQuery[Id | None] = None,
    overdue: FromQuery[bool] = False,
    proposed: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[CreditLineOut]:
    """Those of the caller's organisation, with what is held, owed and left; auditors see all."""
    search = LineSearch(other_id, overdue, proposed, page, page_size)
    found = await read(request, queries.credit_lines, search)
    return Page(
        results=[CreditLineOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/credit-lines/{line_id:int}", **allow(*SIDES), summary="A credit line")
async def get_line(request: ApiRequest, line_id: FromPath[Id]) -> CreditLineOut:
    """Between the caller's organisation and another."""
    return CreditLineOut.of(await read(request, queries.credit_line_by_id, line_id))


@get("/credit-lines/{line_id:int}/terms", **allow(*SIDES), summary="The terms of a credit line")
async def get_terms(request: ApiRequest, line_id: FromPath[Id]) -> list[CreditTermsOut]:
    """Every version, the newest first."""
    return [CreditTermsOut.of(row) for row in await read(request, queries.terms_of, line_id)]


@post("/credit-terms", **allow(Role.PROVIDER_MANAGER), summary="Propose credit for a buyer")
async def post_terms(
    request: ApiRequest, data: JSONBody[ProposeTermsIn]
) -> Response[CreditTermsOut]:
    """Nothing is granted before a second person of the provider approves."""
    return await perform(request, propose_terms, data.to_command(), present=CreditTermsOut.of)


@post(
    "/credit-terms/{terms_id:int}/decide",
    **allow(Role.PROVIDER_MANAGER),
    summary="Approve or refuse proposed credit",
    status_code=200,
)
async def post_decision(
    request: ApiRequest, terms_id: FromPath[Id], data: JSONBody[DecideTermsIn]
) -> Response[CreditTermsOut]:
    """By another person than the one who proposed it."""
    return await perform(
        request, decide_terms, data.to_command(terms_id), present=CreditTermsOut.of, status=200
    )


@post(
    "/credit-terms/{terms_id:int}/end",
    **allow(Role.PROVIDER_MANAGER),
    summary="End credit, or take a proposal back",
    status_code=200,
)
async def post_end(
    request: ApiRequest, terms_id: FromPath[Id], data: JSONBody[EndTermsIn]
) -> Response[CreditTermsOut]:
    """No more orders on account; what is owed stays due."""
    return await perform(
        request, end_terms, data.to_command(terms_id), present=CreditTermsOut.of, status=200
    )


@post(
    "/credit-lines/{line_id:int}/pay",
    **allow(Role.BUYER, Role.SME_ADMINISTRATOR),
    summary="Pay what is owed, out of the wallet",
)
async def post_payment(
    request: ApiRequest, line_id: FromPath[Id], data: JSONBody[PayCreditIn]
) -> Response[CreditReceiptOut]:
    """Pays the oldest first, and gives the line its room back."""
    return await perform(request, pay_credit, data.to_command(line_id), present=CreditReceiptOut.of)


@get("/credit-lines/{line_id:int}/receipts", **allow(*SIDES), summary="Payments on a credit line")
async def get_receipts(
    request: ApiRequest,
    line_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[CreditReceiptOut]:
    """The newest first, each with what it paid."""
    await read(request, queries.credit_line_by_id, line_id)
    asked = queries.ReceiptsAsked(line_id, page, page_size)
    found = await read(request, queries.receipts, asked)
    return Page(
        results=[CreditReceiptOut.of(row, found.parts) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/receivables", **allow(*SIDES), summary="What is owed on account")
async def get_receivables(
    request: ApiRequest,
    line_id: FromQuery[Id | None] = None,
    order_id: FromQuery[Id | None] = None,
    status: FromQuery[ReceivableState] = "all",
    due_from: FromQuery[date | None] = None,
    due_until: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> ReceivablesOut:
    """By and to the caller's organisation, the first due first."""
    search = _search(line_id, order_id, status, due_from, due_until)
    found = await read(
        request, queries.receivables, replace(search, page=page, page_size=page_size)
    )
    return ReceivablesOut(
        results=[ReceivableOut.of(row) for row in found.rows],
        total=found.total,
        left_fen=found.left_fen,
        page=page,
        page_size=page_size,
    )


@get(
    "/receivables/export",
    **allow(*SIDES),
    summary="What is owed on account, as a file",
    media_type="text/csv",
)
async def get_receivables_file(
    request: ApiRequest,
    line_id: FromQuery[Id | None] = None,
    order_id: FromQuery[Id | None] = None,
    status: FromQuery[ReceivableState] = "all",
    due_from: FromQuery[date | None] = None,
    due_until: FromQuery[date | None] = None,
    file_format: FromQuery[FileFormat] = FileFormat.CSV,
) -> Response[bytes]:
    """At most 50,000 rows, in fen."""
    search = _search(line_id, order_id, status, due_from, due_until)
    found = await read(
        request, queries.receivables, replace(search, page_size=queries.EXPORT_ROWS_MAX)
    )
    rows = [ReceivableOut.of(row) for row in found.rows]
    return await _file("receivables", ReceivableOut.__struct_fields__, rows, file_format)


@get("/receivables/ageing", **allow(*SELLERS), summary="What buyers owe, by age")
async def get_ageing(
    request: ApiRequest,
    as_of: FromQuery[date],
    provider_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[AgeingOut]:
    """What was open at the end of `as_of`, by the days since it was due; most owed first."""
    require_day(as_of, name="as_of")
    asked = AgeingAsked(as_of, provider_id, page, page_size)
    found = await read(request, queries.ageing, asked)
    return Page(
        results=[AgeingOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get(
    "/receivables/ageing/export",
    **allow(*SELLERS),
    summary="What buyers owe, by age, as a file",
    media_type="text/csv",
)
async def get_ageing_file(
    request: ApiRequest,
    as_of: FromQuery[date],
    provider_id: FromQuery[Id | None] = None,
    file_format: FromQuery[FileFormat] = FileFormat.CSV,
) -> Response[bytes]:
    """One row a buyer, in fen."""
    require_day(as_of, name="as_of")
    asked = AgeingAsked(as_of, provider_id, page_size=queries.EXPORT_ROWS_MAX)
    found = await read(request, queries.ageing, asked)
    names = tuple(field.name for field in fields(queries.AgeingRow))
    return await _file("ageing", names, found.rows, file_format)


def _search(
    line_id: int | None,
    order_id: int | None,
    state: ReceivableState,
    due_from: date | None,
    due_until: date | None,
) -> ReceivableSearch:
    require_day(due_from, name="due_from")
    require_day(due_until, name="due_until")
    return ReceivableSearch(
        line_id=line_id,
        order_id=order_id,
        open=state == "open",
        overdue=state == "overdue",
        due_from=due_from,
        due_until=due_until,
    )


async def _file(
    name: str, columns: tuple[str, ...], rows: Iterable[Any], file_format: FileFormat
) -> Response[bytes]:
    table = [list(columns), *([getattr(row, column) for column in columns] for row in rows)]
    return Response(
        content=await table_file(table, file_format, sheet=name),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}.{file_format}"'},
    )


routes: list[ControllerRouterHandler] = [
    get_lines,
    get_line,
    get_terms,
    post_terms,
    post_decision,
    post_end,
    post_payment,
    get_receipts,
    get_receivables,
    get_receivables_file,
    get_ageing,
    get_ageing_file,
]
