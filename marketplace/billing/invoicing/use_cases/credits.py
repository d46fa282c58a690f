"""Giving back what an order was charged, by negative lines beside every line of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select

from marketplace.billing.invoicing.errors import ChargeMissing
from marketplace.billing.invoicing.rules.charges import Charged, require_credit_covered
from marketplace.billing.invoicing.rules.states import ChargeKind
from marketplace.billing.invoicing.tables import charge_line
from marketplace.kernel.db import Tx
from marketplace.kernel.money import split


@dataclass(frozen=True, slots=True)
class CreditOrder:
    """Give back some or all of what an order was charged, over all its lines."""

    order_id: int
    voucher_fen: int
    own_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """A line of an order and what is left of it after its corrections."""

    id: int
    voucher_fen: int
    own_fen: int
    same: dict[str, Any]

    def credited(self, voucher_fen: int, own_fen: int) -> dict[str, Any]:
        """The negative line beside it."""
        return self.same | {
            "reverses": self.id,
            "service_value_fen": -(voucher_fen + own_fen),
            "voucher_fen": -voucher_fen,
            "own_fen": -own_fen,
        }


# What a credit takes over from the charge that it corrects.
_SAME = (
    "order_id",
    "order_position",
    "kind",
    "provider_id",
    "legal_entity_id",
    "instrument_id",
    "buyer_id",
    "buyer_legal_entity_id",
    "settled_on",
    "voucher_order",
    "affiliated",
    "counts_for_reward",
)


async def credit_order(tx: Tx, command: CreditOrder) -> list[int]:
    """Write the negative lines of a correction, and answer their ids.

    Of several lines each bears its share of what is left. A fee for moving stays: it was due
    whatever became of the service. Each line counts on the day of the charge it corrects, so that
    a refund in January lowers the service total of the year in which the service was paid for.

    Raises:
        ChargeMissing: when nothing was charged.
        CreditTooLarge: when more would be given back than stands charged.

    Policy: J.30a
    """
    lines = await _standing(tx, command.order_id)
    if not lines:
        raise ChargeMissing
    vouchers, owns = [line.voucher_fen for line in lines], [line.own_fen for line in lines]
    require_credit_covered(
        Charged(voucher_fen=sum(vouchers), own_fen=sum(owns)),
        voucher_fen=command.voucher_fen,
        own_fen=command.own_fen,
    )
    shares = zip(
        lines, split(command.voucher_fen, vouchers), split(command.own_fen, owns), strict=True
    )
    credits = await tx.scalars(
        insert(charge_line)
        .values(
            [
                line.credited(voucher_fen, own_fen)
                | {
                    "reason": command.reason,
                    "recorded_by": tx.actor.person_id,
                    "recorded_at": tx.now,
                }
                for line, voucher_fen, own_fen in shares
                if voucher_fen or own_fen
            ]
        )
        .returning(charge_line.c.id)
    )
    tx.audit(
        "credit",
        subject="service_order",
        subject_id=command.order_id,
        voucher_fen=command.voucher_fen,
        own_fen=command.own_fen,
        reason=command.reason,
    )
    return list(credits)


async def standing_charge(tx: Tx, order_id: int) -> Charged | None:
    """What stands of an order's charge, fees for moving aside; None where nothing was charged."""
    lines = await _standing(tx, order_id)
    if not lines:
        return None
    return Charged(
        voucher_fen=sum(line.voucher_fen for line in lines),
        own_fen=sum(line.own_fen for line in lines),
    )


async def _standing(tx: Tx, order_id: int) -> list[_Standing]:
    """The lines of an order that are not fees for moving, with what is left of each."""
    line, credit = charge_line.c, charge_line.alias("credit")
    back = (
        select(
            func.coalesce(func.sum(credit.c.voucher_fen), 0).label("voucher_fen"),
            func.coalesce(func.sum(credit.c.own_fen), 0).label("own_fen"),
        )
        .where(credit.c.reverses == line.id)
        .lateral("back")
    )
    found = await tx.execute(
        select(
            line.id,
            *(line[name] for name in _SAME),
            (line.voucher_fen + back.c.voucher_fen).label("voucher_fen"),
            (line.own_fen + back.c.own_fen).label("own_fen"),
        )
        .where(line.order_id == order_id, line.reverses.is_(None), line.kind != ChargeKind.MOVE_FEE)
        .order_by(line.order_position)
    )
    return [
        _Standing(
            row["id"],
            int(row["voucher_fen"]),
            int(row["own_fen"]),
            {name: row[name] for name in _SAME},
        )
        for row in found.mappings()
    ]
