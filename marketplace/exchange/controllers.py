"""The JSON API of exchange: exports to the national platform."""

from enum import StrEnum
from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.exchange import queries
from marketplace.exchange.queries import ExportPart, ExportSearch
from marketplace.exchange.rules.run import json_lines, table
from marketplace.exchange.rules.states import ExportStatus
from marketplace.exchange.schemas import (
    AnswerIn,
    ExportOut,
    ExportRecordOut,
    LayoutOut,
    MakeExportIn,
    QuarterNumber,
    UnitCodeIn,
    UnitCodeOut,
    WithdrawIn,
)
from marketplace.exchange.use_cases import (
    make_export,
    mark_sent,
    note_answer,
    set_unit_code,
    withdraw_export,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read, signed_in
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Year
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
READERS = (*STAFF, Role.EVALUATOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.REGULATOR)


class ExportFormat(StrEnum):
    """In which form the records of an export are fetched."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"
    """One JSON object a line: what the digest of the export is of."""


@get(
    "/national-exports/layout",
    summary="The layout of a service record, and the return codes",
    **signed_in(),
)
async def get_layout(request: ApiRequest) -> LayoutOut:
    """Every field with what it may hold; the same for everybody."""
    return LayoutOut.now()


@post("/national-exports", summary="Make the export of a quarter", **allow(*STAFF))
async def post_export(request: ApiRequest, data: JSONBody[MakeExportIn]) -> Response[ExportOut]:
    """The caller's service records that are not known to the national platform yet."""
    return await perform(request, make_export, data.to_command(), present=ExportOut.of)


@get("/national-exports", summary="Exports and what became of them", **allow(*READERS))
async def get_exports(
    request: ApiRequest,
    provider_id: FromQuery[Id | None] = None,
    year: FromQuery[Year | None] = None,
    quarter: FromQuery[QuarterNumber | None] = None,
    status: FromQuery[ExportStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ExportOut]:
    """The latest first; providers see their own."""
    search = ExportSearch(provider_id, year, quarter, status, page, page_size)
    rows, total = await read(request, queries.exports, search)
    return Page(
        results=[ExportOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@get("/national-exports/{export_id:int}", summary="An export", **allow(*READERS))
async def get_export(request: ApiRequest, export_id: FromPath[Id]) -> ExportOut:
    """With its report."""
    return ExportOut.of(await read(request, queries.export, export_id))


@get(
    "/national-exports/{export_id:int}/records",
    summary="The records of an export, and why some were left out",
    **allow(*READERS),
)
async def get_records(
    request: ApiRequest,
    export_id: FromPath[Id],
    refused: FromQuery[bool | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ExportRecordOut]:
    """By line; `refused` tells those left out from those sent."""
    part = ExportPart(export_id, refused, page, page_size)
    rows, total = await read(request, queries.export_records, part)
    return Page(
        results=[ExportRecordOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get(
    "/national-exports/{export_id:int}/file",
    summary="The file to send",
    **allow(*READERS),
)
async def get_file(
    request: ApiRequest,
    export_id: FromPath[Id],
    file_format: Annotated[ExportFormat, QueryParameter(name="format")] = ExportFormat.XLSX,
) -> Response[bytes]:
    """The records that are sent: a table under two headers, or JSON lines."""
    contents = await read(request, queries.contents_to_send, export_id)
    if file_format is ExportFormat.JSONL:
        content, media_type = json_lines(contents), "application/jsonl"
    else:
        form = FileFormat(file_format.value)
        content = await table_file(table(contents), form, sheet="服务记录")
        media_type = MEDIA_TYPES[form]
    name = f"service-records-{export_id}.{file_format}"
    return Response(
        content=content,
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@post(
    "/national-exports/{export_id:int}/send",
    summary="Note that it was sent",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_sending(request: ApiRequest, export_id: FromPath[Id]) -> Response[ExportOut]:
    """The file was handed to the national platform."""
    return await perform(request, mark_sent, export_id, present=ExportOut.of, status=200)


@post(
    "/national-exports/{export_id:int}/answer",
    summary="Note what the national platform answered",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_answer(
    request: ApiRequest, export_id: FromPath[Id], data: JSONBody[AnswerIn]
) -> Response[ExportOut]:
    """By its return code: accepted, rejected, or still to be completed."""
    return await perform(
        request, note_answer, data.to_command(export_id), present=ExportOut.of, status=200
    )


@post(
    "/national-exports/{export_id:int}/withdraw",
    summary="Reject an export that nobody will send",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_withdrawal(
    request: ApiRequest, export_id: FromPath[Id], data: JSONBody[WithdrawIn]
) -> Response[ExportOut]:
    """Another export of the quarter may then be made."""
    return await perform(
        request, withdraw_export, data.to_command(export_id), present=ExportOut.of, status=200
    )


@get("/national-unit", summary="The unit's code at the national platform", **allow(*STAFF))
async def get_unit(request: ApiRequest) -> UnitCodeOut:
    """The caller's own."""
    return UnitCodeOut.of(await read(request, queries.unit_code, None))


@put(
    "/national-unit",
    summary="Enter the unit's code at the national platform",
    **allow(Role.PROVIDER_MANAGER),
)
async def put_unit(request: ApiRequest, data: JSONBody[UnitCodeIn]) -> Response[UnitCodeOut]:
    """Exports made from then on carry it."""
    return await perform(
        request, set_unit_code, data.to_command(), present=UnitCodeOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [
    get_layout,
    post_export,
    get_exports,
    get_export,
    get_records,
    get_file,
    post_sending,
    post_answer,
    post_withdrawal,
    get_unit,
    put_unit,
]
