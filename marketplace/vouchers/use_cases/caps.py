"""What orders hold counts towards the caps of a year: of the SME, its group, the instrument.

The counter's row is locked by adding to it, and its check refuses what is too much, however many
orders are placed at once. What a hold does not use goes back by itself when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.queries import COUNTED_AT_ORDERS, GrantAnswer
from marketplace.vouchers.rules.limits import CapScope


@dataclass(frozen=True, slots=True)
class Counted:
    """A hold, what it is for, and whose year each cap counts."""

    hold_id: int
    answer: GrantAnswer
    year: int
    subjects: Mapping[CapScope, int]


async def count_towards_caps(tx: Tx, holds: Sequence[Counted]) -> None:
    """Add what is held to every cap that the terms name.

    Raises:
        VoucherCapReached: when another order took the room at the same moment.
    """
    rows = [row for each in holds for row in _rows(each)]
    if not rows:
        return
    table = tables.voucher_cap
    key = ("programme_id", "kind", "subject", "funder", "year")
    # In one order, so that two orders of one SME never wait for each other.
    rows.sort(key=lambda row: tuple(row[name] for name in key))
    added = upsert(table).values(
        [
            {
                **{name: row[name] for name in key},
                "used_fen": row["held_fen"],
                "cap_fen": row["cap"],
            }
            for row in rows
        ]
    )
    await tx.execute(
        added.on_conflict_do_update(
            index_elements=[table.c[name] for name in key],
            set_={
                "used_fen": table.c.used_fen + added.excluded.used_fen,
                "cap_fen": added.excluded.cap_fen,
            },
        )
    )
    await tx.execute(
        insert(tables.voucher_hold_cap),
        [{name: row[name] for name in (*key, "hold_id", "held_fen")} for row in rows],
    )


def _rows(counted: Counted) -> list[dict[str, Any]]:
    standing, shares = counted.answer.standing, counted.answer.shares
    lowest: dict[tuple[CapScope, str | None], int] = {}
    for scope in COUNTED_AT_ORDERS:
        if scope not in counted.subjects:
            continue
        for cap in standing.terms.caps_on(
            scope,
            beneficiary=standing.grant.beneficiary,
            first_use=counted.answer.purchase.first_use,
        ):
            known = lowest.get((scope, cap.funder), cap.amount_fen)
            lowest[scope, cap.funder] = min(known, cap.amount_fen)
    rows = []
    for (scope, funder), cap_fen in lowest.items():
        held_fen = sum(
            layer.amount_fen for layer in shares.layers if funder in (None, layer.funder)
        )
        if held_fen:
            rows.append(
                {
                    "hold_id": counted.hold_id,
                    "programme_id": standing.programme.id,
                    "kind": scope.value,
                    "subject": counted.subjects[scope],
                    "funder": funder or "",
                    "year": counted.year,
                    "held_fen": held_fen,
                    "cap": cap_fen,
                }
            )
    return rows


@dataclass(frozen=True, slots=True)
class FreeCaps:
    """Voucher money of a redemption came back; its caps have that much room again."""

    redemption_id: int
    funder: str
    amount_fen: int


async def free_caps(tx: Tx, command: FreeCaps) -> None:
    """Give room back to the caps that a redemption counted towards."""
    cap, counted = tables.voucher_cap, tables.voucher_hold_cap
    held, redeemed = tables.voucher_hold, tables.redemption
    key = ("programme_id", "kind", "subject", "funder", "year")
    of_redemption = (
        select(*(counted.c[name] for name in key))
        .join_from(counted, held, held.c.id == counted.c.hold_id)
        .join(
            redeemed,
            (redeemed.c.order_id == held.c.order_id) & (redeemed.c.grant_id == held.c.grant_id),
        )
        .where(
            redeemed.c.id == command.redemption_id,
            held.c.status == "settled",
            counted.c.funder.in_(("", command.funder)),
        )
        .subquery()
    )
    await tx.execute(
        update(cap)
        .where(*(cap.c[name] == of_redemption.c[name] for name in key))
        .values(used_fen=cap.c.used_fen - command.amount_fen)
    )
