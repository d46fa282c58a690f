"""Bank accounts: those of parties, verified, and the platform's own."""

from __future__ import annotations

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries, use_cases
from marketplace.billing.payouts.controllers.access import FINANCE, PAYEES
from marketplace.billing.payouts.schemas import (
    AccountNumber,
    BankAccountIn,
    BankAccountOut,
    HouseAccountIn,
    HouseAccountOut,
)
from marketplace.kernel.http import ApiRequest, actor_of, allow, perform, read
from marketplace.kernel.wire import Id
from marketplace.parties.roles import SEES_EVERYTHING, Role


@post("/bank-accounts", summary="Register where you are paid", **allow(*PAYEES))
async def post_bank_account(
    request: ApiRequest, data: JSONBody[BankAccountIn]
) -> Response[BankAccountOut]:
    """Another person at the centre verifies it before money goes there."""
    return await perform(
        request, use_cases.register_bank_account, data.to_command(), present=BankAccountOut.of
    )


@get("/bank-accounts", summary="Your accounts", **allow(*PAYEES, *FINANCE, *SEES_EVERYTHING))
async def get_bank_accounts(
    request: ApiRequest, organisation_id: FromQuery[Id | None] = None
) -> list[BankAccountOut]:
    """Your organisation's accounts; finance staff see those of one, or all that wait."""
    actor = actor_of(request)
    wanted = organisation_id if actor.organisation_kind == "centre" else actor.organisation_id
    if actor.has(*SEES_EVERYTHING):
        wanted = organisation_id
    return [BankAccountOut.of(row) for row in await read(request, queries.bank_accounts, wanted)]


@post(
    "/bank-accounts/{account_id:int}/verify",
    summary="Verify an account",
    **allow(Role.FINANCE_CHECKER),
)
async def post_verification(
    request: ApiRequest, account_id: FromPath[Id]
) -> Response[BankAccountOut]:
    """By another person than the one who registered it."""
    return await perform(
        request,
        use_cases.verify_bank_account,
        use_cases.VerifyBankAccount(account_id),
        present=BankAccountOut.of,
        status=200,
    )


@post("/bank-accounts/{account_id:int}/close", summary="Close an account", **allow(*PAYEES))
async def post_closure(request: ApiRequest, account_id: FromPath[Id]) -> Response[BankAccountOut]:
    """No more money goes there."""
    return await perform(
        request,
        use_cases.close_bank_account,
        use_cases.CloseBankAccount(account_id),
        present=BankAccountOut.of,
        status=200,
    )


@get("/house-accounts", summary="The platform's bank accounts", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_house_accounts(request: ApiRequest) -> list[HouseAccountOut]:
    """How their banks write statements and read payment files."""
    return [HouseAccountOut.of(row) for row in await read(request, queries.house_accounts, None)]


@put(
    "/house-accounts/{number:str}",
    summary="Set an account of the platform up",
    **allow(Role.FINANCE_CHECKER),
)
async def put_house_account(
    request: ApiRequest, number: FromPath[AccountNumber], data: JSONBody[HouseAccountIn]
) -> Response[HouseAccountOut]:
    """For the next statement and the next batch; what was drafted keeps its form."""
    return await perform(
        request,
        use_cases.set_house_account,
        data.to_command(number),
        present=HouseAccountOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    post_bank_account,
    get_bank_accounts,
    post_verification,
    post_closure,
    get_house_accounts,
    put_house_account,
]
