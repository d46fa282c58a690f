"""Giving money back after settlement: proposing, deciding, and lists of what was given back."""

from datetime import date
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import Malformed
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Line, PageNumber, PageSize
from marketplace.orders import queries
from marketplace.orders.queries import CorrectionList
from marketplace.orders.queries.settlement_runs import RunList, settlement_runs
from marketplace.orders.rules.corrections import CorrectionSide, CorrectionStatus
from marketplace.orders.schemas import day_of
from marketplace.orders.schemas.disputes import (
    ApprovalIn,
    CorrectionIn,
    CorrectionOut,
    CorrectionsOut,
    DeclineIn,
    SettlementRunsOut,
    correction_table,
)
from marketplace.orders.use_cases import (
    approve_correction,
    propose_correction,
    refuse_correction,
    withdraw_correction,
)
from marketplace.parties.roles import Role

READERS = (
    Role.BUYER,
    Role.SME_ADMINISTRATOR,
    Role.PROVIDER_MANAGER,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
)
PROPOSERS = (Role.PROVIDER_MANAGER, Role.VOUCHER_OFFICER, Role.FINANCE_MAKER)
DECIDERS = (Role.PROVIDER_MANAGER, Role.FINANCE_CHECKER)
FILE_ROWS_MAX = 20_000
_Status = Annotated[CorrectionStatus | None, QueryParameter(name="status")]


@post(
    "/orders/{order_id:int}/corrections",
    **allow(*PROPOSERS),
    summary="Propose to give back a part of a charge",
)
async def post_correction(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[CorrectionIn]
) -> Response[CorrectionOut]:
    """Nothing moves until another person approves."""
    command = data.to_command(order_id)
    return await perform(request, propose_correction, command, present=CorrectionOut.of)


@get("/corrections", **allow(*READERS), summary="What was given back after settlement")
async def get_corrections(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    order_id: FromQuery[Id | None] = None,
    standing: _Status = None,
    side: FromQuery[CorrectionSide | None] = None,
    proposed_from: FromQuery[date | None] = None,
    proposed_until: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> CorrectionsOut:
    """A side's own, everybody's for the centre; newest first."""
    question = CorrectionList(
        order_id=order_id,
        status=standing,
        side=side,
        proposed_from=day_of("proposed_from", proposed_from),
        proposed_until=day_of("proposed_until", proposed_until),
        text=text,
        page=page,
        page_size=page_size,
    )
    return CorrectionsOut.of(await read(request, queries.corrections, question))


@get("/corrections/file", **allow(*READERS), summary="The same corrections as a file")
async def get_corrections_file(
    request: ApiRequest,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
    order_id: FromQuery[Id | None] = None,
    standing: _Status = None,
    side: FromQuery[CorrectionSide | None] = None,
    proposed_from: FromQuery[date | None] = None,
    proposed_until: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list, as far as one file goes."""
    question = CorrectionList(
        order_id=order_id,
        status=standing,
        side=side,
        proposed_from=day_of("proposed_from", proposed_from),
        proposed_until=day_of("proposed_until", proposed_until),
        text=text,
        page_size=FILE_ROWS_MAX,
    )
    found = await read(request, queries.corrections, question)
    if found.total > FILE_ROWS_MAX:
        raise Malformed("Ask for a shorter period.", limit=FILE_ROWS_MAX, asked=found.total)
    table = correction_table(found.rows)
    return Response(
        content=await table_file(table, file_format, sheet="更正 corrections"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="corrections.{file_format}"'},
    )


@get("/corrections/{correction_id:int}", **allow(*READERS), summary="A correction")
async def get_correction(request: ApiRequest, correction_id: FromPath[Id]) -> CorrectionOut:
    """What is given back, who proposed and decided it, and where the money went."""
    return CorrectionOut.of(await read(request, queries.correction, correction_id))


@post(
    "/corrections/{correction_id:int}/approve",
    **allow(*DECIDERS),
    summary="Approve a correction",
    status_code=200,
)
async def post_approval(
    request: ApiRequest, correction_id: FromPath[Id], data: JSONBody[ApprovalIn]
) -> Response[CorrectionOut]:
    """The money is back at once; never by the one who proposed it."""
    command = data.to_command(correction_id)
    return await perform(request, approve_correction, command, present=CorrectionOut.of, status=200)


@post(
    "/corrections/{correction_id:int}/refuse",
    **allow(*DECIDERS),
    summary="Refuse a correction",
    status_code=200,
)
async def post_refusal(
    request: ApiRequest, correction_id: FromPath[Id], data: JSONBody[DeclineIn]
) -> Response[CorrectionOut]:
    """Nothing moves."""
    command = data.to_command(correction_id)
    return await perform(request, refuse_correction, command, present=CorrectionOut.of, status=200)


@post(
    "/corrections/{correction_id:int}/withdraw",
    **allow(*PROPOSERS),
    summary="Withdraw a proposed correction",
    status_code=200,
)
async def post_withdrawal(
    request: ApiRequest, correction_id: FromPath[Id], data: JSONBody[DeclineIn]
) -> Response[CorrectionOut]:
    """By the side that proposed it."""
    command = data.to_command(correction_id)
    return await perform(
        request, withdraw_correction, command, present=CorrectionOut.of, status=200
    )


@get(
    "/settlement-runs",
    **allow(Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.ADMINISTRATOR, Role.AUDITOR),
    summary="How far settling what is due has come",
)
async def get_settlement_runs(
    request: ApiRequest,
    unfinished: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> SettlementRunsOut:
    """Each chunk's commit moves its run on; one that was killed has no end."""
    question = RunList(unfinished=unfinished, page=page, page_size=page_size)
    return SettlementRunsOut.of(await read(request, settlement_runs, question))


routes: list[ControllerRouterHandler] = [
    post_correction,
    get_corrections,
    get_corrections_file,
    get_correction,
    post_approval,
    post_refusal,
    post_withdrawal,
    get_settlement_runs,
]
