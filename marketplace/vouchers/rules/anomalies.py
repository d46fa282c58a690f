"""Anomalies: what the detectors may find, what it is about, and what becomes of it.

Policy: J.22b, J.31
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Counted up whenever a rule of a detector changes: each anomaly names the one that found it.
DETECTOR_VERSION = 2


class AnomalyKind(StrEnum):
    """What is unusual."""

    AFFILIATED_PARTIES = "affiliated-parties"
    DUPLICATE_CONTRACT = "duplicate-contract"
    DUPLICATE_INVOICE = "duplicate-invoice"
    DUPLICATE_PAYMENT_PROOF = "duplicate-payment-proof"
    DUPLICATE_RESULT = "duplicate-result"
    SPLIT_ORDERS = "split-orders"
    CIRCULAR_TRADE = "circular-trade"
    PRICE_ABOVE_LIST = "price-above-list"
    PRICE_OUTLIER = "price-outlier"
    SESSION_IMPOSSIBLE = "session-impossible"
    OPERATOR_OVERLAP = "operator-overlap"
    HOURS_ABOVE_OPENING = "hours-above-opening"
    RESULT_BEFORE_SAMPLES = "result-before-samples"
    BURST_BEFORE_EXPIRY = "burst-before-expiry"
    SETTLED_NO_SHOW = "settled-no-show"
    SHARED_IDENTITY = "shared-identity"


class AnomalySeverity(StrEnum):
    """What an anomaly does while nobody has dismissed it."""

    NOTICE = "notice"
    """It is listed."""
    WARNING = "warning"
    """A person should look at it."""
    BLOCKING = "blocking"
    """Nothing is granted, claimed or paid on it."""


class AnomalyStatus(StrEnum):
    """Where the decision about an anomaly stands."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    NEEDS_INFORMATION = "needs_information"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


UNDECIDED = (AnomalyStatus.OPEN, AnomalyStatus.IN_REVIEW, AnomalyStatus.NEEDS_INFORMATION)


class SubjectKind(StrEnum):
    """What an anomaly can be about."""

    ORDER = "order"
    REDEMPTION = "redemption"
    CLAIM = "claim"
    GRANT = "grant"
    APPLICATION = "application"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One thing that an anomaly is about."""

    kind: SubjectKind
    id: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector found.

    `key` says what it is: the same thing found again is the same anomaly. `proof` is what a
    decision rests on: only when it changes, a dismissed anomaly is opened again. `facts` are what
    a person reads beside it.
    """

    kind: AnomalyKind
    key: tuple[str | int, ...]
    summary: str
    proof: tuple[Any, ...]
    subjects: frozenset[Subject]
    facts: tuple[dict[str, Any], ...] = ()
    certain: bool = True
    """Whether it rests on equality; what is merely similar never blocks."""

    @property
    def fingerprint(self) -> str:
        """One for one thing, however often it is found."""
        return _digest([str(self.kind), *self.key])

    @property
    def proof_sha256(self) -> str:
        """The digest of what a decision rests on."""
        return _digest(list(self.proof))


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def severity_of(finding: Finding, severities: Mapping[Any, str]) -> AnomalySeverity:
    """What the finding does by the province's terms; what is only similar does not block."""
    given = AnomalySeverity(severities.get(str(finding.kind), AnomalySeverity.WARNING))
    if given is AnomalySeverity.BLOCKING and not finding.certain:
        return AnomalySeverity.WARNING
    return given


def subjects_of(rows: Iterable[Service]) -> frozenset[Subject]:
    """Everything that services are about: orders, redemptions, claims, grants, both parties."""
    found: set[Subject] = set()
    for row in rows:
        found |= {
            Subject(SubjectKind.ORDER, row.order_id),
            Subject(SubjectKind.REDEMPTION, row.redemption_id),
            Subject(SubjectKind.GRANT, row.grant_id),
            Subject(SubjectKind.ORGANISATION, row.buyer_id),
            Subject(SubjectKind.ORGANISATION, row.provider_id),
        }
        if row.claim_id is not None:
            found.add(Subject(SubjectKind.CLAIM, row.claim_id))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Service:
    """A service that a voucher paid for: whose it is."""

    order_id: int
    redemption_id: int
    grant_id: int
    claim_id: int | None
    buyer_id: int
    provider_id: int


def severity_blocks(severity: str, status: str) -> bool:
    """Whether an anomaly stands in the way: until it is dismissed."""
    return severity == AnomalySeverity.BLOCKING and status != AnomalyStatus.DISMISSED


def reopened(status: str) -> bool:
    """Whether new evidence opens the question again: not what was confirmed, it stays confirmed."""
    return status in (AnomalyStatus.DISMISSED, AnomalyStatus.NEEDS_INFORMATION)
