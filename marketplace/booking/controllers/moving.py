"""Holding, moving, extending and walking up."""

from datetime import datetime

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import WalkUpAsked
from marketplace.booking.rules.states import Purpose
from marketplace.booking.schemas import (
    ExtendIn,
    ExtensionPreviewOut,
    HoldIn,
    MoveIn,
    MovePreviewOut,
    ReleaseIn,
    ReservationOut,
    ShortenIn,
    WalkedUpOut,
    WalkUpIn,
    WalkUpOffersOut,
    during_of,
    instant_within,
)
from marketplace.booking.schemas.periods import Seat
from marketplace.booking.use_cases import (
    PreviewExtension,
    PreviewMove,
    TakeHold,
    directly,
    extend_reservation,
    hold_time,
    move_reservation,
    preview_extension,
    preview_move,
    release_hold,
    shorten_reservation,
    take_hold,
    walk_up,
)
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
    read,
)
from marketplace.kernel.wire import Id
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


@post("/holds", summary="Keep time for a reason", **allow(*STAFF))
async def post_hold(request: ApiRequest, data: JSONBody[HoldIn]) -> Response[ReservationOut]:
    """Keep time on an instrument of one's own; it lapses by itself unless it is taken."""
    return await perform(request, hold_time, data.to_command(), present=ReservationOut.of)


@post(
    "/reservations/{reservation_id:int}/release-hold",
    summary="Give held time back",
    **allow(*STAFF),
)
async def post_release_hold(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[ReleaseIn]
) -> Response[ReservationOut]:
    """The time is free at once."""
    return await perform(
        request,
        directly(release_hold),
        data.to_command(reservation_id),
        present=ReservationOut.of,
        status=200,
    )


@post(
    "/reservations/{reservation_id:int}/take-hold",
    summary="Reserve held time",
    **allow(*STAFF),
)
async def post_take_hold(
    request: ApiRequest, reservation_id: FromPath[Id]
) -> Response[ReservationOut]:
    """Turn held time into a reservation of one's own."""
    return await perform(
        request,
        directly(take_hold),
        TakeHold(reservation_id),
        present=ReservationOut.of,
        status=200,
    )


@get(
    "/reservations/{reservation_id:int}/move-preview",
    summary="Whether a reservation could have another time",
    **allow(*STAFF),
)
async def get_move_preview(
    request: ApiRequest,
    reservation_id: FromPath[Id],
    starts_at: FromQuery[datetime],
    ends_at: FromQuery[datetime],
    seat: FromQuery[Seat | None] = None,
) -> MovePreviewOut:
    """Every reason against it, and what would be possible; nothing changes."""
    asked = PreviewMove(reservation_id, during_of(starts_at, ends_at), seat)
    return MovePreviewOut.of(await read(request, directly(preview_move), asked))


@post("/reservations/{reservation_id:int}/move", summary="Move a reservation", **allow(*STAFF))
async def post_move(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[MoveIn]
) -> Response[ReservationOut]:
    """Give a reservation without an order another time; every rule is asked again."""
    return await perform(
        request,
        directly(move_reservation),
        data.to_command(reservation_id),
        present=ReservationOut.of,
        status=200,
    )


@get(
    "/reservations/{reservation_id:int}/extension-preview",
    summary="How far a reservation could be extended",
    **allow(*STAFF),
)
async def get_extension_preview(
    request: ApiRequest, reservation_id: FromPath[Id], ends_at: FromQuery[datetime]
) -> ExtensionPreviewOut:
    """Every reason against a later end, and the latest that is possible; nothing changes."""
    asked = PreviewExtension(reservation_id, instant_within(ends_at))
    return ExtensionPreviewOut.of(await read(request, directly(preview_extension), asked))


@post("/reservations/{reservation_id:int}/extend", summary="Extend a reservation", **allow(*STAFF))
async def post_extend(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[ExtendIn]
) -> Response[ReservationOut]:
    """Let a reservation without an order end later, up to the next one; also while it is used."""
    return await perform(
        request,
        directly(extend_reservation),
        data.to_command(reservation_id),
        present=ReservationOut.of,
        status=200,
    )


@post(
    "/reservations/{reservation_id:int}/shorten",
    summary="End a reservation earlier",
    **allow(*STAFF),
)
async def post_shorten(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[ShortenIn]
) -> Response[ReservationOut]:
    """Let a reservation without an order end earlier; the rest is free for others."""
    return await perform(
        request,
        directly(shorten_reservation),
        data.to_command(reservation_id),
        present=ReservationOut.of,
        status=200,
    )


@get(
    "/instruments/{instrument_id:int}/walk-up",
    summary="For how long an instrument can be used now",
    **allow(*STAFF),
)
async def get_walk_up(
    request: ApiRequest,
    instrument_id: FromPath[Id],
    purpose: FromQuery[Purpose] = Purpose.OWN_RESEARCH,
) -> WalkUpOffersOut:
    """The lengths that are free and open from this minute on, on an instrument of one's own."""
    asked = WalkUpAsked(instrument_id, purpose)
    return WalkUpOffersOut.of(await read(request, queries.walk_up_offers, asked))


@post(
    "/instruments/{instrument_id:int}/walk-up",
    summary="Use an instrument now",
    **allow(*STAFF),
)
async def post_walk_up(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[WalkUpIn]
) -> Response[WalkedUpOut]:
    """Reserve an instrument of one's own from this minute on, and check in."""
    return await perform(request, walk_up, data.to_command(instrument_id), present=WalkedUpOut.of)


routes: list[ControllerRouterHandler] = [
    post_hold,
    post_release_hold,
    post_take_hold,
    get_move_preview,
    post_move,
    get_extension_preview,
    post_extend,
    post_shorten,
    get_walk_up,
    post_walk_up,
]
