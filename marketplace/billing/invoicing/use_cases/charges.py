"""Charging settled orders and crediting corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select

from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.errors import ChargeMissing
from marketplace.billing.invoicing.rules.charges import earns_reward, require_credit_covered
from marketplace.billing.invoicing.rules.states import ChargeKind
from marketplace.billing.invoicing.tables import charge_line
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class RecordCharge:
    """What an item of an order came to when it was settled; the legal entities are the order's.

    `voucher_order` says whether the order was paid partly by voucher, where this item was not.
    """

    order_id: int
    provider_id: int
    legal_entity_id: int
    instrument_id: int
    buyer_id: int
    buyer_legal_entity_id: int
    voucher_fen: int
    own_fen: int
    affiliated: bool
    kind: ChargeKind = ChargeKind.SERVICE
    order_position: int = 1
    voucher_order: bool | None = None


async def record_charge(tx: Tx, command: RecordCharge) -> int:
    """Charge an order once, on the day of the transaction, and answer the line's id.

    The fee for moving late is a line beside it, once too.

    Raises:
        OrderCharged: when the order is charged already.
        MoveFeeCharged: when its fee for moving is.

    Policy: J.30a
    """
    return (await record_charges(tx, [command]))[0]


async def record_charges(tx: Tx, commands: Sequence[RecordCharge]) -> list[int]:
    """Charge items of orders, each once, and answer the ids of the lines.

    Each item is a line of its own, so that the figures of each instrument are right.

    Raises:
        OrderCharged: when one is charged already.
        MoveFeeCharged: when a fee for moving is.

    Policy: J.30a
    """
    if not commands:
        return []
    ids = await tx.scalars(
        insert(charge_line).returning(charge_line.c.id, sort_by_parameter_order=True),
        [_line(tx, command) for command in commands],
    )
    return list(ids)


def _line(tx: Tx, command: RecordCharge) -> dict[str, Any]:
    by_voucher = command.voucher_order
    return {
        "order_id": command.order_id,
        "order_position": command.order_position,
        "kind": command.kind.value,
        "provider_id": command.provider_id,
        "legal_entity_id": command.legal_entity_id,
        "instrument_id": command.instrument_id,
        "buyer_id": command.buyer_id,
        "buyer_legal_entity_id": command.buyer_legal_entity_id,
        "service_value_fen": command.voucher_fen + command.own_fen,
        "voucher_fen": command.voucher_fen,
        "own_fen": command.own_fen,
        "settled_on": tx.today,
        "voucher_order": command.voucher_fen > 0 if by_voucher is None else by_voucher,
        "affiliated": command.affiliated,
        "counts_for_reward": earns_reward(command.kind, affiliated=command.affiliated),
        "recorded_by": tx.actor.person_id,
        "recorded_at": tx.now,
    }


@dataclass(frozen=True, slots=True)
class CreditCharge:
    """Give back some or all of what an order was charged."""

    order_id: int
    voucher_fen: int
    own_fen: int
    reason: str


async def credit_charge(tx: Tx, command: CreditCharge) -> int:
    """Correct a charge by a negative line, and answer its id.

    An order that moved late has two charges; this corrects the other one than the fee for moving.
    The line counts on the day of the charge it corrects, so that a refund in January lowers the
    service total of the year in which the service was paid for.

    Raises:
        ChargeMissing: when nothing was charged.
        CreditTooLarge: when more would be given back than stands charged.
    """
    # Two credits of one order take turns. Not at the charge's row: to lock a row takes the right to
    # change it, which nobody has on charges.
    turn = func.hashtextextended(f"charge-{command.order_id}", 0)
    await tx.execute(select(func.pg_advisory_xact_lock(turn)))
    original = await queries.charge_line(tx, command.order_id)
    if original is None:
        raise ChargeMissing
    require_credit_covered(
        await queries.charged_by(tx, original.id),
        voucher_fen=command.voucher_fen,
        own_fen=command.own_fen,
    )
    credit_id: int = await tx.scalar(
        insert(charge_line)
        .values(
            order_id=original.order_id,
            order_position=original.order_position,
            kind=original.kind,
            provider_id=original.provider_id,
            legal_entity_id=original.legal_entity_id,
            instrument_id=original.instrument_id,
            buyer_id=original.buyer_id,
            buyer_legal_entity_id=original.buyer_legal_entity_id,
            service_value_fen=-(command.voucher_fen + command.own_fen),
            voucher_fen=-command.voucher_fen,
            own_fen=-command.own_fen,
            settled_on=original.settled_on,
            voucher_order=original.voucher_order,
            affiliated=original.affiliated,
            counts_for_reward=original.counts_for_reward,
            reverses=original.id,
            reason=command.reason,
            recorded_by=tx.actor.person_id,
            recorded_at=tx.now,
        )
        .returning(charge_line.c.id)
    )
    tx.audit("credit", subject="charge_line", subject_id=credit_id, reason=command.reason)
    return credit_id
