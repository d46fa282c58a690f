"""Paying what is owed: the oldest first, and the room comes back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select

from marketplace.billing.credit.errors import CreditLineMissing
from marketplace.billing.credit.events import CreditPaid
from marketplace.billing.credit.queries.lines import is_open, owed_part
from marketplace.billing.credit.queries.receivables import CreditReceipt
from marketplace.billing.credit.rules.credit import Owed, oldest_first
from marketplace.billing.credit.rules.states import Receipt
from marketplace.billing.credit.tables import (
    credit_line,
    credit_receipt,
    credit_receipt_part,
    receivable,
)
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.kernel.db import Tx

SOURCE = "credit_receipt"


@dataclass(frozen=True, slots=True)
class PayCredit:
    """The buyer pays from its wallet; without an amount, all that is owed on the line."""

    line_id: int
    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class _Parties:
    """Who owes whom on a line."""

    id: int
    provider_id: int
    buyer_id: int


async def pay_credit(tx: Tx, command: PayCredit) -> CreditReceipt:
    """Pay what is owed on a line out of the own wallet; the provider is owed it by the platform.

    Raises:
        CreditLineMissing: when it is not the caller's line as a buyer.
        NothingOwed: when it is more than is owed.
        InsufficientFunds: when the wallet has less.
    """
    line = await tx.one(
        _Parties,
        select(credit_line.c.id, credit_line.c.provider_id, credit_line.c.buyer_id)
        .where(
            credit_line.c.id == command.line_id,
            credit_line.c.buyer_id == tx.actor.organisation_id,
        )
        # Payments and credit notes of a line come one after the other.
        .with_for_update(key_share=True),
        missing=CreditLineMissing,
    )
    table = receivable.c
    owed = await tx.all(
        Owed,
        select(table.id, owed_part().label("left_fen"))
        .where(table.line_id == line.id, is_open())
        .order_by(table.due_on, table.id)
        .with_for_update(),
    )
    total = sum(each.left_fen for each in owed)
    amount_fen = total if command.amount_fen is None else command.amount_fen
    parts = oldest_first(owed, amount_fen)
    receipt = await tx.one(
        CreditReceipt,
        insert(credit_receipt)
        .values(
            line_id=line.id,
            amount_fen=amount_fen,
            how=Receipt.WALLET,
            received_on=tx.today,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(*(credit_receipt.c[name] for name in CreditReceipt.__dataclass_fields__)),
    )
    await tx.execute(
        insert(credit_receipt_part),
        [
            {"receipt_id": receipt.id, "receivable_id": receivable_id, "amount_fen": part}
            for receivable_id, part in parts
        ],
    )
    await _post(tx, line, receipt)
    tx.audit(
        "pay",
        subject="credit_line",
        subject_id=line.id,
        receipt_id=receipt.id,
        amount_fen=amount_fen,
    )
    tx.record(CreditPaid(receipt.id, line.id, line.provider_id, line.buyer_id, amount_fen))
    return receipt


async def _post(tx: Tx, line: _Parties, receipt: CreditReceipt) -> None:
    """Money from the wallet to what the provider is owed; and the room of the line back."""
    amount_fen = receipt.amount_fen
    wallet, payable, owed, room = await ledger.open_accounts(
        tx,
        [
            ledger.OpenAccount(AccountType.WALLET, line.buyer_id),
            ledger.OpenAccount(AccountType.PAYABLE, line.provider_id),
            ledger.OpenAccount(AccountType.CREDIT_OWED, line.id),
            ledger.OpenAccount(AccountType.CREDIT, line.id),
        ],
    )
    for kind, debited, credited in (
        (EntryKind.CREDIT_PAYMENT, wallet, payable),
        (EntryKind.CREDIT_REPAID, owed, room),
    ):
        await ledger.post_entry(
            tx,
            ledger.Entry(
                kind=kind,
                effective_on=tx.today,
                lines=(
                    ledger.Line(account_id=debited, amount_fen=amount_fen),
                    ledger.Line(account_id=credited, amount_fen=-amount_fen),
                ),
                key=f"credit-receipt-{receipt.id}-{kind}",
                source_kind=SOURCE,
                source_id=receipt.id,
            ),
        )
