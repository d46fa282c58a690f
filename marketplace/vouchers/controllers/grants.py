"""Grants: lists, movements, top-ups, withdrawal and revocation; facts of beneficiaries."""

from datetime import date
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.controllers.files import cut_rows
from marketplace.vouchers.controllers.programmes import READERS
from marketplace.vouchers.queries import (
    FactSearch,
    GrantChangeSearch,
    GrantSearch,
    OfGrant,
    PageAsked,
)
from marketplace.vouchers.rules.states import (
    FactStatus,
    GrantChangeKind,
    GrantChangeStatus,
    GrantStatus,
)
from marketplace.vouchers.schemas import ApplicationOut, WalletVoucherOut
from marketplace.vouchers.schemas.grants import (
    ChangeDecisionIn,
    FactDecisionIn,
    FactIn,
    FactOut,
    GrantChangeOut,
    MovementOut,
    RevokeIn,
    TopUpIn,
    VoucherHoldOut,
    WithdrawQuotaIn,
    grant_table,
)
from marketplace.vouchers.use_cases import (
    apply_for_top_up,
    decide_fact,
    decide_grant_change,
    propose_grant_change,
    state_fact,
)

FILE_ROWS_MAX = 20_000
CENTRE = (Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER)


@get("/voucher-grants", summary="Vouchers granted", **allow(*READERS))
async def get_grants(
    request: ApiRequest,
    programme_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    status: FromQuery[GrantStatus | None] = None,
    ends_by: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[WalletVoucherOut]:
    """Issued, held, used, left and returned, the newest first; an SME sees its own."""
    asked = PageAsked(page, page_size)
    search = GrantSearch(programme_id, organisation_id, status, ends_by, asked)
    found = await read(request, queries.grants, search)
    return Page(
        results=[WalletVoucherOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/voucher-grants/file", summary="The same vouchers as a file", **allow(*READERS))
async def get_grants_file(
    request: ApiRequest,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
    programme_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    status: FromQuery[GrantStatus | None] = None,
    ends_by: FromQuery[date | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list, a last row says if there are more."""
    asked = PageAsked(1, FILE_ROWS_MAX)
    search = GrantSearch(programme_id, organisation_id, status, ends_by, asked)
    found = await read(request, queries.grants, search)
    return Response(
        content=await table_file(
            cut_rows(grant_table(found.rows), found), file_format, sheet="创新券 vouchers"
        ),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="vouchers.{file_format}"'},
    )


@get("/voucher-grants/{grant_id:int}", summary="A voucher", **allow(*READERS))
async def get_grant(request: ApiRequest, grant_id: FromPath[Id]) -> WalletVoucherOut:
    """A voucher in money words."""
    return WalletVoucherOut.of(await read(request, queries.voucher_of, grant_id))


@get(
    "/voucher-grants/{grant_id:int}/movements",
    summary="What moved on a voucher",
    **allow(*READERS),
)
async def get_movements(
    request: ApiRequest,
    grant_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[MovementOut]:
    """Granted, topped up, redeemed, returned: every line of its accounts, the latest first."""
    asked = OfGrant(grant_id, PageAsked(page, page_size))
    found = await read(request, queries.movements, asked)
    return Page(
        results=[MovementOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/voucher-grants/{grant_id:int}/holds", summary="What orders held", **allow(*READERS))
async def get_holds(
    request: ApiRequest,
    grant_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[VoucherHoldOut]:
    """Every hold of the voucher and what became of it, the latest first."""
    found = await read(request, queries.holds, OfGrant(grant_id, PageAsked(page, page_size)))
    return Page(
        results=[VoucherHoldOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post(
    "/voucher-grants/{grant_id:int}/top-ups",
    summary="Apply for a top-up",
    **allow(Role.SME_ADMINISTRATOR),
)
async def post_top_up(
    request: ApiRequest, grant_id: FromPath[Id], data: JSONBody[TopUpIn]
) -> Response[ApplicationOut]:
    """Ask for more on the own voucher; the same checks, documents and approvals."""
    command = data.to_command(grant_id)
    return await perform(request, apply_for_top_up, command, present=ApplicationOut.of)


@post(
    "/voucher-grants/{grant_id:int}/withdraw-quota",
    summary="Propose to take unused quota back",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_withdraw_quota(
    request: ApiRequest, grant_id: FromPath[Id], data: JSONBody[WithdrawQuotaIn]
) -> Response[GrantChangeOut]:
    """Nothing moves before a second person agrees."""
    command = data.to_command(grant_id)
    return await perform(request, propose_grant_change, command, present=GrantChangeOut.of)


@post(
    "/voucher-grants/{grant_id:int}/revoke",
    summary="Propose to revoke a voucher",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_revoke(
    request: ApiRequest, grant_id: FromPath[Id], data: JSONBody[RevokeIn]
) -> Response[GrantChangeOut]:
    """Nothing moves before a second person agrees."""
    command = data.to_command(grant_id)
    return await perform(request, propose_grant_change, command, present=GrantChangeOut.of)


@get("/voucher-grant-changes", summary="Changes of vouchers", **allow(*READERS))
async def get_changes(
    request: ApiRequest,
    grant_id: FromQuery[Id | None] = None,
    kind: FromQuery[GrantChangeKind | None] = None,
    status: FromQuery[GrantChangeStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[GrantChangeOut]:
    """Top-ups, withdrawals and revocations, the newest first; an SME sees its own."""
    search = GrantChangeSearch(grant_id, kind, status, PageAsked(page, page_size))
    found = await read(request, queries.grant_changes, search)
    return Page(
        results=[GrantChangeOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post(
    "/voucher-grant-changes/{change_id:int}/decide",
    summary="Decide a change of a voucher",
    **allow(*CENTRE),
)
async def post_decide_change(
    request: ApiRequest, change_id: FromPath[Id], data: JSONBody[ChangeDecisionIn]
) -> Response[GrantChangeOut]:
    """Another person than the one who proposed it agrees or declines."""
    command = data.to_command(change_id)
    return await perform(
        request, decide_grant_change, command, present=GrantChangeOut.of, status=200
    )


@post(
    "/beneficiary-facts",
    summary="State a fact of a beneficiary",
    **allow(Role.SME_ADMINISTRATOR, Role.VOUCHER_OFFICER),
)
async def post_fact(request: ApiRequest, data: JSONBody[FactIn]) -> Response[FactOut]:
    """A certificate, the capital, a day of foundation; counted once it is verified."""
    return await perform(request, state_fact, data.to_command(), present=FactOut.of)


@get("/beneficiary-facts", summary="Facts of beneficiaries", **allow(*READERS))
async def get_facts(
    request: ApiRequest,
    organisation_id: FromQuery[Id | None] = None,
    status: FromQuery[FactStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[FactOut]:
    """Facts and whether they are verified, the newest first; an SME sees its own."""
    search = FactSearch(organisation_id, status, PageAsked(page, page_size))
    found = await read(request, queries.beneficiary_facts, search)
    return Page(
        results=[FactOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@post(
    "/beneficiary-facts/{fact_id:int}/decide",
    summary="Verify a fact of a beneficiary",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_decide_fact(
    request: ApiRequest, fact_id: FromPath[Id], data: JSONBody[FactDecisionIn]
) -> Response[FactOut]:
    """Verify a stated fact, reject it, or end one; another person than the one who stated it."""
    command = data.to_command(fact_id)
    return await perform(request, decide_fact, command, present=FactOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    get_grants,
    get_grants_file,
    get_grant,
    get_movements,
    get_holds,
    post_top_up,
    post_withdraw_quota,
    post_revoke,
    get_changes,
    post_decide_change,
    post_fact,
    get_facts,
    post_decide_fact,
]
