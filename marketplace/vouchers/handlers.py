"""What vouchers do when they hear of something."""

from __future__ import annotations

from marketplace.billing.payouts.events import PayoutConfirmed, PayoutReturned
from marketplace.kernel.db import Tx
from marketplace.kernel.outbox import Handlers
from marketplace.vouchers.use_cases import NotePayment, note_payment

CLAIM = "claim"


async def note_claim_paid(tx: Tx, event: PayoutConfirmed) -> None:
    """A payout of a claim has left the bank: the claim is paid."""
    if event.source_kind == CLAIM:
        await note_payment(tx, NotePayment(event.source_id, paid=True))


async def note_claim_returned(tx: Tx, event: PayoutReturned) -> None:
    """The bank sent a claim's money back: the claim is approved and unpaid again."""
    if event.source_kind == CLAIM:
        await note_payment(tx, NotePayment(event.source_id, paid=False))


HANDLERS: Handlers = {
    PayoutConfirmed: [note_claim_paid],
    PayoutReturned: [note_claim_returned],
}
