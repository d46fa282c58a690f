"""Reads of bank accounts, payouts and batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Date, Select, Text, any_, cast, func, literal, select

from marketplace.billing.payouts.errors import BankAccountMissing, BatchMissing, PayoutMissing
from marketplace.billing.payouts.rules.files import PaymentLine
from marketplace.billing.payouts.tables import bank_account, payout, payout_batch
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where an organisation is paid."""

    id: int
    organisation_id: int
    bank_name: str
    cnaps: str
    number: str
    holder: str
    made_by: int
    made_at: datetime
    verified_by: int | None
    verified_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Payout:
    """An instruction to pay, and what became of it."""

    id: int
    organisation_id: int
    amount_fen: int
    source_kind: str
    source_id: int
    debit_account_id: int
    status: str
    attempt: int
    end_to_end_id: str
    batch_id: int | None
    bank_account_id: int | None
    instructed_by: int
    instructed_at: datetime
    sent_at: datetime | None
    confirmed_on: date | None
    returned_on: date | None
    return_reason: str | None
    withdrawn_by: int | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


@dataclass(frozen=True, slots=True)
class PayoutSource:
    """What a payout is for: one of its kind, and the organisation that is paid."""

    kind: str
    id: int
    organisation_id: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A payment file: its control figures and who made and approved it."""

    id: int
    status: str
    lines: int
    total_fen: int
    content_sha256: bytes
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    exported_at: datetime | None
    sent_at: datetime | None
    format: str
    layout: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PayoutSearch:
    """Which payouts to list; None stands for any."""

    organisation_id: int | None = None
    status: str | None = None
    source_kind: str | None = None
    batch_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class WaitingPayouts:
    """Payouts that the bank has not paid: how many of a status, how much, and since when."""

    status: str
    payouts: int
    amount_fen: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class BatchSearch:
    """Which batches to list."""

    status: str | None = None
    page: int = 1
    page_size: int = 50


WAITING = ("instructed", "batched", "sent", "returned")

# Everything but the file itself.
BATCH_COLUMNS = tuple(payout_batch.c[field.name] for field in dataclasses.fields(Batch))


async def bank_account_by_id(tx: Tx, account_id: int) -> BankAccount:
    """One bank account.

    Raises:
        BankAccountMissing: when there is none.
    """
    return await tx.one(
        BankAccount,
        select(bank_account).where(bank_account.c.id == account_id),
        missing=BankAccountMissing,
    )


async def bank_accounts(tx: Tx, organisation_id: int | None) -> list[BankAccount]:
    """The accounts of an organisation, or (None) those that wait to be verified."""
    asked = select(bank_account).order_by(bank_account.c.id).limit(1000)
    if organisation_id is None:
        asked = asked.where(
            bank_account.c.verified_at.is_(None), bank_account.c.closed_at.is_(None)
        )
    else:
        asked = asked.where(bank_account.c.organisation_id == organisation_id)
    return await tx.all(BankAccount, asked)


async def payout_by_id(tx: Tx, payout_id: int) -> Payout:
    """One payout.

    Raises:
        PayoutMissing: when there is none.
    """
    return await tx.one(
        Payout, select(payout).where(payout.c.id == payout_id), missing=PayoutMissing
    )


async def payout_of(tx: Tx, source: PayoutSource) -> Payout:
    """The payout that was instructed for `source`; there is never a second one.

    Raises:
        PayoutMissing: when none was instructed.
    """
    return await tx.one(
        Payout,
        select(payout).where(
            payout.c.source_kind == source.kind,
            payout.c.source_id == source.id,
            payout.c.organisation_id == source.organisation_id,
        ),
        missing=PayoutMissing,
    )


def confirmed_payments(source_kind: str) -> Select[Any]:
    """What the bank has paid out of one kind of source, to ask on within another statement."""
    return select(
        payout.c.id.label("payout_id"),
        payout.c.organisation_id,
        payout.c.source_id,
        payout.c.amount_fen,
        payout.c.confirmed_on,
    ).where(payout.c.source_kind == source_kind, payout.c.status == "confirmed")


async def returned_fen(tx: Tx) -> dict[int, int]:
    """By account: what came back from the bank and is paid again by instructing it again.

    Settlements are left out: what came back of a balance is part of the balance.
    """
    found = await tx.execute(
        select(payout.c.debit_account_id, func.sum(payout.c.amount_fen).label("fen"))
        .where(payout.c.status == "returned", payout.c.source_kind != "settlement")
        .group_by(payout.c.debit_account_id)
    )
    return {row.debit_account_id: int(row.fen) for row in found}


async def payouts(tx: Tx, search: PayoutSearch) -> tuple[list[Payout], int]:
    """A page of payouts, newest first, and how many there are."""
    asked: Select[Any] = select(payout)
    for name in ("organisation_id", "status", "source_kind", "batch_id"):
        wanted = getattr(search, name)
        if wanted is not None:
            asked = asked.where(payout.c[name] == wanted)
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    listed = asked.order_by(payout.c.id.desc()).limit(search.page_size)
    return await tx.all(Payout, listed.offset((search.page - 1) * search.page_size)), total


async def waiting_payouts(tx: Tx, _: None = None) -> list[WaitingPayouts]:
    """What is instructed, in a batch, sent or returned; a status without payouts is absent."""
    status = payout.c.status
    return await tx.all(
        WaitingPayouts,
        select(
            status,
            func.count().label("payouts"),
            cast(func.sum(payout.c.amount_fen), BigInteger).label("amount_fen"),
            func.min(payout.c.instructed_at).label("oldest_at"),
        )
        .where(status.in_(WAITING))
        .group_by(status)
        .order_by(status),
    )


async def payouts_by_reference(tx: Tx, references: Sequence[str]) -> dict[str, Payout]:
    """The payouts that carry these references at present: what a statement is matched against."""
    found = await tx.all(
        Payout, select(payout).where(payout.c.end_to_end_id == any_(_texts(references)))
    )
    return {one.end_to_end_id: one for one in found}


@dataclass(frozen=True, slots=True)
class SentPayment:
    """A payment that the bank was sent and has not confirmed, and the account it goes to."""

    payout_id: int
    end_to_end_id: str
    amount_fen: int
    account_number: str
    sent_on: date


async def payments_sent(tx: Tx, account_numbers: Sequence[str]) -> list[SentPayment]:
    """The unconfirmed payments to these accounts."""
    return await tx.all(
        SentPayment,
        select(
            payout.c.id.label("payout_id"),
            payout.c.end_to_end_id,
            payout.c.amount_fen,
            bank_account.c.number.label("account_number"),
            cast(func.timezone("Asia/Shanghai", payout.c.sent_at), Date).label("sent_on"),
        )
        .join(bank_account, bank_account.c.id == payout.c.bank_account_id)
        .where(payout.c.status == "sent", bank_account.c.number == any_(_texts(account_numbers)))
        .order_by(payout.c.id),
    )


def _texts(values: Sequence[str]) -> Any:
    # One array, however many values: a list of parameters ends at 32,767.
    return literal(list(values), ARRAY(Text))


async def batch_by_id(tx: Tx, batch_id: int) -> Batch:
    """One batch.

    Raises:
        BatchMissing: when there is none.
    """
    return await tx.one(
        Batch, select(*BATCH_COLUMNS).where(payout_batch.c.id == batch_id), missing=BatchMissing
    )


async def batches(tx: Tx, search: BatchSearch) -> tuple[list[Batch], int]:
    """A page of batches, newest first, and how many there are."""
    asked = select(*BATCH_COLUMNS)
    if search.status is not None:
        asked = asked.where(payout_batch.c.status == search.status)
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    listed = asked.order_by(payout_batch.c.id.desc()).limit(search.page_size)
    return await tx.all(Batch, listed.offset((search.page - 1) * search.page_size)), total


async def payment_lines(tx: Tx, batch_id: int) -> list[PaymentLine]:
    """The payments of a batch, in order."""
    return await tx.all(
        PaymentLine,
        select(
            payout.c.id.label("payout_id"),
            bank_account.c.holder,
            bank_account.c.number,
            bank_account.c.bank_name,
            bank_account.c.cnaps,
            payout.c.amount_fen,
            payout.c.end_to_end_id,
            payout.c.source_kind.label("purpose"),
        )
        .join(bank_account, bank_account.c.id == payout.c.bank_account_id)
        .where(payout.c.batch_id == batch_id)
        .order_by(payout.c.id),
    )


async def batch_content(tx: Tx, batch_id: int) -> bytes:
    """The payment file as it was drafted."""
    return bytes(
        await tx.scalar(select(payout_batch.c.content).where(payout_batch.c.id == batch_id))
    )
