"""Filing what an instrument costs, planned and real."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import ActualCostMissing
from marketplace.billing.pricing.events import SurplusFound
from marketplace.billing.pricing.rules.cost import (
    CostItemAsked,
    require_cost_allowed,
    require_listed_once,
    unit_cost,
)
from marketplace.billing.pricing.rules.states import CostKind
from marketplace.billing.pricing.tables import cost_component, cost_item, cost_sheet, true_up
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class FileCostSheet:
    """What an instrument costs in `year` and how many minutes it runs.

    `actual` says what it really was, at the year's end; prices rest on the plan.
    """

    instrument_id: int
    year: int
    planned_minutes: int
    components: tuple[tuple[CostKind, int], ...]
    items: tuple[CostItemAsked, ...] = ()
    actual: bool = False


async def file_cost_sheet(tx: Tx, command: FileCostSheet) -> queries.CostSheet:
    """File a cost sheet; an earlier one of the same year stays as it was filed.

    Raises:
        Missing: when the instrument is not the actor's own.
        ListedTwice: when a component or an item stands twice.
        CostNotAllowed: for depreciation where the instrument's funds do not allow it.

    Policy: J.21a, J.21d
    """
    instrument = await catalogue.own_instrument(tx, command.instrument_id)
    require_listed_once((kind.value,) for kind, _ in command.components)
    require_listed_once((item.code,) for item in command.items)
    require_cost_allowed(
        dict(command.components),
        funds=instrument.funds,
        depreciation_funds=rulebook().pricing.depreciation_funds.on(tx.today),
    )
    total_fen = sum(amount_fen for _, amount_fen in command.components)
    latest = await tx.scalar(
        select(func.max(cost_sheet.c.version)).where(
            cost_sheet.c.instrument_id == instrument.id, cost_sheet.c.year == command.year
        )
    )
    cost_sheet_id: int = await tx.scalar(
        insert(cost_sheet)
        .values(
            instrument_id=instrument.id,
            year=command.year,
            version=(latest or 0) + 1,
            basis="actual" if command.actual else "planned",
            planned_minutes=command.planned_minutes,
            total_fen=total_fen,
            unit_cost_fen=unit_cost(total_fen=total_fen, planned_minutes=command.planned_minutes),
            filed_by=tx.actor.person_id,
            filed_at=tx.now,
        )
        .returning(cost_sheet.c.id)
    )
    await _insert_parts(tx, cost_sheet_id, command)
    tx.audit("file", subject="cost_sheet", subject_id=cost_sheet_id, total_fen=total_fen)
    return await queries.cost_sheet_by_id(tx, cost_sheet_id)


async def _insert_parts(tx: Tx, cost_sheet_id: int, command: FileCostSheet) -> None:
    await tx.execute(
        insert(cost_component),
        [
            {"cost_sheet_id": cost_sheet_id, "kind": kind.value, "amount_fen": amount_fen}
            for kind, amount_fen in command.components
        ],
    )
    if command.items:
        await tx.execute(
            insert(cost_item),
            [
                {
                    "cost_sheet_id": cost_sheet_id,
                    "code": item.code,
                    "kind": item.kind.value,
                    "name": item.name,
                    "unit": item.unit,
                    "cost_fen": item.cost_fen,
                }
                for item in command.items
            ],
        )


@dataclass(frozen=True, slots=True)
class RecordTrueUp:
    """What an instrument took in during `year`, to be held against what the year really cost."""

    instrument_id: int
    year: int
    income_fen: int


async def record_true_up(tx: Tx, command: RecordTrueUp) -> queries.TrueUp:
    """Hold a year's income against its real cost; a surplus lowers the next year's ceiling.

    Raises:
        ActualCostMissing: until the real cost of the year is filed.
        TruedUpAlready: when it was done before.

    Policy: J.21a, N.25c
    """
    sheets = [
        sheet
        for sheet in await queries.cost_sheets(tx, command.instrument_id)
        if sheet.basis == "actual" and sheet.year == command.year
    ]
    if not sheets:
        raise ActualCostMissing(
            f"File what the instrument really cost in {command.year} first.", source="J.21d"
        )
    latest = sheets[0]
    made = await tx.one(
        queries.TrueUp,
        insert(true_up)
        .values(
            instrument_id=command.instrument_id,
            year=command.year,
            cost_sheet_id=latest.id,
            income_fen=command.income_fen,
            cost_fen=latest.total_fen,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(*true_up.c),
    )
    tx.audit(
        "true_up",
        subject="instrument",
        subject_id=command.instrument_id,
        year=command.year,
        surplus_fen=made.surplus_fen,
    )
    if made.surplus_fen:
        tx.record(SurplusFound(made.instrument_id, made.year, made.surplus_fen))
    return made
