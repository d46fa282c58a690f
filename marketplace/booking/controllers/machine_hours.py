"""Machine-hours."""

from datetime import date
from typing import Annotated

from litestar import get
from litestar.params import FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import (
    MachineHours,
    MachineMinutesAsked,
)
from marketplace.booking.schemas import (
    MachineHoursPage,
    period_of,
)
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    read,
)
from marketplace.kernel.wire import Id, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)

_FromDay = Annotated[date, QueryParameter(name="from")]


@get(
    "/machine-hours",
    summary="Machine-hours by instrument, purpose and month",
    **allow(*STAFF, Role.EVALUATOR, Role.AUDITOR, Role.REGULATOR),
)
async def get_machine_hours(
    request: ApiRequest,
    from_: _FromDay,
    until: FromQuery[date],
    provider_id: FromQuery[Id | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 200,
) -> MachineHoursPage:
    """Effective minutes from `from` up to, not including, `until`; overlaps count once.

    Staff of a provider see their own instruments, evaluators and auditors all.
    """
    asked = MachineMinutesAsked(
        period=period_of(from_, until),
        instrument_ids=None if instrument_id is None else (instrument_id,),
        provider_id=provider_id,
        by_month=True,
    )
    found = await read(request, queries.machine_hours, MachineHours(asked, page, page_size))
    return MachineHoursPage.of(found, page=page, page_size=page_size)


routes: list[ControllerRouterHandler] = [
    get_machine_hours,
]
