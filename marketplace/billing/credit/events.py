"""What others may hear about credit."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class CreditGranted(Event):
    """A provider lets a buyer order on account, by these terms from now on."""

    line_id: int
    provider_id: int
    buyer_id: int
    terms_id: int
    limit_fen: int


@dataclass(frozen=True, slots=True)
class CreditEnded(Event):
    """A buyer orders nothing more on account from this provider; what it owes stays due."""

    line_id: int
    provider_id: int
    buyer_id: int


@dataclass(frozen=True, slots=True)
class ReceivableReminded(Event):
    """A buyer was reminded of what it owes, `step_days` after the due day (before if negative)."""

    receivable_id: int
    line_id: int
    provider_id: int
    buyer_id: int
    order_id: int
    step_days: int
    owed_fen: int
    due_on: str


@dataclass(frozen=True, slots=True)
class CreditPaid(Event):
    """A buyer paid what it owed, or a part of it; the oldest first."""

    receipt_id: int
    line_id: int
    provider_id: int
    buyer_id: int
    amount_fen: int
