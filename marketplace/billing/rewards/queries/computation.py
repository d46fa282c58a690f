"""The reward of a whole province in one statement.

What `rules` says for one legal entity is said here for all of them: every step is a query over
the one before it, and what concerns an entity is a window over its units, so that no step joins
and no plan can go wrong. Products that outgrow a bigint are numeric, divided by `div` and `mod`,
which are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Numeric,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from marketplace.billing.invoicing.queries import service_totals
from marketplace.billing.rewards.rules.rate import UNGRADED_BASIS_POINTS, reward_rate
from marketplace.billing.rewards.rules.states import RunStatus
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import provider_grade, reward_run, reward_share
from marketplace.kernel.money import BASIS_POINTS

FEN = BigInteger
EXACT = Numeric(40, 0)


@dataclass(frozen=True, slots=True)
class Computation:
    """What a run computes: a year through a day, by its terms, within its budget."""

    year: int
    through: date
    terms: RewardTerms
    budget_fen: int | None = None


def unit_years(asked: Computation) -> Select[Any]:
    """Every unit's year so far: service total, grade, paid before. What a run is computed from."""
    total = service_totals(asked.year, asked.through, base_counts=asked.terms.base_counts).subquery(
        "total"
    )
    paid = (
        select(
            reward_share.c.legal_entity_id,
            reward_share.c.provider_id,
            func.sum(reward_share.c.amount_fen).cast(FEN).label("paid_fen"),
        )
        .join(reward_run, reward_run.c.id == reward_share.c.run_id)
        .where(reward_run.c.year == asked.year, reward_run.c.status == RunStatus.APPROVED)
        .group_by(reward_share.c.legal_entity_id, reward_share.c.provider_id)
        .subquery("paid")
    )
    grade = (
        select(provider_grade.c.provider_id, provider_grade.c.grade, provider_grade.c.source)
        .ext(distinct_on(provider_grade.c.provider_id))
        .where(provider_grade.c.year == asked.year)
        .order_by(provider_grade.c.provider_id, provider_grade.c.id.desc())
        .subquery("grade")
    )
    provider_id = func.coalesce(total.c.provider_id, paid.c.provider_id)
    # A unit that was paid and whose services were all taken back still counts as paid.
    served_or_paid = total.outerjoin(
        paid,
        and_(
            paid.c.legal_entity_id == total.c.legal_entity_id,
            paid.c.provider_id == total.c.provider_id,
        ),
        full=True,
    )
    return select(
        func.coalesce(total.c.legal_entity_id, paid.c.legal_entity_id).label("legal_entity_id"),
        provider_id.label("provider_id"),
        func.greatest(total.c.service_value_fen, 0).cast(FEN).label("service_total_fen"),
        grade.c.grade,
        grade.c.source.label("grade_source"),
        func.coalesce(paid.c.paid_fen, 0).cast(FEN).label("paid_before_fen"),
    ).select_from(served_or_paid.outerjoin(grade, grade.c.provider_id == provider_id))


def inputs_seal(units: CTE | Subquery) -> ColumnElement[str]:
    """A digest of everything that `unit_years` found, to compute and compare in PostgreSQL."""
    line = func.concat_ws(
        "|",
        units.c.legal_entity_id,
        units.c.provider_id,
        units.c.service_total_fen,
        func.coalesce(units.c.grade, "-"),
        units.c.paid_before_fen,
    )
    lines = func.string_agg(
        line, aggregate_order_by(literal("\n"), units.c.legal_entity_id, units.c.provider_id)
    )
    return func.encode(func.sha256(func.convert_to(func.coalesce(lines, ""), "UTF8")), "hex")


def computed_shares(asked: Computation) -> tuple[CTE, CTE]:
    """The units that a run is computed from, and the share of each, as two common tables."""
    units = unit_years(asked).cte("unit_year")
    earning = _earning(units, asked.terms)
    entities = _entities(earning, asked.terms)
    budgeted = _within_budget(entities, asked.budget_fen)
    return units, _apportioned(budgeted).cte("computed_share")


def _earning(units: CTE, terms: RewardTerms) -> Subquery:
    """Each unit at its rate, with its own 5 % and what it has earned and was not paid."""
    rates = {
        grade: reward_rate(
            grade,
            rate_by_grade=terms.rate_by_grade,
            share_cap_basis_points=terms.share_cap_basis_points,
        )
        for grade in terms.rate_by_grade
    }
    rate = case(rates, value=units.c.grade, else_=UNGRADED_BASIS_POINTS).cast(Integer)
    at_rate = select(units, rate.label("rate_basis_points")).subquery("at_rate")
    earned = cast(at_rate.c.service_total_fen, EXACT) * at_rate.c.rate_basis_points
    bound = func.div(
        cast(at_rate.c.service_total_fen, EXACT) * terms.share_cap_basis_points, BASIS_POINTS
    )
    owed = earned - at_rate.c.paid_before_fen * BASIS_POINTS
    return select(
        at_rate,
        earned.label("earned"),
        func.div(earned, BASIS_POINTS).cast(FEN).label("uncapped_fen"),
        bound.cast(FEN).label("bound_fen"),
        func.greatest(owed, 0).label("weight"),
        func.greatest(bound - at_rate.c.paid_before_fen, 0).cast(FEN).label("room_fen"),
    ).subquery("earning")


def _entities(earning: Subquery, terms: RewardTerms) -> Subquery:
    """Each unit beside its entity: what all its units have earned, under the cap, not yet paid."""
    entity = earning.c.legal_entity_id
    summed = select(
        earning,
        (func.min(earning.c.provider_id).over(partition_by=entity) == earning.c.provider_id).label(
            "first"
        ),
        _over(func.sum(earning.c.service_total_fen), entity).label("entity_service_total_fen"),
        _over(
            func.least(
                func.div(func.sum(earning.c.earned).over(partition_by=entity), BASIS_POINTS),
                func.sum(earning.c.bound_fen).over(partition_by=entity),
            )
        ).label("entitled_fen"),
        _over(func.sum(earning.c.paid_before_fen), entity).label("entity_paid_before_fen"),
        func.sum(earning.c.weight).over(partition_by=entity).label("entity_weight"),
    ).subquery("summed")
    capped = select(
        summed, func.least(summed.c.entitled_fen, terms.cap_fen).cast(FEN).label("capped_fen")
    ).subquery("capped")
    return select(
        capped,
        func.greatest(capped.c.capped_fen - capped.c.entity_paid_before_fen, 0)
        .cast(FEN)
        .label("claimed_fen"),
    ).subquery("entity")


def _within_budget(entities: Subquery, budget_fen: int | None) -> Subquery:
    """Each entity's claim, or the part of it that the budget leaves, by largest remainder."""
    if budget_fen is None:
        return select(entities, entities.c.claimed_fen.label("entity_amount_fen")).subquery(
            "budgeted"
        )
    claims = select(
        entities,
        # An entity's claim stands on each of its units: it is summed over the first ones.
        func.sum(entities.c.claimed_fen).filter(entities.c.first).over().label("claims_fen"),
    ).subquery("claims")
    product = cast(claims.c.claimed_fen, EXACT) * budget_fen
    enough = claims.c.claims_fen <= budget_fen
    parts = select(
        claims,
        case((enough, claims.c.claimed_fen), else_=func.div(product, claims.c.claims_fen)).label(
            "whole_fen"
        ),
        case((enough, 0), else_=func.mod(product, claims.c.claims_fen)).label("rest"),
    ).subquery("budget_part")
    ranked = select(
        parts,
        (
            func.least(parts.c.claims_fen, budget_fen)
            - func.sum(parts.c.whole_fen).filter(parts.c.first).over()
        ).label("budget_left"),
        func.row_number()
        .over(partition_by=parts.c.first, order_by=(parts.c.rest.desc(), parts.c.legal_entity_id))
        .label("turn"),
    ).subquery("budget_turn")
    served = case((and_(ranked.c.first, ranked.c.turn <= ranked.c.budget_left), 1), else_=0)
    kept = [column for column in ranked.c if column.key in entities.c]
    return select(
        *kept,
        _over(
            ranked.c.whole_fen + func.max(served).over(partition_by=ranked.c.legal_entity_id)
        ).label("entity_amount_fen"),
    ).subquery("budgeted")


def _apportioned(budgeted: Subquery) -> Select[Any]:
    """Each entity's amount among its units: whole fen by weight, then the rest one by one."""
    product = cast(budgeted.c.entity_amount_fen, EXACT) * budgeted.c.weight
    weighty = budgeted.c.entity_weight > 0
    whole = func.least(func.div(product, budgeted.c.entity_weight), budgeted.c.room_fen)
    parts = select(
        budgeted,
        case((weighty, whole), else_=0).cast(FEN).label("part_fen"),
        case((weighty, func.mod(product, budgeted.c.entity_weight)), else_=0).label("remainder"),
    ).subquery("part")
    entity = parts.c.legal_entity_id
    rest = select(
        parts,
        _over(
            parts.c.entity_amount_fen - func.sum(parts.c.part_fen).over(partition_by=entity)
        ).label("left_fen"),
    ).subquery("rest")
    # Row 0 is the unit itself; rows 1, 2, … are the fen that it has room for of those left over.
    offered = select(
        rest,
        func.generate_series(
            0, func.greatest(func.least(rest.c.room_fen - rest.c.part_fen, rest.c.left_fen), 0)
        ).label("offer"),
    ).subquery("offered")
    turns = select(
        offered,
        func.row_number()
        .over(
            partition_by=(offered.c.legal_entity_id, offered.c.offer == 0),
            order_by=(
                offered.c.weight == 0,
                offered.c.offer,
                offered.c.remainder.desc(),
                offered.c.provider_id,
            ),
        )
        .label("turn"),
    ).subquery("turn")
    taken = case((and_(turns.c.offer > 0, turns.c.turn <= turns.c.left_fen), 1), else_=0)
    counted = select(
        turns,
        func.sum(taken)
        .over(partition_by=(turns.c.legal_entity_id, turns.c.provider_id))
        .label("extra_fen"),
    ).subquery("counted")
    return select(
        counted, (counted.c.part_fen + counted.c.extra_fen).cast(FEN).label("amount_fen")
    ).where(counted.c.offer == 0)


def _over(
    value: ColumnElement[Any], partition: ColumnElement[Any] | None = None
) -> ColumnElement[int]:
    """`value`, or its sum over a partition, as whole fen."""
    return cast(value if partition is None else value.over(partition_by=partition), FEN)
