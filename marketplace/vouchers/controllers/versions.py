"""Programmes from files, versions of their terms, and dry runs of changes over past orders."""

import codecs
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, caller_or_nobody, perform, public, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.spreadsheets.writing import SHEET_ROWS_MAX, csv_bytes
from marketplace.kernel.uploads import uploaded_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.queries import LayerChangesAsked, PageAsked, VersionPair, VersionsAsked
from marketplace.vouchers.queries.dry_run_tables import cut_note, table_of
from marketplace.vouchers.queries.dry_runs import (
    DryRunRowsAsked,
    DryRunSearch,
    dry_run_rows,
    dry_runs,
    stored_dry_run,
)
from marketplace.vouchers.rules.programme_file import FILE_BYTES_MAX
from marketplace.vouchers.schemas import ProgrammeOut
from marketplace.vouchers.schemas.programmes import (
    Dimension,
    DryRunIn,
    DryRunOut,
    DryRunRowOut,
    DryRunStatus,
    LayerChangeOut,
    TermComparedOut,
    VersionIn,
    VersionNumber,
    VersionOut,
)
from marketplace.vouchers.use_cases import (
    DecideVersion,
    ImportProgramme,
    approve_version,
    ask_dry_run,
    discard_version,
    draft_version,
    import_programme,
)

SHEET_MAX = SHEET_ROWS_MAX - 2
"""Rows of a dry run in one sheet, beside its head and the note that it is cut."""
ROWS_AT_ONCE = 10_000
"""Rows of a CSV file that are in memory at a time."""

PLANNERS = (Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER, Role.AUDITOR, Role.REGULATOR)
"""Who reads what a changed rule would have made of past orders."""


@post(
    "/voucher-programmes/imports",
    summary="Draft a programme from its file",
    request_max_body_size=FILE_BYTES_MAX + 4096,
    **allow(Role.VOUCHER_OFFICER),
)
async def post_import(request: ApiRequest) -> Response[ProgrammeOut]:
    """A TOML file with every term and its source; everything that is wrong is told at once."""
    _, content = await uploaded_file(request)
    command = ImportProgramme(content)
    return await perform(request, import_programme, command, present=ProgrammeOut.of)


@post(
    "/voucher-programmes/{programme_id:int}/versions",
    summary="Draft a version of a programme's terms and layers",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_version(
    request: ApiRequest, programme_id: FromPath[Id], data: JSONBody[VersionIn]
) -> Response[VersionOut]:
    """The newest terms with what changes, other budgets and shares of layers, and new layers, from
    a day to come; a second person approves them."""
    command = data.to_command(programme_id)
    return await perform(request, draft_version, command, present=VersionOut.of)


@get(
    "/voucher-programmes/{programme_id:int}/versions",
    summary="Versions of a programme's terms",
    **public(),
)
async def get_versions(
    request: ApiRequest,
    programme_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[VersionOut]:
    """The versions after the first, the newest first; drafts for the centre only."""
    asked = VersionsAsked(programme_id, PageAsked(page, page_size))
    found = await read(request, queries.versions, asked, actor=caller_or_nobody(request))
    return Page(
        results=[VersionOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get(
    "/voucher-programmes/{programme_id:int}/versions/compare",
    summary="Two versions of a programme's terms compared",
    **public(),
)
async def get_comparison(
    request: ApiRequest,
    programme_id: FromPath[Id],
    first: FromQuery[VersionNumber],
    second: FromQuery[VersionNumber],
) -> list[TermComparedOut]:
    """Every term that differs; version 1 is what the programme was approved with."""
    pair = VersionPair(programme_id, first, second)
    found = await read(request, queries.compare_versions, pair, actor=caller_or_nobody(request))
    return [TermComparedOut.of(row) for row in found]


@get(
    "/voucher-programmes/{programme_id:int}/versions/{version:int}/layers",
    summary="What a version changes of a programme's layers",
    **public(),
)
async def get_layer_changes(
    request: ApiRequest,
    programme_id: FromPath[Id],
    version: FromPath[VersionNumber],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[LayerChangeOut]:
    """Budgets before and after, shares, and layers that are added; of drafts for the centre."""
    asked = LayerChangesAsked(programme_id, version, PageAsked(page, page_size))
    found = await read(request, queries.layer_changes, asked, actor=caller_or_nobody(request))
    return Page(
        results=[LayerChangeOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post(
    "/voucher-programmes/{programme_id:int}/versions/{version:int}/approve",
    summary="Approve a version of a programme's terms",
    **allow(Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER),
)
async def post_approve_version(
    request: ApiRequest, programme_id: FromPath[Id], version: FromPath[VersionNumber]
) -> Response[VersionOut]:
    """Another person than the one who drafted it; budgets move at once, and orders held before
    keep their terms and shares."""
    command = DecideVersion(programme_id, version)
    return await perform(request, approve_version, command, present=VersionOut.of, status=200)


@post(
    "/voucher-programmes/{programme_id:int}/versions/{version:int}/discard",
    summary="Discard a version of a programme's terms",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_discard_version(
    request: ApiRequest, programme_id: FromPath[Id], version: FromPath[VersionNumber]
) -> Response[VersionOut]:
    """Give up a version that waits for its approval."""
    command = DecideVersion(programme_id, version)
    return await perform(request, discard_version, command, present=VersionOut.of, status=200)


@post(
    "/voucher-programmes/{programme_id:int}/dry-runs",
    summary="Try changed terms on past orders",
    **allow(Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER),
)
async def post_dry_run(
    request: ApiRequest, programme_id: FromPath[Id], data: JSONBody[DryRunIn]
) -> Response[DryRunOut]:
    """Worked off in the background; nothing of the programme changes."""
    command = data.to_command(programme_id)
    return await perform(request, ask_dry_run, command, present=DryRunOut.of, status=202)


@get(
    "/voucher-programmes/{programme_id:int}/dry-runs",
    summary="Dry runs of a programme",
    **allow(*PLANNERS),
)
async def get_dry_runs(
    request: ApiRequest,
    programme_id: FromPath[Id],
    status: FromQuery[DryRunStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[DryRunOut]:
    """What was tried on a programme, the newest first."""
    search = DryRunSearch(programme_id, status, PageAsked(page, page_size))
    found = await read(request, dry_runs, search)
    return Page(
        results=[DryRunOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/voucher-dry-runs/{dry_run_id:int}", summary="A dry run", **allow(*PLANNERS))
async def get_dry_run(request: ApiRequest, dry_run_id: FromPath[Id]) -> DryRunOut:
    """How far it is, and what it comes to once it is done."""
    return DryRunOut.of(await read(request, stored_dry_run, dry_run_id))


@get("/voucher-dry-runs/{dry_run_id:int}/rows", summary="Rows of a dry run", **allow(*PLANNERS))
async def get_dry_run_rows(
    request: ApiRequest,
    dry_run_id: FromPath[Id],
    dimension: FromQuery[Dimension | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[DryRunRowOut]:
    """Before and after by size, region, kind of service, provider and layer."""
    asked = DryRunRowsAsked(dry_run_id, dimension, PageAsked(page, page_size))
    found = await read(request, dry_run_rows, asked)
    return Page(
        results=[DryRunRowOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get(
    "/voucher-dry-runs/{dry_run_id:int}/file",
    summary="A dry run as a file",
    media_type="text/csv",
    **allow(*PLANNERS),
)
async def get_dry_run_file(
    request: ApiRequest,
    dry_run_id: FromPath[Id],
    dimension: FromQuery[Dimension | None] = None,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
) -> Response[bytes] | Stream:
    """CSV or XLSX, amounts in yuan: every row, or as many as a sheet holds and a last one that
    says so."""
    headers = {"Content-Disposition": f'attachment; filename="dry-run-{dry_run_id}.{file_format}"'}
    asked = DryRunRowsAsked(dry_run_id, dimension, PageAsked(1, 1))
    total = (await read(request, dry_run_rows, asked)).total
    headers["Total-Rows"] = str(total)
    if file_format is FileFormat.CSV:
        rows = _every_row(request, asked, total)
        return Stream(rows, media_type=MEDIA_TYPES[file_format], headers=headers)
    found = await read(request, dry_run_rows, replace(asked, page=PageAsked(1, SHEET_MAX)))
    table = [*table_of(found.rows), *cut_note(len(found.rows), total)]
    return Response(
        content=await table_file(table, file_format, sheet="试算 dry run"),
        media_type=MEDIA_TYPES[file_format],
        headers=headers,
    )


async def _every_row(
    request: ApiRequest, asked: DryRunRowsAsked, total: int
) -> AsyncIterator[bytes]:
    """The table as CSV, a part of it at a time; a dry run that is done changes no more."""
    pages = max(1, -(-total // ROWS_AT_ONCE))
    for number in range(1, pages + 1):
        page = replace(asked, page=PageAsked(number, ROWS_AT_ONCE))
        found = await read(request, dry_run_rows, page)
        part = csv_bytes(table_of(found.rows, head=number == 1))
        # The mark of UTF-8 stands at the beginning of the file only.
        yield part if number == 1 else part.removeprefix(codecs.BOM_UTF8)


routes: list[ControllerRouterHandler] = [
    post_import,
    post_version,
    get_versions,
    get_comparison,
    get_layer_changes,
    post_approve_version,
    post_discard_version,
    post_dry_run,
    get_dry_runs,
    get_dry_run,
    get_dry_run_rows,
    get_dry_run_file,
]
