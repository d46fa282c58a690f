"""What is left of redemptions after what came back of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables


@dataclass(frozen=True, slots=True)
class NetPart:
    """What one layer gave to a redemption and what of it has not come back."""

    layer_id: int
    grant_part_id: int
    amount_fen: int
    net_fen: int
    hosted: bool
    """Paid by another region than the SME's, from its budget."""


@dataclass(frozen=True, slots=True)
class NetRedemption:
    """A redemption, what is left of it, and where it stands in claiming."""

    id: int
    order_id: int
    grant_id: int
    programme_id: int
    grant_status: str
    valid_until: date
    provider_id: int
    sme_id: int
    amount_fen: int
    returned_fen: int
    claim_id: int | None
    excluded: bool

    @property
    def net_fen(self) -> int:
        """What is left to be claimed or, once claimed, to be clawed back."""
        return 0 if self.excluded else self.amount_fen - self.returned_fen


async def net_parts(tx: Tx, redemption_id: int) -> list[NetPart]:
    """What is left of each layer of a redemption."""
    part, back = tables.redemption_part, tables.redemption_return
    redemption, of_grant = tables.redemption, tables.grant_part
    returned = (
        select(func.coalesce(func.sum(back.c.amount_fen), 0))
        .where(back.c.redemption_id == redemption_id, back.c.layer_id == part.c.layer_id)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(
            part.c.layer_id,
            of_grant.c.id.label("grant_part_id"),
            part.c.amount_fen,
            (part.c.amount_fen - returned).label("net_fen"),
            (of_grant.c.amount_fen == 0).label("hosted"),
        )
        .join_from(part, redemption, redemption.c.id == part.c.redemption_id)
        .join(
            of_grant,
            (of_grant.c.grant_id == redemption.c.grant_id)
            & (of_grant.c.layer_id == part.c.layer_id),
        )
        .where(part.c.redemption_id == redemption_id)
        .order_by(part.c.layer_id)
    )
    return [
        NetPart(row.layer_id, row.grant_part_id, row.amount_fen, int(row.net_fen), row.hosted)
        for row in rows
    ]


async def net_redemptions(
    tx: Tx,
    *,
    order_id: int | None = None,
    claim_id: int | None = None,
    ids: Collection[int] | None = None,
    lock: bool = False,
) -> list[NetRedemption]:
    """Redemptions of an order, of a claim or by number, in order of their numbers."""
    redemption, grant = tables.redemption, tables.voucher_grant
    statement = (
        select(
            redemption.c.id,
            redemption.c.order_id,
            redemption.c.grant_id,
            grant.c.programme_id,
            grant.c.status.label("grant_status"),
            grant.c.valid_until,
            redemption.c.provider_id,
            grant.c.organisation_id.label("sme_id"),
            redemption.c.amount_fen,
            redemption.c.returned_fen,
            redemption.c.claim_id,
            redemption.c.excluded_at.is_not(None).label("excluded"),
        )
        .join_from(redemption, grant, grant.c.id == redemption.c.grant_id)
        .order_by(redemption.c.id)
    )
    if order_id is not None:
        statement = statement.where(redemption.c.order_id == order_id)
    if claim_id is not None:
        statement = statement.where(redemption.c.claim_id == claim_id)
    if ids is not None:
        statement = statement.where(redemption.c.id.in_(ids))
    return await tx.all(
        NetRedemption, statement.with_for_update(of=redemption) if lock else statement
    )


async def claim_states(tx: Tx, claim_ids: Sequence[int], *, lock: bool = False) -> dict[int, str]:
    """The states of claims, locked in the order of their numbers where that is asked."""
    table = tables.claim.c
    statement = select(table.id, table.status).where(table.id.in_(claim_ids)).order_by(table.id)
    rows = await tx.execute(statement.with_for_update() if lock else statement)
    return {row.id: row.status for row in rows}
