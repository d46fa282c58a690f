"""Offers in answer to enquiries: making, approving, accepting and turning them down."""

from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import Malformed
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize
from marketplace.orders.controllers.enquiries import FILE_ROWS_MAX, READERS, STAFF
from marketplace.orders.queries.enquiry_thread import OfferAsked, OfferList, offers
from marketplace.orders.rules.enquiries import OfferStatus
from marketplace.orders.schemas.enquiries import (
    EndOfferIn,
    EnquiryOfferOut,
    OfferIn,
    TurnDownIn,
    offer_table,
    offers_out,
)
from marketplace.orders.use_cases.enquiry_offers import offer_service
from marketplace.orders.use_cases.offer_decisions import (
    accept_offer,
    approve_offer,
    refuse_offer,
    retract_offer,
    turn_offer_down,
)
from marketplace.parties.roles import Role


@post("/enquiries/{enquiry_id:int}/offers", **allow(*STAFF), summary="Offer a service")
async def post_offer(
    request: ApiRequest, enquiry_id: FromPath[Id], data: JSONBody[OfferIn]
) -> Response[EnquiryOfferOut]:
    """In answer to an enquiry; a price set by hand waits for a second person."""
    return await perform(
        request, offer_service, data.to_command(enquiry_id), present=EnquiryOfferOut.inside
    )


@get("/enquiries/{enquiry_id:int}/offers", **allow(*READERS), summary="The offers for an enquiry")
async def get_offers_of(
    request: ApiRequest,
    enquiry_id: FromPath[Id],
    status: FromQuery[list[OfferStatus] | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[EnquiryOfferOut]:
    """Every round, the newest first; the buyer sees those that were approved."""
    question = OfferList(
        enquiry_id=enquiry_id, statuses=tuple(status or ()), page=page, page_size=page_size
    )
    found = await read(request, offers, question)
    return Page(results=offers_out(found), total=found.total, page=page, page_size=page_size)


@get("/enquiry-offers", **allow(*READERS), summary="Offers for all your enquiries")
async def get_offers(
    request: ApiRequest,
    status: FromQuery[list[OfferStatus] | None] = None,
    manual: FromQuery[bool | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[EnquiryOfferOut]:
    """The newest first; `status=awaiting_approval` is what a provider's managers look at."""
    question = OfferList(
        instrument_id=instrument_id,
        statuses=tuple(status or ()),
        manual=manual,
        text=text,
        page=page,
        page_size=page_size,
    )
    found = await read(request, offers, question)
    return Page(results=offers_out(found), total=found.total, page=page, page_size=page_size)


@get("/enquiry-offers/file", **allow(*READERS), summary="Offers as a file")
async def get_offers_file(
    request: ApiRequest,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
    status: FromQuery[list[OfferStatus] | None] = None,
    manual: FromQuery[bool | None] = None,
    instrument_id: FromQuery[Id | None] = None,
    text: FromQuery[Line] = "",
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list, as far as one file goes."""
    question = OfferList(
        instrument_id=instrument_id,
        statuses=tuple(status or ()),
        manual=manual,
        text=text,
        page_size=FILE_ROWS_MAX,
    )
    found = await read(request, offers, question)
    if found.total > FILE_ROWS_MAX:
        raise Malformed("Ask for one instrument.", limit=FILE_ROWS_MAX, asked=found.total)
    return Response(
        content=await table_file(offer_table(found), file_format, sheet="报价 offers"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="offers.{file_format}"'},
    )


@post(
    "/enquiries/{enquiry_id:int}/offers/{offer_id:int}/approve",
    **allow(Role.PROVIDER_MANAGER),
    summary="Approve a price set by hand",
    status_code=200,
)
async def post_approval(
    request: ApiRequest, enquiry_id: FromPath[Id], offer_id: FromPath[Id]
) -> Response[EnquiryOfferOut]:
    """By another person than the one who set it; then the buyer sees the offer."""
    command = OfferAsked(enquiry_id, offer_id)
    return await perform(
        request, approve_offer, command, present=EnquiryOfferOut.inside, status=200
    )


@post(
    "/enquiries/{enquiry_id:int}/offers/{offer_id:int}/refuse",
    **allow(Role.PROVIDER_MANAGER),
    summary="Refuse a price set by hand",
    status_code=200,
)
async def post_refusal(
    request: ApiRequest,
    enquiry_id: FromPath[Id],
    offer_id: FromPath[Id],
    data: JSONBody[EndOfferIn],
) -> Response[EnquiryOfferOut]:
    """By another person than the one who set it; the buyer hears nothing of it."""
    command = data.to_command(enquiry_id, offer_id)
    return await perform(request, refuse_offer, command, present=EnquiryOfferOut.inside, status=200)


@post(
    "/enquiries/{enquiry_id:int}/offers/{offer_id:int}/retract",
    **allow(*STAFF),
    summary="Take an offer back",
    status_code=200,
)
async def post_retraction(
    request: ApiRequest,
    enquiry_id: FromPath[Id],
    offer_id: FromPath[Id],
    data: JSONBody[EndOfferIn],
) -> Response[EnquiryOfferOut]:
    """While nobody has decided on it."""
    command = data.to_command(enquiry_id, offer_id)
    return await perform(
        request, retract_offer, command, present=EnquiryOfferOut.inside, status=200
    )


@post(
    "/enquiries/{enquiry_id:int}/offers/{offer_id:int}/accept",
    **allow(Role.BUYER),
    summary="Accept an offer",
    status_code=200,
)
async def post_acceptance(
    request: ApiRequest, enquiry_id: FromPath[Id], offer_id: FromPath[Id]
) -> Response[EnquiryOfferOut]:
    """From then on its quote can be ordered, while it is valid."""
    command = OfferAsked(enquiry_id, offer_id)
    return await perform(
        request, accept_offer, command, present=EnquiryOfferOut.outside, status=200
    )


@post(
    "/enquiries/{enquiry_id:int}/offers/{offer_id:int}/turn-down",
    **allow(Role.BUYER),
    summary="Turn an offer down",
    status_code=200,
)
async def post_turning_down(
    request: ApiRequest,
    enquiry_id: FromPath[Id],
    offer_id: FromPath[Id],
    data: JSONBody[TurnDownIn],
) -> Response[EnquiryOfferOut]:
    """With a reason; another round may follow, unless it is final."""
    command = data.to_command(enquiry_id, offer_id)
    return await perform(
        request, turn_offer_down, command, present=EnquiryOfferOut.outside, status=200
    )


routes: list[ControllerRouterHandler] = [
    post_offer,
    get_offers_of,
    get_offers,
    get_offers_file,
    post_approval,
    post_refusal,
    post_retraction,
    post_acceptance,
    post_turning_down,
]
