"""What was paid too much for closed years, and what of it is asked back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, null, select, true

from marketplace.billing.rewards.errors import ClawbackMissing
from marketplace.billing.rewards.queries.computation import computed_shares
from marketplace.billing.rewards.queries.inputs import (
    Computation,
    instrument_years,
    unit_years,
)
from marketplace.billing.rewards.queries.runs import SEES_EVERY_RUN
from marketplace.billing.rewards.rules.entity import UnitYear
from marketplace.billing.rewards.tables import (
    reward_clawback,
    reward_clawback_line,
    reward_clawback_recovery,
)
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties


@dataclass(frozen=True, slots=True)
class Clawback:
    """What of a closed year is asked back of a legal entity, and how far that is."""

    id: int
    legal_entity_id: int
    name: str
    name_en: str
    year: int
    paid_fen: int
    due_fen: int
    amount_fen: int
    recovered_fen: int
    reason: str
    status: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision: str


@dataclass(frozen=True, slots=True)
class ClawbackLine:
    """What of it a provider gives back, and has given."""

    provider_id: int
    amount_fen: int
    recovered_fen: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """What has come in of it: paid into the provider's wallet, or set off."""

    id: int
    provider_id: int
    amount_fen: int
    source: str
    entry_id: int
    made_by: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class OneClawback:
    """A clawback with its lines and what has come in."""

    clawback: Clawback
    lines: list[ClawbackLine]
    recoveries: list[Recovery]


@dataclass(frozen=True, slots=True)
class ClawbackSearch:
    """Which clawbacks, and which page of them."""

    year: int | None = None
    status: str | None = None
    legal_entity_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ClawbackPage:
    """One page of clawbacks, the newest first."""

    results: list[Clawback]
    total: int


@dataclass(frozen=True, slots=True)
class Overpaid:
    """A legal entity that was paid more than its year comes to."""

    legal_entity_id: int
    name: str
    name_en: str
    paid_fen: int
    due_fen: int


@dataclass(frozen=True, slots=True)
class _Unit:
    provider_id: int
    service_total_fen: int
    grade: str | None
    paid_before_fen: int
    rate_class: str
    instrument_totals_fen: list[int] | None


def _clawbacks() -> Select[Any]:
    table = reward_clawback.c
    body = parties.BODIES.subquery("body")
    return select(
        table.id,
        table.legal_entity_id,
        body.c.name,
        body.c.name_en,
        table.year,
        table.paid_fen,
        table.due_fen,
        table.amount_fen,
        table.recovered_fen,
        table.reason,
        table.status,
        table.proposed_by,
        table.proposed_at,
        table.decided_by,
        table.decided_at,
        table.decision,
    ).join(body, body.c.legal_entity_id == table.legal_entity_id)


async def _visible(tx: Tx) -> ColumnElement[bool]:
    """Those whose work they are see all; a provider those of its legal entity once decided."""
    if tx.actor.has(*SEES_EVERY_RUN):
        return true()
    own = await parties.organisation(tx, tx.actor.organisation_id)
    table = reward_clawback.c
    return (table.legal_entity_id == own.legal_entity_id) & table.status.in_(("owed", "received"))


async def clawbacks(tx: Tx, search: ClawbackSearch) -> ClawbackPage:
    """Clawbacks that the actor may see, the newest first."""
    table = reward_clawback.c
    wanted = [await _visible(tx)]
    for column, value in (
        (table.year, search.year),
        (table.status, search.status),
        (table.legal_entity_id, search.legal_entity_id),
    ):
        if value is not None:
            wanted.append(column == value)
    total = await tx.scalar(select(func.count()).select_from(reward_clawback).where(*wanted))
    results = await tx.all(
        Clawback,
        _clawbacks()
        .where(*wanted)
        .order_by(table.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return ClawbackPage(results, total)


async def clawback(tx: Tx, clawback_id: int) -> OneClawback:
    """One clawback with its lines.

    Raises:
        ClawbackMissing: when there is none that the actor may see.
    """
    found = await tx.one(
        Clawback,
        _clawbacks().where(reward_clawback.c.id == clawback_id, await _visible(tx)),
        missing=ClawbackMissing,
    )
    line, recovery = reward_clawback_line.c, reward_clawback_recovery.c
    lines = await tx.all(
        ClawbackLine,
        select(line.provider_id, line.amount_fen, line.recovered_fen)
        .where(line.clawback_id == clawback_id)
        .order_by(line.provider_id),
    )
    recoveries = await tx.all(
        Recovery,
        select(
            recovery.id,
            recovery.provider_id,
            recovery.amount_fen,
            recovery.source,
            recovery.entry_id,
            recovery.made_by,
            recovery.made_at,
        )
        .where(recovery.clawback_id == clawback_id)
        .order_by(recovery.id),
    )
    return OneClawback(found, lines, recoveries)


async def overpaid(tx: Tx, asked: Computation, *, limit: int = 200) -> list[Overpaid]:
    """The legal entities that were paid more than the year comes to, the most first."""
    _, share = computed_shares(asked)
    body = parties.BODIES.subquery("body")
    each = share.c
    return await tx.all(
        Overpaid,
        select(
            each.legal_entity_id,
            body.c.name,
            body.c.name_en,
            each.entity_paid_before_fen.label("paid_fen"),
            each.capped_fen.label("due_fen"),
        )
        .join(body, body.c.legal_entity_id == each.legal_entity_id)
        .where(each.first, each.entity_paid_before_fen > each.capped_fen)
        .order_by((each.entity_paid_before_fen - each.capped_fen).desc(), each.legal_entity_id)
        .limit(limit),
    )


async def unit_years_of(tx: Tx, asked: Computation, legal_entity_id: int) -> list[UnitYear]:
    """The year of each unit of one legal entity, as the rules take it."""
    unit = unit_years(asked).subquery("unit")
    totals: ColumnElement[Any] = null()
    if asked.terms.extra_caps.per_instrument_fen is not None:
        each = instrument_years(asked).subquery("by_instrument").c
        totals = (
            select(func.array_agg(each.service_value_fen))
            .where(
                each.legal_entity_id == unit.c.legal_entity_id,
                each.provider_id == unit.c.provider_id,
            )
            .scalar_subquery()
        )
    found = await tx.all(
        _Unit,
        select(
            unit.c.provider_id,
            unit.c.service_total_fen,
            unit.c.grade,
            unit.c.paid_before_fen,
            unit.c.rate_class,
            totals.label("instrument_totals_fen"),
        )
        .where(unit.c.legal_entity_id == legal_entity_id)
        .order_by(unit.c.provider_id),
    )
    return [
        UnitYear(
            provider_id=each.provider_id,
            service_total_fen=each.service_total_fen,
            grade=each.grade,
            paid_before_fen=each.paid_before_fen,
            rate_class=each.rate_class,
            instrument_totals_fen=tuple(each.instrument_totals_fen or ()),
        )
        for each in found
    ]
