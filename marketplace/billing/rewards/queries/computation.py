"""The reward of a whole province in one statement.

What `rules` says for one legal entity is said here for all of them: every step is a query over
the one before it, and what concerns an entity is a window over its units, so that no step joins
and no plan can go wrong. What a unit has earned is in 1/10,000 fen and stays a bigint, which ends
at services of 9 trillion CNY in a year and would refuse, not round; products that outgrow it are
numeric, divided by `div` and `mod`, which are exact too, at several times the price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
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

from marketplace.billing.rewards.queries.inputs import (
    FEN,
    Computation,
    capped_instruments,
    years_of_units,
)
from marketplace.billing.rewards.rules.rate import UNGRADED
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.kernel.money import BASIS_POINTS

EXACT = Numeric()


@dataclass(frozen=True, slots=True)
class Computed:
    """A computation as common tables: what it is computed from, and the share of each unit.

    `instruments` has the service total of each instrument, where the terms cap one.
    """

    units: CTE
    share: CTE
    instruments: CTE | None


def computed(asked: Computation) -> Computed:
    """A run's whole computation, to select from and to store in one statement."""
    instruments = capped_instruments(asked)
    units = years_of_units(asked, instruments).cte("unit_year")
    earning = _earning(units, instruments, asked.terms)
    entities = _entities(earning, asked.terms)
    budgeted = _within_budget(entities, asked.budget_fen)
    return Computed(units, _apportioned(budgeted).cte("computed_share"), instruments)


def computed_shares(asked: Computation) -> tuple[CTE, CTE]:
    """The units that a run is computed from, and the share of each, as two common tables."""
    found = computed(asked)
    return found.units, found.share


def _earning(units: CTE, instruments: CTE | None, terms: RewardTerms) -> Subquery:
    """Each unit at its rate under its own caps, and what it has earned and was not paid."""
    own_rate = case(terms.rate_by_grade, value=func.coalesce(units.c.grade, UNGRADED), else_=0)
    if terms.flat_rates:
        own_rate = case(terms.flat_rates, value=units.c.rate_class, else_=own_rate)
    at_rate = select(
        units,
        own_rate.cast(Integer).label("own_rate_basis_points"),
        func.least(own_rate, terms.share_cap_basis_points).cast(Integer).label("rate_basis_points"),
    ).subquery("at_rate")
    total = at_rate.c.service_total_fen
    at_full_rate = total * at_rate.c.rate_basis_points
    source: Any = at_rate
    in_sum, bound_in_sum = at_full_rate, total * terms.share_cap_basis_points
    if instruments is not None:
        under = _under_instrument_caps(at_rate, instruments, terms)
        source = at_rate.outerjoin(
            under,
            and_(
                under.c.legal_entity_id == at_rate.c.legal_entity_id,
                under.c.provider_id == at_rate.c.provider_id,
            ),
        )
        in_sum = func.coalesce(under.c.earned, 0, type_=FEN)
        bound_in_sum = func.coalesce(under.c.bound, 0, type_=FEN)
    earned, bound = in_sum, bound_in_sum
    if terms.extra_caps.per_unit_fen is not None:
        unit_cap = literal(terms.extra_caps.per_unit_fen * BASIS_POINTS, FEN)
        earned = func.least(in_sum, unit_cap, type_=FEN)
        bound = func.least(bound_in_sum, unit_cap, type_=FEN)
    bound = bound // BASIS_POINTS
    owed = earned - at_rate.c.paid_before_fen * BASIS_POINTS
    limit = func.least((earned + (BASIS_POINTS - 1)) // BASIS_POINTS, bound, type_=FEN)
    return (
        select(
            at_rate,
            at_full_rate.label("earned_at_rate"),
            in_sum.label("earned_by_instruments"),
            earned.label("earned"),
            (at_full_rate // BASIS_POINTS).label("uncapped_fen"),
            bound.label("bound_fen"),
            func.greatest(owed, 0).label("weight"),
            limit.label("limit_fen"),
            func.greatest(limit - at_rate.c.paid_before_fen, 0).label("room_fen"),
        )
        .select_from(source)
        .subquery("earning")
    )


def _under_instrument_caps(at_rate: Subquery, instruments: CTE, terms: RewardTerms) -> Subquery:
    """Each unit's instruments at its rate and at the share cap, none above its own cap."""
    one = instruments.c
    return (
        select(
            one.legal_entity_id,
            one.provider_id,
            func.sum(instrument_earned(one.service_value_fen, at_rate.c.rate_basis_points, terms))
            .cast(FEN)
            .label("earned"),
            func.sum(instrument_earned(one.service_value_fen, terms.share_cap_basis_points, terms))
            .cast(FEN)
            .label("bound"),
        )
        .join(
            at_rate,
            and_(
                at_rate.c.legal_entity_id == one.legal_entity_id,
                at_rate.c.provider_id == one.provider_id,
            ),
        )
        .group_by(one.legal_entity_id, one.provider_id)
        .subquery("under_instrument_caps")
    )


def instrument_earned(
    service_total_fen: ColumnElement[Any], rate: ColumnElement[Any] | int, terms: RewardTerms
) -> ColumnElement[Any]:
    """What an instrument has earned under its cap, in 1/10,000 fen."""
    cap_fen = terms.extra_caps.per_instrument_fen
    assert cap_fen is not None, "asked for where the terms cap instruments"
    return func.least(
        func.greatest(service_total_fen, 0, type_=FEN) * rate, literal(cap_fen * BASIS_POINTS, FEN)
    )


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
                func.sum(earning.c.limit_fen).over(partition_by=entity),
            )
        ).label("entitled_fen"),
        _over(func.sum(earning.c.paid_before_fen), entity).label("entity_paid_before_fen"),
        func.sum(earning.c.weight).over(partition_by=entity).label("entity_weight"),
    ).subquery("summed")
    capped = select(
        summed, func.least(summed.c.entitled_fen, terms.cap_fen).cast(FEN).label("capped_fen")
    ).subquery("capped")
    due = func.greatest(capped.c.capped_fen - capped.c.entity_paid_before_fen, 0).cast(FEN)
    return select(
        capped,
        case((capped.c.held_back, 0), else_=due).label("claimed_fen"),
        case((capped.c.held_back, due), else_=0).label("held_fen"),
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
