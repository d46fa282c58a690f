"""What is held for an order, and of which layers: of the voucher, and of other regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from marketplace.billing.ledger.use_cases import PlaceHold, place_hold
from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.errors import VoucherHoldEnded, VoucherHoldMissing
from marketplace.vouchers.queries import GrantAnswer, HoldPart, VoucherHold
from marketplace.vouchers.queries.hosts import open_host_part
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules.states import HoldStatus


@dataclass(frozen=True, slots=True)
class HeldOfGrant:
    """What one of the vouchers holds for the order."""

    hold_id: int
    grant_id: int
    amount_fen: int


async def hold_parts_of(
    tx: Tx, paying: Sequence[GrantAnswer], written: Sequence[HeldOfGrant]
) -> None:
    """Hold what each layer pays, on the voucher or on the budget of another region."""
    # In the order of their accounts, which is the order in which all lock them.
    taken = sorted(
        (
            (held.account_id, hold.hold_id, share.amount_fen, held.part)
            for answer, hold in zip(paying, written, strict=True)
            for held, share in zip(answer.balances, answer.shares.layers, strict=True)
            if share.amount_fen
        ),
        key=lambda each: each[:2],
    )
    part_ids = await _part_ids(tx, paying, written)
    parts = []
    for account_id, hold_id, amount_fen, part in taken:
        part_id = part_ids[hold_id, part.layer_id]
        ledger_hold_id = await place_hold(
            tx,
            PlaceHold(
                account_id=account_id,
                amount_fen=amount_fen,
                expires_at=None,
                key=f"voucher-hold:{hold_id}:{part_id}",
                source_kind="voucher_hold",
                source_id=hold_id,
            ),
        )
        parts.append(
            {
                "hold_id": hold_id,
                "grant_part_id": part_id,
                "ledger_hold_id": ledger_hold_id,
                "amount_fen": amount_fen,
                "ratio_basis_points": part.ratio_basis_points,
            }
        )
    await tx.execute(insert(tables.voucher_hold_part), parts)


async def _part_ids(
    tx: Tx, paying: Sequence[GrantAnswer], written: Sequence[HeldOfGrant]
) -> dict[tuple[int, int], int]:
    """The part of the grant by hold and layer; one of another region is opened when it pays."""
    return {
        (hold.hold_id, held.part.layer_id): held.part.id or await open_host_part(tx, held.part)
        for answer, hold in zip(paying, written, strict=True)
        for held, share in zip(answer.balances, answer.shares.layers, strict=True)
        if share.amount_fen
    }


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
            held.c.ratio_basis_points,
            layer.c.region_code,
        )
        .join_from(held, part, part.c.id == held.c.grant_part_id)
        .join(layer, layer.c.id == part.c.layer_id)
        .where(held.c.hold_id.in_([each.id for each in holds]))
        # Budgets of other regions come first, as they are the older accounts.
        .order_by(part.c.amount_fen > 0, held.c.grant_part_id),
    )
    found: dict[int, list[HoldPart]] = {each.id: [] for each in holds}
    for row in rows:
        found[row.hold_id].append(row)
    return found
