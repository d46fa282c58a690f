"""What vouchers do when they hear of something."""

from __future__ import annotations

from marketplace.billing.payouts.events import PayoutConfirmed, PayoutReopened, PayoutReturned
from marketplace.kernel.db import Tx
from marketplace.kernel.outbox import Handlers
from marketplace.vouchers.events import ClaimSubmitted
from marketplace.vouchers.use_cases import CLAIM_SOURCE, NotePayment, note_payment
from marketplace.vouchers.use_cases.guards import RunDetectors, run_detectors


async def note_claim_paid(tx: Tx, event: PayoutConfirmed) -> None:
    """A payout of a claim has left the bank: the claim is paid."""
    if event.source_kind == CLAIM_SOURCE:
        await note_payment(tx, NotePayment(event.source_id))


async def note_claim_returned(tx: Tx, event: PayoutReturned) -> None:
    """The bank sent a claim's money back: the claim is approved and unpaid again."""
    if event.source_kind == CLAIM_SOURCE:
        await note_payment(tx, NotePayment(event.source_id))


async def note_claim_reopened(tx: Tx, event: PayoutReopened) -> None:
    """The payment on the statement was another one: the claim is approved and unpaid again."""
    if event.source_kind == CLAIM_SOURCE:
        await note_payment(tx, NotePayment(event.source_id))


async def look_at_claim(tx: Tx, event: ClaimSubmitted) -> None:
    """A claim was submitted: what is unusual about it lies ready for its audit."""
    await run_detectors(tx, RunDetectors(claim_id=event.claim_id))


HANDLERS: Handlers = {
    ClaimSubmitted: [look_at_claim],
    PayoutConfirmed: [note_claim_paid],
    PayoutReturned: [note_claim_returned],
    PayoutReopened: [note_claim_reopened],
}
