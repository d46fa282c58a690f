"""The arithmetic that a share keeps: every number, term and source to redo it by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, ColumnElement, func, literal
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.billing.rewards.queries.computation import Computation


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
            "budget_fen": asked.budget_fen,
        },
    }
    unit = func.jsonb_build_object(
        *_named(share, "service_total_fen", "grade", "grade_source", "rate_basis_points"),
        # What was earned, in 1/10,000 fen: service total × basis points.
        *_named(share, "earned", "uncapped_fen", "bound_fen", "paid_before_fen", "weight"),
        *_named(share, "room_fen"),
    )
    entity = func.jsonb_build_object(
        "legal_entity_id",
        share.c.legal_entity_id,
        "service_total_fen",
        share.c.entity_service_total_fen,
        *_named(share, "entitled_fen", "capped_fen"),
        "paid_before_fen",
        share.c.entity_paid_before_fen,
        *_named(share, "claimed_fen"),
        "amount_fen",
        share.c.entity_amount_fen,
        "weight",
        share.c.entity_weight,
    )
    split = func.jsonb_build_object(*_named(share, "part_fen", "remainder", "extra_fen"))
    steps = func.jsonb_build_object(
        "unit", unit, "entity", entity, "split", split, *_named(share, "amount_fen")
    )
    return literal(fixed, JSONB).concat(steps)


def _named(share: CTE, *names: str) -> list[Any]:
    return [part for name in names for part in (name, share.c[name])]
