"""Several instruments as one booking."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import GroupSearch
from marketplace.booking.schemas import CancelGroupIn, GroupIn, GroupOut, group_page
from marketplace.booking.use_cases import cancel_group, place_group
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
    read,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


@post("/reservation-groups", summary="Reserve several instruments as one", **allow(*STAFF))
async def post_group(request: ApiRequest, data: JSONBody[GroupIn]) -> Response[GroupOut]:
    """All of them or none; a refusal says why of each, and when all would be free."""
    return await perform(request, place_group, data.to_command(), present=GroupOut.of)


@get("/reservation-groups", summary="Groups of one's own organisation", **allow(*STAFF))
async def get_groups(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    person_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[GroupOut]:
    """Latest first, each with its reservations."""
    search = GroupSearch(instrument_id, person_id, page, page_size)
    return group_page(await read(request, queries.groups, search), page, page_size)


@get("/reservation-groups/{group_id:int}", summary="A group", **allow(*STAFF))
async def get_group(request: ApiRequest, group_id: FromPath[Id]) -> GroupOut:
    """A group of one's own organisation with its reservations."""
    return GroupOut.of(await read(request, queries.group, group_id))


@post("/reservation-groups/{group_id:int}/cancel", summary="Cancel a group", **allow(*STAFF))
async def post_cancel_group(
    request: ApiRequest, group_id: FromPath[Id], data: JSONBody[CancelGroupIn]
) -> Response[GroupOut]:
    """Give the whole group back; what of it is used or over stays as it is."""
    return await perform(
        request, cancel_group, data.to_command(group_id), present=GroupOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [post_group, get_groups, get_group, post_cancel_group]
