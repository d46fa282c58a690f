"""How what an order comes to is told apart: by item, by who pays, and as charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from marketplace.billing.invoicing.use_cases import ChargeKind, RecordCharge
from marketplace.kernel.money import split
from marketplace.orders.queries.items import OrderItem
from marketplace.orders.queries.orders import Order
from marketplace.orders.rules.settlement import Parts, settled_parts, shares_of


@dataclass(frozen=True, slots=True)
class ItemValue:
    """What an item of an order comes to: the value of its use, and a fee for its time."""

    item: OrderItem
    used_fen: int = 0
    fee_fen: int = 0
    fee_kind: ChargeKind = ChargeKind.CANCELLATION_FEE


@dataclass(frozen=True, slots=True)
class ItemPaid:
    """What was paid for an item: for its use, and as a fee for its time."""

    service: Parts
    fee_fen: int


@dataclass(frozen=True, slots=True)
class Payment:
    """How the value of an order's items is paid: out of its own hold, by item, and as charges."""

    own_fen: int
    items: list[ItemPaid]
    charges: list[RecordCharge]


def payment_of(found: Order, values: Sequence[ItemValue], *, voucher_fen: int) -> Payment:
    """What is left for the buyer when vouchers have paid their part, told apart by item.

    Policy: J.22b, J.30a
    """
    used_fen = sum(value.used_fen for value in values)
    parts = settled_parts(used_fen, voucher_fen=voucher_fen, held=found.held)
    asked = [value.fee_fen for value in values]
    # Where the voucher pays less than before, the service comes first; nothing above what is held.
    fees = split(min(sum(asked), found.own_fen - parts.own_fen), asked)
    shares = shares_of(parts, [value.used_fen for value in values])
    lines = [
        (value.item, share, ChargeKind.SERVICE)
        for value, share in zip(values, shares, strict=True)
        if share.total_fen
    ]
    lines += _fees([replace(v, fee_fen=fee) for v, fee in zip(values, fees, strict=True)])
    return Payment(
        own_fen=parts.own_fen + sum(fees),
        items=[ItemPaid(share, fee) for share, fee in zip(shares, fees, strict=True)],
        charges=_charges(found, lines),
    )


def fee_charges(found: Order, fees: Sequence[ItemValue]) -> list[RecordCharge]:
    """The charges of fees for times that were missed or given back late."""
    return _charges(found, _fees(fees))


def move_fee_charge(found: Order) -> RecordCharge:
    """The charge of an order's fees for moving late."""
    fees = Parts(voucher_fen=0, own_fen=found.move_fee_fen)
    return _charge(found, fees, kind=ChargeKind.MOVE_FEE, instrument_id=found.instrument_id)


def _fees(values: Sequence[ItemValue]) -> list[tuple[OrderItem, Parts, ChargeKind]]:
    return [
        (value.item, Parts(voucher_fen=0, own_fen=value.fee_fen), value.fee_kind)
        for value in values
        if value.fee_fen
    ]


def _charges(
    found: Order, lines: Sequence[tuple[OrderItem, Parts, ChargeKind]]
) -> list[RecordCharge]:
    by_voucher = any(parts.voucher_fen for _, parts, _ in lines)
    return [
        _charge(
            found,
            parts,
            kind=kind,
            instrument_id=item.instrument_id,
            order_position=item.position,
            voucher_order=by_voucher,
        )
        for item, parts, kind in lines
    ]


def _charge(found: Order, parts: Parts, *, kind: ChargeKind, **of_item: Any) -> RecordCharge:
    return RecordCharge(
        order_id=found.id,
        provider_id=found.provider_id,
        legal_entity_id=found.provider_legal_entity_id,
        buyer_id=found.buyer_id,
        buyer_legal_entity_id=found.buyer_legal_entity_id,
        voucher_fen=parts.voucher_fen,
        own_fen=parts.own_fen,
        affiliated=found.affiliated_because is not None,
        kind=kind,
        **of_item,
    )
