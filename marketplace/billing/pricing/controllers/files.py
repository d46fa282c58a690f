"""Cost sheets and prices of a provider's instruments as one file: sent in, and taken out."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.schemas import FileReportOut, cost_sheet_table, price_table
from marketplace.billing.pricing.use_cases import (
    ImportCostSheets,
    ImportPriceLists,
    import_cost_sheets,
    import_price_lists,
)
from marketplace.kernel.http import ApiRequest, actor_of, allow, perform, read
from marketplace.kernel.settings import settings
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.uploads import uploaded_file
from marketplace.kernel.wire import Year
from marketplace.parties.roles import Role

# 20,000 lines with a hundred items each would be more; nobody has them.
FILE_BYTES_MAX = min(20_000_000, settings().upload_bytes_max)
FileName = Annotated[str, msgspec.Meta(max_length=200)]


@post(
    "/cost-sheets/imports",
    **allow(Role.PROVIDER_MANAGER),
    summary="File cost sheets of many instruments from CSV or XLSX",
    request_max_body_size=FILE_BYTES_MAX,
)
async def post_cost_sheet_file(
    request: ApiRequest,
    file_name: FromQuery[FileName] = "",
    dry_run: FromQuery[bool] = False,
) -> Response[FileReportOut]:
    """Send the file as the body, with `file_name`, or as the one file of a multipart form.

    Good lines are filed, bad lines are reported; `dry_run` files nothing. The same file again
    files nothing either.
    """
    name, content = await uploaded_file(request, file_name)
    command = ImportCostSheets(actor_of(request).organisation_id, name, content, dry_run=dry_run)
    return await perform(
        request,
        import_cost_sheets,
        command,
        present=FileReportOut.of,
        status=200 if dry_run else 201,
    )


@get(
    "/cost-sheets/file",
    **allow(Role.PROVIDER_MANAGER),
    summary="The provider's cost sheets as a file that can be changed and sent again",
    media_type="text/csv",
)
async def get_cost_sheet_file(
    request: ApiRequest,
    year: FromQuery[Year | None] = None,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
) -> Response[bytes]:
    """The newest sheet of each instrument and year, planned and actual, one line each."""
    question = queries.ProviderSheets(actor_of(request).organisation_id, year)
    table = cost_sheet_table(await read(request, queries.provider_sheets, question), file_format)
    return Response(
        content=await table_file(table, file_format, sheet="成本核算 cost sheets"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="cost-sheets.{file_format}"'},
    )


@post(
    "/price-lists/imports",
    **allow(Role.PROVIDER_MANAGER),
    summary="File prices of many instruments from CSV or XLSX",
    request_max_body_size=FILE_BYTES_MAX,
)
async def post_price_file(
    request: ApiRequest,
    file_name: FromQuery[FileName] = "",
    dry_run: FromQuery[bool] = False,
) -> Response[FileReportOut]:
    """The lines of an instrument are a new version of its prices, in notice from now on.

    Hours, urgency, help and material stay those of its newest version. `dry_run` files nothing,
    and neither does the same file again.
    """
    name, content = await uploaded_file(request, file_name)
    command = ImportPriceLists(actor_of(request).organisation_id, name, content, dry_run=dry_run)
    return await perform(
        request,
        import_price_lists,
        command,
        present=FileReportOut.of,
        status=200 if dry_run else 201,
    )


@get(
    "/price-lists/file",
    **allow(Role.PROVIDER_MANAGER),
    summary="The provider's prices as a file that can be changed and sent again",
    media_type="text/csv",
)
async def get_price_file(
    request: ApiRequest,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
) -> Response[bytes]:
    """The newest version of each instrument's prices that is not withdrawn."""
    question = queries.ProviderPrices(actor_of(request).organisation_id)
    table = price_table(await read(request, queries.provider_prices, question), file_format)
    return Response(
        content=await table_file(table, file_format, sheet="收费标准 prices"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="prices.{file_format}"'},
    )


routes: list[ControllerRouterHandler] = [
    post_cost_sheet_file,
    get_cost_sheet_file,
    post_price_file,
    get_price_file,
]
