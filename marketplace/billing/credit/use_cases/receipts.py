"""Paying what is owed: the oldest first, and the room comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, insert, select

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
    credit_receipt_undone,
    receivable,
)
from marketplace.billing.ledger import queries as ledger_queries
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
class ReceiveCredit:
    """The buyer paid by bank; `posted_on` is the entry's day, `key` names its entries."""

    line_id: int
    amount_fen: int
    received_on: date
    posted_on: date
    key: str


@dataclass(frozen=True, slots=True)
class CreditReceived:
    """A receipt, and the entry by which its money left bank suspense."""

    receipt_id: int
    entry_id: int


@dataclass(frozen=True, slots=True)
class TakeReceiptBack:
    """A receipt was booked by mistake; `entry_id` is the entry by which it left suspense."""

    entry_id: int
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class _ReceiptLine:
    """A receipt and its line."""

    id: int
    line_id: int


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
    line = await _locked(
        tx,
        credit_line.c.id == command.line_id,
        credit_line.c.buyer_id == tx.actor.organisation_id,
    )
    receipt = await _receipt(tx, line, command.amount_fen, Receipt.WALLET, tx.today)
    await _post(tx, line, receipt)
    tx.audit(
        "pay",
        subject="credit_line",
        subject_id=line.id,
        receipt_id=receipt.id,
        amount_fen=receipt.amount_fen,
    )
    tx.record(CreditPaid(receipt.id, line.id, line.provider_id, line.buyer_id, receipt.amount_fen))
    return receipt


async def receive_credit(tx: Tx, command: ReceiveCredit) -> CreditReceived:
    """Book that a line of the bank's statement pays what is owed on a credit line.

    Raises:
        CreditLineMissing: when there is no such line.
        NothingOwed: when it is more than is owed.
    """
    line = await _locked(tx, credit_line.c.id == command.line_id)
    receipt = await _receipt(tx, line, command.amount_fen, Receipt.BANK, command.received_on)
    suspense, payable, owed, room = await ledger.open_accounts(
        tx,
        [
            ledger.OpenAccount(AccountType.BANK_SUSPENSE),
            ledger.OpenAccount(AccountType.PAYABLE, line.provider_id),
            ledger.OpenAccount(AccountType.CREDIT_OWED, line.id),
            ledger.OpenAccount(AccountType.CREDIT, line.id),
        ],
    )
    posted = [
        await ledger.post_entry(
            tx,
            ledger.Entry(
                kind=kind,
                effective_on=command.posted_on,
                lines=ledger.transfer(
                    debit=debited, credit=credited, amount_fen=command.amount_fen
                ),
                key=f"{command.key}:{kind}",
                source_kind=SOURCE,
                source_id=receipt.id,
            ),
        )
        for kind, debited, credited in (
            (EntryKind.SUSPENSE_RESOLVED, suspense, payable),
            (EntryKind.CREDIT_REPAID, owed, room),
        )
    ]
    tx.record(CreditPaid(receipt.id, line.id, line.provider_id, line.buyer_id, command.amount_fen))
    return CreditReceived(receipt.id, posted[0].entry_id)


async def take_receipt_back(tx: Tx, command: TakeReceiptBack) -> None:
    """The bank's line was not this payment: what it paid is owed again, and the room is used.

    Raises:
        CreditLineMissing: when the entry is not of a receipt that came through the bank.
        InsufficientFunds: when the provider was paid out, or the room used, meanwhile.
    """
    of_bank = await ledger_queries.entry_by_id(tx, command.entry_id)
    receipt_id = of_bank.source_id
    await tx.one(
        _ReceiptLine,
        select(credit_receipt.c.id, credit_receipt.c.line_id)
        .join(credit_line, credit_line.c.id == credit_receipt.c.line_id)
        .where(credit_receipt.c.id == receipt_id, credit_receipt.c.how == Receipt.BANK)
        .with_for_update(of=credit_line, key_share=True),
        missing=CreditLineMissing,
    )
    (of_credit,), _ = await ledger_queries.entries(
        tx,
        ledger_queries.EntrySearch(
            kind=EntryKind.CREDIT_REPAID, source_kind=SOURCE, source_id=receipt_id, page_size=1
        ),
    )
    for entry_id, which in ((command.entry_id, "cash"), (of_credit.id, "credit")):
        await ledger.reverse_entry(
            tx,
            ledger.ReverseEntry(
                entry_id=entry_id, reason=command.reason, key=f"{command.key}:{which}"
            ),
        )
    await tx.execute(
        insert(credit_receipt_undone).values(
            receipt_id=receipt_id,
            reason=command.reason,
            undone_by=tx.actor.person_id,
            undone_at=tx.now,
        )
    )
    tx.audit("take_back", subject="credit_receipt", subject_id=receipt_id, reason=command.reason)


async def _locked(tx: Tx, *wanted: ColumnElement[bool]) -> _Parties:
    """A line, so that payments and credit notes of it come one after the other."""
    return await tx.one(
        _Parties,
        select(credit_line.c.id, credit_line.c.provider_id, credit_line.c.buyer_id)
        .where(*wanted)
        .with_for_update(key_share=True),
        missing=CreditLineMissing,
    )


async def _receipt(
    tx: Tx, line: _Parties, amount_fen: int | None, how: Receipt, received_on: date
) -> CreditReceipt:
    """Pay the oldest first; without an amount, all that is owed."""
    table = receivable.c
    owed = await tx.all(
        Owed,
        select(table.id, owed_part().label("left_fen"))
        .where(table.line_id == line.id, is_open())
        .order_by(table.due_on, table.id)
        .with_for_update(),
    )
    paid_fen = sum(each.left_fen for each in owed) if amount_fen is None else amount_fen
    parts = oldest_first(owed, paid_fen)
    receipt = await tx.one(
        CreditReceipt,
        insert(credit_receipt)
        .values(
            line_id=line.id,
            amount_fen=paid_fen,
            how=how,
            received_on=received_on,
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
