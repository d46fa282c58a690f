"""Where an organisation is paid: registered by one person, verified by another."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import (
    BankAccountClosed,
    BankAccountMissing,
    OwnBankAccount,
)
from marketplace.billing.payouts.tables import bank_account
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class RegisterBankAccount:
    """The account of the caller's own organisation."""

    bank_name: str
    cnaps: str
    number: str
    holder: str


@dataclass(frozen=True, slots=True)
class VerifyBankAccount:
    """Somebody else has compared the account with the organisation's papers."""

    account_id: int


@dataclass(frozen=True, slots=True)
class CloseBankAccount:
    """No more money goes there."""

    account_id: int


async def register_bank_account(tx: Tx, command: RegisterBankAccount) -> queries.BankAccount:
    """Register where the caller's organisation is paid; nothing is paid before verification."""
    made = await tx.one(
        queries.BankAccount,
        insert(bank_account)
        .values(
            organisation_id=tx.actor.organisation_id,
            bank_name=command.bank_name,
            cnaps=command.cnaps,
            number=command.number,
            holder=command.holder,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(bank_account),
    )
    tx.audit(
        "register",
        subject="bank_account",
        subject_id=made.id,
        organisation_id=made.organisation_id,
        number_ends=made.number[-4:],
    )
    return made


async def verify_bank_account(tx: Tx, command: VerifyBankAccount) -> queries.BankAccount:
    """Let money go to this account.

    Raises:
        BankAccountMissing: when there is none.
        OwnBankAccount: for the person who registered it.
        BankAccountClosed: when it was closed.
        BankAccountVerifiedAlready: when the organisation has another verified account.
    """
    found = await queries.bank_account_by_id(tx, command.account_id)
    if found.made_by == tx.actor.person_id:
        raise OwnBankAccount()
    if found.closed_at is not None:
        raise BankAccountClosed()
    if found.verified_at is not None:
        return found
    verified = await tx.one(
        queries.BankAccount,
        update(bank_account)
        .where(bank_account.c.id == found.id, bank_account.c.closed_at.is_(None))
        .values(verified_by=tx.actor.person_id, verified_at=tx.now)
        .returning(bank_account),
        missing=BankAccountClosed,
    )
    tx.audit("verify", subject="bank_account", subject_id=found.id)
    return verified


async def close_bank_account(tx: Tx, command: CloseBankAccount) -> queries.BankAccount:
    """Stop paying to an account; payouts that wait get the next verified one.

    Raises:
        BankAccountMissing: when there is none, or not one of the caller's organisation.
    """
    closed = await tx.one(
        queries.BankAccount,
        update(bank_account)
        .where(
            bank_account.c.id == command.account_id,
            bank_account.c.organisation_id == tx.actor.organisation_id,
            bank_account.c.closed_at.is_(None),
        )
        .values(closed_at=tx.now)
        .returning(bank_account),
        missing=BankAccountMissing,
    )
    tx.audit("close", subject="bank_account", subject_id=closed.id)
    return closed
