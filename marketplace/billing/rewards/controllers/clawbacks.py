"""The JSON API of clawbacks: what was paid too much for a closed year comes back."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.controllers.access import (
    FILE_ROWS_MAX,
    READERS,
    Format,
    rows_file,
)
from marketplace.billing.rewards.rules.states import ClawbackStatus
from marketplace.billing.rewards.schemas.clawbacks import (
    AgreementIn,
    ClawbackIn,
    OneRewardClawbackOut,
    OverpaidOut,
    RecoveryIn,
    RewardClawbackOut,
)
from marketplace.billing.rewards.use_cases import (
    decide_clawback,
    overpaid_of_year,
    propose_clawback,
    recover_clawback,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Year
from marketplace.parties.roles import Role


@get("/reward-overpayments", **allow(*READERS), summary="Who was overpaid for a closed year")
async def get_overpaid(request: ApiRequest, year: FromQuery[Year]) -> list[OverpaidOut]:
    """At most 200, the most first; none while the next run takes it off by itself."""
    return [OverpaidOut.of(row) for row in await read(request, overpaid_of_year, year)]


@post("/reward-clawbacks", **allow(Role.FINANCE_MAKER), summary="Propose a clawback")
async def post_clawback(
    request: ApiRequest, data: JSONBody[ClawbackIn]
) -> Response[OneRewardClawbackOut]:
    """Of the difference that corrections have left; nothing moves before a second person agrees."""
    return await perform(
        request, propose_clawback, data.to_command(), present=OneRewardClawbackOut.of
    )


@get(
    "/reward-clawbacks",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="Clawbacks of rewards",
)
async def get_clawbacks(
    request: ApiRequest,
    year: FromQuery[Year | None] = None,
    status: FromQuery[ClawbackStatus | None] = None,
    legal_entity_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[RewardClawbackOut]:
    """The newest first; a provider sees what its legal entity owes or has given back."""
    search = queries.ClawbackSearch(year, status, legal_entity_id, page, page_size)
    found = await read(request, queries.clawbacks, search)
    rows = [RewardClawbackOut.of(row) for row in found.results]
    return Page(results=rows, total=found.total, page=page, page_size=page_size)


@get("/reward-clawbacks/file", **allow(*READERS), summary="Clawbacks of rewards as a file")
async def get_clawbacks_file(
    request: ApiRequest,
    file_format: Format,
    year: FromQuery[Year | None] = None,
    status: FromQuery[ClawbackStatus | None] = None,
) -> Response[bytes]:
    """Like the list, all of it."""
    search = queries.ClawbackSearch(year, status, None, 1, FILE_ROWS_MAX)
    found = await read(request, queries.clawbacks, search)
    return await rows_file(
        found.results, queries.Clawback, found.total, file_format, "reward-clawbacks"
    )


@get(
    "/reward-clawbacks/{reward_clawback_id:int}",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="A clawback of a reward",
)
async def get_clawback(
    request: ApiRequest, reward_clawback_id: FromPath[Id]
) -> OneRewardClawbackOut:
    """With what each provider gives back, and what has come in."""
    return OneRewardClawbackOut.of(await read(request, queries.clawback, reward_clawback_id))


@post(
    "/reward-clawbacks/{reward_clawback_id:int}/decide",
    **allow(Role.FINANCE_CHECKER),
    summary="Decide a clawback",
    status_code=200,
)
async def post_decision(
    request: ApiRequest, reward_clawback_id: FromPath[Id], data: JSONBody[AgreementIn]
) -> Response[OneRewardClawbackOut]:
    """Another person than who proposed it; agreed, it is owed and posted."""
    command = data.to_command(reward_clawback_id)
    return await perform(
        request, decide_clawback, command, present=OneRewardClawbackOut.of, status=200
    )


@post(
    "/reward-clawbacks/{reward_clawback_id:int}/recoveries",
    **allow(Role.FINANCE_MAKER, Role.FINANCE_CHECKER),
    summary="Take what has come in for a clawback",
    status_code=200,
)
async def post_recovery(
    request: ApiRequest, reward_clawback_id: FromPath[Id], data: JSONBody[RecoveryIn]
) -> Response[OneRewardClawbackOut]:
    """From the wallet into which the provider has paid, or from a reward that is due to it."""
    command = data.to_command(reward_clawback_id)
    return await perform(
        request, recover_clawback, command, present=OneRewardClawbackOut.of, status=200
    )


routes: list[ControllerRouterHandler] = [
    get_overpaid,
    post_clawback,
    get_clawbacks,
    get_clawbacks_file,
    get_clawback,
    post_decision,
    post_recovery,
]
