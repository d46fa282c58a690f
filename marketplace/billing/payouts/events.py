"""What others may hear of payouts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class PayoutConfirmed(Event):
    """The bank's statement shows that the money has left."""

    payout_id: int
    organisation_id: int
    source_kind: str
    source_id: int
    amount_fen: int
    booked_on: date


@dataclass(frozen=True, slots=True)
class PayoutReturned(Event):
    """The bank sent the money back; what was owed is owed again."""

    payout_id: int
    organisation_id: int
    source_kind: str
    source_id: int
    amount_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutReopened(Event):
    """A confirmation was a mistake: the payment is sent, and the statement has yet to show it."""

    payout_id: int
    organisation_id: int
    source_kind: str
    source_id: int
    amount_fen: int
    reason: str
