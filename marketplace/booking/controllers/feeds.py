"""Calendars that other programs subscribe to, by secret address.

Making one and replacing its address take no Idempotency-Key: an answer with a secret in it is not
to be stored.
"""

import asyncio
from urllib.parse import urlsplit

from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.errors import FeedMissing
from marketplace.booking.queries.feeds import FeedAsked, FeedSearch, ReservationFileAsked
from marketplace.booking.rules.ical import MEDIA_TYPE, FeedKind, calendar_file
from marketplace.booking.schemas import FeedAddressOut, FeedIn, FeedOut, feed_page
from marketplace.booking.use_cases import (
    RevokeFeed,
    RotateFeed,
    make_feed,
    revoke_feed,
    rotate_feed,
)
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import atomically
from marketplace.kernel.http import (
    ApiRequest,
    actor_of,
    perform,
    public,
    read,
    request_id_of,
    services,
    signed_in,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Word

SUFFIX = ".ics"


def _public_url(request: ApiRequest) -> str:
    found: str = request.app.state.public_url
    return found


def _host(request: ApiRequest) -> str:
    return urlsplit(_public_url(request)).hostname or "localhost"


@post("/calendar-feeds", summary="Make a calendar to subscribe to", unkeyed=True, **signed_in())
async def post_feed(request: ApiRequest, data: JSONBody[FeedIn]) -> FeedAddressOut:
    """One's own reservations, an instrument's, or for its staff a provider's.

    Who knows the address reads what its maker may see, for as long as the maker is there: an
    outsider's calendar of an instrument says that times are taken, and not by whom.
    """
    made = await atomically(
        services(request).database,
        make_feed,
        data.to_command(),
        actor=actor_of(request),
        request_id=request_id_of(request),
    )
    return FeedAddressOut.of(made, public_url=_public_url(request))


@get("/calendar-feeds", summary="Calendars that one made", **signed_in())
async def get_feeds(
    request: ApiRequest,
    kind: FromQuery[FeedKind | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    whole_organisation: FromQuery[bool] = False,
    revoked: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[FeedOut]:
    """With when each was last read, to the hour; the newest first.

    `whole_organisation` adds those of one's colleagues, for whoever keeps the organisation;
    `revoked` those that nobody can read any more.
    """
    search = FeedSearch(kind, instrument_id, whole_organisation, revoked, page, page_size)
    return feed_page(await read(request, queries.feeds, search), page, page_size)


@post(
    "/calendar-feeds/{feed_id:int}/rotate",
    status_code=200,
    summary="Give a calendar another address",
    unkeyed=True,
    **signed_in(),
)
async def post_rotate(request: ApiRequest, feed_id: FromPath[Id]) -> FeedAddressOut:
    """The address before is dead at once; only who made the calendar gets the new one."""
    made = await atomically(
        services(request).database,
        rotate_feed,
        RotateFeed(feed_id),
        actor=actor_of(request),
        request_id=request_id_of(request),
    )
    return FeedAddressOut.of(made, public_url=_public_url(request))


@delete(
    "/calendar-feeds/{feed_id:int}",
    status_code=200,
    summary="Revoke a calendar's address",
    **signed_in(),
)
async def delete_feed(request: ApiRequest, feed_id: FromPath[Id]) -> Response[FeedOut]:
    """Nobody reads it any more; colleagues' are revoked by whoever keeps the organisation."""
    return await perform(request, revoke_feed, RevokeFeed(feed_id), present=FeedOut.of, status=200)


@get(
    "/calendars/{file_name:str}",
    summary="Read a calendar by its secret address",
    media_type="text/calendar",
    **public(),
)
async def get_calendar(request: ApiRequest, file_name: FromPath[Word]) -> Response[bytes]:
    """From 60 days ago to 400 days ahead, at most 5,000 reservations, the nearest ones.

    What was cancelled stays for 60 days as cancelled, so that subscribed calendars take it out.
    Ask with `If-None-Match`: an unchanged calendar is answered with 304.
    """
    secret = file_name.removesuffix(SUFFIX)
    if secret == file_name:
        raise FeedMissing()
    asked = FeedAsked(secret, _host(request))
    found = await read(request, queries.contents_by_secret, asked, actor=NOBODY)
    headers = {
        "ETag": f'"{found.etag}"',
        "Cache-Control": "private, no-cache",
        "X-Robots-Tag": "noindex",
    }
    if _matches(request.headers.get("if-none-match", ""), found.etag):
        return Response(content=b"", status_code=304, headers=headers)
    # Many events take a second to write, which others should not wait for.
    content = await asyncio.to_thread(calendar_file, found.name, found.events, note=found.note)
    return Response(content=content, media_type=MEDIA_TYPE, headers=headers)


def _matches(asked: str, etag: str) -> bool:
    known = [each.strip().removeprefix("W/").strip('"') for each in asked.split(",")]
    return etag in known or "*" in known


@get(
    "/reservations/{reservation_id:int}/calendar.ics",
    summary="A reservation as a calendar file",
    media_type="text/calendar",
    **signed_in(),
)
async def get_reservation_file(
    request: ApiRequest, reservation_id: FromPath[Id]
) -> Response[bytes]:
    """To be taken over into a calendar of one's own; a feed's event of the same name follows it."""
    asked = ReservationFileAsked(reservation_id, _host(request))
    found = await read(request, queries.reservation_file, asked)
    content = calendar_file(found.name, [found.event], organiser=found.organiser)
    return Response(
        content=content,
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="reservation-{reservation_id}.ics"'},
    )


routes: list[ControllerRouterHandler] = [
    post_feed,
    get_feeds,
    post_rotate,
    delete_feed,
    get_calendar,
    get_reservation_file,
]
