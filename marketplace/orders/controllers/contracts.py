"""Contracts to print and to verify, and where they stand with the registry."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.http import ApiRequest, allow, perform, public, read
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize, Sha256
from marketplace.orders import queries
from marketplace.orders.papers import ContractPrinted, contract_number, contract_paper
from marketplace.orders.queries import ContractAsked, RegistrationList
from marketplace.orders.rules.registration import RegistrationState
from marketplace.orders.schemas import (
    ContractRegistrationOut,
    RegistrationStepIn,
    VerificationOut,
    day_of,
)
from marketplace.orders.use_cases import move_registration
from marketplace.parties.roles import Role

_State = Annotated[RegistrationState | None, QueryParameter(name="state")]
Addendum = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
PRINTERS = (Role.BUYER, Role.SME_ADMINISTRATOR, Role.TECHNICIAN, Role.PROVIDER_MANAGER)
"""People of the two sides; nobody else prints what they agreed on."""


@get(
    "/orders/{order_id:int}/contract.pdf",
    **allow(*PRINTERS),
    summary="The contract of an order as PDF",
    media_type="application/pdf",
)
async def get_contract_pdf(
    request: ApiRequest,
    order_id: FromPath[Id],
    language: FromQuery[Literal["zh", "en"]] = "zh",
    amendment: FromQuery[Addendum | None] = None,
) -> Response[bytes]:
    """The one that stands, or an addendum by its number (0: as first signed).

    Made from the frozen document: the same bytes each time.
    """
    found = await read(request, queries.signed_contract, ContractAsked(order_id, amendment))
    address = f"{request.app.state.public_url}/api/v1/contracts/verify/{found.sha256}"
    return Response(
        content=contract_paper(found, ContractPrinted(address, language)),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="contract-{contract_number(found)}.pdf"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        },
    )


@get("/contracts/verify/{sha256:str}", **public(), summary="Verify a contract by its digest")
async def get_verification(request: ApiRequest, sha256: FromPath[Sha256]) -> VerificationOut:
    """Whether it exists, its version, and on which days it was signed: nothing of its content."""
    return VerificationOut.of(await read(request, queries.verify_contract, sha256, actor=NOBODY))


@get(
    "/contract-registrations",
    **allow(Role.PROVIDER_MANAGER, Role.VOUCHER_OFFICER, Role.AUDITOR),
    summary="Contracts by where they stand with the registry",
)
async def get_registrations(
    request: ApiRequest,
    standing: _State = None,
    provider_id: FromQuery[Id | None] = None,
    signed_from: FromQuery[date | None] = None,
    signed_until: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ContractRegistrationOut]:
    """Those that both sides signed: a provider's own, everybody's for the centre."""
    question = RegistrationList(
        state=standing,
        provider_id=provider_id,
        signed_from=day_of("signed_from", signed_from),
        signed_until=day_of("signed_until", signed_until),
        text=text,
        page=page,
        page_size=page_size,
    )
    found = await read(request, queries.registrations, question)
    return Page(
        results=[ContractRegistrationOut.of(row) for row in found.rows],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@post(
    "/orders/{order_id:int}/contract/registration/step",
    **allow(Role.PROVIDER_MANAGER, Role.VOUCHER_OFFICER),
    summary="Say where the contract stands with the registry",
    status_code=200,
)
async def post_registration_step(
    request: ApiRequest, order_id: FromPath[Id], data: JSONBody[RegistrationStepIn]
) -> Response[ContractRegistrationOut]:
    """The provider files it; provider and centre note the answer; the centre its withdrawal."""
    command = data.to_command(order_id)
    return await perform(
        request, move_registration, command, present=ContractRegistrationOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [
    get_contract_pdf,
    get_verification,
    get_registrations,
    post_registration_step,
]
