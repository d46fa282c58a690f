"""Checking in and out."""

from litestar import Response, post
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking.schemas import (
    CloseSessionIn,
    RepairSessionIn,
    SessionOut,
)
from marketplace.booking.use_cases import (
    OpenSession,
    close_session,
    directly,
    open_session,
    repair_session,
)
from marketplace.kernel.http import (
    ApiRequest,
    allow,
    perform,
)
from marketplace.kernel.wire import Id
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)


@post("/reservations/{reservation_id:int}/open-session", summary="Check in", **allow(*STAFF))
async def post_open_session(
    request: ApiRequest, reservation_id: FromPath[Id]
) -> Response[SessionOut]:
    """Begin to use reserved time that has no order, a little early where that is free."""
    return await perform(
        request, directly(open_session), OpenSession(reservation_id), present=SessionOut.of
    )


@post("/reservations/{reservation_id:int}/close-session", summary="Check out", **allow(*STAFF))
async def post_close_session(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[CloseSessionIn]
) -> Response[SessionOut]:
    """End the use of reserved time that has no order, and say what of it was preparation."""
    return await perform(
        request,
        directly(close_session),
        data.to_command(reservation_id),
        present=SessionOut.of,
        status=200,
    )


@post(
    "/reservations/{reservation_id:int}/repair-session",
    summary="Repair a session that the platform had to close",
    **allow(Role.PROVIDER_MANAGER),
)
async def post_repair_session(
    request: ApiRequest, reservation_id: FromPath[Id], data: JSONBody[RepairSessionIn]
) -> Response[SessionOut]:
    """Say when it really ended, with or without an order; who did so and why is kept."""
    return await perform(
        request,
        repair_session,
        data.to_command(reservation_id),
        present=SessionOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    post_open_session,
    post_close_session,
    post_repair_session,
]
