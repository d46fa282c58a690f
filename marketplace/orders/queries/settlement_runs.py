"""How far the runs that settle what is due have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.orders.rules.states import Status
from marketplace.orders.tables import service_order, settlement_run


@dataclass(frozen=True, slots=True)
class SettlementRun:
    """A run: how much was due when it began, and what is done. One that was killed has no end."""

    id: int
    worker: str
    started_at: datetime
    due: int
    settled: int
    refused: int
    settled_fen: int
    moved_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunList:
    """Which runs; `unfinished` are under way, or were killed."""

    unfinished: bool = False
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of runs, newest first, and how many orders are due now."""

    rows: list[SettlementRun]
    total: int
    due_now: int
    page: int
    page_size: int


async def settlement_runs(tx: Tx, question: RunList) -> RunPage:
    """The runs, for those who keep the platform's books."""
    table, of = settlement_run.c, service_order.c
    which = [table.finished_at.is_(None)] if question.unfinished else []
    rows = await tx.all(
        SettlementRun,
        select(*(table[name] for name in SettlementRun.__dataclass_fields__))
        .where(*which)
        .order_by(table.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(settlement_run).where(*which))
    due = await tx.scalar(
        select(func.count())
        .select_from(service_order)
        .where(of.status == Status.DELIVERED, of.review_ends_at <= tx.now)
    )
    return RunPage(rows, int(total), int(due), question.page, question.page_size)
