"""The JSON API of previews, suggestions, clearings and the exception queue."""

from __future__ import annotations

from urllib.parse import quote

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.reconciliation import queries, use_cases
from marketplace.billing.reconciliation.queries.cases import CaseSearch, open_cases
from marketplace.billing.reconciliation.rules.cases import CaseReason
from marketplace.billing.reconciliation.schemas import (
    AccountNumber,
    AgeDays,
    AttachmentOut,
    CaseIn,
    CaseOut,
    ClearingIn,
    ClearingOut,
    FileName,
    LineOut,
    OpenReportOut,
    PreviewOut,
    SearchText,
    SuggestionOut,
    UndoClearingIn,
)
from marketplace.billing.reconciliation.use_cases.cases import (
    ATTACHMENT_BYTES_MAX,
    AttachFile,
    DownloadFile,
    attach_file,
    download_file,
    set_case,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import SEES_EVERYTHING, Role

FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
EXPORT_ROWS_MAX = 50_000


@post(
    "/bank-statements/preview",
    summary="Look at a statement before it is imported",
    request_max_body_size=use_cases.STATEMENT_BYTES_MAX,
    **allow(Role.FINANCE_MAKER),
)
async def post_preview(
    request: ApiRequest, account_number: FromQuery[AccountNumber]
) -> Response[PreviewOut]:
    """Send the file as the body; nothing is kept. Tells columns, lines, what is known, problems."""
    command = use_cases.PreviewStatement(account_number, await request.body())
    return await perform(
        request, use_cases.preview_statement, command, present=PreviewOut.of, status=200
    )


@post("/statement-lines/match", summary="Match all open lines", **allow(Role.FINANCE_MAKER))
async def post_match_open(request: ApiRequest) -> Response[OpenReportOut]:
    """Explains what scores at least what the rulebook asks for; the rest waits for a person."""
    command = use_cases.MatchOpen()
    return await perform(
        request, use_cases.match_open, command, present=OpenReportOut.of, status=200
    )


@get(
    "/statement-lines/{line_id:int}/suggestions",
    summary="What a line may be",
    **allow(*FINANCE),
)
async def get_suggestions(request: ApiRequest, line_id: FromPath[Id]) -> list[SuggestionOut]:
    """Payments, the likeliest first, each with its score and the reasons for and against."""
    found = await read(request, use_cases.suggestions, line_id)
    return [SuggestionOut.of(one) for one in found.candidates]


@post("/clearings", summary="Explain lines together", **allow(Role.FINANCE_MAKER))
async def post_clearing(request: ApiRequest, data: JSONBody[ClearingIn]) -> Response[ClearingOut]:
    """Several lines are one payment, one line is several things, a fee or difference with them."""
    return await perform(request, use_cases.clear_lines, data.to_command(), present=ClearingOut.of)


@get(
    "/clearings/{clearing_id:int}",
    summary="A clearing",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_clearing(request: ApiRequest, clearing_id: FromPath[Id]) -> ClearingOut:
    """Its lines, and what they are."""
    return ClearingOut.of(await read(request, queries.clearing_by_id, clearing_id))


@post(
    "/clearings/{clearing_id:int}/undo",
    summary="Take a clearing back",
    **allow(Role.FINANCE_MAKER),
)
async def post_clearing_undo(
    request: ApiRequest, clearing_id: FromPath[Id], data: JSONBody[UndoClearingIn]
) -> Response[ClearingOut]:
    """By reversing entries; all its lines are open again."""
    command = data.to_command(clearing_id)
    return await perform(
        request, use_cases.undo_clearing, command, present=ClearingOut.of, status=200
    )


@get("/open-lines", summary="The exception queue", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_open_lines(
    request: ApiRequest,
    owner_id: FromQuery[Id | None] = None,
    unowned: FromQuery[bool] = False,
    reason_code: FromQuery[CaseReason | None] = None,
    at_least_days: FromQuery[AgeDays] = 0,
    text: FromQuery[SearchText] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[CaseOut]:
    """Lines nobody has explained, oldest first, with owner, age and why they are left."""
    search = CaseSearch(
        owner_id=owner_id,
        unowned=unowned,
        reason_code=reason_code,
        at_least_days=at_least_days,
        text=text,
        page=page,
        page_size=page_size,
    )
    rows, total = await read(request, open_cases, search)
    return Page(
        results=[CaseOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@get(
    "/open-lines/file",
    summary="The exception queue as a file",
    media_type="application/octet-stream",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_open_lines_file(
    request: ApiRequest,
    file_format: FromQuery[FileFormat] = FileFormat.CSV,
    reason_code: FromQuery[CaseReason | None] = None,
) -> Response[bytes]:
    """At most 50,000 lines, oldest first."""
    search = CaseSearch(reason_code=reason_code, page_size=EXPORT_ROWS_MAX)
    rows, _ = await read(request, open_cases, search)
    table = [list(CaseOut.__struct_fields__), *(CaseOut.of(row).cells() for row in rows)]
    return Response(
        content=await table_file(table, file_format, sheet="open lines"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="open-lines.{file_format}"'},
    )


@put(
    "/statement-lines/{line_id:int}/case",
    summary="Look after an open line",
    **allow(*FINANCE),
)
async def put_case(
    request: ApiRequest, line_id: FromPath[Id], data: JSONBody[CaseIn]
) -> Response[LineOut]:
    """Who looks after it, and why it is left."""
    return await perform(
        request, set_case, data.to_command(line_id), present=LineOut.of, status=200
    )


@get(
    "/statement-lines/{line_id:int}/attachments",
    summary="Papers about a line",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_attachments(request: ApiRequest, line_id: FromPath[Id]) -> list[AttachmentOut]:
    """Their names and digests."""
    return [AttachmentOut.of(row) for row in await read(request, queries.attachments_of, line_id)]


@post(
    "/statement-lines/{line_id:int}/attachments",
    summary="Attach a paper to a line",
    request_max_body_size=ATTACHMENT_BYTES_MAX,
    **allow(*FINANCE),
)
async def post_attachment(
    request: ApiRequest, line_id: FromPath[Id], name: FromQuery[FileName]
) -> Response[AttachmentOut]:
    """The body is the file: a paper, a table or a picture of one, at most 10 MB."""
    command = AttachFile(line_id, name, await request.body())
    return await perform(request, attach_file, command, present=AttachmentOut.of)


@get(
    "/statement-lines/{line_id:int}/attachments/{attachment_id:int}",
    summary="Download a paper",
    media_type="application/octet-stream",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_attachment(
    request: ApiRequest, line_id: FromPath[Id], attachment_id: FromPath[Id]
) -> Response[bytes]:
    """Every download is written down."""
    file = await read(request, download_file, DownloadFile(line_id, attachment_id))
    return Response(
        content=file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"},
    )


routes: list[ControllerRouterHandler] = [
    post_preview,
    post_match_open,
    get_suggestions,
    post_clearing,
    get_clearing,
    post_clearing_undo,
    get_open_lines,
    get_open_lines_file,
    put_case,
    get_attachments,
    post_attachment,
    get_attachment,
]
