"""What others may hear of rewards."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class RewardRunApproved(Event):
    """A run was approved: shares are posted and payouts instructed."""

    run_id: int
    year: int
    total_fen: int
