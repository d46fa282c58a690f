"""Services free of charge for public purposes: asking, evidence, decision, figures."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.uploads import saved_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Year
from marketplace.orders import queries
from marketplace.orders.queries import FiguresAsked, FreeUseSearch
from marketplace.orders.queries.free_use import FIGURES_ROWS_MAX
from marketplace.orders.rules.free_use import FreeUseStatus
from marketplace.orders.schemas.free_use import (
    FileName,
    FindingIn,
    FreeUseDecisionIn,
    FreeUseEvidenceOut,
    FreeUseFigureOut,
    FreeUseFiguresOut,
    FreeUseIn,
    FreeUseOut,
    Purpose,
    WithdrawFreeUseIn,
)
from marketplace.orders.use_cases.free_use import (
    EVIDENCE_BYTES_MAX,
    AddEvidence,
    DownloadEvidence,
    add_evidence,
    ask_free_use,
    decide_free_use,
    download_evidence,
    examine_free_use,
    withdraw_free_use,
)
from marketplace.parties.roles import SEES_EVERYTHING, Role

BUYERS = (Role.BUYER, Role.SME_ADMINISTRATOR)
STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
READERS = (*BUYERS, *STAFF, Role.AUDITOR)
COUNTERS = (Role.PROVIDER_MANAGER, Role.EVALUATOR, Role.VOUCHER_OFFICER, *SEES_EVERYTHING)


@post("/quotes/{quote_id:int}/free-use", **allow(*BUYERS), summary="Ask for a quote free of charge")
async def post_request(
    request: ApiRequest, quote_id: FromPath[Id], data: JSONBody[FreeUseIn]
) -> Response[FreeUseOut]:
    """For one of the public purposes; the provider examines and decides before the order."""
    return await perform(request, ask_free_use, data.to_command(quote_id), present=FreeUseOut.of)


@get("/free-uses", **allow(*READERS), summary="Requests for services free of charge")
async def get_requests(
    request: ApiRequest,
    status: FromQuery[FreeUseStatus | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[FreeUseOut]:
    """Made or received by the caller's organisation, newest first."""
    search = FreeUseSearch(status, purpose, instrument_id, page, page_size)
    found = await read(request, queries.free_uses, search)
    return Page(
        results=[FreeUseOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/free-uses/{free_use_id:int}", **allow(*READERS), summary="A request for a free service")
async def get_request(request: ApiRequest, free_use_id: FromPath[Id]) -> FreeUseOut:
    """For the two sides and auditors."""
    return FreeUseOut.of(await read(request, queries.free_use_by_id, free_use_id))


@get(
    "/free-uses/{free_use_id:int}/evidence",
    **allow(*READERS),
    summary="The evidence of a request",
)
async def get_evidence(request: ApiRequest, free_use_id: FromPath[Id]) -> list[FreeUseEvidenceOut]:
    """For the two sides and auditors."""
    found = await read(request, queries.evidence_of, free_use_id)
    return [FreeUseEvidenceOut.of(row) for row in found]


@post(
    "/free-uses/{free_use_id:int}/evidence",
    **allow(*BUYERS),
    summary="Send evidence",
    request_max_body_size=EVIDENCE_BYTES_MAX,
)
async def post_evidence(
    request: ApiRequest, free_use_id: FromPath[Id], name: FromQuery[FileName]
) -> Response[FreeUseEvidenceOut]:
    """The body is the file: a paper, a table or a picture of one, at most 10 MB, ten in all."""
    command = AddEvidence(free_use_id, name, await request.body())
    return await perform(request, add_evidence, command, present=FreeUseEvidenceOut.of)


@get(
    "/free-uses/{free_use_id:int}/evidence/{evidence_id:int}",
    **allow(*READERS),
    summary="Download evidence",
    media_type="application/octet-stream",
)
async def get_evidence_file(
    request: ApiRequest, free_use_id: FromPath[Id], evidence_id: FromPath[Id]
) -> Response[bytes]:
    """For the two sides and auditors; every download is logged."""
    taken = await read(request, download_evidence, DownloadEvidence(free_use_id, evidence_id))
    return saved_file(
        name=taken.name,
        content=taken.content,
        media_type=taken.media_type,
        sha256=taken.sha256,
    )


@post(
    "/free-uses/{free_use_id:int}/examine",
    **allow(*STAFF),
    summary="Note what was found",
    status_code=200,
)
async def post_finding(
    request: ApiRequest, free_use_id: FromPath[Id], data: JSONBody[FindingIn]
) -> Response[FreeUseOut]:
    """By the provider's first person; no evidence is added from then on."""
    command = data.to_command(free_use_id)
    return await perform(request, examine_free_use, command, present=FreeUseOut.of, status=200)


@post(
    "/free-uses/{free_use_id:int}/decide",
    **allow(Role.PROVIDER_MANAGER),
    summary="Approve or refuse a free service",
    status_code=200,
)
async def post_decision(
    request: ApiRequest, free_use_id: FromPath[Id], data: JSONBody[FreeUseDecisionIn]
) -> Response[FreeUseOut]:
    """By another person than the one who examined it; approved, the order can be placed."""
    command = data.to_command(free_use_id)
    return await perform(request, decide_free_use, command, present=FreeUseOut.of, status=200)


@post(
    "/free-uses/{free_use_id:int}/withdraw",
    **allow(*BUYERS),
    summary="Take a request back",
    status_code=200,
)
async def post_withdrawal(
    request: ApiRequest, free_use_id: FromPath[Id], data: JSONBody[WithdrawFreeUseIn]
) -> Response[FreeUseOut]:
    """While nobody has decided it."""
    command = data.to_command(free_use_id)
    return await perform(request, withdraw_free_use, command, present=FreeUseOut.of, status=200)


@get("/free-use-figures", **allow(*COUNTERS), summary="What was given free of charge")
async def get_figures(
    request: ApiRequest,
    year: FromQuery[Year],
    provider_id: FromQuery[Id | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> FreeUseFiguresOut:
    """Orders, minutes, samples and list value by provider and purpose; a provider sees its own."""
    asked = FiguresAsked(year, provider_id, purpose, page, page_size)
    return FreeUseFiguresOut.of(await read(request, queries.free_use_figures, asked))


@get(
    "/free-use-figures/export",
    **allow(*COUNTERS),
    summary="What was given free of charge, as a file",
    media_type="text/csv",
)
async def get_figures_file(
    request: ApiRequest,
    year: FromQuery[Year],
    provider_id: FromQuery[Id | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    file_format: FromQuery[FileFormat] = FileFormat.CSV,
) -> Response[bytes]:
    """One row for each provider and purpose; values in fen."""
    asked = FiguresAsked(year, provider_id, purpose, page_size=FIGURES_ROWS_MAX)
    found = await read(request, queries.free_use_figures, asked)
    columns = FreeUseFigureOut.__struct_fields__
    rows = [[getattr(row, column) for column in columns] for row in found.rows]
    return Response(
        content=await table_file([list(columns), *rows], file_format, sheet="free use"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="free-use-{year}.{file_format}"'},
    )


routes: list[ControllerRouterHandler] = [
    post_request,
    get_requests,
    get_request,
    get_evidence,
    post_evidence,
    get_evidence_file,
    post_finding,
    post_decision,
    post_withdrawal,
    get_figures,
    get_figures_file,
]
