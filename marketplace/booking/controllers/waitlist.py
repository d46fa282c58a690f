"""Waiting lists: wait, accept, decline, leave."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries
from marketplace.booking.queries import WaitlistSearch
from marketplace.booking.rules.waiting import EntryStatus
from marketplace.booking.schemas import (
    JoinWaitlistIn,
    ReservationOut,
    WaitlistEntryOut,
    waitlist_page,
)
from marketplace.booking.use_cases import (
    OnEntry,
    accept_offer,
    decline_offer,
    join_waitlist,
    withdraw_entry,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read, signed_in
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

WAITING = (Role.BUYER, Role.TECHNICIAN, Role.PROVIDER_MANAGER)
LEAVING = (*WAITING, Role.SME_ADMINISTRATOR)


@post("/waitlist", summary="Wait for time on an instrument", **allow(*WAITING))
async def post_waitlist(
    request: ApiRequest, data: JSONBody[JoinWaitlistIn]
) -> Response[WaitlistEntryOut]:
    """Wait for any time that fits; what comes free is offered in the order of the list.

    An offered time is kept for some hours for nobody else. Customers take it by ordering exactly
    that time; people of the instrument's provider accept it.
    """
    return await perform(request, join_waitlist, data.to_command(), present=WaitlistEntryOut.of)


@get("/waitlist", summary="Who waits for what", **signed_in())
async def get_waitlist(
    request: ApiRequest,
    status: FromQuery[EntryStatus | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    mine: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[WaitlistEntryOut]:
    """Entries of one's organisation and those for its instruments, in the order of the lists.

    `mine` leaves one's own.
    """
    search = WaitlistSearch(status, instrument_id, mine, page, page_size)
    return waitlist_page(await read(request, queries.waitlist, search), page, page_size)


@get("/waitlist/{entry_id:int}", summary="An entry in a waiting list", **signed_in())
async def get_waitlist_entry(request: ApiRequest, entry_id: FromPath[Id]) -> WaitlistEntryOut:
    """Its place in the list, or the time that is offered to it."""
    return WaitlistEntryOut.of(await read(request, queries.visible_entry, entry_id))


@post(
    "/waitlist/{entry_id:int}/accept",
    summary="Accept an offered time on an instrument of one's own",
    **allow(*WAITING),
)
async def post_accept(request: ApiRequest, entry_id: FromPath[Id]) -> Response[ReservationOut]:
    """It is reserved, or requested where the instrument needs approval.

    A customer is told which time to order instead.
    """
    return await perform(
        request, accept_offer, OnEntry(entry_id), present=ReservationOut.of, status=200
    )


@post("/waitlist/{entry_id:int}/decline", summary="Let an offered time go", **allow(*LEAVING))
async def post_decline(request: ApiRequest, entry_id: FromPath[Id]) -> Response[WaitlistEntryOut]:
    """It is the next one's at once; the entry waits on for another time."""
    return await perform(
        request, decline_offer, OnEntry(entry_id), present=WaitlistEntryOut.of, status=200
    )


@post("/waitlist/{entry_id:int}/withdraw", summary="Leave a waiting list", **allow(*LEAVING))
async def post_withdraw(request: ApiRequest, entry_id: FromPath[Id]) -> Response[WaitlistEntryOut]:
    """One's own entry; an administrator withdraws those of the organisation."""
    return await perform(
        request, withdraw_entry, OnEntry(entry_id), present=WaitlistEntryOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [
    post_waitlist,
    get_waitlist,
    get_waitlist_entry,
    post_accept,
    post_decline,
    post_withdraw,
]
