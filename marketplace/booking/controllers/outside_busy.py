"""Calendars outside the platform in which instruments are busy, and what they collide with."""

from datetime import datetime
from typing import Annotated

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries.outside_busy import (
    ConflictSearch,
    SourceSearch,
    TimesAsked,
)
from marketplace.booking.rules.busy_sources import SourceKind
from marketplace.booking.rules.ical_reading import BYTES_MAX, window_of_import
from marketplace.booking.schemas import (
    BusyTimeOut,
    ConflictOut,
    LandedOut,
    PushIn,
    SourceChangeIn,
    SourceIn,
    SourceOut,
    conflict_page,
    during_of,
    source_page,
    times_page,
)
from marketplace.booking.use_cases import (
    LandFile,
    RefreshSource,
    RemoveSource,
    add_source,
    change_source,
    land_file,
    push_times,
    read_in_own_process,
    refresh_source,
    remove_source,
)
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
    read,
    services,
)
from marketplace.kernel.uploads import uploaded_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role, Scope

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
# A file at its largest, in the form that carries it.
UPLOAD_BYTES_MAX = BYTES_MAX + 10_000

_FromIfAny = Annotated[datetime | None, QueryParameter(name="from")]


@post(
    "/instruments/{instrument_id:int}/busy-sources",
    summary="Keep an instrument out of the times of an outside calendar",
    **allow(*STAFF),
)
async def post_source(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[SourceIn]
) -> Response[SourceOut]:
    """Fetched from an https address every quarter of an hour, uploaded, or pushed by a system.

    Its times keep reservations out like closures. Reservations that stand are never cancelled by
    them: they are listed as conflicts.
    """
    command = data.to_command(instrument_id)
    return await perform(request, add_source, command, present=SourceOut.of)


@get("/busy-sources", summary="Outside calendars of one's own instruments", **allow(*STAFF))
async def get_sources(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    kind: FromQuery[SourceKind | None] = None,
    stale: FromQuery[bool | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[SourceOut]:
    """With how the last fetch went; `stale` leaves those whose times nobody vouches for."""
    search = SourceSearch(instrument_id, kind, stale, page, page_size)
    return source_page(await read(request, queries.sources, search), page, page_size)


@get("/busy-sources/{source_id:int}", summary="An outside calendar", **allow(*STAFF))
async def get_source(request: ApiRequest, source_id: FromPath[Id]) -> SourceOut:
    """With what was wrong with its last file, each with its line."""
    return SourceOut.of(await read(request, queries.own_source, source_id))


@put("/busy-sources/{source_id:int}", summary="Change an outside calendar", **allow(*STAFF))
async def put_source(
    request: ApiRequest, source_id: FromPath[Id], data: JSONBody[SourceChangeIn]
) -> Response[SourceOut]:
    """Its name, its address, or whether it is fetched at all; its times stay."""
    command = data.to_command(source_id)
    return await perform(request, change_source, command, present=SourceOut.of, status=200)


@delete(
    "/busy-sources/{source_id:int}",
    status_code=200,
    summary="Remove an outside calendar",
    **allow(*STAFF),
)
async def delete_source(request: ApiRequest, source_id: FromPath[Id]) -> Response[SourceOut]:
    """Its times keep nobody out any more."""
    command = RemoveSource(source_id)
    return await perform(request, remove_source, command, present=SourceOut.of, status=200)


@post(
    "/busy-sources/{source_id:int}/refresh",
    summary="Fetch an outside calendar as soon as possible",
    **allow(*STAFF),
)
async def post_refresh(request: ApiRequest, source_id: FromPath[Id]) -> Response[SourceOut]:
    """Within a minute, however often it failed before."""
    command = RefreshSource(source_id)
    return await perform(request, refresh_source, command, present=SourceOut.of, status=200)


@post(
    "/busy-sources/{source_id:int}/file",
    summary="Upload the file of an outside calendar",
    request_max_body_size=UPLOAD_BYTES_MAX,
    **allow(*STAFF),
)
async def post_file(request: ApiRequest, source_id: FromPath[Id]) -> Response[LandedOut]:
    """An iCalendar file as the body, or as the one file of a form; at most 2 MB.

    What it says is all there is. A file with a problem lands nothing, and says every problem.
    """
    await read(request, queries.upload_source, source_id)
    _, content = await uploaded_file(request)
    within = window_of_import(services(request).database.clock.now())
    command = LandFile(source_id, await read_in_own_process(content, within))
    return await perform(request, land_file, command, present=LandedOut.of, status=200)


@get(
    "/busy-sources/{source_id:int}/times",
    summary="The busy times of an outside calendar",
    **allow(*STAFF),
)
async def get_times(
    request: ApiRequest,
    source_id: FromPath[Id],
    from_: _FromIfAny = None,
    until: FromQuery[datetime | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[BusyTimeOut]:
    """In order; `from` and `until` together leave those that touch a period."""
    during = None
    if from_ is not None and until is not None:
        during = during_of(from_, until)
    asked = TimesAsked(source_id, during, page, page_size)
    return times_page(await read(request, queries.busy_times, asked), page, page_size)


@put(
    "/busy-sources/{source_id:int}/times",
    summary="Push the busy times of an outside calendar",
    **allow(*STAFF, scope=Scope.CALENDAR_WRITE),
)
async def put_times(
    request: ApiRequest, source_id: FromPath[Id], data: JSONBody[PushIn]
) -> Response[LandedOut]:
    """For systems of the provider: all times at once, or those that are new, changed or gone.

    Staff may send it too; a system's key needs the scope `calendar:write`.

    The same list sent again changes nothing.
    """
    command = data.to_command(source_id)
    return await perform(request, push_times, command, present=LandedOut.of, status=200)


@get(
    "/busy-conflicts",
    summary="Reservations that outside times are in the way of",
    **allow(*STAFF),
)
async def get_conflicts(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    source_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ConflictOut]:
    """Those to come on one's own instruments; nothing is cancelled by itself."""
    search = ConflictSearch(instrument_id, source_id, page, page_size)
    return conflict_page(await read(request, queries.conflicts, search), page, page_size)


routes: list[ControllerRouterHandler] = [
    post_source,
    get_sources,
    get_source,
    put_source,
    delete_source,
    post_refresh,
    post_file,
    get_times,
    put_times,
    get_conflicts,
]
