"""What instruments' own logs say: taken in from campus systems, and looked at by staff."""

from datetime import datetime
from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import ReadingSearch
from marketplace.booking.rules.readings import ReadingState
from marketplace.booking.schemas import (
    AttachIn,
    DismissIn,
    ReadingOut,
    ReadingsIn,
    ReadingSourceIn,
    ReadingSourceOut,
    ReadingsOut,
    RecordIn,
    during_of,
    reading_page,
)
from marketplace.booking.use_cases import (
    attach_reading,
    dismiss_reading,
    receive_readings,
    record_reading,
    set_reading_source,
)
from marketplace.kernel.db import atomically
from marketplace.kernel.http import (
    ApiRequest,
    actor_of,
    allow,
    perform,
    read,
    request_id_of,
    services,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import SEES_EVERYTHING, Role, Scope

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)

# `state` alone is a name of the web framework.
_StateIfAny = Annotated[ReadingState | None, QueryParameter(name="state")]
_FromIfAny = Annotated[datetime | None, QueryParameter(name="from")]


@post(
    "/readings",
    status_code=200,
    unkeyed=True,
    summary="Send what instruments' logs say",
    **allow(*STAFF, scope=Scope.READINGS_WRITE),
)
async def post_readings(request: ApiRequest, data: JSONBody[ReadingsIn]) -> ReadingsOut:
    """Up to 500 starts and stops of one log, in any order, each as often as one likes.

    `external_id` names a run, so this takes no Idempotency-Key: sent again, a line is `known`. A
    line that cannot be true is `refused` with every reason, and the others land.
    """
    answers = await atomically(
        services(request).database,
        receive_readings,
        data.to_command(),
        actor=actor_of(request),
        request_id=request_id_of(request),
    )
    return ReadingsOut.of(answers)


@get("/readings", summary="Runs of one's own instruments", **allow(*STAFF, *SEES_EVERYTHING))
async def get_readings(
    request: ApiRequest,
    state_: _StateIfAny = None,
    instrument_id: FromQuery[Id | None] = None,
    reservation_id: FromQuery[Id | None] = None,
    from_: _FromIfAny = None,
    until: FromQuery[datetime | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ReadingOut]:
    """Latest first; `unbooked` are those that somebody has to explain."""
    during = None
    if from_ is not None and until is not None:
        during = during_of(from_, until)
    search = ReadingSearch(state_, instrument_id, reservation_id, during, page, page_size)
    return reading_page(await read(request, queries.readings, search), page, page_size)


@post(
    "/readings/{reading_id:int}/attach",
    summary="Say to which reservation a run belongs",
    **allow(*STAFF),
)
async def post_attachment(
    request: ApiRequest, reading_id: FromPath[Id], data: JSONBody[AttachIn]
) -> Response[ReadingOut]:
    """Where the reservation has no session, the run becomes it."""
    return await perform(
        request, attach_reading, data.to_command(reading_id), present=ReadingOut.of, status=200
    )


@post(
    "/readings/{reading_id:int}/record",
    summary="Say what a run was for that nobody had reserved",
    **allow(*STAFF),
)
async def post_record(
    request: ApiRequest, reading_id: FromPath[Id], data: JSONBody[RecordIn]
) -> Response[ReadingOut]:
    """Maintenance, a test run, research or teaching: a session is made, so that hours are whole."""
    return await perform(
        request, record_reading, data.to_command(reading_id), present=ReadingOut.of, status=200
    )


@post(
    "/readings/{reading_id:int}/dismiss",
    summary="Say that a run was nothing",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_dismissal(
    request: ApiRequest, reading_id: FromPath[Id], data: JSONBody[DismissIn]
) -> Response[ReadingOut]:
    """It counts for nothing; who said so and why is kept."""
    return await perform(
        request, dismiss_reading, data.to_command(reading_id), present=ReadingOut.of, status=200
    )


@get(
    "/instruments/{instrument_id:int}/reading-sources",
    summary="The logs of an instrument",
    **allow(*STAFF),
)
async def get_reading_sources(
    request: ApiRequest, instrument_id: FromPath[Id]
) -> list[ReadingSourceOut]:
    """The logs of an instrument of one's own, and how far each is trusted."""
    found = await read(request, queries.reading_sources, instrument_id)
    return [ReadingSourceOut.of(row) for row in found]


@put(
    "/instruments/{instrument_id:int}/reading-sources",
    summary="Trust a log of an instrument",
    **allow(Role.PROVIDER_MANAGER),
)
async def put_reading_source(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[ReadingSourceIn]
) -> Response[list[ReadingSourceOut]]:
    """Set up a log, or change how far it is trusted; the answer lists all of the instrument."""
    return await perform(
        request,
        set_reading_source,
        data.to_command(instrument_id),
        present=_sources,
        status=200,
    )


def _sources(rows: list[queries.ReadingSource]) -> list[ReadingSourceOut]:
    return [ReadingSourceOut.of(row) for row in rows]


routes: list[ControllerRouterHandler] = [
    post_readings,
    get_readings,
    post_attachment,
    post_record,
    post_dismissal,
    get_reading_sources,
    put_reading_source,
]
