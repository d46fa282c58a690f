"""Finance approves a claim after its notice, which instructs its payout; or takes it back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    OpenAccount,
    ReverseEntry,
    open_account,
    post_entry,
    reverse_entry,
    transfer,
)
from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.payouts.queries import Payout, PayoutSource
from marketplace.billing.payouts.use_cases import (
    InstructPayout,
    WithdrawPayout,
    instruct_payout,
    withdraw_payout,
)
from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import ObjectionsOpen
from marketplace.vouchers.errors import ClaimStateMoved, NothingToClaim, NoticeRunning, SamePerson
from marketplace.vouchers.events import ClaimApproved, ClaimReversed
from marketplace.vouchers.queries import Claim, ClaimPage, claim, claim_page
from marketplace.vouchers.queries.objections import objections_open
from marketplace.vouchers.rules.anomalies import Subject, SubjectKind
from marketplace.vouchers.rules.claims import may_approve_on
from marketplace.vouchers.rules.states import ClaimStatus, RecoverySource
from marketplace.vouchers.use_cases.anomalies import require_unblocked
from marketplace.vouchers.use_cases.claims import require_status
from marketplace.vouchers.use_cases.recoveries import Recover, recover
from marketplace.vouchers.use_cases.returns import recount
from marketplace.vouchers.use_cases.settling_lines import settle_lines

# What a claim's payout names as its source.
CLAIM_SOURCE = "claim"


@dataclass(frozen=True, slots=True)
class ApproveClaim:
    """A person who neither submitted nor audited the claim has its claimant paid."""

    claim_id: int


async def approve_claim(tx: Tx, command: ApproveClaim) -> ClaimPage:
    """Owe what is approved to the claimant, out of the voucher fund, and instruct its payout.

    Lines that are cut give the rest back to the budgets; refused ones may be claimed again as
    often as the terms say. What the claimant owes of earlier claims is kept.

    Raises:
        ClaimStateMoved: when the claim is not in notice.
        NoticeRunning: until the day after the notice's last day.
        AnomaliesBlock: while a blocking anomaly about one of its redemptions is not dismissed.
        ObjectionsOpen: while some wait for their answer.
        SamePerson: when the approver submitted or audited it.
        NothingToClaim: when everything was excluded during the notice.
        PartyBarred: when a sanction bars the claimant.
        InsufficientFunds: when treasury has not sent enough for the vouchers yet.

    Policy: J.22a, J.22b
    """
    found = await claim(tx, command.claim_id, lock=True)
    await _require_approvable(tx, found)
    await settle_lines(tx, found)
    amount_fen = await recount(tx, found.id)
    if not amount_fen:
        raise NothingToClaim("Nothing is left of this claim; refuse it.")
    fund = await open_account(tx, OpenAccount(AccountType.VOUCHER_FUND))
    payable = await open_account(tx, OpenAccount(AccountType.PAYABLE, found.payee_id))
    posted = await post_entry(
        tx,
        Entry(
            kind=EntryKind.CLAIM_APPROVED,
            effective_on=tx.today,
            lines=transfer(debit=fund, credit=payable, amount_fen=amount_fen),
            key=f"claim:{found.id}",
            source_kind=CLAIM_SOURCE,
            source_id=found.id,
            made_by=found.audited_by,
            approved_by=tx.actor.person_id,
        ),
    )
    kept_fen = await recover(
        tx, Recover(found.payee_id, RecoverySource.PAYABLE, amount_fen, claim_id=found.id)
    )
    await tx.execute(
        update(tables.claim)
        .where(tables.claim.c.id == found.id)
        .values(
            status=ClaimStatus.APPROVED if kept_fen < amount_fen else ClaimStatus.PAID,
            approved_by=tx.actor.person_id,
            approved_at=tx.now,
            entry_id=posted.entry_id,
            set_off_fen=kept_fen,
        )
    )
    if kept_fen < amount_fen:
        await instruct_payout(
            tx,
            InstructPayout(
                organisation_id=found.payee_id,
                amount_fen=amount_fen - kept_fen,
                source_kind=CLAIM_SOURCE,
                source_id=found.id,
                debit=AccountType.PAYABLE,
            ),
        )
    tx.record(ClaimApproved(found.id, found.payee_id, amount_fen))
    tx.audit(
        "approve", subject="claim", subject_id=found.id, amount_fen=amount_fen, set_off_fen=kept_fen
    )
    return await claim_page(tx, found.id)


async def _require_approvable(tx: Tx, found: Claim) -> None:
    require_status(found, ClaimStatus.IN_NOTICE)
    if tx.actor.person_id in (found.submitted_by, found.audited_by):
        raise SamePerson("Who submitted or audited a claim does not approve it.")
    assert found.notice_ends_on is not None, "a claim in notice says until when"
    if not may_approve_on(tx.today, found.notice_ends_on):
        raise NoticeRunning(
            f"The public notice runs until the end of {found.notice_ends_on}.",
            limit=found.notice_ends_on.isoformat(),
            asked=tx.today.isoformat(),
        )
    await require_unblocked(tx, Subject(SubjectKind.CLAIM, found.id))
    if waiting := await objections_open(tx, found.id):
        raise ObjectionsOpen(f"{waiting} objections have no answer yet.", waiting=waiting)


@dataclass(frozen=True, slots=True)
class ReverseClaim:
    """Take back an approved claim that was not paid out, with the reason."""

    claim_id: int
    reason: str


async def reverse_claim(tx: Tx, command: ReverseClaim) -> ClaimPage:
    """Withdraw the claim's payout and reverse its entry: the voucher fund has the money again.

    Raises:
        ClaimStateMoved: when the claim is not approved, or part of it was set off.
        SamePerson: when the one who approved it reverses it.
        PayoutNotReady: when the payout is in a batch or with the bank, with what to do first.
        InsufficientFunds: when the bank returned it and a refund has taken it since.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.APPROVED)
    if found.set_off_fen:
        raise ClaimStateMoved(
            "Part of the claim was kept for what its claimant owed; claw it back instead.",
            asked=found.set_off_fen,
        )
    if found.approved_by == tx.actor.person_id:
        raise SamePerson("Another person than the one who approved it takes a claim back.")
    assert found.entry_id is not None, "an approved claim has its entry"
    paying = await _payout_of(tx, found)
    await withdraw_payout(tx, WithdrawPayout(paying.id, command.reason))
    posted = await reverse_entry(
        tx,
        ReverseEntry(
            entry_id=found.entry_id, reason=command.reason, key=f"claim:{found.id}:reversed"
        ),
    )
    await tx.execute(
        update(tables.claim)
        .where(tables.claim.c.id == found.id)
        .values(
            status=ClaimStatus.REVERSED,
            reversed_by=tx.actor.person_id,
            reversed_at=tx.now,
            reversal_entry_id=posted.entry_id,
            reason=command.reason,
        )
    )
    tx.record(ClaimReversed(found.id, found.payee_id, found.amount_fen))
    tx.audit("reverse", subject="claim", subject_id=found.id, reason=command.reason)
    return await claim_page(tx, found.id)


@dataclass(frozen=True, slots=True)
class NotePayment:
    """Something has become of the payout of a claim."""

    claim_id: int


async def note_payment(tx: Tx, command: NotePayment) -> None:
    """Mark an approved claim paid while its payout is confirmed, and unpaid otherwise.

    What the payout is now counts, and not what an event told of it: events may come late, or the
    later one first. A claim that was taken back stays so.
    """
    found = await claim(tx, command.claim_id, lock=True)
    if found.status not in (ClaimStatus.APPROVED, ClaimStatus.PAID):
        return
    if found.set_off_fen == found.amount_fen:
        return
    paid = (await _payout_of(tx, found)).status == "confirmed"
    status = ClaimStatus.PAID if paid else ClaimStatus.APPROVED
    if status != found.status:
        await tx.execute(
            update(tables.claim).where(tables.claim.c.id == found.id).values(status=status)
        )


async def _payout_of(tx: Tx, found: Claim) -> Payout:
    source = PayoutSource(CLAIM_SOURCE, found.id, found.payee_id)
    return await payout_queries.payout_of(tx, source)
