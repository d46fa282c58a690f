"""Layers of programmes: those there are, those in force on a day, and how versions change them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Table, func, or_, select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.queries.balances import budgets_available
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.programmes import version_of, visible_programme
from marketplace.vouchers.queries.rows import (
    Layer,
    LayerBudget,
    Listed,
    ProgrammePage,
    columns,
)
from marketplace.vouchers.rules.layer_changes import LayerNow


async def layers(tx: Tx, programme_id: int, *, on: date | None = None) -> list[Layer]:
    """The layers of a programme, in the order in which they were drafted.

    With `on` those in force on that day, with their shares then; else all, with those of today.
    """
    layer = tables.programme_layer
    of_table = [each for each in columns(Layer, layer) if each.key != "ratio_basis_points"]
    share = func.layer_ratio_on(layer.c.id, on or tx.today).label("ratio_basis_points")
    statement = select(*of_table, share).where(layer.c.programme_id == programme_id)
    if on is not None:
        statement = statement.where(or_(layer.c.starts_on.is_(None), layer.c.starts_on <= on))
    return await tx.all(Layer, statement.order_by(layer.c.id))


async def layers_now(tx: Tx, programme_id: int, on: date) -> list[LayerNow]:
    """Every layer with its share on a day, its budget, and how much of that is bound by now."""
    found = await layers(tx, programme_id)
    shares = {each.id: each.ratio_basis_points for each in await layers(tx, programme_id, on=on)}
    available = await budgets_available(tx, [each.id for each in found])
    return [
        LayerNow(
            each.id,
            each.funder,
            each.region_code,
            each.budget_year,
            shares.get(each.id, each.ratio_basis_points),
            each.budget_fen,
            each.budget_fen - available[each.id],
        )
        for each in found
    ]


@dataclass(frozen=True, slots=True)
class LayerChange:
    """What a version changes of one layer; a new one has no id before the version is approved."""

    id: int
    version_id: int
    layer_id: int | None
    is_new: bool
    funder: str | None
    region_code: str | None
    name: str
    budget_year: int | None
    ratio_basis_points: int | None
    budget_fen: int | None
    budget_before_fen: int | None
    """What the budget was when the version was approved; nothing of a new one."""


@dataclass(frozen=True, slots=True)
class LayerChangesAsked:
    """Of which version of a programme, which page."""

    programme_id: int
    version: int
    page: PageAsked = FIRST_PAGE


async def layer_changes(tx: Tx, asked: LayerChangesAsked) -> Listed[LayerChange]:
    """What a version changes of its programme's layers; of a draft for the centre only.

    Raises:
        ProgrammeMissing, ProgrammeVersionMissing: when the caller may see no such version.
    """
    await visible_programme(tx, asked.programme_id)
    of = await version_of(tx, asked.programme_id, asked.version)
    table = tables.programme_layer_change
    statement = select(*columns(LayerChange, table)).where(table.c.version_id == of.id)
    return await listed(tx, LayerChange, statement, table.c.id, asked.page)


async def layer_changes_of(tx: Tx, version_id: int) -> list[LayerChange]:
    """Everything that a version changes of its programme's layers, as it was drafted."""
    table = tables.programme_layer_change
    return await tx.all(
        LayerChange,
        select(*columns(LayerChange, table))
        .where(table.c.version_id == version_id)
        .order_by(table.c.id),
    )


async def programme_page(tx: Tx, programme_id: int) -> ProgrammePage:
    """A programme with its layers and what became of each budget."""
    found = await visible_programme(tx, programme_id)
    granted = await _sums_by_layer(tx, programme_id, tables.grant_part)
    redeemed = await _sums_by_layer(tx, programme_id, tables.redemption_part)
    of = await layers(tx, programme_id)
    available = await budgets_available(tx, [layer.id for layer in of])
    return ProgrammePage(
        found,
        tuple(
            LayerBudget(
                layer,
                available_fen=available[layer.id],
                granted_fen=granted.get(layer.id, 0),
                redeemed_fen=redeemed.get(layer.id, 0),
            )
            for layer in of
        ),
    )


async def _sums_by_layer(tx: Tx, programme_id: int, parts: Table) -> dict[int, int]:
    layer = tables.programme_layer.c
    rows = await tx.execute(
        select(layer.id.label("layer_id"), func.sum(parts.c.amount_fen).label("amount_fen"))
        .join_from(tables.programme_layer, parts, parts.c.layer_id == tables.programme_layer.c.id)
        .where(layer.programme_id == programme_id)
        .group_by(layer.id)
    )
    return {row.layer_id: int(row.amount_fen) for row in rows}
