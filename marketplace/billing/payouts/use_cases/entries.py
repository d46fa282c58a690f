"""The journal entries of a payout."""

from __future__ import annotations

from datetime import date

from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.payouts import queries
from marketplace.kernel.db import Tx


async def in_transit(tx: Tx) -> int:
    """The account of payouts that are instructed and not confirmed."""
    return await ledger.open_account(tx, ledger.OpenAccount(type=AccountType.PAYOUT_IN_TRANSIT))


async def on_the_statement(tx: Tx) -> int:
    """The account of statement lines that wait for their explanation."""
    return await ledger.open_account(tx, ledger.OpenAccount(type=AccountType.BANK_SUSPENSE))


def instructed_as(source_kind: str) -> EntryKind:
    """Which entry instructs a payout: a refund is the SME's own money."""
    return EntryKind.WALLET_REFUND if source_kind == "refund" else EntryKind.PAYOUT_INSTRUCTED


def payout_entry(
    of: queries.Payout,
    kind: EntryKind,
    *,
    debit: int,
    credit: int,
    on: date,
    key: str | None = None,
) -> ledger.Entry:
    """An entry over the whole amount; each attempt is instructed once and rejected once."""
    return ledger.Entry(
        kind=kind,
        effective_on=on,
        lines=ledger.transfer(debit=debit, credit=credit, amount_fen=of.amount_fen),
        key=key or f"payout:{of.id}:{of.attempt}:{kind}",
        source_kind="payout",
        source_id=of.id,
    )
