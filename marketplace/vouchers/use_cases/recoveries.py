"""What claimants owe of clawed-back claims comes in: set off, or taken from what they paid in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select

from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    Line,
    OpenAccount,
    open_accounts,
    post_entry,
)
from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import NothingOwed
from marketplace.vouchers.rules.clawbacks import Owed, oldest_first
from marketplace.vouchers.rules.states import RecoverySource

ACCOUNTS = {
    RecoverySource.PAYABLE: AccountType.PAYABLE,
    RecoverySource.WALLET: AccountType.WALLET,
}


@dataclass(frozen=True, slots=True)
class Recover:
    """Take up to `at_most_fen` of what lies with a claimant for what it owes, the oldest first."""

    organisation_id: int
    source: RecoverySource
    at_most_fen: int
    claim_id: int | None = None


async def recover(tx: Tx, command: Recover) -> int:
    """Set off what a claimant owes; answers with how much it came to."""
    table = tables.clawback
    rows = await tx.execute(
        select(table.c.id, table.c.amount_fen, table.c.recovered_fen)
        .where(
            table.c.organisation_id == command.organisation_id,
            table.c.status == "approved",
            table.c.recovered_fen < table.c.amount_fen,
        )
        .order_by(table.c.id)
        .with_for_update()
    )
    due = [Owed(row.id, row.amount_fen - row.recovered_fen) for row in rows]
    taken = oldest_first(due, command.at_most_fen)
    for each in taken:
        await _take(tx, command, each)
    return sum(each.amount_fen for each in taken)


async def _take(tx: Tx, command: Recover, taken: Owed) -> None:
    source, pending, receivable, fund = await open_accounts(
        tx,
        [
            OpenAccount(ACCOUNTS[command.source], command.organisation_id),
            OpenAccount(AccountType.CLAWBACK_PENDING),
            OpenAccount(AccountType.CLAWBACK_RECEIVABLE, command.organisation_id),
            OpenAccount(AccountType.VOUCHER_FUND),
        ],
    )
    recovered_before = await tx.scalar(
        select(tables.clawback.c.recovered_fen).where(tables.clawback.c.id == taken.clawback_id)
    )
    amount_fen = taken.amount_fen
    posted = await post_entry(
        tx,
        Entry(
            kind=EntryKind.CLAWBACK_RECOVERED,
            effective_on=tx.today,
            lines=(
                Line(account_id=source, amount_fen=amount_fen),
                Line(account_id=pending, amount_fen=amount_fen),
                Line(account_id=receivable, amount_fen=-amount_fen),
                Line(account_id=fund, amount_fen=-amount_fen),
            ),
            key=f"clawback:{taken.clawback_id}:recovered:{recovered_before}",
            source_kind="clawback",
            source_id=taken.clawback_id,
        ),
    )
    await tx.execute(
        insert(tables.clawback_recovery).values(
            clawback_id=taken.clawback_id,
            amount_fen=amount_fen,
            source=command.source,
            claim_id=command.claim_id,
            entry_id=posted.entry_id,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
    )
    tx.audit(
        "recover",
        subject="clawback",
        subject_id=taken.clawback_id,
        amount_fen=amount_fen,
        source=command.source,
    )


@dataclass(frozen=True, slots=True)
class SetOff:
    """Take what an organisation owes from its balance or from the wallet it paid into."""

    organisation_id: int
    source: RecoverySource


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was set off, and what is still owed."""

    organisation_id: int
    recovered_fen: int
    owed_fen: int


async def set_off(tx: Tx, command: SetOff) -> Recovered:
    """Set off as much as is there of what the organisation owes.

    Raises:
        NothingOwed: when it owes nothing, or nothing lies there.
    """
    there = await _available(tx, ACCOUNTS[command.source], command.organisation_id)
    taken = await recover(tx, Recover(command.organisation_id, command.source, there))
    if not taken:
        raise NothingOwed("Nothing is owed, or nothing lies there to take it from.", limit=there)
    owed = await _available(tx, AccountType.CLAWBACK_RECEIVABLE, command.organisation_id)
    return Recovered(command.organisation_id, taken, owed)


async def _available(tx: Tx, account_type: AccountType, organisation_id: int) -> int:
    found = await ledger_queries.balances_of(tx, account_type, [organisation_id])
    return found[organisation_id].available_fen if organisation_id in found else 0
