"""What a year's rewards would come to under other terms. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, func, select

from marketplace.billing.rewards.queries.computation import computed_shares
from marketplace.billing.rewards.queries.inputs import Computation, overdue_on
from marketplace.billing.rewards.rules.base import require_through
from marketplace.billing.rewards.rules.terms import RewardTerms, changed
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class WhatIfAsked:
    """Other terms for a year: `values` by the names of the rulebook's terms, None as they are.

    `rates` are those of some grades, `extra_caps` those of an instrument or a unit; the others
    stay as they are.
    """

    year: int
    through: date | None
    values: Mapping[str, Any] = field(default_factory=dict)
    rates: Mapping[str, int] = field(default_factory=dict)
    extra_caps: Mapping[str, int] = field(default_factory=dict)
    budget_fen: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run would come to.

    `entitled_fen` is the whole year so far under the caps; `claimed_fen` what of it was not paid
    before; `amount_fen` what the budget leaves of that.
    """

    entities: int
    entities_at_cap: int
    providers: int
    service_total_fen: int
    entitled_fen: int
    claimed_fen: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class EntityOutcome:
    """What one legal entity would be paid."""

    legal_entity_id: int
    service_total_fen: int
    capped_fen: int
    paid_before_fen: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The year by the terms in force and by the others, and the entities under the others."""

    year: int
    through: date
    terms: dict[str, Any]
    present: Outcome
    asked: Outcome
    entities: list[EntityOutcome]


async def what_if(tx: Tx, asked: WhatIfAsked) -> WhatIf:
    """Compute a year twice, by the terms in force and by others, and post neither.

    Raises:
        ThroughRefused: when the day is not in the year, or still to come.
        TermsMissing: when no terms are in force on that day.

    Policy: J.30a, J.30b
    """
    through = asked.through or min(date(asked.year, 12, 31), tx.today)
    require_through(year=asked.year, through=through, today=tx.today, last_through=None)
    snapshot = rulebook().reward.snapshot(through)
    other = changed(snapshot, asked.values, asked.rates, asked.extra_caps)
    present = Computation(
        asked.year,
        through,
        RewardTerms.of(snapshot),
        overdue_on=overdue_on(RewardTerms.of(snapshot), tx.today),
    )
    wanted = replace(present, terms=RewardTerms.of(other), budget_fen=asked.budget_fen)
    return WhatIf(
        year=asked.year,
        through=through,
        terms=other,
        present=await _outcome(tx, present),
        asked=await _outcome(tx, wanted),
        entities=await _entities(tx, wanted, page=asked.page, page_size=asked.page_size),
    )


async def _outcome(tx: Tx, asked: Computation) -> Outcome:
    _, share = computed_shares(asked)
    first = share.c.first
    at_cap = share.c.capped_fen == asked.terms.cap_fen
    return await tx.one(
        Outcome,
        select(
            func.count().filter(first).label("entities"),
            func.count().filter(first, at_cap).label("entities_at_cap"),
            func.count().label("providers"),
            _fen(func.sum(share.c.service_total_fen)).label("service_total_fen"),
            _fen(func.sum(share.c.capped_fen).filter(first)).label("entitled_fen"),
            _fen(func.sum(share.c.claimed_fen).filter(first)).label("claimed_fen"),
            _fen(func.sum(share.c.amount_fen)).label("amount_fen"),
        ).select_from(share),
    )


async def _entities(
    tx: Tx, asked: Computation, *, page: int, page_size: int
) -> list[EntityOutcome]:
    _, share = computed_shares(asked)
    return await tx.all(
        EntityOutcome,
        select(
            share.c.legal_entity_id,
            share.c.entity_service_total_fen.label("service_total_fen"),
            share.c.capped_fen,
            share.c.entity_paid_before_fen.label("paid_before_fen"),
            share.c.entity_amount_fen.label("amount_fen"),
        )
        .where(share.c.first)
        .order_by(share.c.entity_amount_fen.desc(), share.c.legal_entity_id)
        .limit(page_size)
        .offset((page - 1) * page_size),
    )


def _fen(total: Any) -> Any:
    return func.coalesce(total, 0).cast(BigInteger)
