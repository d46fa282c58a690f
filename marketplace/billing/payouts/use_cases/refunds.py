"""Refunds of wallets: an SME asks for unspent money, and another person agrees to pay it out."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import (
    OwnRefund,
    RefundMissing,
    RefundNotReady,
    RefundUnpayable,
)
from marketplace.billing.payouts.tables import wallet_refund
from marketplace.billing.payouts.use_cases.instructions import InstructPayout, instruct_payout
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class AskRefund:
    """Pay this much of the own wallet back to the own bank account."""

    amount_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class DecideRefund:
    """Agree to a refund, or refuse it, with the reason."""

    refund_id: int
    because: str


async def ask_refund(tx: Tx, command: AskRefund) -> queries.WalletRefund:
    """Ask for unspent money back; it is held until somebody decides, and not spent meanwhile.

    Raises:
        RefundUnpayable: when the organisation has no verified bank account.
        RefundNotReady: when another refund was asked for in the same moment.
        InsufficientFunds: when less is unspent.
    """
    organisation_id = tx.actor.organisation_id
    accounts = await queries.bank_accounts(tx, organisation_id)
    if not any(one.verified_at and not one.closed_at for one in accounts):
        raise RefundUnpayable("Register a bank account and have it verified first.")
    before = await tx.scalar(
        select(func.count()).where(wallet_refund.c.organisation_id == organisation_id)
    )
    wallet = await ledger.open_account(tx, ledger.OpenAccount(AccountType.WALLET, organisation_id))
    hold_id = await ledger.place_hold(
        tx,
        ledger.PlaceHold(
            account_id=wallet,
            amount_fen=command.amount_fen,
            expires_at=None,
            key=f"wallet-refund:{organisation_id}:{before + 1}",
            source_kind="wallet",
            source_id=organisation_id,
        ),
    )
    asked = await tx.one(
        queries.WalletRefund,
        insert(wallet_refund)
        .values(
            organisation_id=organisation_id,
            amount_fen=command.amount_fen,
            reason=command.reason,
            status="asked",
            hold_id=hold_id,
            asked_by=tx.actor.person_id,
            asked_at=tx.now,
        )
        .returning(*queries.REFUND_COLUMNS),
    )
    tx.audit("ask", subject="wallet_refund", subject_id=asked.id, amount_fen=asked.amount_fen)
    return asked


async def approve_refund(tx: Tx, command: DecideRefund) -> queries.WalletRefund:
    """Agree: the money leaves the wallet, and waits for the next batch.

    Raises:
        RefundMissing: when there is no such refund.
        RefundNotReady: when it was decided or withdrawn.
        OwnRefund: for the person who asked.
    """
    asked = await _asked(tx, command.refund_id)
    await ledger.release_hold(tx, ledger.ReleaseHold(asked.hold_id))
    paid = await instruct_payout(
        tx,
        InstructPayout(
            organisation_id=asked.organisation_id,
            amount_fen=asked.amount_fen,
            source_kind="refund",
            source_id=asked.id,
            debit=AccountType.WALLET,
        ),
    )
    return await _decided(tx, asked, "approved", command.because, payout_id=paid.id)


async def refuse_refund(tx: Tx, command: DecideRefund) -> queries.WalletRefund:
    """Refuse: the money may be spent again.

    Raises:
        RefundMissing: when there is no such refund.
        RefundNotReady: when it was decided or withdrawn.
        OwnRefund: for the person who asked.
    """
    asked = await _asked(tx, command.refund_id)
    await ledger.release_hold(tx, ledger.ReleaseHold(asked.hold_id))
    return await _decided(tx, asked, "refused", command.because)


async def withdraw_refund(tx: Tx, command: DecideRefund) -> queries.WalletRefund:
    """Give the own request up; the money may be spent again.

    Raises:
        RefundMissing: when there is none of the caller's organisation.
        RefundNotReady: when it was decided or withdrawn.
    """
    asked = await _asked(tx, command.refund_id, own=True)
    await ledger.release_hold(tx, ledger.ReleaseHold(asked.hold_id))
    return await _decided(tx, asked, "withdrawn", command.because)


async def _asked(tx: Tx, refund_id: int, *, own: bool = False) -> queries.WalletRefund:
    """A refund that waits, locked for whoever decides."""
    wanted = [wallet_refund.c.id == refund_id]
    if own:
        wanted.append(wallet_refund.c.organisation_id == tx.actor.organisation_id)
    asked = await tx.one(
        queries.WalletRefund,
        select(*queries.REFUND_COLUMNS).where(*wanted).with_for_update(),
        missing=RefundMissing,
    )
    if asked.status != "asked":
        raise RefundNotReady(f"The refund is {asked.status}.", asked=asked.status, limit="asked")
    if not own and asked.asked_by == tx.actor.person_id:
        raise OwnRefund()
    return asked


async def _decided(
    tx: Tx,
    asked: queries.WalletRefund,
    status: str,
    because: str,
    payout_id: int | None = None,
) -> queries.WalletRefund:
    decided = await tx.one(
        queries.WalletRefund,
        update(wallet_refund)
        .where(wallet_refund.c.id == asked.id)
        .values(
            status=status,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            decided_because=because,
            payout_id=payout_id,
        )
        .returning(*queries.REFUND_COLUMNS),
    )
    tx.audit(
        status, subject="wallet_refund", subject_id=asked.id, fen=asked.amount_fen, because=because
    )
    return decided
