"""Operators: who attends, when they work, and what they do."""

from datetime import datetime
from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking.queries.operators import (
    AbsenceSearch,
    CalendarAsked,
    NamedOperator,
    absences,
    hours_of_operator,
    operator_calendar,
    operators,
)
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.schemas.operators import (
    AbsenceIn,
    AbsenceNotedOut,
    AbsenceOut,
    AssignmentIn,
    OperatorCalendarOut,
    OperatorOut,
    OperatorsIn,
    WorkingHoursOut,
    WorkingWeekIn,
    absence_page,
)
from marketplace.booking.schemas.periods import during_of, window_of
from marketplace.booking.schemas.reservations import ReservationOut
from marketplace.booking.use_cases.operators import (
    WithdrawAbsence,
    assign_operator,
    name_operators,
    note_absence,
    set_operator_hours,
    withdraw_absence,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)

_From = Annotated[datetime, QueryParameter(name="from")]
_FromIfAny = Annotated[datetime | None, QueryParameter(name="from")]


def _named(rows: list[NamedOperator]) -> list[OperatorOut]:
    return [OperatorOut.like(row) for row in rows]


def _week(hours: list[Hours]) -> list[WorkingHoursOut]:
    return [WorkingHoursOut.like(one) for one in hours]


@get(
    "/instruments/{instrument_id:int}/operators",
    summary="The operators of an instrument",
    **allow(*STAFF),
)
async def get_operators(request: ApiRequest, instrument_id: FromPath[Id]) -> list[OperatorOut]:
    """Who attends reservations on an instrument of one's own."""
    return _named(await read(request, operators, instrument_id))


@put(
    "/instruments/{instrument_id:int}/operators",
    summary="Name the operators of an instrument",
    **allow(Role.PROVIDER_MANAGER),
)
async def put_operators(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[OperatorsIn]
) -> Response[list[OperatorOut]]:
    """Name all of them, from one's staff; what they attend already stays theirs."""
    return await perform(
        request, name_operators, data.to_command(instrument_id), present=_named, status=200
    )


@get("/operators/{person_id:int}/hours", summary="An operator's hours", **allow(*STAFF))
async def get_hours(request: ApiRequest, person_id: FromPath[Id]) -> list[WorkingHoursOut]:
    """The weekly hours in which somebody works for one's organisation."""
    return _week(await read(request, hours_of_operator, person_id))


@put(
    "/operators/{person_id:int}/hours",
    summary="Set an operator's hours",
    **allow(Role.PROVIDER_MANAGER),
)
async def put_hours(
    request: ApiRequest, person_id: FromPath[Id], data: JSONBody[WorkingWeekIn]
) -> Response[list[WorkingHoursOut]]:
    """Set the whole week of somebody on one's staff. On public holidays nobody works."""
    return await perform(
        request, set_operator_hours, data.to_command(person_id), present=_week, status=200
    )


@get("/operators/{person_id:int}/absences", summary="An operator's absences", **allow(*STAFF))
async def get_absences(
    request: ApiRequest,
    person_id: FromPath[Id],
    from_: _FromIfAny = None,
    until: FromQuery[datetime | None] = None,
    with_withdrawn: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[AbsenceOut]:
    """When somebody on one's staff is away, the latest first."""
    within = None
    if from_ is not None and until is not None:
        within = during_of(from_, until)
    search = AbsenceSearch(person_id, within, with_withdrawn, page, page_size)
    return absence_page(await read(request, absences, search), page, page_size)


@post("/operators/{person_id:int}/absences", summary="Note an absence", **allow(*STAFF))
async def post_absence(
    request: ApiRequest, person_id: FromPath[Id], data: JSONBody[AbsenceIn]
) -> Response[AbsenceNotedOut]:
    """Note that an operator is away: one's own absence, or as a manager anybody's.

    The answer lists the reservations that need another operator.
    """
    return await perform(
        request, note_absence, data.to_command(person_id), present=AbsenceNotedOut.of
    )


@post(
    "/operator-absences/{absence_id:int}/withdraw",
    summary="Withdraw an absence",
    **allow(*STAFF),
)
async def post_withdraw(request: ApiRequest, absence_id: FromPath[Id]) -> Response[AbsenceOut]:
    """The operator is there after all."""
    return await perform(
        request, withdraw_absence, WithdrawAbsence(absence_id), present=AbsenceOut.of, status=200
    )


@get("/operators/{person_id:int}/calendar", summary="An operator's calendar", **allow(*STAFF))
async def get_calendar(
    request: ApiRequest,
    person_id: FromPath[Id],
    from_: _From,
    until: FromQuery[datetime],
) -> OperatorCalendarOut:
    """When somebody works, is away, and whom they attend, in a window of at most 62 days."""
    asked = CalendarAsked(person_id, window_of(from_, until))
    return OperatorCalendarOut.of(await read(request, operator_calendar, asked))


@post(
    "/reservations/{reservation_id:int}/operator",
    summary="Say who attends a reservation",
    **allow(*STAFF),
)
async def post_operator(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[AssignmentIn]
) -> Response[ReservationOut]:
    """Name another operator, or nobody where the user may operate the instrument alone.

    An operator comes outside their hours, or in spite of an absence, with `override_reason`.
    """
    return await perform(
        request,
        assign_operator,
        data.to_command(reservation_id),
        present=ReservationOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    get_operators,
    put_operators,
    get_hours,
    put_hours,
    get_absences,
    post_absence,
    post_withdraw,
    get_calendar,
    post_operator,
]
