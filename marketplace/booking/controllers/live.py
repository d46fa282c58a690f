"""Calendars that keep themselves up to date while they are open."""

from litestar import get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    caller_or_nobody,
    public,
    read,
)
from marketplace.kernel.live import EventStream, live_of
from marketplace.kernel.wire import Id
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


@get(
    "/instruments/{instrument_id:int}/live",
    summary="Changes of an instrument's calendar as they happen",
    media_type="text/event-stream",
    **public(),
)
async def get_instrument_live(request: ApiRequest, instrument_id: FromPath[Id]) -> EventStream:
    """Server-sent events named `calendar`: that a period changed and how, never for whom.

    After `open`, `reload`, or a new connection the page reads the calendar again: what happened
    in between is not sent. The stream ends after some minutes; the client then comes again.
    """
    topic = await read(
        request,
        queries.live_topic_of_instrument,
        instrument_id,
        actor=caller_or_nobody(request),
    )
    return live_of(request).stream(request, topic)


@get(
    "/providers/{provider_id:int}/live",
    summary="Changes on a provider's own instruments as they happen",
    media_type="text/event-stream",
    **allow(*STAFF),
)
async def get_provider_live(request: ApiRequest, provider_id: FromPath[Id]) -> EventStream:
    """As of one instrument, for all of a provider's, with the reservation and what happened."""
    topic = await read(request, queries.live_topic_of_provider, provider_id)
    return live_of(request).stream(request, topic)


routes: list[ControllerRouterHandler] = [
    get_instrument_live,
    get_provider_live,
]
