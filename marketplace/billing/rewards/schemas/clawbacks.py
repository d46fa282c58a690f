"""What the API takes and answers about clawbacks of rewards."""

from __future__ import annotations

from datetime import datetime

import msgspec

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.rules.states import ClawbackStatus, RecoverySource
from marketplace.billing.rewards.use_cases import (
    DecideClawback,
    ProposeClawback,
    RecoverClawback,
)
from marketplace.kernel.wire import Id, In, Out, Why, Year


class ClawbackIn(In):
    """Of whom a closed year's difference is asked back, and why."""

    legal_entity_id: Id
    year: Year
    reason: Why

    def to_command(self) -> ProposeClawback:
        """The clawback that is proposed."""
        return ProposeClawback(self.legal_entity_id, self.year, self.reason)


class AgreementIn(In):
    """Whether a second person agrees, and why."""

    agreed: bool
    reason: Why

    def to_command(self, clawback_id: int) -> DecideClawback:
        """The decision that is taken."""
        return DecideClawback(clawback_id, self.agreed, self.reason)


class RecoveryIn(In):
    """From whom, and from where, what is owed is taken."""

    provider_id: Id
    source: RecoverySource

    def to_command(self, clawback_id: int) -> RecoverClawback:
        """What is to be taken."""
        return RecoverClawback(clawback_id, self.provider_id, self.source)


class RewardClawbackOut(Out):
    """What of a closed year is asked back: what was paid, what is due, what has come in."""

    id: int
    legal_entity_id: int
    name: str
    name_en: str
    year: int
    paid_fen: int
    due_fen: int
    amount_fen: int
    recovered_fen: int
    reason: str
    status: ClawbackStatus
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision: str

    @classmethod
    def of(cls, row: queries.Clawback) -> RewardClawbackOut:
        """The wire form of a clawback."""
        return msgspec.convert(row, cls, from_attributes=True)


class RewardClawbackLineOut(Out):
    """What of it a provider gives back."""

    provider_id: int
    amount_fen: int
    recovered_fen: int


class RewardRecoveryOut(Out):
    """What has come in of it."""

    id: int
    provider_id: int
    amount_fen: int
    source: RecoverySource
    entry_id: int
    made_by: int
    made_at: datetime


class OneRewardClawbackOut(Out):
    """A clawback with its lines and what has come in."""

    clawback: RewardClawbackOut
    lines: list[RewardClawbackLineOut]
    recoveries: list[RewardRecoveryOut]

    @classmethod
    def of(cls, found: queries.OneClawback) -> OneRewardClawbackOut:
        """The wire form of one clawback."""
        return msgspec.convert(found, cls, from_attributes=True)


class OverpaidOut(Out):
    """A legal entity that was paid more than its closed year comes to."""

    legal_entity_id: int
    name: str
    name_en: str
    paid_fen: int
    due_fen: int

    @classmethod
    def of(cls, row: queries.Overpaid) -> OverpaidOut:
        """The wire form of an overpaid entity."""
        return msgspec.convert(row, cls, from_attributes=True)
