"""Clearings: lines explained together, and what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, any_, literal, select

from marketplace.billing.reconciliation.errors import ClearingMissing
from marketplace.billing.reconciliation.rules.matching import OpenLine
from marketplace.billing.reconciliation.tables import (
    clearing,
    clearing_item,
    line_match,
    statement_line,
)
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class ClearingItem:
    """One thing that the lines are; positive is money in."""

    position: int
    kind: str
    target_id: int
    reference: str | None
    amount_fen: int
    reason_code: str
    entry_id: int


@dataclass(frozen=True, slots=True)
class Clearing:
    """Lines explained together, and by whom."""

    id: int
    how: str
    rule: str
    reason: str
    score: int | None
    made_by: int
    made_at: datetime
    undone_by: int | None
    undone_at: datetime | None
    undo_reason: str | None
    line_ids: tuple[int, ...] = ()
    items: tuple[ClearingItem, ...] = ()


async def clearing_by_id(tx: Tx, clearing_id: int) -> Clearing:
    """One clearing, with its lines and items.

    Raises:
        ClearingMissing: when there is none.
    """
    lines = await tx.scalars(
        select(line_match.c.line_id)
        .where(line_match.c.kind == "clearing", line_match.c.target_id == clearing_id)
        .order_by(line_match.c.line_id)
    )
    items = await tx.all(
        ClearingItem,
        select(*(clearing_item.c[field.name] for field in fields(ClearingItem)))
        .where(clearing_item.c.clearing_id == clearing_id)
        .order_by(clearing_item.c.position),
    )

    def whole(**row: object) -> Clearing:
        return Clearing(**row, line_ids=tuple(lines), items=tuple(items))  # type: ignore[arg-type]

    return await tx.one(
        whole, select(clearing).where(clearing.c.id == clearing_id), missing=ClearingMissing
    )


async def open_lines_by_id(tx: Tx, line_ids: Sequence[int]) -> list[OpenLine]:
    """Those of the lines that are unexplained, locked for whoever explains them."""
    return await tx.all(
        OpenLine,
        select(*(statement_line.c[field.name] for field in fields(OpenLine)))
        .where(
            statement_line.c.id == any_(literal(list(line_ids), ARRAY(BigInteger))),
            statement_line.c.status == "unmatched",
        )
        .order_by(statement_line.c.id)
        .with_for_update(of=statement_line),
    )
