"""Machine-hours: figures, the same as a file, and the sessions behind one of them."""

from datetime import date
from typing import Annotated

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.errors import WindowRefused
from marketplace.booking.queries import HoursAsked, Scope, SessionsAsked
from marketplace.booking.rules.machine_hours import Grain
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.schemas import (
    Digits,
    GroupBy,
    MachineHoursPage,
    MeteredSessionsPage,
    hours_period_of,
    hours_table,
)
from marketplace.kernel.http import ApiRequest, allow, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
READERS = (*STAFF, Role.EVALUATOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.REGULATOR)
FILE_ROWS_MAX = 20_000

_FromDay = Annotated[date, QueryParameter(name="from")]


@get("/machine-hours", summary="Machine-hours, summed as asked", **allow(*READERS))
async def get_machine_hours(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    group_by: FromQuery[GroupBy | None] = None,
    grain: FromQuery[Grain] = Grain.TOTAL,
    provider_id: FromQuery[Id | None] = None,
    legal_entity_id: FromQuery[Id | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    machine_id: FromQuery[Id | None] = None,
    region: FromQuery[Digits | None] = None,
    category: FromQuery[Digits | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    user_class: FromQuery[UserClass | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 200,
) -> MachineHoursPage:
    """From the day `from` up to, not including, `until`; no minute of a machine counts twice.

    `group_by` up to three dimensions; `grain` cuts the period into years, quarters, months, weeks
    or days. `region` and `category` are codes or how they begin. Staff of a provider see their own
    instruments; evaluators, administrators, auditors and regulators all.
    """
    scope = Scope(
        period=hours_period_of(from_, until, grain),
        instrument_ids=None if instrument_id is None else (instrument_id,),
        machine_id=machine_id,
        provider_id=provider_id,
        legal_entity_id=legal_entity_id,
        region=region,
        category=category,
        purpose=purpose,
        user_class=user_class,
    )
    by = tuple(dict.fromkeys(group_by or ()))
    asked = HoursAsked(scope, by, grain, page=page, page_size=page_size)
    found = await read(request, queries.machine_hours, asked)
    return MachineHoursPage.of(found, page=page, page_size=page_size)


@get("/machine-hours/file", summary="The same figures as a file", **allow(*READERS))
async def get_machine_hours_file(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
    group_by: FromQuery[GroupBy | None] = None,
    grain: FromQuery[Grain] = Grain.TOTAL,
    provider_id: FromQuery[Id | None] = None,
    legal_entity_id: FromQuery[Id | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    machine_id: FromQuery[Id | None] = None,
    region: FromQuery[Digits | None] = None,
    category: FromQuery[Digits | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    user_class: FromQuery[UserClass | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages, and last what they sum to."""
    scope = Scope(
        period=hours_period_of(from_, until, grain),
        instrument_ids=None if instrument_id is None else (instrument_id,),
        machine_id=machine_id,
        provider_id=provider_id,
        legal_entity_id=legal_entity_id,
        region=region,
        category=category,
        purpose=purpose,
        user_class=user_class,
    )
    by = tuple(dict.fromkeys(group_by or ()))
    asked = HoursAsked(scope, by, grain, page_size=FILE_ROWS_MAX)
    found = await read(request, queries.machine_hours, asked)
    if found.total > FILE_ROWS_MAX:
        raise WindowRefused(
            "Ask for fewer groups or a shorter period.", limit=FILE_ROWS_MAX, asked=found.total
        )
    table = hours_table(MachineHoursPage.of(found, page=1, page_size=FILE_ROWS_MAX), list(by))
    return Response(
        content=await table_file(table, file_format, sheet="机时 machine-hours"),
        media_type=MEDIA_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="machine-hours-{from_}.{file_format}"'
        },
    )


@get("/machine-hours/sessions", summary="The sessions behind a figure", **allow(*READERS))
async def get_sessions(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    provider_id: FromQuery[Id | None] = None,
    legal_entity_id: FromQuery[Id | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    machine_id: FromQuery[Id | None] = None,
    region: FromQuery[Digits | None] = None,
    category: FromQuery[Digits | None] = None,
    purpose: FromQuery[Purpose | None] = None,
    user_class: FromQuery[UserClass | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> MeteredSessionsPage:
    """Ask with the keys and days of a row; the minutes of all pages are its figure."""
    scope = Scope(
        period=hours_period_of(from_, until),
        instrument_ids=None if instrument_id is None else (instrument_id,),
        machine_id=machine_id,
        provider_id=provider_id,
        legal_entity_id=legal_entity_id,
        region=region,
        category=category,
        purpose=purpose,
        user_class=user_class,
    )
    asked = SessionsAsked(scope, page=page, page_size=page_size)
    found = await read(request, queries.sessions_behind, asked)
    return MeteredSessionsPage.of(found, page=page, page_size=page_size)


routes: list[ControllerRouterHandler] = [
    get_machine_hours,
    get_machine_hours_file,
    get_sessions,
]
