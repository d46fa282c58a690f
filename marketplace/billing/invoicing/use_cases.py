"""Charging settled orders, crediting corrections, recording invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select

from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.errors import ChargeMissing
from marketplace.billing.invoicing.rules.charges import earns_reward, require_credit_covered
from marketplace.billing.invoicing.rules.fapiao import require_invoice_fits, require_invoice_number
from marketplace.billing.invoicing.rules.states import ChargeKind
from marketplace.billing.invoicing.tables import charge_line, invoice
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing

__all__ = [
    "ChargeKind",
    "CreditCharge",
    "RecordCharge",
    "RecordInvoice",
    "credit_charge",
    "record_charge",
    "record_invoice",
]


@dataclass(frozen=True, slots=True)
class RecordCharge:
    """What an order came to when it was settled; the legal entities are those frozen with it."""

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


async def record_charge(tx: Tx, command: RecordCharge) -> int:
    """Charge an order once, on the day of the transaction, and answer the line's id.

    The fee for moving late is a line beside it, once too.

    Raises:
        OrderCharged: when the order is charged already.
        MoveFeeCharged: when its fee for moving is.

    Policy: J.30a
    """
    charge_id: int = await tx.scalar(
        insert(charge_line)
        .values(
            order_id=command.order_id,
            kind=command.kind.value,
            provider_id=command.provider_id,
            legal_entity_id=command.legal_entity_id,
            instrument_id=command.instrument_id,
            buyer_id=command.buyer_id,
            buyer_legal_entity_id=command.buyer_legal_entity_id,
            service_value_fen=command.voucher_fen + command.own_fen,
            voucher_fen=command.voucher_fen,
            own_fen=command.own_fen,
            settled_on=tx.today,
            voucher_order=command.voucher_fen > 0,
            affiliated=command.affiliated,
            counts_for_reward=earns_reward(command.kind, affiliated=command.affiliated),
            recorded_by=tx.actor.person_id,
            recorded_at=tx.now,
        )
        .returning(charge_line.c.id)
    )
    return charge_id


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
    # The lock makes two credits of one order take turns.
    locked = await tx.scalar(
        select(charge_line.c.id)
        .where(charge_line.c.order_id == command.order_id, charge_line.c.reverses.is_(None))
        .with_for_update()
    )
    original = await queries.charge_line(tx, command.order_id)
    if locked is None or original is None:
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


@dataclass(frozen=True, slots=True)
class RecordInvoice:
    """The tax invoice of an order; who sells and who buys are the order's."""

    order_id: int
    provider_id: int
    buyer_id: int
    number: str
    amount_fen: int
    issued_on: date


async def record_invoice(tx: Tx, command: RecordInvoice) -> queries.Invoice:
    """Record the invoice that the order's provider issued for all that was charged.

    Raises:
        Missing: when the actor is not the order's provider.
        InvoiceNumberRefused: for a number that no tax authority gave.
        ChargeMissing: when nothing was charged yet.
        InvoiceRefused: when amount or day do not fit.
        OrderInvoiced: when the order has an invoice.
        InvoiceNumberUsed: when another order has this number.

    Policy: F.invoice
    """
    if tx.actor.organisation_id != command.provider_id and not tx.actor.has("system"):
        raise Missing
    require_invoice_number(command.number, issued_on=command.issued_on)
    if await queries.charge_line(tx, command.order_id) is None:
        raise ChargeMissing("An order is invoiced once it is settled.")
    charged = await queries.charged(tx, command.order_id)
    require_invoice_fits(
        amount_fen=command.amount_fen,
        charged_fen=charged.service_value_fen,
        issued_on=command.issued_on,
        today=tx.today,
    )
    invoice_id = await tx.scalar(
        insert(invoice)
        .values(
            order_id=command.order_id,
            provider_id=command.provider_id,
            buyer_id=command.buyer_id,
            number=command.number,
            amount_fen=command.amount_fen,
            issued_on=command.issued_on,
            recorded_by=tx.actor.person_id,
            recorded_at=tx.now,
        )
        .returning(invoice.c.id)
    )
    tx.audit("record", subject="invoice", subject_id=invoice_id, number=command.number)
    recorded = await queries.invoice_of(tx, command.order_id)
    assert recorded is not None
    return recorded
