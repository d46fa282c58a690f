"""The arithmetic that a share keeps: every number, term and source to redo it by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, ColumnElement, case, func, literal
from sqlalchemy.dialects.postgresql import JSONB, array

from marketplace.billing.rewards.queries.inputs import Computation


def arithmetic(share: CTE, asked: Computation) -> ColumnElement[Any]:
    """The steps from a unit's service total to its amount, as a JSON object for each share."""
    terms = asked.terms
    fixed = {
        "base": {
            "from": f"{asked.year}-01-01",
            "through": asked.through.isoformat(),
            "counts": terms.base_counts,
            "source": terms.sources["base_counts"],
        },
        "terms": {
            "rate_source": terms.sources["rate_by_grade"],
            "share_cap_basis_points": terms.share_cap_basis_points,
            "share_cap_source": terms.sources["share_cap_basis_points"],
            "cap_fen": terms.cap_fen,
            "cap_source": terms.sources["cap_per_legal_entity_fen"],
            "cap_per_instrument_fen": terms.extra_caps.per_instrument_fen,
            "cap_per_unit_fen": terms.extra_caps.per_unit_fen,
            "extra_caps_source": terms.sources.get("extra_caps"),
            "budget_fen": asked.budget_fen,
        },
    }
    unit = func.jsonb_build_object(
        *_named(share, "service_total_fen", "grade", "grade_source", "rate_basis_points"),
        *_named(share, "rate_class", "own_rate_basis_points"),
        # What was earned, in 1/10,000 fen: service total × basis points, then under the caps of
        # its instruments, then under its own.
        *_named(share, "earned_at_rate", "earned_by_instruments", "earned"),
        *_named(share, "uncapped_fen", "bound_fen", "paid_before_fen", "weight", "room_fen"),
    )
    entity = func.jsonb_build_object(
        "legal_entity_id",
        share.c.legal_entity_id,
        "service_total_fen",
        share.c.entity_service_total_fen,
        *_named(share, "entitled_fen", "capped_fen"),
        "paid_before_fen",
        share.c.entity_paid_before_fen,
        *_named(share, "claimed_fen", "held_fen"),
        "amount_fen",
        share.c.entity_amount_fen,
        "weight",
        share.c.entity_weight,
    )
    split = func.jsonb_build_object(*_named(share, "part_fen", "remainder", "extra_fen"))
    steps = func.jsonb_build_object(
        "unit",
        unit,
        "entity",
        entity,
        "split",
        split,
        "bound_by",
        _bound_by(share),
        *_named(share, "amount_fen"),
    )
    return literal(fixed, JSONB).concat(steps)


def _bound_by(share: CTE) -> ColumnElement[Any]:
    """Which caps have lowered the share, in the order in which they are applied."""
    each = share.c
    bound = {
        "share-cap": each.own_rate_basis_points > each.rate_basis_points,
        "instrument": each.earned_by_instruments < each.earned_at_rate,
        "unit": each.earned < each.earned_by_instruments,
        "legal-entity": each.entitled_fen > each.capped_fen,
        "use-report": each.held_fen > 0,
        "budget": each.entity_amount_fen < each.claimed_fen,
    }
    names = [case((condition, name)) for name, condition in bound.items()]
    return func.to_jsonb(func.array_remove(array(names), None))


def _named(share: CTE, *names: str) -> list[Any]:
    return [part for name in names for part in (name, share.c[name])]
