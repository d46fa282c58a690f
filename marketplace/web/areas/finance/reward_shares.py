"""One unit's reward down to its services, a legal entity's statement, and the what-if."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.invoicing.queries import ChargeLinePage
from marketplace.billing.rewards import queries as rewards
from marketplace.billing.rewards.papers import statement_of_entity
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read, services
from marketplace.kernel.money import yuan
from marketplace.kernel.time import shanghai_day
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import READS_REWARDS
from marketplace.web.files import ROWS_MAX, as_file, paper_file
from marketplace.web.forms import Typed, empty
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import told

PAGE_SIZE = 50
BASES = ("voucher-orders", "all-orders")
GRADES = ("excellent", "good", "qualified")
LINE_HEADS = (
    ("订单", "Order"),
    ("结算日", "Settled on"),
    ("服务金额", "Service value"),
    ("创新券", "Vouchers"),
    ("自付", "Own part"),
    ("更正的记录", "Corrects"),
)


@dataclass(frozen=True, slots=True)
class OneShare:
    """A share, its run, and a page of the services behind it."""

    run: rewards.RewardRun
    share: rewards.RewardShare
    lines: ChargeLinePage
    entity: parties.LegalEntity
    names: Names


async def one_share(tx: Tx, asked: rewards.ShareLines) -> OneShare:
    """A unit's share in a run with the services that count.

    Raises:
        RunMissing: when there is no such run.
        Missing: when the unit has no share in it.
    """
    run = await rewards.run(tx, asked.run_id)
    found = await rewards.shares(
        tx,
        rewards.ShareSearch(run_id=asked.run_id, provider_id=asked.provider_id, page_size=1),
    )
    if not found.results:
        raise Missing
    (share,) = found.results
    return OneShare(
        run,
        share,
        await rewards.share_lines(tx, asked),
        await parties.legal_entity(tx, share.legal_entity_id),
        await names(tx, [share.provider_id]),
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """A legal entity's year of rewards."""

    statement: rewards.EntityStatement
    entity: parties.LegalEntity


async def statement(tx: Tx, asked: rewards.EntityYear) -> Statement:
    """Run by run, under its cap."""
    entity = await parties.legal_entity(tx, asked.legal_entity_id)
    return Statement(await rewards.entity_statement(tx, asked), entity)


@dataclass(frozen=True, slots=True)
class Tried:
    """A year under other terms, with the names of the entities."""

    outcome: rewards.WhatIf
    entities: dict[int, parties.LegalEntity]


async def tried(tx: Tx, asked: rewards.WhatIfAsked) -> Tried:
    """Compute a year twice, and post neither."""
    outcome = await rewards.what_if(tx, asked)
    return Tried(
        outcome,
        await parties.legal_entities(tx, {each.legal_entity_id for each in outcome.entities}),
    )


def _lines_of(form: Typed, run_id: int, provider_id: int, page_size: int) -> rewards.ShareLines:
    asked = rewards.ShareLines(
        run_id=run_id,
        provider_id=provider_id,
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return asked


@get("/finance/rewards/{run_id:int}/{provider_id:int}", **members(*READS_REWARDS))
async def show_share(
    request: PageRequest, run_id: FromPath[int], provider_id: FromPath[int]
) -> Response[Any]:
    """A unit's reward as a paper: the arithmetic and every service behind it."""
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = _lines_of(form, run_id, provider_id, PAGE_SIZE)
    found = await read(request, one_share, asked)
    return page(request, "finance/reward_share.html", found=found, asked=asked)


@get("/finance/rewards/{run_id:int}/{provider_id:int}/file", **members(*READS_REWARDS))
async def show_share_file(
    request: PageRequest, run_id: FromPath[int], provider_id: FromPath[int]
) -> Response[bytes]:
    """The services behind a share as a file."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, one_share, _lines_of(form, run_id, provider_id, ROWS_MAX + 1))
    rows = [
        [
            each.order_id,
            each.settled_on.isoformat(),
            yuan(each.service_value_fen),
            yuan(each.voucher_fen),
            yuan(each.own_fen),
            each.reverses or "",
        ]
        for each in found.lines.results
    ]
    return await as_file(form, f"reward-{run_id}-{provider_id}", LINE_HEADS, rows)


@get("/finance/rewards/entities/{legal_entity_id:int}", **members(*READS_REWARDS))
async def show_statement(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[Any]:
    """What a legal entity was paid in a year, run by run, under its cap."""
    form = Typed(request.query_params, visitor_of(request).speech)
    year = form.whole("year", least=2000, most=2100, needed=False)
    form.require()
    found = await read(request, _this_year, (legal_entity_id, year))
    return page(request, "finance/reward_entity.html", form=form, found=found)


@get("/finance/rewards/entities/{legal_entity_id:int}/statement.pdf", **members(*READS_REWARDS))
async def show_paper(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[bytes]:
    """The same year as a paper, with the arithmetic of every unit."""
    form = Typed(request.query_params, visitor_of(request).speech)
    year = form.whole("year", least=2000, most=2100)
    form.require()
    assert year is not None, "required"
    content = await read(request, statement_of_entity, rewards.EntityYear(legal_entity_id, year))
    return paper_file(content, f"rewards-{legal_entity_id}-{year}.pdf")


async def _this_year(tx: Tx, asked: tuple[int, int | None]) -> Statement:
    legal_entity_id, year = asked
    return await statement(tx, rewards.EntityYear(legal_entity_id, year or tx.today.year))


@get("/finance/rewards/what-if", **members(*READS_REWARDS))
async def show_what_if(request: PageRequest) -> Response[Any]:
    """A year by the terms in force and by others; nothing is stored or posted."""
    speech = visitor_of(request).speech
    asked_for = bool(request.query_params)
    today = shanghai_day(services(request).database.clock.now())
    last_year = date(today.year - 1, 12, 31)
    form = Typed(request.query_params, speech) if asked_for else empty(speech, through=last_year)
    found, refusal, status = None, None, 200
    if asked_for:
        try:
            found = await read(request, tried, _asked(form))
        except DomainError as error:
            refusal, status = told(error, speech), error.status
    return page(
        request,
        "finance/what_if.html",
        status=status,
        form=form,
        found=found,
        refusal=refusal,
        in_force=_in_force(last_year),
        bases=BASES,
        grades=GRADES,
    )


def _in_force(on: date) -> dict[str, str]:
    """What each field of the form stands for while it is empty."""
    terms = rulebook().reward
    caps, rates = terms.extra_caps.on(on), terms.rate_by_grade.on(on)
    amounts = {
        "cap": terms.cap_per_legal_entity_fen.on(on),
        "cap_instrument": caps.per_instrument_fen,
        "cap_unit": caps.per_unit_fen,
    }
    shares = {grade: rates.of(grade) for grade in GRADES}
    shares["share_cap"] = terms.share_cap_basis_points.on(on)
    return {
        **{name: yuan(fen) if fen is not None else "" for name, fen in amounts.items()},
        **{name: f"{points / 100:g}" for name, points in shares.items()},
    }


def _asked(form: Typed) -> rewards.WhatIfAsked:
    through: date | None = form.day("through")
    rates = {grade: form.percentage(grade, needed=False) for grade in GRADES}
    values = {
        "share_cap_basis_points": form.percentage("share_cap", needed=False),
        "cap_per_legal_entity_fen": form.amount("cap", needed=False),
        "base_counts": form.choice("base", BASES, needed=False) or None,
    }
    caps = {
        "per_instrument_fen": form.amount("cap_instrument", needed=False),
        "per_unit_fen": form.amount("cap_unit", needed=False),
    }
    budget_fen = form.amount("budget", needed=False)
    number = form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1
    form.require()
    assert through is not None, "required"
    return rewards.WhatIfAsked(
        year=through.year,
        through=through,
        values=values,
        rates={grade: rate for grade, rate in rates.items() if rate is not None},
        extra_caps={name: cap for name, cap in caps.items() if cap is not None},
        budget_fen=budget_fen,
        page=number,
        page_size=PAGE_SIZE,
    )


routes: list[ControllerRouterHandler] = [
    show_share,
    show_share_file,
    show_statement,
    show_paper,
    show_what_if,
]
