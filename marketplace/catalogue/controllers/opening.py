"""When an instrument is open, and when it is closed all the same."""

from datetime import datetime
from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries
from marketplace.catalogue.queries.closures import ClosureSearch
from marketplace.catalogue.rules.opening import ClosureKind
from marketplace.catalogue.schemas import (
    ClosureIn,
    ClosureOut,
    ReopenedOut,
    WeekIn,
    WeekOut,
    closure_window,
)
from marketplace.catalogue.use_cases import (
    ReopenInstrument,
    close_instrument,
    reopen_instrument,
    set_opening_hours,
)
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    caller_or_nobody,
    perform,
    public,
    read,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

_MANAGER = allow(Role.PROVIDER_MANAGER)
_From = Annotated[datetime | None, QueryParameter(name="from")]


@get("/instruments/{instrument_id:int}/opening-hours", **public(), summary="The usual week")
async def get_opening_hours(request: ApiRequest, instrument_id: FromPath[Id]) -> WeekOut:
    """When an instrument is open; empty while its provider has not said."""
    actor = caller_or_nobody(request)
    await read(request, queries.visible_instrument, instrument_id, actor=actor)
    return WeekOut.of(await read(request, queries.opening_hours, instrument_id, actor=actor))


@put("/instruments/{instrument_id:int}/opening-hours", **_MANAGER, summary="Set the usual week")
async def put_opening_hours(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[WeekIn]
) -> Response[WeekOut]:
    """The week replaces the one before."""
    return await perform(
        request,
        set_opening_hours,
        data.to_command(instrument_id),
        present=WeekOut.of,
        status=200,
    )


@post("/instruments/{instrument_id:int}/closures", **_MANAGER, summary="Close an instrument")
async def post_closure(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[ClosureIn]
) -> Response[ClosureOut]:
    """For a time, whatever its opening hours, with a reason that users see."""
    return await perform(
        request, close_instrument, data.to_command(instrument_id), present=ClosureOut.of
    )


@get(
    "/instruments/{instrument_id:int}/closures",
    **public(),
    summary="When an instrument is closed whatever its hours",
)
async def get_closures(
    request: ApiRequest,
    instrument_id: FromPath[Id],
    from_: _From = None,
    until: FromQuery[datetime | None] = None,
    kind: FromQuery[ClosureKind | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ClosureOut]:
    """In order of their start; with `from` or `until` those that touch that time."""
    question = ClosureSearch(
        instrument_id, closure_window(from_, until), kind=kind, page=page, page_size=page_size
    )
    found, total = await read(
        request, queries.closures_page, question, actor=caller_or_nobody(request)
    )
    return Page(
        results=[ClosureOut.of(one) for one in found], total=total, page=page, page_size=page_size
    )


@post(
    "/instruments/{instrument_id:int}/closures/{closure_id:int}/reopen",
    **allow(Role.PROVIDER_MANAGER, Role.TECHNICIAN),
    summary="End a closure now",
)
async def post_reopening(
    request: ApiRequest, instrument_id: FromPath[Id], closure_id: FromPath[Id]
) -> Response[ReopenedOut]:
    """The repair is done, or the plan was dropped: one that has not begun is taken back."""
    return await perform(
        request,
        reopen_instrument,
        ReopenInstrument(instrument_id, closure_id),
        present=ReopenedOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    get_opening_hours,
    put_opening_hours,
    get_closures,
    post_closure,
    post_reopening,
]
