"""What others may hear from the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class HoldLapsed(Event):
    """A hold ran out of time, and its money is available again."""

    hold_id: int
    account_id: int
    amount_fen: int
    source_kind: str
    source_id: int
