"""The JSON API of runs in public notice: read and objected to by anybody, answered by finance."""

from __future__ import annotations

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
from marketplace.billing.rewards.rules.states import ObjectionStatus
from marketplace.billing.rewards.schemas.notices import (
    AnswerIn,
    FiledOut,
    NoticeOut,
    NoticePageOut,
    ObjectionIn,
    ObjectionOut,
)
from marketplace.billing.rewards.schemas.runs import RunOut
from marketplace.billing.rewards.use_cases import (
    PublishRun,
    answer_objection,
    file_objection,
    publish_run,
)
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import atomically
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
    public,
    read,
    request_id_of,
    services,
)
from marketplace.kernel.limits import SIGN_IN
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role


@post(
    "/rewards/runs/{run_id:int}/publish",
    **allow(Role.FINANCE_MAKER, Role.FINANCE_CHECKER),
    summary="Give public notice of a draft",
    status_code=200,
)
async def post_publication(request: ApiRequest, run_id: FromPath[Id]) -> Response[RunOut]:
    """Its figures stay as they are; anybody may object through the notice's last day."""
    return await perform(request, publish_run, PublishRun(run_id), present=RunOut.of, status=200)


@get("/reward-notices", summary="Rewards in public notice", **public())
async def get_notices(request: ApiRequest) -> list[NoticeOut]:
    """At most one run a year is."""
    return [NoticeOut.of(row) for row in await read(request, queries.notices, None, actor=NOBODY)]


@get("/reward-notices/{run_id:int}", summary="A run in public notice", **public())
async def get_notice(
    request: ApiRequest,
    run_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> NoticePageOut:
    """The legal entities that it pays, the largest amounts first."""
    asked = queries.NoticeAsked(run_id, page, page_size)
    found = await read(request, queries.notice_page, asked, actor=NOBODY)
    return NoticePageOut.of(found, page=page, page_size=page_size)


@post(
    "/reward-notices/{run_id:int}/objections",
    rate_limit=SIGN_IN,
    summary="Object to a run",
    **public(),
)
async def post_objection(
    request: ApiRequest, run_id: FromPath[Id], data: JSONBody[ObjectionIn]
) -> FiledOut:
    """Anybody objects, with a name and where to be reached, until the notice's last day."""
    filed = await atomically(
        services(request).database,
        file_objection,
        data.to_command(run_id),
        actor=NOBODY,
        request_id=request_id_of(request),
    )
    return FiledOut(id=filed)


@get("/reward-objections", summary="Objections to runs", **allow(*READERS))
async def get_objections(
    request: ApiRequest,
    run_id: FromQuery[Id | None] = None,
    status: FromQuery[ObjectionStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ObjectionOut]:
    """The newest first, with who can be reached about each."""
    search = queries.ObjectionSearch(run_id, status, page, page_size)
    found = await read(request, queries.objections, search)
    rows = [ObjectionOut.of(row) for row in found.results]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@get("/reward-objections/file", summary="Objections to runs as a file", **allow(*READERS))
async def get_objections_file(
    request: ApiRequest,
    file_format: Format,
    run_id: FromQuery[Id | None] = None,
    status: FromQuery[ObjectionStatus | None] = None,
) -> Response[bytes]:
    """Like the list, all of it."""
    search = queries.ObjectionSearch(run_id, status, 1, FILE_ROWS_MAX)
    found = await read(request, queries.objections, search)
    return await rows_file(found.results, queries.Objection, found.total, file_format, "objections")


@post(
    "/reward-objections/{reward_objection_id:int}/answer",
    **allow(Role.FINANCE_CHECKER),
    summary="Answer an objection",
    status_code=200,
)
async def post_answer(
    request: ApiRequest, reward_objection_id: FromPath[Id], data: JSONBody[AnswerIn]
) -> Response[ObjectionOut]:
    """Upheld, it keeps the run from being paid; discard it and draft it again."""
    command = data.to_command(reward_objection_id)
    return await perform(request, answer_objection, command, present=ObjectionOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    post_publication,
    get_notices,
    get_notice,
    post_objection,
    get_objections,
    get_objections_file,
    post_answer,
]
