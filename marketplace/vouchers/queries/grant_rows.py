"""Rows of applications' documents and approvals, of facts, and of changes of grants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class ApplicationDocument:
    """A document of an application."""

    id: int
    application_id: int
    kind: str
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime
    removed_by: int | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's approval of an application, in one of its rounds."""

    id: int
    application_id: int
    round: int
    person_id: int
    amount_fen: int
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class BeneficiaryFact:
    """Something of a beneficiary beyond its profile, and whether it is verified."""

    id: int
    organisation_id: int
    kind: str
    name: str
    number: int | None
    starts_on: date
    ends_on: date | None
    source: str
    stated_by: int
    stated_at: datetime
    status: str
    decided_by: int | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class GrantChange:
    """What became of a grant: topped up, unused quota withdrawn, revoked."""

    id: int
    grant_id: int
    kind: str
    status: str
    amount_fen: int
    reason: str
    application_id: int | None
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision: str
