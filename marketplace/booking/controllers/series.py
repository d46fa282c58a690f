"""What recurs."""

from datetime import datetime

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import SeriesSearch
from marketplace.booking.rules.states import Purpose
from marketplace.booking.schemas import (
    CancelSeriesIn,
    ChangeSeriesIn,
    RecurrenceRule,
    RetryIn,
    SeriesDetailOut,
    SeriesIn,
    SeriesMinutes,
    SeriesOut,
    SeriesPreviewOut,
    series_asked_of,
    series_page,
)
from marketplace.booking.schemas.periods import Seat
from marketplace.booking.use_cases import (
    cancel_series,
    change_series,
    place_series,
    preview_series,
    retry_occurrence,
)
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
    read,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


@get(
    "/reservation-series/preview",
    summary="Look at every date of a series before it is reserved",
    **allow(*STAFF),
)
async def get_series_preview(
    request: ApiRequest,
    instrument_id: FromQuery[Id],
    starts_at: FromQuery[datetime],
    minutes: FromQuery[SeriesMinutes],
    rule: FromQuery[RecurrenceRule],
    purpose: FromQuery[Purpose],
    seat: FromQuery[Seat | None] = None,
) -> SeriesPreviewOut:
    """Each date with everything against it, as things stand; nothing is reserved."""
    asked = series_asked_of(
        instrument_id=instrument_id,
        starts_at=starts_at,
        minutes=minutes,
        rule=rule,
        purpose=purpose,
        seat=seat,
    )
    return SeriesPreviewOut.of(await read(request, preview_series, asked))


@post("/reservation-series", summary="Reserve what recurs", **allow(*STAFF))
async def post_series(request: ApiRequest, data: JSONBody[SeriesIn]) -> Response[SeriesDetailOut]:
    """Reserve every date, or with `skip_conflicts` those that are free.

    `rule` is a rule of RFC 5545: FREQ of DAILY, WEEKLY or MONTHLY, INTERVAL, BYDAY, BYMONTHDAY,
    and COUNT or UNTIL. What is left out is kept with its reasons and can be tried again.
    """
    return await perform(request, place_series, data.to_command(), present=SeriesDetailOut.of)


@get("/reservation-series", summary="Series of one's own organisation", **allow(*STAFF))
async def get_all_series(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    person_id: FromQuery[Id | None] = None,
    running: FromQuery[bool | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[SeriesOut]:
    """Latest first; `running` leaves those that were neither cut nor cancelled."""
    search = SeriesSearch(instrument_id, person_id, running, page, page_size)
    return series_page(await read(request, queries.all_series, search), page, page_size)


@get("/reservation-series/{series_id:int}", summary="A series", **allow(*STAFF))
async def get_series(request: ApiRequest, series_id: FromPath[Id]) -> SeriesDetailOut:
    """A series of one's own organisation with every date: its reservation, or why there is none."""
    return SeriesDetailOut.of(await read(request, queries.series, series_id))


@post("/reservation-series/{series_id:int}/change", summary="Change a series", **allow(*STAFF))
async def post_change_series(
    request: ApiRequest, series_id: FromPath[Id], data: JSONBody[ChangeSeriesIn]
) -> Response[SeriesDetailOut]:
    """Move one date, or cut the series at one and let another follow it; the past stays."""
    return await perform(
        request,
        change_series,
        data.to_command(series_id),
        present=SeriesDetailOut.of,
        status=200,
    )


@post("/reservation-series/{series_id:int}/cancel", summary="Cancel a series", **allow(*STAFF))
async def post_cancel_series(
    request: ApiRequest, series_id: FromPath[Id], data: JSONBody[CancelSeriesIn]
) -> Response[SeriesDetailOut]:
    """Give back one date, one and all after it, or all that lie ahead."""
    return await perform(
        request,
        cancel_series,
        data.to_command(series_id),
        present=SeriesDetailOut.of,
        status=200,
    )


@post(
    "/reservation-series/{series_id:int}/retry",
    summary="Reserve a date of a series again",
    **allow(*STAFF),
)
async def post_retry_occurrence(
    request: ApiRequest, series_id: FromPath[Id], data: JSONBody[RetryIn]
) -> Response[SeriesDetailOut]:
    """A date that was left out or given back, or one that the rule does not name."""
    return await perform(
        request,
        retry_occurrence,
        data.to_command(series_id),
        present=SeriesDetailOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    get_series_preview,
    post_series,
    get_all_series,
    get_series,
    post_change_series,
    post_cancel_series,
    post_retry_occurrence,
]
