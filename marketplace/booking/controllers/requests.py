"""The provider's inbox: requests that wait for an answer."""

from datetime import datetime

from litestar import Response, get, post
from litestar.params import FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import RequestSearch
from marketplace.booking.schemas import (
    AnsweredAllOut,
    ApproveRequestsIn,
    RejectRequestsIn,
    RequestOut,
    instant_within,
    request_page,
)
from marketplace.booking.use_cases import approve_requests, reject_requests
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
    read,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


@get("/reservation-requests", summary="Requests that wait for an answer", **allow(*STAFF))
async def get_requests(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    before: FromQuery[datetime | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[RequestOut]:
    """What waits on one's own instruments, soonest deadline first; `before` bounds the deadline.

    Those under an order are answered with their order.
    """
    search = RequestSearch(
        instrument_id,
        organisation_id,
        None if before is None else instant_within(before),
        page,
        page_size,
    )
    return request_page(await read(request, queries.requests, search), page, page_size)


@post(
    "/reservation-requests/approve",
    summary="Approve many requests",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_approve_requests(
    request: ApiRequest, data: JSONBody[ApproveRequestsIn]
) -> Response[AnsweredAllOut]:
    """Each is answered by itself: the answer says of every one what it is now, or why not."""
    return await perform(
        request, approve_requests, data.to_command(), present=AnsweredAllOut.of, status=200
    )


@post(
    "/reservation-requests/reject",
    summary="Reject many requests",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_reject_requests(
    request: ApiRequest, data: JSONBody[RejectRequestsIn]
) -> Response[AnsweredAllOut]:
    """Each is answered by itself: the answer says of every one what it is now, or why not."""
    return await perform(
        request, reject_requests, data.to_command(), present=AnsweredAllOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [
    get_requests,
    post_approve_requests,
    post_reject_requests,
]
