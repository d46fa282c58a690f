"""Payees with verified accounts and money that is owed to them; payouts on their way."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from marketplace.billing.ledger.queries import AccountType, trial_balance
from marketplace.billing.payouts import queries
from marketplace.billing.payouts.use_cases import (
    BatchStep,
    DraftBatch,
    InstructPayout,
    RegisterBankAccount,
    VerifyBankAccount,
    approve_batch,
    draft_batch,
    instruct_payout,
    register_bank_account,
    send_batch,
    verify_bank_account,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.parties.roles import Role
from tests.builders.ledger import TEST, a_posted_entry, an_account
from tests.builders.parties import a_centre, a_provider, an_actor

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Centre:
    """Three people of finance: one prepares, two check."""

    maker: Actor
    checker: Actor
    other_maker: Actor


async def a_finance_team(database: Database) -> Centre:
    """People of one centre."""
    centre_id = await a_centre(database)
    maker, checker, other = [
        await an_actor(database, role, organisation_id=centre_id)
        for role in (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_MAKER)
    ]
    return Centre(maker, checker, other)


def a_number() -> str:
    """The number of a bank account, another one on each call."""
    return f"6222{next(_numbers):012d}"


async def a_bank_account(
    database: Database,
    *,
    owner: Actor | None = None,
    verified_by: Actor | None = TEST,
    **changes: Any,
) -> queries.BankAccount:
    """An account of the owner's organisation; not verified when nobody is named."""
    owner = owner or await an_actor(database, Role.PROVIDER_MANAGER)
    asked: dict[str, Any] = {
        "bank_name": "示例银行南京分行",
        "cnaps": "105301000013",
        "number": a_number(),
        "holder": "示例大学",
    }
    command = RegisterBankAccount(**(asked | changes))
    made = await atomically(database, register_bank_account, command, actor=owner)
    if verified_by is None:
        return made
    verify = VerifyBankAccount(made.id)
    return await atomically(database, verify_bank_account, verify, actor=verified_by)


async def a_payee(database: Database, *, verified: bool = True) -> int:
    """A provider that is paid to a verified account."""
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    await a_bank_account(database, owner=manager, verified_by=TEST if verified else None)
    return provider_id


async def money_owed(database: Database, *, provider_id: int, amount_fen: int) -> int:
    """The provider's payable account, with that much more on it, out of the bank."""
    payable = await an_account(database, AccountType.PAYABLE, provider_id)
    bank = await an_account(database, AccountType.BANK)
    await a_posted_entry(database, debit=bank, credit=payable, amount_fen=amount_fen)
    return payable


async def a_payout(
    database: Database,
    *,
    organisation_id: int | None = None,
    amount_fen: int = 120_000,
    actor: Actor = TEST,
    **changes: Any,
) -> queries.Payout:
    """An instructed payout of what a provider is owed."""
    organisation_id = organisation_id or await a_payee(database)
    await money_owed(database, provider_id=organisation_id, amount_fen=amount_fen)
    asked: dict[str, Any] = {
        "organisation_id": organisation_id,
        "amount_fen": amount_fen,
        "source_kind": "claim",
        "source_id": next(_numbers),
        "debit": AccountType.PAYABLE,
    }
    command = InstructPayout(**(asked | changes))
    return await atomically(database, instruct_payout, command, actor=actor)


async def a_sent_batch(database: Database, *, centre: Centre) -> int:
    """Everything that waits, drafted, approved and sent."""
    drafted = await atomically(database, draft_batch, DraftBatch(), actor=centre.maker)
    step = BatchStep(drafted.id)
    await atomically(database, approve_batch, step, actor=centre.checker)
    await atomically(database, send_batch, step, actor=centre.maker)
    return drafted.id


async def a_sent_payout(
    database: Database, *, centre: Centre | None = None, **changes: Any
) -> queries.Payout:
    """A payout that the bank was sent."""
    made = await a_payout(database, **changes)
    await a_sent_batch(database, centre=centre or await a_finance_team(database))
    return await the_payout(database, made.id)


async def the_payout(database: Database, payout_id: int) -> queries.Payout:
    """A payout as it stands."""
    return await atomically(database, queries.payout_by_id, payout_id, actor=TEST)


async def the_books(database: Database) -> dict[str, int]:
    """What lies on each type of account of the cash ledger, debit positive, zeros left out."""
    ask: Callable[[Tx, date], Awaitable[Any]] = trial_balance
    lines = await atomically(database, ask, date(2100, 12, 31), actor=TEST)
    return {line.type: line.balance_fen for line in lines if line.balance_fen}
