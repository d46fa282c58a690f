"""Applications: lists, documents, amendments, approvals, the line of those that wait."""

from datetime import date
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.uploads import saved_file
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.controllers.files import cut_rows
from marketplace.vouchers.controllers.programmes import READERS
from marketplace.vouchers.queries import ApplicationSearch, PageAsked
from marketplace.vouchers.rules.states import ApplicationStatus
from marketplace.vouchers.schemas import ApplicationOut, ApprovalOut
from marketplace.vouchers.schemas.grants import (
    AmendmentIn,
    DocumentKind,
    DocumentOut,
    FileName,
    ReturnIn,
    application_table,
)
from marketplace.vouchers.use_cases import (
    DOCUMENT_BYTES_MAX,
    QueueApplication,
    RemoveDocument,
    StoreDocument,
    SubmitApplication,
    amend_application,
    document_file,
    queue_application,
    remove_document,
    return_application,
    store_document,
    submit_application,
)

FILE_ROWS_MAX = 20_000


@get("/voucher-applications", summary="Voucher applications", **allow(*READERS))
async def get_applications(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    programme_id: FromQuery[Id | None] = None,
    status: FromQuery[ApplicationStatus | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    top_ups: FromQuery[bool | None] = None,
    made_from: FromQuery[date | None] = None,
    made_until: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ApplicationOut]:
    """Applications, the newest first, those that wait in their order; an SME sees its own."""
    search = ApplicationSearch(
        programme_id,
        status,
        organisation_id,
        top_ups,
        made_from,
        made_until,
        text,
        PageAsked(page, page_size),
    )
    found = await read(request, queries.applications, search)
    return Page(
        results=[ApplicationOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/voucher-applications/file", summary="The same applications as a file", **allow(*READERS))
async def get_applications_file(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
    programme_id: FromQuery[Id | None] = None,
    status: FromQuery[ApplicationStatus | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    top_ups: FromQuery[bool | None] = None,
    made_from: FromQuery[date | None] = None,
    made_until: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list, a last row says if there are more."""
    search = ApplicationSearch(
        programme_id,
        status,
        organisation_id,
        top_ups,
        made_from,
        made_until,
        text,
        PageAsked(1, FILE_ROWS_MAX),
    )
    found = await read(request, queries.applications, search)
    return Response(
        content=await table_file(
            cut_rows(application_table(found.rows), found), file_format, sheet="申请 applications"
        ),
        media_type=MEDIA_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="voucher-applications.{file_format}"'
        },
    )


@post(
    "/voucher-applications/{application_id:int}/amend",
    summary="Amend an application",
    **allow(Role.SME_ADMINISTRATOR),
)
async def post_amend(
    request: ApiRequest, application_id: FromPath[Id], data: JSONBody[AmendmentIn]
) -> Response[ApplicationOut]:
    """Change the figures of the own application while it is a draft or was returned."""
    command = data.to_command(application_id)
    return await perform(request, amend_application, command, present=ApplicationOut.of, status=200)


@post(
    "/voucher-applications/{application_id:int}/submit",
    summary="Submit an application",
    **allow(Role.SME_ADMINISTRATOR),
)
async def post_submit(
    request: ApiRequest, application_id: FromPath[Id]
) -> Response[ApplicationOut]:
    """Submit the own application once its documents are there; every rule is checked anew."""
    command = SubmitApplication(application_id)
    return await perform(
        request, submit_application, command, present=ApplicationOut.of, status=200
    )


@post(
    "/voucher-applications/{application_id:int}/return",
    summary="Send an application back",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_return(
    request: ApiRequest, application_id: FromPath[Id], data: JSONBody[ReturnIn]
) -> Response[ApplicationOut]:
    """Say what has to be amended; approvals so far count no more."""
    command = data.to_command(application_id)
    return await perform(
        request, return_application, command, present=ApplicationOut.of, status=200
    )


@post(
    "/voucher-applications/{application_id:int}/queue",
    summary="Let an application wait",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_queue(request: ApiRequest, application_id: FromPath[Id]) -> Response[ApplicationOut]:
    """Put an application in line when the budget does not hold what is asked for."""
    command = QueueApplication(application_id)
    return await perform(request, queue_application, command, present=ApplicationOut.of, status=200)


@get(
    "/voucher-applications/{application_id:int}/approvals",
    summary="Who approved an application",
    **allow(*READERS),
)
async def get_approvals(request: ApiRequest, application_id: FromPath[Id]) -> list[ApprovalOut]:
    """Every approval, of all rounds."""
    found = await read(request, queries.visible_approvals, application_id)
    return [ApprovalOut.of(each) for each in found]


@post(
    "/voucher-applications/{application_id:int}/documents",
    summary="Upload a document of an application",
    **allow(Role.SME_ADMINISTRATOR),
    request_max_body_size=DOCUMENT_BYTES_MAX,
)
async def post_document(
    request: ApiRequest,
    application_id: FromPath[Id],
    kind: FromQuery[DocumentKind],
    name: FromQuery[FileName],
) -> Response[DocumentOut]:
    """The body is the file as it is, at most 10 MB: a paper, a table or a picture of one."""
    command = StoreDocument(application_id, kind, name, await request.body())
    return await perform(request, store_document, command, present=DocumentOut.of)


@get(
    "/voucher-applications/{application_id:int}/documents",
    summary="The documents of an application",
    **allow(*READERS),
)
async def get_documents(request: ApiRequest, application_id: FromPath[Id]) -> list[DocumentOut]:
    """What was uploaded and not removed."""
    found = await read(request, queries.application_documents, application_id)
    return [DocumentOut.of(each) for each in found]


@post(
    "/voucher-applications/{application_id:int}/documents/{document_id:int}/remove",
    summary="Remove a document of an application",
    **allow(Role.SME_ADMINISTRATOR),
)
async def post_remove_document(
    request: ApiRequest, application_id: FromPath[Id], document_id: FromPath[Id]
) -> Response[DocumentOut]:
    """Take a document out of the own application while it is in one's hands."""
    command = RemoveDocument(application_id, document_id)
    return await perform(request, remove_document, command, present=DocumentOut.of, status=200)


@get(
    "/voucher-applications/{application_id:int}/documents/{document_id:int}",
    summary="Download a document of an application",
    media_type="application/octet-stream",
    **allow(*READERS),
)
async def get_document(
    request: ApiRequest, application_id: FromPath[Id], document_id: FromPath[Id]
) -> Response[bytes]:
    """For the SME itself and the centre; every download is logged."""
    command = RemoveDocument(application_id, document_id)
    taken = await read(request, document_file, command)
    return saved_file(
        name=taken.document.name,
        content=taken.content,
        media_type=taken.document.media_type,
        sha256=taken.document.sha256,
    )


routes: list[ControllerRouterHandler] = [
    get_applications,
    get_applications_file,
    post_amend,
    post_submit,
    post_return,
    post_queue,
    get_approvals,
    post_document,
    get_documents,
    post_remove_document,
    get_document,
]
