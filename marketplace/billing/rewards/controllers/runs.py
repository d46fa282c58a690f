"""The JSON API of runs: draft, approve, explain, and ask what if."""

from __future__ import annotations

from datetime import date
from typing import Literal

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.controllers.access import (
    FILE_ROWS_MAX,
    READERS,
    Format,
    rows_file,
    saved_paper,
)
from marketplace.billing.rewards.papers import statement_of_entity
from marketplace.billing.rewards.rules.states import Grade, RunStatus
from marketplace.billing.rewards.schemas.runs import (
    ChargeLinesOut,
    DraftIn,
    EntityStatementOut,
    ForecastOut,
    RunOut,
    ShareOut,
    WhatIfOut,
)
from marketplace.billing.rewards.use_cases import (
    ApproveRun,
    DiscardRun,
    approve_run,
    discard_run,
    draft_run,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import AmountFen, BasisPoints, Id, Page, PageNumber, PageSize, Year
from marketplace.parties.roles import Role


@post("/rewards/runs", **allow(Role.FINANCE_MAKER), summary="Draft a reward run")
async def post_run(request: ApiRequest, data: JSONBody[DraftIn]) -> Response[RunOut]:
    """Computes every provider's share from 1 January through a day; nobody is paid yet."""
    return await perform(request, draft_run, data.to_command(), present=RunOut.of)


@post(
    "/rewards/runs/{run_id:int}/approve",
    **allow(Role.FINANCE_CHECKER),
    summary="Approve a run and pay it",
    status_code=200,
)
async def post_approval(request: ApiRequest, run_id: FromPath[Id]) -> Response[RunOut]:
    """Another person than who drafted it; posts the shares and instructs the payouts."""
    return await perform(request, approve_run, ApproveRun(run_id), present=RunOut.of, status=200)


@post(
    "/rewards/runs/{run_id:int}/discard",
    **allow(Role.FINANCE_MAKER, Role.FINANCE_CHECKER),
    summary="Discard a draft",
    status_code=200,
)
async def post_discard(request: ApiRequest, run_id: FromPath[Id]) -> Response[RunOut]:
    """The draft stays readable and pays nobody."""
    return await perform(request, discard_run, DiscardRun(run_id), present=RunOut.of, status=200)


@get("/rewards/runs", **allow(*READERS, Role.PROVIDER_MANAGER), summary="Reward runs, newest first")
async def get_runs(
    request: ApiRequest,
    year: FromQuery[Year | None] = None,
    status: FromQuery[RunStatus | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[RunOut]:
    """Providers see approved runs; finance, evaluators and auditors see drafts, too."""
    search = queries.RunSearch(year=year, status=status, page=page, page_size=page_size)
    found = await read(request, queries.runs, search)
    return Page(
        results=[RunOut.of(run) for run in found.results],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/rewards/runs/{run_id:int}", **allow(*READERS, Role.PROVIDER_MANAGER), summary="A reward run")
async def get_run(request: ApiRequest, run_id: FromPath[Id]) -> RunOut:
    """With its terms, totals, and who drafted and approved it."""
    return RunOut.of(await read(request, queries.run, run_id))


@get(
    "/rewards/runs/{run_id:int}/shares",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="The shares of a run",
)
async def get_shares(
    request: ApiRequest,
    run_id: FromPath[Id],
    legal_entity_id: FromQuery[Id | None] = None,
    provider_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ShareOut]:
    """With the arithmetic of each; a provider sees its own."""
    search = queries.ShareSearch(
        run_id=run_id,
        legal_entity_id=legal_entity_id,
        provider_id=provider_id,
        page=page,
        page_size=page_size,
    )
    found = await read(request, queries.shares, search)
    return Page(
        results=[ShareOut.of(share) for share in found.results],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get(
    "/rewards/runs/{run_id:int}/shares/file",
    **allow(*READERS),
    summary="The shares of a run as a file",
)
async def get_shares_file(
    request: ApiRequest,
    run_id: FromPath[Id],
    file_format: Format,
    legal_entity_id: FromQuery[Id | None] = None,
) -> Response[bytes]:
    """Like the list, all of it, without the arithmetic."""
    search = queries.ShareSearch(
        run_id=run_id, legal_entity_id=legal_entity_id, page_size=FILE_ROWS_MAX
    )
    found = await read(request, queries.shares, search)
    return await rows_file(
        found.results, queries.RewardShare, found.total, file_format, f"rewards-{run_id}"
    )


@get(
    "/rewards/runs/{run_id:int}/shares/{provider_id:int}/charge-lines",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="The services behind a share",
)
async def get_share_lines(
    request: ApiRequest,
    run_id: FromPath[Id],
    provider_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> ChargeLinesOut:
    """Every settled order that counts, with its corrections; they sum to the service total."""
    asked = queries.ShareLines(
        run_id=run_id, provider_id=provider_id, page=page, page_size=page_size
    )
    found = await read(request, queries.share_lines, asked)
    return ChargeLinesOut.of(found, page=page, page_size=page_size)


@get(
    "/rewards/legal-entities/{legal_entity_id:int}/statement",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="A legal entity's rewards of a year",
)
async def get_statement(
    request: ApiRequest, legal_entity_id: FromPath[Id], year: FromQuery[Year]
) -> EntityStatementOut:
    """Run by run, with the cap and what corrections have left overpaid."""
    asked = queries.EntityYear(legal_entity_id=legal_entity_id, year=year)
    return EntityStatementOut.of(await read(request, queries.entity_statement, asked))


@get(
    "/rewards/legal-entities/{legal_entity_id:int}/statement/file",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="A legal entity's rewards of a year as PDF",
    media_type="application/pdf",
)
async def get_statement_file(
    request: ApiRequest, legal_entity_id: FromPath[Id], year: FromQuery[Year]
) -> Response[bytes]:
    """Run by run with the arithmetic of each unit, in Chinese and English."""
    asked = queries.EntityYear(legal_entity_id=legal_entity_id, year=year)
    return saved_paper(
        await read(request, statement_of_entity, asked), f"rewards-{legal_entity_id}-{year}.pdf"
    )


@get("/rewards/what-if", **allow(*READERS), summary="What if the terms were others")
async def get_what_if(  # noqa: PLR0913 one argument for each term
    request: ApiRequest,
    year: FromQuery[Year],
    through: FromQuery[date | None] = None,
    share_cap_basis_points: FromQuery[BasisPoints | None] = None,
    cap_fen: FromQuery[AmountFen | None] = None,
    excellent_basis_points: FromQuery[BasisPoints | None] = None,
    good_basis_points: FromQuery[BasisPoints | None] = None,
    qualified_basis_points: FromQuery[BasisPoints | None] = None,
    base_counts: FromQuery[Literal["voucher-orders", "all-orders"] | None] = None,
    cap_per_instrument_fen: FromQuery[AmountFen | None] = None,
    cap_per_unit_fen: FromQuery[AmountFen | None] = None,
    budget_fen: FromQuery[AmountFen | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> WhatIfOut:
    """Computes the year by other terms beside those in force; nothing is stored or posted."""
    rates = {
        Grade.EXCELLENT: excellent_basis_points,
        Grade.GOOD: good_basis_points,
        Grade.QUALIFIED: qualified_basis_points,
    }
    caps = {"per_instrument_fen": cap_per_instrument_fen, "per_unit_fen": cap_per_unit_fen}
    asked = queries.WhatIfAsked(
        year=year,
        through=through,
        values={
            "share_cap_basis_points": share_cap_basis_points,
            "cap_per_legal_entity_fen": cap_fen,
            "base_counts": base_counts,
        },
        rates={grade.value: rate for grade, rate in rates.items() if rate is not None},
        extra_caps={name: cap for name, cap in caps.items() if cap is not None},
        budget_fen=budget_fen,
        page=page,
        page_size=page_size,
    )
    found = await read(request, queries.what_if, asked)
    return WhatIfOut.of(found, page=page, page_size=page_size)


@get(
    "/rewards/providers/{provider_id:int}/forecast",
    **allow(*READERS, Role.PROVIDER_MANAGER),
    summary="What a provider's present year would earn so far",
)
async def get_forecast(request: ApiRequest, provider_id: FromPath[Id]) -> ForecastOut:
    """A forecast with its arithmetic: a run of today, without a budget; nothing is stored."""
    return ForecastOut.of(await read(request, queries.forecast, provider_id))


routes: list[ControllerRouterHandler] = [
    post_run,
    post_approval,
    post_discard,
    get_runs,
    get_run,
    get_shares,
    get_shares_file,
    get_share_lines,
    get_statement,
    get_statement_file,
    get_what_if,
    get_forecast,
]
