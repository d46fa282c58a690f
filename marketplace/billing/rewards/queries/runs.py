"""Runs as they were drafted and approved, their shares, and an entity's year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, select, true

from marketplace.billing.invoicing import queries as invoicing
from marketplace.billing.rewards.errors import RunMissing
from marketplace.billing.rewards.queries.base import service_limits
from marketplace.billing.rewards.rules.states import ClawbackStatus, RunStatus
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import (
    provider_grade,
    reward_clawback,
    reward_entity_share,
    reward_run,
    reward_share,
    reward_year,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.parties import queries as parties
from marketplace.parties.roles import SEES_EVERYTHING, Role

# Whose work is rewards; everybody else sees published and approved runs, and of those what is
# their own.
SEES_EVERY_RUN = (
    *SEES_EVERYTHING,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.EVALUATOR,
    "system",
)


@dataclass(frozen=True, slots=True)
class RewardRun:
    """A run with its terms, totals and the persons who made and approved it."""

    id: int
    year: int
    sequence: int
    through: date
    status: str
    terms: dict[str, Any]
    budget_fen: int | None
    entities: int
    providers: int
    service_total_fen: int
    claimed_fen: int
    total_fen: int
    inputs_sha256: str
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    discarded_by: int | None
    discarded_at: datetime | None
    published_by: int | None
    published_at: datetime | None
    notice_ends_on: date | None


@dataclass(frozen=True, slots=True)
class RewardShare:
    """A unit's share in a run, with the arithmetic by which a person can redo it."""

    run_id: int
    legal_entity_id: int
    provider_id: int
    service_total_fen: int
    grade: str | None
    rate_basis_points: int
    weight: int
    uncapped_fen: int
    bound_fen: int
    paid_before_fen: int
    amount_fen: int
    arithmetic: dict[str, Any]
    rate_class: str


@dataclass(frozen=True, slots=True)
class EntityShare:
    """What a run owed and pays to a legal entity."""

    run_id: int
    legal_entity_id: int
    service_total_fen: int
    entitled_fen: int
    capped_fen: int
    paid_before_fen: int
    claimed_fen: int
    amount_fen: int
    held_fen: int


@dataclass(frozen=True, slots=True)
class RunSearch:
    """Which runs, and which page of them."""

    year: int | None = None
    status: str | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of runs, newest first."""

    results: list[RewardRun]
    total: int


@dataclass(frozen=True, slots=True)
class ShareSearch:
    """Which shares of a run, and which page of them."""

    run_id: int
    legal_entity_id: int | None = None
    provider_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class SharePage:
    """One page of shares, in the order of entities and providers."""

    results: list[RewardShare]
    total: int


@dataclass(frozen=True, slots=True)
class ShareLines:
    """The charge lines that a unit's share was computed from, and which page of them."""

    run_id: int
    provider_id: int
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class EntityYear:
    """A legal entity and a calendar year."""

    legal_entity_id: int
    year: int


@dataclass(frozen=True, slots=True)
class EntityStatement:
    """What a legal entity was paid in a year: by which runs, under which cap.

    `overpaid_fen` is what corrections have left it paid too much; later runs take it off.
    `clawed_back_fen` is what it was asked back after the year was closed; `paid_fen` is without it.
    """

    legal_entity_id: int
    year: int
    paid_fen: int
    cap_fen: int | None
    overpaid_fen: int
    clawed_back_fen: int
    shares: tuple[EntityShare, ...]


_RUNS = select(
    reward_run.c.id,
    reward_run.c.year,
    reward_run.c.sequence,
    reward_run.c.through,
    reward_run.c.status,
    reward_run.c.terms,
    reward_run.c.budget_fen,
    reward_run.c.entities,
    reward_run.c.providers,
    reward_run.c.service_total_fen,
    reward_run.c.claimed_fen,
    reward_run.c.total_fen,
    reward_run.c.inputs_sha256,
    reward_run.c.made_by,
    reward_run.c.made_at,
    reward_run.c.approved_by,
    reward_run.c.approved_at,
    reward_run.c.discarded_by,
    reward_run.c.discarded_at,
    reward_run.c.published_by,
    reward_run.c.published_at,
    reward_run.c.notice_ends_on,
)


async def run(tx: Tx, run_id: int) -> RewardRun:
    """One run.

    Raises:
        RunMissing: when there is none that the actor may see.
    """
    return await tx.one(
        RewardRun, _RUNS.where(reward_run.c.id == run_id, _run_visible(tx)), missing=RunMissing
    )


async def runs(tx: Tx, search: RunSearch) -> RunPage:
    """The runs that the actor may see, newest first: drafts are of those whose work they are."""
    wanted = [_run_visible(tx)]
    if search.year is not None:
        wanted.append(reward_run.c.year == search.year)
    if search.status is not None:
        wanted.append(reward_run.c.status == search.status)
    total = await tx.scalar(select(func.count()).select_from(reward_run).where(*wanted))
    results = await tx.all(
        RewardRun,
        _RUNS.where(*wanted)
        .order_by(reward_run.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return RunPage(results=results, total=total)


async def shares(tx: Tx, search: ShareSearch) -> SharePage:
    """The shares of a run; a provider sees its own.

    Raises:
        RunMissing: when there is no run that the actor may see.
    """
    await run(tx, search.run_id)
    table = reward_share.c
    wanted: list[ColumnElement[bool]] = [table.run_id == search.run_id]
    if not tx.actor.has(*SEES_EVERY_RUN):
        wanted.append(table.provider_id == tx.actor.organisation_id)
    if search.legal_entity_id is not None:
        wanted.append(table.legal_entity_id == search.legal_entity_id)
    if search.provider_id is not None:
        wanted.append(table.provider_id == search.provider_id)
    total = await tx.scalar(select(func.count()).select_from(reward_share).where(*wanted))
    results = await tx.all(
        RewardShare,
        select(reward_share)
        .where(*wanted)
        .order_by(table.legal_entity_id, table.provider_id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return SharePage(results=results, total=total)


async def share_lines(tx: Tx, asked: ShareLines) -> invoicing.ChargeLinePage:
    """The charge lines behind a unit's share, corrections included.

    Raises:
        RunMissing: when there is no run that the actor may see.
        Missing: when the share is another provider's.
    """
    drafted = await run(tx, asked.run_id)
    if not tx.actor.has(*SEES_EVERY_RUN) and asked.provider_id != tx.actor.organisation_id:
        raise Missing
    terms = RewardTerms.of(drafted.terms)
    return await invoicing.lines_behind_total(
        tx,
        invoicing.LinesBehindTotal(
            provider_id=asked.provider_id,
            year=drafted.year,
            through=drafted.through,
            base_counts=terms.base_counts,
            recorded_until=drafted.made_at,
            limits=service_limits(terms),
            page=asked.page,
            page_size=asked.page_size,
        ),
    )


async def entity_statement(tx: Tx, asked: EntityYear) -> EntityStatement:
    """What a legal entity was paid in a year, run by run; its own providers may ask, too.

    Raises:
        Missing: when the legal entity is another one's.

    Policy: J.30b
    """
    if not tx.actor.has(*SEES_EVERY_RUN):
        own = await parties.organisation(tx, tx.actor.organisation_id)
        if own.legal_entity_id != asked.legal_entity_id:
            raise Missing
    table = reward_entity_share.c
    paid = (
        await tx.execute(
            select(reward_year.c.paid_fen, reward_year.c.cap_fen).where(
                reward_year.c.legal_entity_id == asked.legal_entity_id,
                reward_year.c.year == asked.year,
            )
        )
    ).one_or_none()
    found = await tx.all(
        EntityShare,
        select(reward_entity_share)
        .join(reward_run, reward_run.c.id == table.run_id)
        .where(
            table.legal_entity_id == asked.legal_entity_id,
            reward_run.c.year == asked.year,
            reward_run.c.status == RunStatus.APPROVED,
        )
        .order_by(reward_run.c.sequence),
    )
    paid_fen = paid.paid_fen if paid else 0
    clawed_back_fen = await tx.scalar(
        select(func.coalesce(func.sum(reward_clawback.c.amount_fen), 0).cast(BigInteger)).where(
            reward_clawback.c.legal_entity_id == asked.legal_entity_id,
            reward_clawback.c.year == asked.year,
            reward_clawback.c.status.in_((ClawbackStatus.OWED, ClawbackStatus.RECEIVED)),
        )
    )
    return EntityStatement(
        legal_entity_id=asked.legal_entity_id,
        year=asked.year,
        paid_fen=paid_fen,
        cap_fen=paid.cap_fen if paid else None,
        overpaid_fen=max(paid_fen - found[-1].capped_fen, 0) if found else 0,
        clawed_back_fen=clawed_back_fen,
        shares=tuple(found),
    )


async def shares_of_entity(tx: Tx, asked: EntityYear, *, limit: int) -> list[RewardShare]:
    """The shares of a legal entity's units in the year's approved runs.

    The caller has asked for the entity's statement before, which says who may.
    """
    table = reward_share.c
    return await tx.all(
        RewardShare,
        select(reward_share)
        .join(reward_run, reward_run.c.id == table.run_id)
        .where(
            table.legal_entity_id == asked.legal_entity_id,
            reward_run.c.year == asked.year,
            reward_run.c.status == RunStatus.APPROVED,
        )
        .order_by(table.run_id, table.provider_id)
        .limit(limit),
    )


async def runs_of_year(tx: Tx, year: int) -> list[RewardRun]:
    """The approved runs of a year, in their order."""
    return await tx.all(
        RewardRun,
        _RUNS.where(reward_run.c.year == year, reward_run.c.status == RunStatus.APPROVED).order_by(
            reward_run.c.sequence
        ),
    )


async def last_run(tx: Tx, year: int) -> RewardRun | None:
    """The newest approved run of a year, or None before the first."""
    return await tx.first(
        RewardRun,
        _RUNS.where(reward_run.c.year == year, reward_run.c.status == RunStatus.APPROVED)
        .order_by(reward_run.c.sequence.desc())
        .limit(1),
    )


async def last_through(tx: Tx, year: int) -> date | None:
    """The day through which the year's runs have been approved, or None before the first."""
    day: date | None = await tx.scalar(
        select(func.max(reward_run.c.through)).where(
            reward_run.c.year == year, reward_run.c.status == RunStatus.APPROVED
        )
    )
    return day


async def grade_of(tx: Tx, provider_id: int, year: int) -> str | None:
    """The grade of a provider in a year as it stands, or None when it was not evaluated."""
    grade: str | None = await tx.scalar(
        select(provider_grade.c.grade)
        .where(provider_grade.c.provider_id == provider_id, provider_grade.c.year == year)
        .order_by(provider_grade.c.id.desc())
        .limit(1)
    )
    return grade


def _run_visible(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERY_RUN):
        return true()
    return reward_run.c.status.in_((RunStatus.IN_NOTICE, RunStatus.APPROVED))
