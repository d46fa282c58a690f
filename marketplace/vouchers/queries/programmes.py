"""Programmes and what became of their budgets."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, func, select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.errors import ProgrammeMissing
from marketplace.vouchers.queries.access import sees_all
from marketplace.vouchers.queries.balances import budgets_available
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import (
    Layer,
    LayerBudget,
    Listed,
    Programme,
    ProgrammePage,
    columns,
)


@dataclass(frozen=True, slots=True)
class ProgrammeSearch:
    """Which programmes: of a year, in a state, which page."""

    year: int | None = None
    status: str | None = None
    page: PageAsked = FIRST_PAGE


async def programme(tx: Tx, programme_id: int, *, lock: bool = False) -> Programme:
    """The programme, as it is known to the platform itself.

    Raises:
        ProgrammeMissing: when there is none.
    """
    statement = select(*columns(Programme, tables.programme)).where(
        tables.programme.c.id == programme_id
    )
    return await tx.one(
        Programme, statement.with_for_update() if lock else statement, missing=ProgrammeMissing
    )


async def visible_programme(tx: Tx, programme_id: int) -> Programme:
    """The programme; a draft exists for the centre and the auditors only.

    Raises:
        ProgrammeMissing: when there is none that the caller may see.
    """
    found = await programme(tx, programme_id)
    if found.status == "draft" and not sees_all(tx.actor):
        raise ProgrammeMissing()
    return found


async def layers(tx: Tx, programme_id: int) -> list[Layer]:
    """The layers of a programme, in the order in which they were drafted."""
    return await tx.all(
        Layer,
        select(*columns(Layer, tables.programme_layer))
        .where(tables.programme_layer.c.programme_id == programme_id)
        .order_by(tables.programme_layer.c.id),
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


async def programmes(tx: Tx, search: ProgrammeSearch) -> Listed[Programme]:
    """Programmes, the newest first; drafts for the centre and the auditors only."""
    table = tables.programme
    statement = select(*columns(Programme, table))
    if not sees_all(tx.actor):
        statement = statement.where(table.c.status != "draft")
    if search.year is not None:
        statement = statement.where(table.c.year == search.year)
    if search.status is not None:
        statement = statement.where(table.c.status == search.status)
    return await listed(tx, Programme, statement, table.c.id, search.page)
