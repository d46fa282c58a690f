"""Withdrawing a payout for good: what it is for turned out wrong before any money left."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import PayoutMissing, PayoutNotReady
from marketplace.billing.payouts.tables import payout
from marketplace.billing.payouts.use_cases.entries import instructed_as
from marketplace.kernel.db import Tx

# What to do instead, by what has become of the payout.
_INSTEAD = {
    "batched": "It is in a batch; discard the batch first.",
    "sent": "The bank was sent it; wait until the bank has refused or returned it.",
    "confirmed": "The bank has paid it; wait until the bank has returned it.",
    "withdrawn": "It was withdrawn before.",
}


@dataclass(frozen=True, slots=True)
class WithdrawPayout:
    """Never pay this payout, with the reason; at most 500 characters."""

    payout_id: int
    reason: str


async def withdraw_payout(tx: Tx, command: WithdrawPayout) -> queries.Payout:
    """Withdraw a payout that is not with the bank: its amount is owed again, its source used up.

    What was instructed comes back from transit by the reversal of its entry. What the bank has
    returned is owed already, so that nothing is posted.

    Raises:
        PayoutMissing: when there is no such payout.
        PayoutNotReady: when it is in a batch, sent, confirmed or withdrawn.
    """
    # Locked, so that no batch takes it and nothing returns it between this look and the step.
    before = await tx.one(
        queries.Payout,
        select(payout).where(payout.c.id == command.payout_id).with_for_update(),
        missing=PayoutMissing,
    )
    if before.status in _INSTEAD:
        raise PayoutNotReady(
            _INSTEAD[before.status], asked=before.status, limit=["instructed", "returned"]
        )
    if before.status == "instructed":
        await _take_out_of_transit(tx, before, command.reason)
    withdrawn = await tx.one(
        queries.Payout,
        update(payout)
        .where(payout.c.id == before.id)
        .values(
            status="withdrawn",
            withdrawn_by=tx.actor.person_id,
            withdrawn_at=tx.now,
            withdrawal_reason=command.reason,
        )
        .returning(payout),
    )
    tx.audit("withdraw", subject="payout", subject_id=before.id, reason=command.reason)
    return withdrawn


async def _take_out_of_transit(tx: Tx, of: queries.Payout, reason: str) -> None:
    instructions, _ = await ledger_queries.entries(
        tx,
        ledger_queries.EntrySearch(
            kind=instructed_as(of.source_kind), source_kind="payout", source_id=of.id, page_size=1
        ),
    )
    # The latest: earlier attempts were rejected or returned, and have their own entries.
    (instructed,) = instructions
    await ledger.reverse_entry(
        tx,
        ledger.ReverseEntry(
            entry_id=instructed.id,
            reason=reason,
            key=f"payout:{of.id}:{of.attempt}:payout_withdrawn",
        ),
    )
