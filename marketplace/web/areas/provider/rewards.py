"""Rewards of the own legal entity with their arithmetic, and the claims for vouchers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards import queries as rewards
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.vouchers import queries as vouchers
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import label

PAGE_SIZE = 20
RUNS_MAX = 12
HEADS = (
    ("编号", "Number"),
    ("状态", "State"),
    ("金额（元）", "Amount, CNY"),
    ("建立", "Made"),
    ("提交", "Submitted"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A year of rewards, and a page of claims."""

    year: int | None = None
    status: str = ""
    page: int = 1
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Reward:
    """A share of a run, with the run."""

    run: rewards.RewardRun
    share: rewards.RewardShare


@dataclass(frozen=True, slots=True)
class Rewards:
    """The year of the own legal entity: shares, reports on use, clawbacks; what the present year
    would earn so far; and own claims."""

    year: int
    entity: parties.LegalEntity
    statement: rewards.EntityStatement
    shares: list[Reward]
    uses: list[rewards.UseReport]
    clawbacks: list[rewards.Clawback]
    today: date
    claims: vouchers.Listed[vouchers.Claim]
    forecast: rewards.Forecast | None
    instruments: dict[int, catalogue.Instrument]


async def own_rewards(tx: Tx, asked: Asked) -> Rewards:
    """Rewards and claims of the actor's organisation.

    Policy: J.30a, J.30b
    """
    mine = await parties.organisation(tx, tx.actor.organisation_id)
    runs = await rewards.runs(tx, rewards.RunSearch(year=asked.year, page_size=RUNS_MAX))
    year = asked.year or max((each.year for each in runs.results), default=tx.today.year)
    shares: list[Reward] = []
    for run in [each for each in runs.results if each.year == year]:
        found = await rewards.shares(
            tx, rewards.ShareSearch(run.id, provider_id=tx.actor.organisation_id, page_size=1)
        )
        shares += [Reward(run, each) for each in found.results]
    search = vouchers.ClaimSearch(
        status=asked.status or None,
        provider_id=tx.actor.organisation_id,
        page=vouchers.PageAsked(asked.page, asked.page_size),
    )
    reports = rewards.ReportSearch(
        year=year, provider_id=tx.actor.organisation_id, page_size=RUNS_MAX
    )
    owed = rewards.ClawbackSearch(year=year, legal_entity_id=mine.legal_entity_id)
    looks_ahead = asked.year in (None, tx.today.year)
    ahead = await rewards.forecast(tx, mine.id) if looks_ahead else None
    capped = {each.instrument_id for each in ahead.instruments} if ahead else set()
    return Rewards(
        year,
        await parties.legal_entity(tx, mine.legal_entity_id),
        await rewards.entity_statement(tx, rewards.EntityYear(mine.legal_entity_id, year)),
        shares,
        (await rewards.use_reports(tx, reports)).results,
        (await rewards.clawbacks(tx, owed)).results,
        tx.today,
        await vouchers.claims(tx, search),
        ahead,
        await catalogue.instruments(tx, capped),
    )


@get("/provider/rewards", **members(*MANAGER))
async def show_rewards(request: PageRequest) -> Response[Any]:
    """What a year comes to and how, and where each claim stands."""
    form, asked = _asked(request)
    return page(
        request,
        "provider/rewards.html",
        form=form,
        asked=asked,
        own_id=visitor_of(request).actor.organisation_id,
        found=await read(request, own_rewards, asked),
    )


@get("/provider/rewards/claims/file", **members(*MANAGER))
async def show_claims_file(request: PageRequest) -> Response[bytes]:
    """The claims as a file."""
    form, asked = _asked(request, page_size=ROWS_MAX)
    found = await read(request, own_rewards, asked)
    speech = form.speech
    rows = [
        [
            each.id,
            speech.either(label("claim", each.status).chinese, label("claim", each.status).english),
            each.amount_fen / 100,
            speech.moment(each.made_at),
            speech.moment(each.submitted_at) if each.submitted_at else "",
        ]
        for each in found.claims.rows
    ]
    return await as_file(form, "claims", HEADS, rows)


def _asked(request: PageRequest, *, page_size: int = PAGE_SIZE) -> tuple[Typed, Asked]:
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = Asked(
        form.whole("year", least=2000, most=2100, needed=False),
        form.text("status", length_max=20, needed=False),
        form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size,
    )
    form.require()
    return form, asked


routes: list[ControllerRouterHandler] = [show_rewards, show_claims_file]
