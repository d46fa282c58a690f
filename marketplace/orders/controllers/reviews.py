"""Reviews in public, the provider's answer, hidden comments, and how fast providers answer."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.http import ApiRequest, allow, caller_or_nobody, perform, public, read
from marketplace.kernel.wire import Id, PageNumber, PageSize
from marketplace.orders import queries
from marketplace.orders.queries import ReviewList
from marketplace.orders.schemas import (
    ModerationIn,
    ReplyIn,
    ResponseTimeOut,
    ReviewOut,
    ReviewsOut,
)
from marketplace.orders.use_cases import answer_review, hide_comment, show_comment
from marketplace.parties.roles import Role

Stars = Annotated[int, msgspec.Meta(ge=1, le=5)]


@get(
    "/providers/{provider_id:int}/reviews",
    **public(),
    summary="What buyers said of a provider's services",
)
async def get_provider_reviews(
    request: ApiRequest,
    provider_id: FromPath[Id],
    stars: FromQuery[Stars | None] = None,
    with_words: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 20,
) -> ReviewsOut:
    """Newest first, with the counts of the national five steps and their mean."""
    question = ReviewList(
        provider_id=provider_id, stars=stars, with_words=with_words, page=page, page_size=page_size
    )
    found = await read(request, queries.provider_reviews, question, actor=caller_or_nobody(request))
    return ReviewsOut.of(found)


@get(
    "/instruments/{instrument_id:int}/reviews",
    **public(),
    summary="What buyers said of the services on an instrument",
)
async def get_instrument_reviews(
    request: ApiRequest,
    instrument_id: FromPath[Id],
    stars: FromQuery[Stars | None] = None,
    with_words: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 20,
) -> ReviewsOut:
    """Newest first, with the counts of the national five steps and their mean."""
    question = ReviewList(
        instrument_id=instrument_id,
        stars=stars,
        with_words=with_words,
        page=page,
        page_size=page_size,
    )
    found = await read(
        request, queries.instrument_reviews, question, actor=caller_or_nobody(request)
    )
    return ReviewsOut.of(found)


@get(
    "/providers/{provider_id:int}/response-time",
    **public(),
    summary="How fast a provider answers",
)
async def get_response_time(request: ApiRequest, provider_id: FromPath[Id]) -> ResponseTimeOut:
    """From placed to confirmed or rejected, over the last 90 days."""
    return ResponseTimeOut.of(await read(request, queries.response_time, provider_id, actor=NOBODY))


@post(
    "/orders/{order_id:int}/review/reply",
    **allow(Role.PROVIDER_MANAGER),
    summary="Answer a review",
)
async def post_reply(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ReplyIn]
) -> Response[ReviewOut]:
    """In public, once."""
    return await perform(request, answer_review, data.to_command(order_id), present=ReviewOut.of)


@post(
    "/orders/{order_id:int}/review/hide",
    **allow(Role.VOUCHER_OFFICER),
    summary="Hide an abusive comment",
    status_code=200,
)
async def post_hiding(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ModerationIn]
) -> Response[ReviewOut]:
    """Its words and the answer to them are no longer shown; its stars count on."""
    command = data.to_hiding(order_id)
    return await perform(request, hide_comment, command, present=ReviewOut.of, status=200)


@post(
    "/orders/{order_id:int}/review/show",
    **allow(Role.VOUCHER_OFFICER),
    summary="Show a hidden comment again",
    status_code=200,
)
async def post_showing(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[ModerationIn]
) -> Response[ReviewOut]:
    """For everybody to read, as before."""
    command = data.to_showing(order_id)
    return await perform(request, show_comment, command, present=ReviewOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    get_provider_reviews,
    get_instrument_reviews,
    get_response_time,
    post_reply,
    post_hiding,
    post_showing,
]
