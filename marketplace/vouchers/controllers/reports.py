"""Reports, the reconciliation with the ledger, audit paths, and what is published of a year."""

from datetime import date
from typing import Annotated

from litestar import Response, get
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.errors import Malformed
from marketplace.kernel.http import ApiRequest, allow, public, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Word, Year
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.vouchers.queries import PageAsked
from marketplace.vouchers.queries.audit_paths import TrailSearch, audit_path, trails
from marketplace.vouchers.queries.reports import (
    CELL_MIN,
    Grouping,
    ReconciliationAsked,
    ReportAsked,
    open_figures,
    reconciliation,
    report,
)
from marketplace.vouchers.schemas.reports import (
    AuditPathOut,
    OpenDataOut,
    OpenFigureOut,
    ReconciliationOut,
    ReportRowOut,
    TrailOut,
    open_table,
    report_table,
)

REPORTERS = (
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.EVALUATOR,
    *SEES_EVERYTHING,
)
FILE_ROWS_MAX = 50_000
By = Annotated[list[Grouping] | None, QueryParameter(name="by", max_items=8)]
Format = Annotated[FileFormat, QueryParameter(name="format")]


@get("/voucher-report", summary="What became of voucher money", **allow(*REPORTERS))
async def get_report(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    by: By = None,
    from_on: FromQuery[date | None] = None,
    until_on: FromQuery[date | None] = None,
    programme_id: FromQuery[Id | None] = None,
    layer_id: FromQuery[Id | None] = None,
    sme_id: FromQuery[Id | None] = None,
    provider_id: FromQuery[Id | None] = None,
    region_code: FromQuery[Word | None] = None,
    service_kind: FromQuery[Word | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ReportRowOut]:
    """Issued, held, used, claimed, paid, expired, clawed back, grouped by what is named."""
    asked = ReportAsked(
        tuple(by or (Grouping.PROGRAMME,)),
        from_on,
        until_on,
        programme_id,
        layer_id,
        sme_id,
        provider_id,
        region_code,
        service_kind,
        page,
        page_size,
    )
    found = await read(request, report, asked)
    rows = [ReportRowOut.of(row) for row in found.rows]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@get("/voucher-report/file", summary="The same report as a file", **allow(*REPORTERS))
async def get_report_file(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    by: By = None,
    from_on: FromQuery[date | None] = None,
    until_on: FromQuery[date | None] = None,
    programme_id: FromQuery[Id | None] = None,
    layer_id: FromQuery[Id | None] = None,
    sme_id: FromQuery[Id | None] = None,
    provider_id: FromQuery[Id | None] = None,
    region_code: FromQuery[Word | None] = None,
    service_kind: FromQuery[Word | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: every group, as far as one file goes."""
    groups = tuple(by or (Grouping.PROGRAMME,))
    asked = ReportAsked(
        groups,
        from_on,
        until_on,
        programme_id,
        layer_id,
        sme_id,
        provider_id,
        region_code,
        service_kind,
        page_size=FILE_ROWS_MAX,
    )
    found = await read(request, report, asked)
    if found.total > FILE_ROWS_MAX:
        raise Malformed("Ask for fewer groups.", limit=FILE_ROWS_MAX, asked=found.total)
    rows = report_table(found.rows, [str(each) for each in groups])
    return Response(
        content=await table_file(rows, file_format, sheet="创新券 vouchers"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="vouchers.{file_format}"'},
    )


@get(
    "/voucher-reconciliation",
    summary="Programme accounts against the ledger",
    **allow(*REPORTERS),
)
async def get_reconciliation(
    request: ApiRequest,
    programme_id: FromQuery[Id | None] = None,
    differing: FromQuery[bool] = False,
) -> ReconciliationOut:
    """Each layer's budget, holds and use, in the tables and in the ledger, of one moment."""
    asked = ReconciliationAsked(programme_id, differing)
    return ReconciliationOut.of(await read(request, reconciliation, asked))


@get("/audit-paths", summary="The redemptions behind a payment", **allow(*SEES_EVERYTHING))
async def get_trails(
    request: ApiRequest,
    statement_line_id: FromQuery[Id | None] = None,
    payout_id: FromQuery[Id | None] = None,
    claim_id: FromQuery[Id | None] = None,
    order_id: FromQuery[Id | None] = None,
    grant_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[TrailOut]:
    """From a bank line, a payout, a claim or a grant back; from an order forward."""
    search = TrailSearch(
        statement_line_id, payout_id, claim_id, order_id, grant_id, PageAsked(page, page_size)
    )
    found = await read(request, trails, search)
    rows = [TrailOut.of(row) for row in found.rows]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@get(
    "/audit-paths/{redemption_id:int}",
    summary="The whole way of a redemption",
    **allow(*SEES_EVERYTHING),
)
async def get_audit_path(request: ApiRequest, redemption_id: FromPath[Id]) -> AuditPathOut:
    """Budget, application, eligibility, order, usage, contract, invoice, claim, bank line."""
    return AuditPathOut.of(await read(request, audit_path, redemption_id))


@get("/open-data/vouchers/{year:int}", summary="Voucher figures of a year", **public())
async def get_open_data(request: ApiRequest, year: FromPath[Year]) -> OpenDataOut:
    """Sums by programme and city; what too few SMEs stand behind is left empty."""
    rows = await read(request, open_figures, year, actor=NOBODY)
    return OpenDataOut(
        title=f"科技创新券年度数据 Innovation vouchers {year}",
        description="Issued, used, paid, expired and clawed back, by programme and city.",
        licence="CC-BY-4.0",
        unit="fen (1/100 CNY)",
        suppressed_below=CELL_MIN,
        figures=[OpenFigureOut.like(row) for row in rows],
    )


@get("/open-data/vouchers/{year:int}/file", summary="The same figures as a file", **public())
async def get_open_file(
    request: ApiRequest, year: FromPath[Year], file_format: Format = FileFormat.CSV
) -> Response[bytes]:
    """CSV or XLSX."""
    rows = await read(request, open_figures, year, actor=NOBODY)
    return Response(
        content=await table_file(open_table(rows), file_format, sheet=str(year)),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="vouchers-{year}.{file_format}"'},
    )


routes: list[ControllerRouterHandler] = [
    get_report,
    get_report_file,
    get_reconciliation,
    get_trails,
    get_audit_path,
    get_open_data,
    get_open_file,
]
