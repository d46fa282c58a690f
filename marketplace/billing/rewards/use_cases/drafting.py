"""Drafting a run: computed and stored in one statement, sealed, nobody paid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import CTE, BigInteger, Insert, and_, func, insert, literal, select, update

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.queries.arithmetic import arithmetic
from marketplace.billing.rewards.rules.base import require_through
from marketplace.billing.rewards.rules.states import RunStatus
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import (
    reward_entity_share,
    reward_instrument_share,
    reward_run,
    reward_share,
)
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class DraftRun:
    """A run of `year` through a day of it, within a budget when one is given."""

    year: int
    through: date
    budget_fen: int | None = None


async def draft_run(tx: Tx, command: DraftRun) -> queries.RewardRun:
    """Compute what every unit has earned and was not paid, and keep it as a draft.

    The terms are those in force on the day `through`, and stay with the run. The same services,
    grades and earlier runs give the same fen, whoever drafts it and however often.

    Raises:
        ThroughRefused: for a day outside the year, still to come, or before an approved run's.
        TermsMissing: when no terms are in force on that day.
        DraftOpen: when the year has a draft.

    Policy: J.27a, J.30a, J.30b
    """
    require_through(
        year=command.year,
        through=command.through,
        today=tx.today,
        last_through=await queries.last_through(tx, command.year),
    )
    snapshot = rulebook().reward.snapshot(command.through)
    terms = RewardTerms.of(snapshot)
    asked = queries.Computation(
        year=command.year,
        through=command.through,
        terms=terms,
        budget_fen=command.budget_fen,
        overdue_on=queries.overdue_on(terms, tx.today),
    )
    latest = await tx.scalar(
        select(func.max(reward_run.c.sequence)).where(reward_run.c.year == command.year)
    )
    run_id = await tx.scalar(
        insert(reward_run)
        .values(
            year=command.year,
            sequence=(latest or 0) + 1,
            through=command.through,
            status=RunStatus.DRAFT,
            terms=snapshot,
            budget_fen=command.budget_fen,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(reward_run.c.id)
    )
    await _compute(tx, run_id, asked, snapshot)
    drafted = await queries.run(tx, run_id)
    tx.audit("draft", subject="reward_run", subject_id=run_id, total_fen=drafted.total_fen)
    return drafted


async def _compute(
    tx: Tx, run_id: int, asked: queries.Computation, snapshot: Mapping[str, Any]
) -> None:
    """Store the shares of every entity and unit, and their totals on the run."""
    found = queries.computed(asked)
    share = found.share
    stored = [
        _entity_shares(run_id, share).cte("entity_shares_stored"),
        _unit_shares(run_id, share, asked).cte("unit_shares_stored"),
    ]
    if found.instruments is not None:
        stored.append(
            _instrument_shares(run_id, found.instruments, share, asked.terms).cte(
                "instrument_shares_stored"
            )
        )
    totals = (
        await tx.execute(
            select(
                func.count().filter(share.c.first).label("entities"),
                func.count().label("providers"),
                _fen(func.sum(share.c.service_total_fen)).label("service_total_fen"),
                _fen(func.sum(share.c.claimed_fen).filter(share.c.first)).label("claimed_fen"),
                _fen(func.sum(share.c.amount_fen)).label("total_fen"),
                select(queries.inputs_seal(found.units)).scalar_subquery().label("seal"),
            )
            .select_from(share)
            .add_cte(*stored)
        )
    ).one()
    await tx.execute(
        update(reward_run)
        .where(reward_run.c.id == run_id)
        .values(
            entities=totals.entities,
            providers=totals.providers,
            service_total_fen=totals.service_total_fen,
            claimed_fen=totals.claimed_fen,
            total_fen=totals.total_fen,
            inputs_sha256=inputs_sha256(asked, snapshot, totals.seal),
        )
    )


def inputs_sha256(asked: queries.Computation, snapshot: Mapping[str, Any], seal: str) -> str:
    """The digest of everything that a run is computed from: figures, terms, days and budget."""
    inputs = {
        "year": asked.year,
        "through": asked.through.isoformat(),
        "budget_fen": asked.budget_fen,
        "terms": snapshot,
        "units": seal,
    }
    canonical = json.dumps(inputs, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _entity_shares(run_id: int, share: CTE) -> Insert:
    columns = {
        "run_id": literal(run_id),
        "legal_entity_id": share.c.legal_entity_id,
        "service_total_fen": share.c.entity_service_total_fen,
        "entitled_fen": share.c.entitled_fen,
        "capped_fen": share.c.capped_fen,
        "paid_before_fen": share.c.entity_paid_before_fen,
        "claimed_fen": share.c.claimed_fen,
        "amount_fen": share.c.entity_amount_fen,
        "held_fen": share.c.held_fen,
    }
    return insert(reward_entity_share).from_select(
        list(columns), select(*columns.values()).where(share.c.first)
    )


def _unit_shares(run_id: int, share: CTE, asked: queries.Computation) -> Insert:
    columns = {
        "run_id": literal(run_id),
        "legal_entity_id": share.c.legal_entity_id,
        "provider_id": share.c.provider_id,
        "service_total_fen": share.c.service_total_fen,
        "grade": share.c.grade,
        "rate_basis_points": share.c.rate_basis_points,
        "weight": share.c.weight,
        "uncapped_fen": share.c.uncapped_fen,
        "bound_fen": share.c.bound_fen,
        "paid_before_fen": share.c.paid_before_fen,
        "amount_fen": share.c.amount_fen,
        "arithmetic": arithmetic(share, asked),
        "rate_class": share.c.rate_class,
    }
    return insert(reward_share).from_select(list(columns), select(*columns.values()))


def _instrument_shares(run_id: int, instruments: CTE, share: CTE, terms: RewardTerms) -> Insert:
    one = instruments.c
    columns = {
        "run_id": literal(run_id),
        "legal_entity_id": one.legal_entity_id,
        "provider_id": one.provider_id,
        "instrument_id": one.instrument_id,
        "service_total_fen": one.service_value_fen,
        "rate_basis_points": share.c.rate_basis_points,
        "cap_fen": literal(terms.extra_caps.per_instrument_fen),
        "counted": queries.instrument_earned(
            one.service_value_fen, share.c.rate_basis_points, terms
        ),
    }
    return insert(reward_instrument_share).from_select(
        list(columns),
        select(*columns.values()).join(
            share,
            and_(
                share.c.legal_entity_id == one.legal_entity_id,
                share.c.provider_id == one.provider_id,
            ),
        ),
    )


def _fen(total: Any) -> Any:
    return func.coalesce(total, 0).cast(BigInteger)
