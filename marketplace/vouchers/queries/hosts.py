"""The layers of other regions that take over a part of what is bought from their providers.

Nothing of them is granted: their part of a service is held on the layer's budget, where nobody can
be granted it, and paid from there. A part of nought stands for them in the grant.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.billing.ledger.queries import AccountType, balances_of
from marketplace.kernel.db import Tx
from marketplace.parties.queries import organisation
from marketplace.vouchers import tables
from marketplace.vouchers.queries.rows import GrantPart, PartBalance
from marketplace.vouchers.rules.regions import lies_in


async def hosts_of_grants(
    tx: Tx, grant_ids: Collection[int], organisation_id: int, year: int
) -> dict[int, list[PartBalance]]:
    """By grant, the budgets of its programme's layers in other regions than the SME's.

    A layer that the grant has no part of yet is told with the part 0.
    """
    if not grant_ids:
        return {}
    sme = await organisation(tx, organisation_id)
    parts = [
        part
        for part in await _parts_of_others(tx, grant_ids, year)
        if not lies_in(sme.region_code, part.region_code)
    ]
    layer_ids = sorted({part.layer_id for part in parts})
    budgets = await balances_of(tx, AccountType.PROGRAMME_BUDGET, layer_ids)
    found: dict[int, list[PartBalance]] = {}
    for part in parts:
        if part.layer_id in budgets:
            budget = budgets[part.layer_id]
            found.setdefault(part.grant_id, []).append(
                PartBalance(part, budget.id, budget.available_fen, budget.held_fen)
            )
    return found


async def _parts_of_others(tx: Tx, grant_ids: Collection[int], year: int) -> list[GrantPart]:
    grant, part, layer = tables.voucher_grant, tables.grant_part, tables.programme_layer
    return await tx.all(
        GrantPart,
        select(
            func.coalesce(part.c.id, 0).label("id"),
            grant.c.id.label("grant_id"),
            layer.c.id.label("layer_id"),
            func.coalesce(part.c.amount_fen, 0).label("amount_fen"),
            layer.c.funder,
            layer.c.region_code,
            func.layer_ratio_on(layer.c.id, tx.today).label("ratio_basis_points"),
        )
        .join_from(grant, layer, layer.c.programme_id == grant.c.programme_id)
        .outerjoin(part, (part.c.grant_id == grant.c.id) & (part.c.layer_id == layer.c.id))
        .where(
            grant.c.id.in_(sorted(grant_ids)),
            func.coalesce(part.c.amount_fen, 0) == 0,
            or_(layer.c.budget_year.is_(None), layer.c.budget_year == year),
            or_(layer.c.starts_on.is_(None), layer.c.starts_on <= tx.today),
        )
        .order_by(grant.c.id, layer.c.id),
    )


async def open_host_part(tx: Tx, part: GrantPart) -> int:
    """The part of nought that stands for a layer of another region in the grant; its id."""
    if part.id:
        return part.id
    table = tables.grant_part
    await tx.execute(
        upsert(table)
        .values(grant_id=part.grant_id, layer_id=part.layer_id, amount_fen=0)
        .on_conflict_do_nothing(constraint="grant_part_once")
    )
    part_id: int = await tx.scalar(
        select(table.c.id).where(
            table.c.grant_id == part.grant_id, table.c.layer_id == part.layer_id
        )
    )
    return part_id
