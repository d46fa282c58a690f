"""The JSON API of invoicing; an invoice is recorded through its order."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from urllib.parse import quote

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.billing.credit.queries import LineSearch, credit_lines
from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.schemas import (
    AccountOut,
    InvoiceNumber,
    InvoiceOut,
    RevenueIn,
    RevenueOut,
    TakeBackIn,
    TrueUpIn,
    TrueUpOut,
    account_asked,
)
from marketplace.billing.invoicing.statements import statement_of
from marketplace.billing.invoicing.use_cases import note_revenue, take_invoice_back, true_up_year
from marketplace.billing.pricing.queries import true_ups
from marketplace.kernel.http import (
    ApiRequest,
    actor_of,
    allow,
    caller_or_nobody,
    perform,
    public,
    read,
    signed_in,
)
from marketplace.kernel.wire import PAGE_SIZE_MAX, Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

_FromDay = Annotated[date, QueryParameter(name="from")]
STATEMENT_LINES_MAX = 2_000


@get("/invoices", **signed_in(), summary="Invoices issued and received")
async def get_invoices(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    order_id: FromQuery[Id | None] = None,
    number: FromQuery[InvoiceNumber | None] = None,
    kind: FromQuery[Literal["blue", "red"] | None] = None,
    non_tax_revenue: FromQuery[bool | None] = None,
    issued_from: FromQuery[date | None] = None,
    issued_until: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[InvoiceOut]:
    """Those of the caller's organisation, newest first; finance and auditors see all."""
    search = queries.InvoiceSearch(
        page=page,
        page_size=page_size,
        order_id=order_id,
        number=number,
        kind=kind,
        non_tax_revenue=non_tax_revenue,
        issued_from=issued_from,
        issued_until=issued_until,
    )
    found = await read(request, queries.invoices, search)
    return Page(
        results=[InvoiceOut.of(recorded) for recorded in found.results],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/invoices/{invoice_id:int}", **signed_in(), summary="An invoice")
async def get_invoice(request: ApiRequest, invoice_id: FromPath[Id]) -> InvoiceOut:
    """One that the caller's organisation issued or received."""
    return InvoiceOut.of(await read(request, queries.invoice_by_id, invoice_id))


@get(
    "/invoices/{invoice_id:int}/file",
    **signed_in(),
    summary="The tax authority's file of an invoice",
    media_type="application/xml",
)
async def get_invoice_file(request: ApiRequest, invoice_id: FromPath[Id]) -> Response[bytes]:
    """The XML as it was uploaded."""
    found = await read(request, queries.invoice_file_of, invoice_id)
    return _download(found.content, found.name, "application/xml")


@post(
    "/invoices/{invoice_id:int}/take-back",
    **allow(Role.PROVIDER_MANAGER),
    summary="Record a red invoice",
)
async def post_take_back(
    request: ApiRequest, invoice_id: FromPath[Id], data: JSONBody[TakeBackIn]
) -> Response[InvoiceOut]:
    """Takes a blue invoice, or a part of it, back; what it frees can be invoiced anew."""
    return await perform(
        request, take_invoice_back, data.to_command(invoice_id), present=InvoiceOut.of
    )


@post(
    "/revenue-kinds",
    **allow(Role.PROVIDER_MANAGER),
    summary="Note how the own income is booked",
)
async def post_revenue(request: ApiRequest, data: JSONBody[RevenueIn]) -> Response[RevenueOut]:
    """Budget units manage service income as non-tax revenue; invoices from then on say so."""
    command = data.to_command(actor_of(request).organisation_id)
    return await perform(
        request, note_revenue, command, present=lambda noted: RevenueOut(non_tax_revenue=noted)
    )


@post(
    "/instruments/{instrument_id:int}/true-ups",
    **allow(Role.PROVIDER_MANAGER),
    summary="Hold a year's income against its real cost",
)
async def post_true_up(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[TrueUpIn]
) -> Response[TrueUpOut]:
    """Once the year is over and its real cost filed; a surplus lowers the next ceiling."""
    return await perform(
        request, true_up_year, data.to_command(instrument_id), present=TrueUpOut.of
    )


@get(
    "/instruments/{instrument_id:int}/true-ups",
    **public(),
    summary="What each year brought in beside its real cost",
)
async def get_true_ups(request: ApiRequest, instrument_id: FromPath[Id]) -> list[TrueUpOut]:
    """Newest first; a surplus lowers the ceiling of the year after."""
    found = await read(request, true_ups, instrument_id, actor=caller_or_nobody(request))
    return [TrueUpOut.of(row) for row in found]


@get("/account", **signed_in(), summary="What the own organisation bought and sold")
async def get_account(
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    other_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> AccountOut:
    """From `from` through `until`, with one other organisation or with all."""
    asked = account_asked(from_, until, other_id, page=page, page_size=page_size)
    found = await read(request, queries.account_of, asked)
    lines = LineSearch(other_id=other_id, page_size=PAGE_SIZE_MAX)
    credit = await read(request, credit_lines, lines)
    return AccountOut.of(found, credit.rows, page=page, page_size=page_size)


@get(
    "/account/statement",
    **signed_in(),
    summary="The statement of account as PDF",
    media_type="application/pdf",
)
async def get_statement(
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    other_id: FromQuery[Id | None] = None,
    language: FromQuery[Literal["zh", "en"]] = "zh",
) -> Response[bytes]:
    """Like `GET /account`, to print and to send; at most 2,000 lines."""
    asked = account_asked(from_, until, other_id, page=1, page_size=STATEMENT_LINES_MAX)
    content = await read(request, statement_of, (asked, language))
    name = f"statement-{from_}-{until}.pdf"
    return _download(content, name, "application/pdf")


def _download(content: bytes, name: str, media_type: str) -> Response[bytes]:
    return Response(
        content=content,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        },
    )


routes: list[ControllerRouterHandler] = [
    get_invoices,
    get_invoice,
    get_invoice_file,
    post_take_back,
    post_revenue,
    post_true_up,
    get_true_ups,
    get_account,
    get_statement,
]
