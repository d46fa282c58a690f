"""The JSON API of reports on the use of rewards."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.controllers.access import (
    FILE_ROWS_MAX,
    READERS,
    Format,
    rows_file,
)
from marketplace.billing.rewards.schemas.uses import (
    OneUseReportOut,
    UseDecisionIn,
    UseEvidenceOut,
    UseReportIn,
    UseReportOut,
    UseSummaryOut,
)
from marketplace.billing.rewards.use_cases import (
    AttachEvidence,
    DownloadEvidence,
    attach_evidence,
    decide_use_report,
    download_evidence,
    file_use_report,
)
from marketplace.billing.rewards.use_cases.uses import EVIDENCE_BYTES_MAX
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.uploads import saved_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Year
from marketplace.parties.roles import Role

FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")]
ReportState = Literal["due", "overdue", "filed", "accepted", "returned"]


@get(
    "/reward-use-reports",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="Reports on the use of rewards",
)
async def get_reports(
    request: ApiRequest,
    year: FromQuery[Year | None] = None,
    status: FromQuery[ReportState | None] = None,
    provider_id: FromQuery[Id | None] = None,
    outside_only: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[UseReportOut]:
    """What is owed first; a provider sees its own."""
    search = queries.ReportSearch(
        year=year,
        status=status,
        provider_id=provider_id,
        outside_only=outside_only,
        page=page,
        page_size=page_size,
    )
    found = await read(request, queries.use_reports, search)
    rows = [UseReportOut.of(row) for row in found.results]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@get("/reward-use-reports/file", **allow(*READERS), summary="Reports on use as a file")
async def get_reports_file(
    request: ApiRequest,
    file_format: Format,
    year: FromQuery[Year | None] = None,
    status: FromQuery[ReportState | None] = None,
    outside_only: FromQuery[bool] = False,
) -> Response[bytes]:
    """Like the list, all of it."""
    search = queries.ReportSearch(
        year=year, status=status, outside_only=outside_only, page_size=FILE_ROWS_MAX
    )
    found = await read(request, queries.use_reports, search)
    return await rows_file(
        found.results, queries.UseReport, found.total, file_format, "use-reports"
    )


@get("/reward-use-summary", **allow(*READERS), summary="How a year's rewards were used")
async def get_summary(request: ApiRequest, year: FromQuery[Year]) -> UseSummaryOut:
    """By purpose, of what was handed in and not returned; and how many reports are owed."""
    return UseSummaryOut.of(await read(request, queries.use_summary, year))


@get("/reward-use-summary/file", **allow(*READERS), summary="A year's use of rewards as a file")
async def get_summary_file(
    request: ApiRequest, file_format: Format, year: FromQuery[Year]
) -> Response[bytes]:
    """One line a purpose."""
    found = await read(request, queries.use_summary, year)
    return await rows_file(
        found.purposes,
        queries.PurposeSum,
        len(found.purposes),
        file_format,
        f"reward-use-{year}",
    )


@get(
    "/reward-use-reports/{use_report_id:int}",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="A report on the use of a reward",
)
async def get_report(request: ApiRequest, use_report_id: FromPath[Id]) -> OneUseReportOut:
    """With everything that was handed in, and what was decided."""
    return OneUseReportOut.of(await read(request, queries.use_report, use_report_id))


@post(
    "/reward-use-reports/{use_report_id:int}/filings",
    **allow(Role.PROVIDER_MANAGER),
    summary="Hand in a report on the use of a reward",
    status_code=200,
)
async def post_filing(
    request: ApiRequest, use_report_id: FromPath[Id], data: JSONBody[UseReportIn]
) -> Response[OneUseReportOut]:
    """The parts sum to the reward, to the fen; at least one paper shows it."""
    command = data.to_command(use_report_id)
    return await perform(request, file_use_report, command, present=OneUseReportOut.of, status=200)


@post(
    "/reward-use-reports/{use_report_id:int}/decide",
    **allow(Role.FINANCE_MAKER, Role.FINANCE_CHECKER),
    summary="Accept a report, or return it",
    status_code=200,
)
async def post_decision(
    request: ApiRequest, use_report_id: FromPath[Id], data: JSONBody[UseDecisionIn]
) -> Response[OneUseReportOut]:
    """One that is returned is owed again."""
    command = data.to_command(use_report_id)
    return await perform(
        request, decide_use_report, command, present=OneUseReportOut.of, status=200
    )


@post(
    "/reward-use-reports/{use_report_id:int}/evidence",
    **allow(Role.PROVIDER_MANAGER),
    summary="Add a paper to a report",
    request_max_body_size=EVIDENCE_BYTES_MAX,
)
async def post_evidence(
    request: ApiRequest, use_report_id: FromPath[Id], name: FromQuery[FileName]
) -> Response[UseEvidenceOut]:
    """The body is the file: a paper, a table or a picture of one, at most 10 MB."""
    command = AttachEvidence(use_report_id, name, await request.body())
    return await perform(request, attach_evidence, command, present=UseEvidenceOut.of)


@get(
    "/reward-use-reports/{use_report_id:int}/evidence/{use_evidence_id:int}",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="Download a paper of a report",
    media_type="application/octet-stream",
)
async def get_evidence(
    request: ApiRequest, use_report_id: FromPath[Id], use_evidence_id: FromPath[Id]
) -> Response[bytes]:
    """Every download is written down."""
    asked = DownloadEvidence(use_report_id, use_evidence_id)
    file = await read(request, download_evidence, asked)
    return saved_file(
        name=file.name, content=file.content, media_type=file.media_type, sha256=file.sha256
    )


routes: list[ControllerRouterHandler] = [
    get_reports,
    get_reports_file,
    get_summary,
    get_summary_file,
    get_report,
    post_filing,
    post_decision,
    post_evidence,
    get_evidence,
]
