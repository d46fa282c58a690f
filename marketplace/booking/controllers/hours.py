"""The hours that providers set beside the opening hours, and whom a change would hit."""

from datetime import date
from typing import Annotated

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking.queries.hits import hits
from marketplace.booking.queries.hours import DayHoursSearch, dated_hours_of, weekly_hours_of
from marketplace.booking.schemas import ReservationOut, reservation_page
from marketplace.booking.schemas.hours import (
    DatedHoursIn,
    DatedHoursOut,
    HoursPreviewIn,
    WeeklyHoursIn,
    WeeklyHoursOut,
    calendar_day,
)
from marketplace.booking.use_cases.hours import (
    RemoveDatedHours,
    remove_dated_hours,
    set_dated_hours,
    set_weekly_hours,
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

_FromDay = Annotated[date | None, QueryParameter(name="from")]
_MANAGER = allow(Role.PROVIDER_MANAGER)


@get(
    "/instruments/{instrument_id:int}/weekly-hours",
    summary="Hours of classes, priority and peak hours",
    **public(),
)
async def get_weekly_hours(request: ApiRequest, instrument_id: FromPath[Id]) -> WeeklyHoursOut:
    """What the provider set beside the opening hours; a class without hours has the opening hours.

    Priority hours are kept for the provider's own people until `lapses_minutes` before they begin.
    """
    return WeeklyHoursOut.of(
        await read(request, weekly_hours_of, instrument_id, actor=caller_or_nobody(request))
    )


@put(
    "/instruments/{instrument_id:int}/weekly-hours",
    summary="Set the hours of a class, priority or peak hours",
    **_MANAGER,
)
async def put_weekly_hours(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[WeeklyHoursIn]
) -> Response[WeeklyHoursOut]:
    """Replace the hours of one kind; reservations that stand are kept. None takes them away."""
    return await perform(
        request,
        set_weekly_hours,
        data.to_command(instrument_id),
        present=WeeklyHoursOut.of,
        status=200,
    )


@get(
    "/instruments/{instrument_id:int}/dated-hours",
    summary="Days with hours of their own",
    **public(),
)
async def get_dated_hours(
    request: ApiRequest,
    instrument_id: FromPath[Id],
    from_: _FromDay = None,
    until: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[DatedHoursOut]:
    """They hold in place of the weekday's, on public holidays too; `until` is included."""
    question = DayHoursSearch(
        instrument_id,
        None if from_ is None else calendar_day(from_),
        None if until is None else calendar_day(until),
        page=page,
        page_size=page_size,
    )
    found, total = await read(request, dated_hours_of, question, actor=caller_or_nobody(request))
    return Page(
        results=[DatedHoursOut.of(one) for one in found],
        total=total,
        page=page,
        page_size=page_size,
    )


@put(
    "/instruments/{instrument_id:int}/dated-hours",
    summary="Set the hours of one day",
    **_MANAGER,
)
async def put_dated_hours(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[DatedHoursIn]
) -> Response[list[DatedHoursOut]]:
    """Replace what was set for the day; to shut the instrument that day, close it."""
    return await perform(
        request,
        set_dated_hours,
        data.to_command(instrument_id),
        present=lambda found: [DatedHoursOut.of(one) for one in found],
        status=200,
    )


@delete(
    "/instruments/{instrument_id:int}/dated-hours",
    summary="Let a day follow its weekday again",
    status_code=200,
    **_MANAGER,
)
async def delete_dated_hours(
    request: ApiRequest, instrument_id: FromPath[Id], day: FromQuery[date]
) -> Response[list[DatedHoursOut]]:
    """Take away the hours of one day; none are left."""
    command = RemoveDatedHours(instrument_id, calendar_day(day))
    return await perform(request, remove_dated_hours, command, present=lambda _: [], status=200)


@post(
    "/instruments/{instrument_id:int}/hours-preview",
    summary="Whom a change of hours or a closure would hit",
    unkeyed=True,
    status_code=200,
    **allow(Role.PROVIDER_MANAGER, Role.TECHNICIAN),
)
async def post_hours_preview(
    request: ApiRequest,
    instrument_id: FromPath[Id],
    data: JSONBody[HoursPreviewIn],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ReservationOut]:
    """The live reservations that would lose time, before anything is changed."""
    found = await read(
        request, hits, data.to_question(instrument_id, page=page, page_size=page_size)
    )
    return reservation_page(found, page, page_size)


routes: list[ControllerRouterHandler] = [
    get_weekly_hours,
    put_weekly_hours,
    get_dated_hours,
    put_dated_hours,
    delete_dated_hours,
    post_hours_preview,
]
