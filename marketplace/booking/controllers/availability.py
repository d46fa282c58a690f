"""When instruments are free, and the rules of booking them."""

from datetime import datetime
from typing import Annotated

from litestar import Response, get, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import (
    Window,
)
from marketplace.booking.queries.timetables import visible_class_terms
from marketplace.booking.rules.states import UserClass
from marketplace.booking.schemas import (
    AvailabilityOut,
    BookingRuleIn,
    BookingRuleOut,
    window_of,
)
from marketplace.booking.schemas.booking_rules import ClassesIn, ClassesOut
from marketplace.booking.use_cases import (
    set_booking_rule,
)
from marketplace.booking.use_cases.rule import set_class_terms
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    caller_or_nobody,
    perform,
    public,
    read,
)
from marketplace.kernel.wire import Id
from marketplace.parties.roles import Role, Scope

_From = Annotated[datetime, QueryParameter(name="from")]


@get(
    "/instruments/{instrument_id:int}/availability",
    summary="When an instrument is free",
    **public(scope=Scope.AVAILABILITY_READ),
)
async def get_availability(
    request: ApiRequest,
    instrument_id: FromPath[Id],
    from_: _From,
    until: FromQuery[datetime],
    user_class: FromQuery[UserClass | None] = None,
    assisted: FromQuery[bool | None] = None,
) -> AvailabilityOut:
    """Free time in a window of at most 62 days; why the rest is not free, and what would free it.

    For one class of user: the one asked for, or the caller's own at this provider. `assisted`
    asks for time in which an operator can attend, as an instrument run by operators always does.
    """
    found = await read(
        request,
        queries.availability,
        Window(instrument_id, window_of(from_, until), user_class, assisted),
        actor=caller_or_nobody(request),
    )
    return AvailabilityOut.of(found)


@get(
    "/instruments/{instrument_id:int}/booking-rule",
    summary="An instrument's booking rule",
    **public(),
)
async def get_booking_rule(request: ApiRequest, instrument_id: FromPath[Id]) -> BookingRuleOut:
    """The rule in force: the instrument's own, or the province's terms where it has none."""
    found = await read(
        request, queries.visible_booking_terms, instrument_id, actor=caller_or_nobody(request)
    )
    return BookingRuleOut.of(found)


@put(
    "/instruments/{instrument_id:int}/booking-rule",
    summary="Set an instrument's booking rule",
    **allow(Role.PROVIDER_MANAGER),
)
async def put_booking_rule(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[BookingRuleIn]
) -> Response[BookingRuleOut]:
    """Replace the rule of an instrument of one's own; reservations that stand are kept."""
    return await perform(
        request,
        set_booking_rule,
        data.to_command(instrument_id),
        present=BookingRuleOut.of,
        status=200,
    )


@get(
    "/instruments/{instrument_id:int}/class-terms",
    summary="What differs for each class of user",
    **public(),
)
async def get_class_terms(request: ApiRequest, instrument_id: FromPath[Id]) -> ClassesOut:
    """Classes that are not listed follow the booking rule."""
    found = await read(request, visible_class_terms, instrument_id, actor=caller_or_nobody(request))
    return ClassesOut.of(found)


@put(
    "/instruments/{instrument_id:int}/class-terms",
    summary="Set what differs for each class of user",
    **allow(Role.PROVIDER_MANAGER),
)
async def put_class_terms(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[ClassesIn]
) -> Response[ClassesOut]:
    """Replace the terms of every class; reservations that stand are kept."""
    return await perform(
        request,
        set_class_terms,
        data.to_command(instrument_id),
        present=ClassesOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    get_availability,
    get_booking_rule,
    put_booking_rule,
    get_class_terms,
    put_class_terms,
]
