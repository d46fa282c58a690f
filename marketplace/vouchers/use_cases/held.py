"""What is held for an order, and of which layers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.errors import VoucherHoldEnded, VoucherHoldMissing
from marketplace.vouchers.queries import HoldPart, VoucherHold
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules.states import HoldStatus


async def open_holds(tx: Tx, order_id: int) -> list[VoucherHold]:
    """The holds of the order in their places, locked; of one that was made anew, the new ones."""
    table = tables.voucher_hold
    found = await tx.all(
        VoucherHold,
        select(*columns(VoucherHold, table))
        .where(table.c.order_id == order_id)
        .order_by(table.c.position, table.c.id.desc())
        .with_for_update(),
    )
    if not found:
        raise VoucherHoldMissing()
    held = [each for each in found if each.status == HoldStatus.HELD]
    if not held:
        newest = max(found, key=lambda each: each.id)
        raise VoucherHoldEnded(f"The hold of order {order_id} was {newest.status}.")
    return held


async def parts_by_hold(tx: Tx, holds: Sequence[VoucherHold]) -> dict[int, list[HoldPart]]:
    """The layers of each of some holds, in the order of their accounts."""
    held, part, layer = tables.voucher_hold_part, tables.grant_part, tables.programme_layer
    rows = await tx.all(
        HoldPart,
        select(
            held.c.grant_part_id,
            held.c.ledger_hold_id,
            held.c.amount_fen,
            held.c.hold_id,
            part.c.layer_id,
            layer.c.funder,
            layer.c.ratio_basis_points,
            layer.c.region_code,
        )
        .join_from(held, part, part.c.id == held.c.grant_part_id)
        .join(layer, layer.c.id == part.c.layer_id)
        .where(held.c.hold_id.in_([each.id for each in holds]))
        .order_by(held.c.grant_part_id),
    )
    found: dict[int, list[HoldPart]] = {each.id: [] for each in holds}
    for row in rows:
        found[row.hold_id].append(row)
    return found
