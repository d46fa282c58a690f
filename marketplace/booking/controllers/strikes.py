"""Strikes, appeals against them, and suspensions."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import Appeal, Strike, StrikeSearch, SuspensionSearch
from marketplace.booking.rules.strikes import AppealStatus, StrikeKind
from marketplace.booking.schemas import (
    AppealIn,
    AppealOut,
    DecideAppealIn,
    StrikeDetailOut,
    StrikeOut,
    SuspensionOut,
    WaiveIn,
    strike_page,
    suspension_page,
)
from marketplace.booking.use_cases import appeal_strike, decide_appeal, waive_strike
from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, allow, perform, read, signed_in
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
APPELLANTS = (*STAFF, Role.BUYER, Role.SME_ADMINISTRATOR, Role.STATION_AGENT)


@get("/strikes", summary="Strikes", **signed_in())
async def get_strikes(
    request: ApiRequest,
    person_id: FromQuery[Id | None] = None,
    kind: FromQuery[StrikeKind | None] = None,
    valid: FromQuery[bool | None] = None,
    appeal: FromQuery[AppealStatus | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[StrikeOut]:
    """One's own; those of one's people, for their administrator; those on one's instruments.

    The centre sees all: `appeal=open` are those whose appeal waits for its decision.
    """
    search = StrikeSearch(person_id, kind, valid, appeal, text, page, page_size)
    return strike_page(await read(request, queries.strikes, search), page, page_size)


@get("/strikes/{strike_id:int}", summary="A strike and its appeal", **signed_in())
async def get_strike(request: ApiRequest, strike_id: FromPath[Id]) -> StrikeDetailOut:
    """What it was given for, until when it counts, and what was said against it."""
    given, filed = await read(request, _with_appeal, strike_id)
    return StrikeDetailOut(
        strike=StrikeOut.of(given), appeal=None if filed is None else AppealOut.of(filed)
    )


async def _with_appeal(tx: Tx, strike_id: int) -> tuple[Strike, Appeal | None]:
    found = await queries.visible_strike(tx, strike_id)
    return found, await queries.appeal_of(tx, found.id)


@post("/strikes/{strike_id:int}/appeal", summary="Appeal against a strike", **allow(*APPELLANTS))
async def post_appeal(
    request: ApiRequest, strike_id: FromPath[Id], data: JSONBody[AppealIn]
) -> Response[AppealOut]:
    """One's own, or one of the organisation's people for its administrator; once, and in time."""
    return await perform(request, appeal_strike, data.to_command(strike_id), present=AppealOut.of)


@post("/strikes/{strike_id:int}/waive", summary="Waive a strike", **allow(*STAFF))
async def post_waive(
    request: ApiRequest, strike_id: FromPath[Id], data: JSONBody[WaiveIn]
) -> Response[StrikeOut]:
    """Let a strike on one's own instrument not count; never one's own strike."""
    return await perform(
        request, waive_strike, data.to_command(strike_id), present=StrikeOut.of, status=200
    )


@post(
    "/appeals/{appeal_id:int}/decide",
    summary="Decide an appeal against a strike",
    **allow(Role.ADMINISTRATOR),
)
async def post_decide(
    request: ApiRequest, appeal_id: FromPath[Id], data: JSONBody[DecideAppealIn]
) -> Response[AppealOut]:
    """The centre decides, through somebody who belongs to neither side.

    Upheld, the strike does not count, and a suspension that stood on it is lifted or shortened.
    """
    return await perform(
        request, decide_appeal, data.to_command(appeal_id), present=AppealOut.of, status=200
    )


@get("/suspensions", summary="Suspensions", **signed_in())
async def get_suspensions(
    request: ApiRequest,
    person_id: FromQuery[Id | None] = None,
    valid: FromQuery[bool | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[SuspensionOut]:
    """One's own; those of one's people, for their administrator; of who got a strike here.

    A suspension ends by itself. `valid` leaves those that hold now.
    """
    search = SuspensionSearch(person_id, valid, page, page_size)
    return suspension_page(await read(request, queries.suspensions, search), page, page_size)


routes: list[ControllerRouterHandler] = [
    get_strikes,
    get_strike,
    post_appeal,
    post_waive,
    post_decide,
    get_suspensions,
]
