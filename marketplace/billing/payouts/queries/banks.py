"""Reads of the platform's own accounts, refunds of wallets, and what statements may show."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Date, Select, Text, any_, cast, func, literal, select

from marketplace.billing.payouts.errors import RefundMissing
from marketplace.billing.payouts.tables import bank_account, payout, wallet_refund
from marketplace.billing.payouts.tables import house_account as house_account_table
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class HouseAccount:
    """An account of the platform's own, and how its bank writes and reads files."""

    number: str
    holder: str
    bank_name: str
    cnaps: str
    statement_columns: dict[str, list[str]]
    payment_format: str
    payment_columns: list[dict[str, str]]
    changed_by: int
    changed_at: datetime


async def house_account(tx: Tx, number: str) -> HouseAccount | None:
    """One of the platform's accounts, where it was set up."""
    return await tx.first(
        HouseAccount, select(house_account_table).where(house_account_table.c.number == number)
    )


async def house_accounts(tx: Tx, _: None = None) -> list[HouseAccount]:
    """The platform's accounts; at most 100."""
    return await tx.all(
        HouseAccount, select(house_account_table).order_by(house_account_table.c.number).limit(100)
    )


@dataclass(frozen=True, slots=True)
class WalletRefund:
    """Unspent money that an SME takes back, and who decided."""

    id: int
    organisation_id: int
    amount_fen: int
    reason: str
    status: str
    hold_id: int
    asked_by: int
    asked_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    payout_id: int | None


@dataclass(frozen=True, slots=True)
class RefundSearch:
    """Which refunds to list; None stands for any."""

    organisation_id: int | None = None
    status: str | None = None
    page: int = 1
    page_size: int = 50


REFUND_COLUMNS = tuple(wallet_refund.c[field.name] for field in dataclasses.fields(WalletRefund))


async def wallet_refund_by_id(tx: Tx, refund_id: int) -> WalletRefund:
    """One refund.

    Raises:
        RefundMissing: when there is none.
    """
    return await tx.one(
        WalletRefund,
        select(*REFUND_COLUMNS).where(wallet_refund.c.id == refund_id),
        missing=RefundMissing,
    )


async def wallet_refunds(tx: Tx, search: RefundSearch) -> tuple[list[WalletRefund], int]:
    """A page of refunds, newest first, and how many there are."""
    asked = select(*REFUND_COLUMNS)
    for name in ("organisation_id", "status"):
        wanted = getattr(search, name)
        if wanted is not None:
            asked = asked.where(wallet_refund.c[name] == wanted)
    total = await tx.scalar(select(func.count()).select_from(asked.subquery()))
    listed = asked.order_by(wallet_refund.c.id.desc()).limit(search.page_size)
    return await tx.all(WalletRefund, listed.offset((search.page - 1) * search.page_size)), total


def open_payments() -> Select[Any]:
    """Payments that a statement may show: sent and not confirmed, or made and perhaps returned.

    For whoever matches statements, set by set.
    """
    return (
        select(
            payout.c.id,
            payout.c.end_to_end_id,
            payout.c.amount_fen,
            payout.c.status,
            payout.c.confirmed_on,
            cast(func.timezone("Asia/Shanghai", payout.c.sent_at), Date).label("sent_on"),
            bank_account.c.number,
            bank_account.c.holder,
        )
        .join(bank_account, bank_account.c.id == payout.c.bank_account_id)
        .where(payout.c.status.in_(("sent", "confirmed")))
    )


def accounts_paid() -> Select[Any]:
    """The account that each payment goes to, or went to, whatever became of it."""
    return select(payout.c.id, bank_account.c.number).join(
        bank_account, bank_account.c.id == payout.c.bank_account_id
    )


@dataclass(frozen=True, slots=True)
class CandidateSearch:
    """Payments that one line may be: by its references, or by account or amount."""

    references: Sequence[str]
    amount_fen: int
    account_number: str
    status: str
    limit: int = 50


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """A payment that a statement may show."""

    id: int
    end_to_end_id: str
    amount_fen: int
    status: str
    confirmed_on: date | None
    sent_on: date | None
    number: str
    holder: str


async def candidates(tx: Tx, search: CandidateSearch) -> list[OpenPayment]:
    """At most `limit` payments that have something in common with a line."""
    asked = open_payments().where(payout.c.status == search.status)
    named = payout.c.end_to_end_id == any_(_texts(search.references))
    alike = payout.c.amount_fen == search.amount_fen
    to_it = bank_account.c.number == search.account_number
    return await tx.all(
        OpenPayment,
        asked.where(named | alike | to_it)
        .order_by(named.desc(), (alike & to_it).desc(), alike.desc(), payout.c.id)
        .limit(search.limit),
    )


async def references_of(tx: Tx, payout_ids: Sequence[int]) -> dict[int, str]:
    """By payout: the reference it carries at present."""
    given = literal(list(payout_ids), ARRAY(BigInteger))
    found = await tx.execute(
        select(payout.c.id, payout.c.end_to_end_id).where(payout.c.id == any_(given))
    )
    return {row.id: row.end_to_end_id for row in found}


async def amounts_of(tx: Tx, payout_ids: Sequence[int]) -> dict[int, int]:
    """By payout: its amount."""
    given = literal(list(payout_ids), ARRAY(BigInteger))
    found = await tx.execute(
        select(payout.c.id, payout.c.amount_fen).where(payout.c.id == any_(given))
    )
    return {row.id: row.amount_fen for row in found}


def _texts(values: Sequence[str]) -> Any:
    # One array, however many values: a list of parameters ends at 32,767.
    return literal(list(values), ARRAY(Text))
