"""Asking a provider, the thread that follows, and its files."""

import re
from datetime import date
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import Malformed
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.uploads import saved_file, uploaded_file
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize, Sha256
from marketplace.orders.queries.enquiries import (
    EnquiryList,
    enquiries,
    enquiry_by_id,
)
from marketplace.orders.queries.enquiry_thread import (
    ThreadAsked,
    events_of,
    files_of,
    messages,
)
from marketplace.orders.rules.enquiries import EnquiryStatus
from marketplace.orders.rules.enquiry_files import FILE_BYTES_MAX
from marketplace.orders.rules.rescheduling import Side
from marketplace.orders.schemas.enquiries import (
    EndEnquiryIn,
    EnquiryEventOut,
    EnquiryFileOut,
    EnquiryIn,
    EnquiryOut,
    EnquiryRowOut,
    MessageIn,
    MessageOut,
    WrittenOut,
    enquiry_table,
)
from marketplace.orders.use_cases.enquiries import (
    ask_provider,
    decline_enquiry,
    withdraw_enquiry,
    write_message,
)
from marketplace.orders.use_cases.enquiry_files import AttachFile, TakeFile, attach_file, take_file
from marketplace.parties.roles import Role

ASKERS = (Role.BUYER, Role.STATION_AGENT)
STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
WRITERS = (*ASKERS, *STAFF)
READERS = (*WRITERS, Role.SME_ADMINISTRATOR)
FILE_ROWS_MAX = 20_000
FILE_NAME = re.compile(r"[^\x00-\x1f/\\]{1,200}")
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")]


@post("/enquiries", **allow(*ASKERS), summary="Ask a provider")
async def post_enquiry(request: ApiRequest, data: JSONBody[EnquiryIn]) -> Response[EnquiryOut]:
    """About its instruments or a need in words; it has some working days to answer."""
    return await perform(request, ask_provider, data.to_command(), present=EnquiryOut.of)


@get("/enquiries", **allow(*READERS), summary="Your enquiries")
async def get_enquiries(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    status: FromQuery[list[EnquiryStatus] | None] = None,
    side: FromQuery[Side | None] = None,
    text: FromQuery[Line] = "",
    instrument_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    asked_from: FromQuery[date | None] = None,
    asked_until: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[EnquiryRowOut]:
    """As buyer, agent or provider, the newest first."""
    question = EnquiryList(
        statuses=tuple(status or ()),
        side=side,
        text=text,
        instrument_id=instrument_id,
        organisation_id=organisation_id,
        asked_from=asked_from,
        asked_until=asked_until,
        page=page,
        page_size=page_size,
    )
    found = await read(request, enquiries, question)
    return Page(
        results=[EnquiryRowOut.of(each, found.names) for each in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/enquiries/file", **allow(*READERS), summary="Your enquiries as a file")
async def get_enquiries_file(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
    status: FromQuery[list[EnquiryStatus] | None] = None,
    side: FromQuery[Side | None] = None,
    text: FromQuery[Line] = "",
    instrument_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    asked_from: FromQuery[date | None] = None,
    asked_until: FromQuery[date | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list, as far as one file goes."""
    question = EnquiryList(
        statuses=tuple(status or ()),
        side=side,
        text=text,
        instrument_id=instrument_id,
        organisation_id=organisation_id,
        asked_from=asked_from,
        asked_until=asked_until,
        page_size=FILE_ROWS_MAX,
    )
    found = await read(request, enquiries, question)
    if found.total > FILE_ROWS_MAX:
        raise Malformed("Ask for fewer days.", limit=FILE_ROWS_MAX, asked=found.total)
    return Response(
        content=await table_file(enquiry_table(found), file_format, sheet="询价 enquiries"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="enquiries.{file_format}"'},
    )


@get("/enquiries/{enquiry_id:int}", **allow(*READERS), summary="An enquiry")
async def get_enquiry(request: ApiRequest, enquiry_id: FromPath[Id]) -> EnquiryOut:
    """For its buyer, its agent and its provider only."""
    return EnquiryOut.of(await read(request, enquiry_by_id, enquiry_id))


@post("/enquiries/{enquiry_id:int}/messages", **allow(*WRITERS), summary="Write in the thread")
async def post_message(
    request: ApiRequest, enquiry_id: FromPath[Id], data: JSONBody[MessageIn]
) -> Response[WrittenOut]:
    """For the other side to read; the provider's first is its answer."""
    return await perform(request, write_message, data.to_command(enquiry_id), present=WrittenOut.of)


@get("/enquiries/{enquiry_id:int}/messages", **allow(*READERS), summary="The thread")
async def get_messages(
    request: ApiRequest,
    enquiry_id: FromPath[Id],
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[MessageOut]:
    """What both sides wrote, the oldest first."""
    found = await read(request, messages, ThreadAsked(enquiry_id, text, page, page_size))
    return Page(
        results=[MessageOut.of(each, found.people) for each in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post(
    "/enquiries/{enquiry_id:int}/files",
    **allow(*WRITERS),
    summary="Attach a file",
    request_max_body_size=FILE_BYTES_MAX + 64 * 1024,
)
async def post_file(
    request: ApiRequest,
    enquiry_id: FromPath[Id],
    name: FromQuery[FileName | None] = None,
    sha256: FromQuery[Sha256 | None] = None,
) -> Response[EnquiryFileOut]:
    """The body is the file as it is, or a form with one file; at most 10 MB.

    PDF, OFD, Word, Excel, PowerPoint, PNG, JPEG and plain text, by their bytes and by their names;
    nothing that runs, and nothing that hides.
    """
    media_type = request.headers.get("content-type", "").lower()
    if media_type.startswith("multipart/form-data"):
        sent_as, content = await uploaded_file(request, name or "")
    else:
        sent_as, content = name or "", await request.body()
    if not FILE_NAME.fullmatch(sent_as):
        raise Malformed("Say in `name` what the file is called.")
    command = AttachFile(enquiry_id, sent_as, content, sha256)
    return await perform(request, attach_file, command, present=EnquiryFileOut.of)


@get("/enquiries/{enquiry_id:int}/files", **allow(*READERS), summary="The files of an enquiry")
async def get_files(
    request: ApiRequest,
    enquiry_id: FromPath[Id],
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[EnquiryFileOut]:
    """What both sides attached, the oldest first."""
    found = await read(request, files_of, ThreadAsked(enquiry_id, text, page, page_size))
    return Page(
        results=[EnquiryFileOut.of(each) for each in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get(
    "/enquiries/{enquiry_id:int}/files/{file_id:int}",
    **allow(*READERS),
    summary="Download a file",
    media_type="application/octet-stream",
)
async def get_file(
    request: ApiRequest, enquiry_id: FromPath[Id], file_id: FromPath[Id]
) -> Response[bytes]:
    """For buyer, agent and provider only; every download is logged."""
    taken = await read(request, take_file, TakeFile(enquiry_id, file_id))
    return saved_file(
        name=taken.name,
        content=taken.content,
        media_type=taken.media_type,
        sha256=taken.sha256,
    )


@get("/enquiries/{enquiry_id:int}/events", **allow(*READERS), summary="What happened to an enquiry")
async def get_events(
    request: ApiRequest,
    enquiry_id: FromPath[Id],
    kind: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[EnquiryEventOut]:
    """The oldest first, downloads included; a provider also sees what it decides inside."""
    found = await read(request, events_of, ThreadAsked(enquiry_id, kind, page, page_size))
    return Page(
        results=[EnquiryEventOut.of(each, found.people) for each in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post(
    "/enquiries/{enquiry_id:int}/decline",
    **allow(*STAFF),
    summary="The provider cannot do it",
    status_code=200,
)
async def post_declining(
    request: ApiRequest, enquiry_id: FromPath[Id], data: JSONBody[EndEnquiryIn]
) -> Response[EnquiryOut]:
    """With a reason; that is an answer too."""
    command = data.to_command(enquiry_id)
    return await perform(request, decline_enquiry, command, present=EnquiryOut.of, status=200)


@post(
    "/enquiries/{enquiry_id:int}/withdraw",
    **allow(*ASKERS),
    summary="Ask no more",
    status_code=200,
)
async def post_withdrawing(
    request: ApiRequest, enquiry_id: FromPath[Id], data: JSONBody[EndEnquiryIn]
) -> Response[EnquiryOut]:
    """By the buyer, or the agent who asked for it; what was offered is over."""
    command = data.to_command(enquiry_id)
    return await perform(request, withdraw_enquiry, command, present=EnquiryOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    post_enquiry,
    get_enquiries,
    get_enquiries_file,
    get_enquiry,
    post_message,
    get_messages,
    post_file,
    get_files,
    get_file,
    get_events,
    post_declining,
    post_withdrawing,
]
