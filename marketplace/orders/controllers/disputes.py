"""Answering an objection, showing evidence, agreeing, taking it back; lists of disputes."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import Malformed
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.uploads import saved_file
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize, Sha256
from marketplace.orders import queries
from marketplace.orders.queries import DisputeList
from marketplace.orders.schemas import OrderOut, day_of
from marketplace.orders.schemas.disputes import (
    DisputeAnswerIn,
    DisputeRowOut,
    EvidenceOut,
    WithdrawalIn,
    dispute_table,
)
from marketplace.orders.use_cases import (
    EVIDENCE_BYTES_MAX,
    AgreeToOffer,
    ShowEvidence,
    TakeEvidence,
    agree_to_offer,
    answer_dispute,
    show_evidence,
    take_evidence,
    withdraw_dispute,
)
from marketplace.parties.roles import Role

SIDES = (Role.BUYER, Role.SME_ADMINISTRATOR, Role.TECHNICIAN, Role.PROVIDER_MANAGER)
CENTRE = (Role.VOUCHER_OFFICER, Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
READERS = (*SIDES, *CENTRE, Role.AUDITOR)
FILE_ROWS_MAX = 20_000
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")]
State = Literal["open", "answered", "overdue", "ruled", "agreed", "conceded", "withdrawn"]
_State = Annotated[State | None, QueryParameter(name="state")]


@get("/disputes", **allow(*READERS), summary="Disputes")
async def get_disputes(
    request: ApiRequest,
    standing: _State = None,
    opened_from: FromQuery[date | None] = None,
    opened_until: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[DisputeRowOut]:
    """A side's own, everybody's for the centre; newest first."""
    question = DisputeList(
        state=standing,
        opened_from=day_of("opened_from", opened_from),
        opened_until=day_of("opened_until", opened_until),
        text=text,
        page=page,
        page_size=page_size,
    )
    found = await read(request, queries.disputes, question)
    return Page(
        results=[DisputeRowOut.of(row) for row in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@get("/disputes/file", **allow(*READERS), summary="The same disputes as a file")
async def get_disputes_file(
    request: ApiRequest,
    file_format: Annotated[FileFormat, QueryParameter(name="format")] = FileFormat.CSV,
    standing: _State = None,
    opened_from: FromQuery[date | None] = None,
    opened_until: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list, as far as one file goes."""
    question = DisputeList(
        state=standing,
        opened_from=day_of("opened_from", opened_from),
        opened_until=day_of("opened_until", opened_until),
        text=text,
        page_size=FILE_ROWS_MAX,
    )
    found = await read(request, queries.disputes, question)
    if found.total > FILE_ROWS_MAX:
        raise Malformed("Ask for a shorter period.", limit=FILE_ROWS_MAX, asked=found.total)
    return Response(
        content=await table_file(dispute_table(found.rows), file_format, sheet="争议 disputes"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="disputes.{file_format}"'},
    )


@post(
    "/orders/{order_id:int}/dispute/answer",
    **allow(Role.PROVIDER_MANAGER),
    summary="Answer an objection",
    status_code=200,
)
async def post_answer(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[DisputeAnswerIn]
) -> Response[OrderOut]:
    """Once: stand by all that was charged, offer to be content with a part, or concede (0)."""
    command = data.to_command(order_id)
    return await perform(request, answer_dispute, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/dispute/agree",
    **allow(Role.BUYER),
    summary="Agree to what the provider offers",
    status_code=200,
)
async def post_agreement(request: ApiRequest, order_id: FromPath[Id]) -> Response[OrderOut]:
    """Settles at once, at the offered part of the used value."""
    return await perform(
        request, agree_to_offer, AgreeToOffer(order_id), present=OrderOut.of, status=200
    )


@post(
    "/orders/{order_id:int}/dispute/withdraw",
    **allow(Role.BUYER),
    summary="Object no longer",
    status_code=200,
)
async def post_withdrawal(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[WithdrawalIn]
) -> Response[OrderOut]:
    """The order stands where it stood, and its review window runs on."""
    command = data.to_command(order_id)
    return await perform(request, withdraw_dispute, command, present=OrderOut.of, status=200)


@post(
    "/orders/{order_id:int}/dispute/evidence",
    **allow(Role.BUYER, Role.TECHNICIAN, Role.PROVIDER_MANAGER),
    summary="Show evidence in a dispute",
    request_max_body_size=EVIDENCE_BYTES_MAX,
)
async def post_evidence(
    request: ApiRequest,
    order_id: FromPath[Id],
    name: FromQuery[FileName],
    sha256: FromQuery[Sha256 | None] = None,
) -> Response[EvidenceOut]:
    """The body is the file as it is, at most 10 MB; with `sha256` what arrives is checked."""
    command = ShowEvidence(order_id, name=name, content=await request.body(), sha256=sha256)
    return await perform(request, show_evidence, command, present=EvidenceOut.of)


@get(
    "/orders/{order_id:int}/dispute/evidence",
    **allow(*READERS),
    summary="The evidence of an order's disputes",
)
async def get_evidence(request: ApiRequest, order_id: FromPath[Id]) -> list[EvidenceOut]:
    """What both sides have shown, for them and for those who rule or check."""
    found = await read(request, queries.dispute_evidence, order_id)
    return [EvidenceOut.of(each) for each in found]


@get(
    "/orders/{order_id:int}/dispute/evidence/{evidence_id:int}",
    **allow(*READERS),
    summary="Download evidence",
    media_type="application/octet-stream",
)
async def get_evidence_file(
    request: ApiRequest, order_id: FromPath[Id], evidence_id: FromPath[Id]
) -> Response[bytes]:
    """Every download is logged."""
    taken = await read(request, take_evidence, TakeEvidence(order_id, evidence_id))
    return saved_file(
        name=taken.name,
        content=taken.content,
        media_type=taken.media_type,
        sha256=taken.sha256,
    )


routes: list[ControllerRouterHandler] = [
    get_disputes,
    get_disputes_file,
    post_answer,
    post_agreement,
    post_withdrawal,
    post_evidence,
    get_evidence,
    get_evidence_file,
]
