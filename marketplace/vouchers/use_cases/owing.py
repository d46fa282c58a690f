"""A claimant owes money back: what was approved of a claim turned out wrong or was refunded."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    OpenAccount,
    open_account,
    post_entry,
    transfer,
)
from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.events import ClawbackDue
from marketplace.vouchers.rules.states import ClawbackCause, ClawbackStatus

# Who is paid for a claim.
PAYEE = func.coalesce(tables.claim.c.provider_id, tables.claim.c.sme_id)


@dataclass(frozen=True, slots=True)
class OweBack:
    """What a refunded order takes back of an approved line."""

    claim_id: int
    redemption_id: int
    amount_fen: int
    reason: str


async def owe_back(tx: Tx, command: OweBack) -> int:
    """Write down and post what the claimant owes because of a refund; answers with the clawback.

    The refund itself was decided where it was made, by as many persons as that needs.
    """
    payee_id = await tx.scalar(select(PAYEE).where(tables.claim.c.id == command.claim_id))
    clawback_id: int = await tx.scalar(
        insert(tables.clawback)
        .values(
            claim_id=command.claim_id,
            organisation_id=payee_id,
            cause=ClawbackCause.REFUND,
            amount_fen=command.amount_fen,
            reason=command.reason,
            status=ClawbackStatus.PROPOSED,
            proposed_by=tx.actor.person_id,
            proposed_at=tx.now,
        )
        .returning(tables.clawback.c.id)
    )
    await tx.execute(
        insert(tables.clawback_line).values(
            clawback_id=clawback_id,
            claim_id=command.claim_id,
            redemption_id=command.redemption_id,
            amount_fen=command.amount_fen,
        )
    )
    entry_id = await post_owed(tx, clawback_id, payee_id, command.amount_fen, command.reason)
    await tx.execute(
        update(tables.clawback)
        .where(tables.clawback.c.id == clawback_id)
        .values(status=ClawbackStatus.APPROVED, decided_at=tx.now, entry_id=entry_id)
    )
    await note_clawed_back(tx, clawback_id)
    tx.record(ClawbackDue(clawback_id, command.claim_id, payee_id, command.amount_fen))
    return clawback_id


async def post_owed(tx: Tx, clawback_id: int, payee_id: int, amount_fen: int, reason: str) -> int:
    """Post what a claimant owes; the fund has it only once it has come in."""
    receivable = await open_account(tx, OpenAccount(AccountType.CLAWBACK_RECEIVABLE, payee_id))
    pending = await open_account(tx, OpenAccount(AccountType.CLAWBACK_PENDING))
    posted = await post_entry(
        tx,
        Entry(
            kind=EntryKind.CLAIM_CLAWED_BACK,
            effective_on=tx.today,
            lines=transfer(debit=receivable, credit=pending, amount_fen=amount_fen),
            key=f"clawback:{clawback_id}",
            source_kind="clawback",
            source_id=clawback_id,
            remark=reason[:500],
        ),
    )
    return posted.entry_id


async def note_clawed_back(tx: Tx, clawback_id: int) -> None:
    """Count a clawback's lines against what was approved of them.

    Raises:
        ClawbackExceedsLine: when more is clawed back of a line than was approved of it.
    """
    line, back = tables.claim_line, tables.clawback_line
    await tx.execute(
        update(line)
        .where(
            line.c.claim_id == back.c.claim_id,
            line.c.redemption_id == back.c.redemption_id,
            back.c.clawback_id == clawback_id,
        )
        .values(clawed_back_fen=line.c.clawed_back_fen + back.c.amount_fen)
    )
