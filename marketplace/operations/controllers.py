"""The JSON API of running the platform: notices, jobs, messages that wait, the audit trail."""

from datetime import date
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import Malformed
from marketplace.kernel.http import ApiRequest, allow, caller_or_nobody, perform, public, read
from marketplace.kernel.operations import (
    JobRunsAsked,
    MessagesAsked,
    TrailSearch,
    audit_trail,
    job_runs,
    messages,
    trail_table,
)
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.operations import queries
from marketplace.operations.queries import NoticeSearch
from marketplace.operations.schemas import (
    JobOut,
    JobRunOut,
    MessageOut,
    Name,
    NoticeIn,
    NoticeOut,
    NoticeShownOut,
    RequestId,
    TrailLineOut,
    TrailOut,
    WithdrawalIn,
)
from marketplace.operations.use_cases import (
    NoticeState,
    Severity,
    WithdrawNotice,
    publish_notice,
    retry_message,
    withdraw_notice,
)
from marketplace.parties.roles import SEES_EVERYTHING, Role

OVERSEERS = (Role.ADMINISTRATOR, *SEES_EVERYTHING)
JOB_READERS = (Role.VOUCHER_OFFICER, Role.EVALUATOR, *OVERSEERS)
TRAIL_READERS = (Role.ADMINISTRATOR, Role.AUDITOR)
TRAIL_FILE_LINES_MAX = 10_000


@post("/notices", summary="Publish a notice", **allow(Role.ADMINISTRATOR))
async def post_notice(request: ApiRequest, data: JSONBody[NoticeIn]) -> Response[NoticeOut]:
    """Shown on top of pages to the roles named; its words are never changed afterwards."""
    return await perform(request, publish_notice, data.to_command(), present=NoticeOut.of)


@get("/notices", summary="Notices", **allow(*OVERSEERS))
async def get_notices(
    request: ApiRequest,
    text: FromQuery[Name] = "",
    severity: FromQuery[Severity | None] = None,
    role: FromQuery[Role | None] = None,
    in_state: Annotated[NoticeState | None, QueryParameter(name="state")] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[NoticeOut]:
    """Every notice that fits, the latest first, withdrawn ones with their reason."""
    search = NoticeSearch(text, severity, in_state, role, page, page_size)
    found = await read(request, queries.notices, search)
    return Page(
        results=[NoticeOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/notices/shown", summary="Notices for oneself", **public())
async def get_notices_shown(request: ApiRequest) -> list[NoticeShownOut]:
    """What is shown just now to who asks: to everybody, and to the roles that they hold."""
    actor = caller_or_nobody(request)
    found = await read(request, queries.notices_now, None, actor=actor)
    return [NoticeShownOut.of(row) for row in found]


@get("/notices/{notice_id:int}", summary="A notice", **allow(*OVERSEERS))
async def get_notice(request: ApiRequest, notice_id: FromPath[Id]) -> NoticeOut:
    """A notice as it was published, and whether it was withdrawn."""
    return NoticeOut.of(await read(request, queries.notice, notice_id))


@post(
    "/notices/{notice_id:int}/withdraw",
    summary="Withdraw a notice",
    **allow(Role.ADMINISTRATOR),
)
async def post_withdraw(
    request: ApiRequest, notice_id: FromPath[Id], data: JSONBody[WithdrawalIn]
) -> Response[NoticeOut]:
    """Taken off the pages at once; it stays in the list with the reason."""
    command = WithdrawNotice(notice_id, data.reason)
    return await perform(request, withdraw_notice, command, present=NoticeOut.of, status=200)


@get("/jobs", summary="Jobs", **allow(*JOB_READERS))
async def get_jobs(request: ApiRequest) -> list[JobOut]:
    """What each does, when it ran last and runs next, and how often it failed of late."""
    found = await read(request, queries.jobs, request.app.state.jobs)
    return [JobOut.of(row) for row in found]


@get("/jobs/runs", summary="Runs of jobs", **allow(*JOB_READERS))
async def get_job_runs(
    request: ApiRequest,
    job: FromQuery[Name] = "",
    failed: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[JobRunOut]:
    """Runs that fit, the latest first; of more than 10,000 the first are counted."""
    found = await read(request, job_runs, JobRunsAsked(job, failed, page, page_size))
    return Page(
        results=[JobRunOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/messages", summary="Messages that wait", **allow(*OVERSEERS))
async def get_messages(
    request: ApiRequest,
    name: FromQuery[Name] = "",
    failed: FromQuery[bool] = True,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[MessageOut]:
    """Events that nobody heard yet, the oldest first; only those that failed unless asked."""
    found = await read(request, messages, MessagesAsked(name, failed, page, page_size))
    return Page(
        results=[MessageOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post(
    "/messages/{message_id:int}/retry",
    summary="Deliver a message again",
    **allow(Role.ADMINISTRATOR),
)
async def post_retry(request: ApiRequest, message_id: FromPath[Id]) -> Response[MessageOut]:
    """It is due at once, with all its attempts before it."""
    return await perform(request, retry_message, message_id, present=MessageOut.of, status=200)


@get("/audit-trail", summary="The audit trail", **allow(*TRAIL_READERS))
async def get_trail(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    action: FromQuery[Name] = "",
    subject: FromQuery[Name] = "",
    subject_id: FromQuery[Id | None] = None,
    person_id: FromQuery[Id | None] = None,
    request_id: FromQuery[RequestId] = "",
    first_day: FromQuery[date | None] = None,
    last_day: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> TrailOut:
    """Who did what, when, to what: append-only, the newest first."""
    search = TrailSearch(
        action,
        subject,
        subject_id,
        person_id,
        request_id,
        _day(first_day),
        _day(last_day),
        page,
        page_size,
    )
    found = await read(request, audit_trail, search)
    return TrailOut(
        results=[TrailLineOut.of(line) for line in found.lines],
        total=found.total,
        capped=found.capped,
        page=page,
        page_size=page_size,
    )


@get(
    "/audit-trail/file",
    summary="The audit trail as a file",
    media_type="text/csv",
    **allow(*TRAIL_READERS),
)
async def get_trail_file(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    action: FromQuery[Name] = "",
    subject: FromQuery[Name] = "",
    subject_id: FromQuery[Id | None] = None,
    person_id: FromQuery[Id | None] = None,
    request_id: FromQuery[RequestId] = "",
    first_day: FromQuery[date | None] = None,
    last_day: FromQuery[date | None] = None,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
) -> Response[bytes]:
    """CSV or XLSX of at most 10,000 lines, the newest first."""
    search = TrailSearch(
        action,
        subject,
        subject_id,
        person_id,
        request_id,
        _day(first_day),
        _day(last_day),
        page_size=TRAIL_FILE_LINES_MAX,
    )
    found = await read(request, audit_trail, search)
    return Response(
        content=await table_file(trail_table(found.lines), file_format, sheet="审计日志 audit"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="audit-trail.{file_format}"'},
    )


def _day(day: date | None) -> date | None:
    if day is not None and not 2000 <= day.year <= 2100:
        raise Malformed("Days are from 2000 to 2100.", asked=day.isoformat())
    return day


routes: list[ControllerRouterHandler] = [
    post_notice,
    get_notices,
    get_notices_shown,
    get_notice,
    post_withdraw,
    get_jobs,
    get_job_runs,
    get_messages,
    post_retry,
    get_trail,
    get_trail_file,
]
