"""Vouchers that the SME itself redeems: it pays in full first and claims their part afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, func, select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.queries.rows import VoucherPart
from marketplace.vouchers.rules.states import HoldStatus


def _claimed_by_sme() -> ColumnElement[bool]:
    """Whether the programme of the row is one whose vouchers the SME redeems.

    No version of a programme changes who redeems, so what it was approved with says it.
    """
    said: ColumnElement[bool] = (
        tables.programme.c.terms["redeemed_by"]["value"].as_string() == "sme"
    )
    return said


async def reimbursing(tx: Tx, grant_ids: Collection[int]) -> set[int]:
    """Of some vouchers, those that pay their SME back afterwards instead of the provider."""
    if not grant_ids:
        return set()
    grant, of = tables.voucher_grant, tables.programme
    found = await tx.scalars(
        select(grant.c.id)
        .join_from(grant, of, of.c.id == grant.c.programme_id)
        .where(grant.c.id.in_(sorted(grant_ids)), _claimed_by_sme())
    )
    return set(found)


def reimbursed_of(part: VoucherPart, grant_ids: Collection[int]) -> int:
    """What of `part` these vouchers pay back to the SME."""
    return sum(each.amount_fen for each in part.vouchers if each.grant_id in grant_ids)


async def held_orders(tx: Tx, order_ids: Sequence[int]) -> set[int]:
    """Of some orders, those for which a voucher is held."""
    table = tables.voucher_hold.c
    found = await tx.scalars(
        select(table.order_id)
        .where(table.order_id.in_(order_ids), table.status == HoldStatus.HELD)
        .distinct()
    )
    return set(found)


async def reimbursed(tx: Tx, order_ids: Sequence[int]) -> dict[int, int]:
    """What of the vouchers redeemed for some orders is the SME's to claim, less what came back."""
    redemption, grant, of = tables.redemption, tables.voucher_grant, tables.programme
    rows = await tx.execute(
        select(
            redemption.c.order_id,
            func.sum(redemption.c.amount_fen - redemption.c.returned_fen).label("net_fen"),
        )
        .join_from(redemption, grant, grant.c.id == redemption.c.grant_id)
        .join(of, of.c.id == grant.c.programme_id)
        .where(redemption.c.order_id.in_(order_ids), _claimed_by_sme())
        .group_by(redemption.c.order_id)
    )
    return {row.order_id: int(row.net_fen) for row in rows}
