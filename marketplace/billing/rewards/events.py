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


@dataclass(frozen=True, slots=True)
class RewardRunPublished(Event):
    """A run is in public notice; whoever reads it may object through the last day."""

    run_id: int
    year: int
    total_fen: int
    notice_ends_on: str


@dataclass(frozen=True, slots=True)
class RewardUseReportDue(Event):
    """A reward was paid: its provider owes a report on how it is used."""

    report_id: int
    run_id: int
    provider_id: int
    amount_fen: int
    due_on: str


@dataclass(frozen=True, slots=True)
class RewardUseReportReminded(Event):
    """A provider was reminded of a report, so many days after it was due (before if negative)."""

    report_id: int
    provider_id: int
    step_days: int
    due_on: str


@dataclass(frozen=True, slots=True)
class RewardUseReportDecided(Event):
    """An officer accepted a report, or returned it to be corrected."""

    report_id: int
    provider_id: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class RewardClawbackDue(Event):
    """A legal entity owes back what it was paid too much for a closed year."""

    clawback_id: int
    legal_entity_id: int
    year: int
    amount_fen: int
