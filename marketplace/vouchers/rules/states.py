"""The states of programmes, applications, grants, holds, claims and spot checks."""

from enum import StrEnum


class ProgrammeStatus(StrEnum):
    """A programme spends nothing before a second person has approved it."""

    DRAFT = "draft"
    """Drafted by one officer; no money moves."""
    OPEN = "open"
    """Approved; its budget is in the ledger and SMEs may apply on its days."""
    CLOSED = "closed"
    """No more applications; grants already made go on until their last day."""


class ApplicationStatus(StrEnum):
    """What became of an SME's application."""

    SUBMITTED = "submitted"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class GrantStatus(StrEnum):
    """Whether a grant can pay."""

    ACTIVE = "active"
    EXHAUSTED = "exhausted"
    """Used to the last fen."""
    EXPIRED = "expired"
    """Past its last day; what was left went back to the budget."""
    REVOKED = "revoked"


class HoldStatus(StrEnum):
    """What became of the money kept aside for an order."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"


class ClaimStatus(StrEnum):
    """How far a claim has come."""

    DRAFT = "draft"
    """The provider gathers redemptions and evidence."""
    SUBMITTED = "submitted"
    """Complete; waits for the voucher officer."""
    AUDITED = "audited"
    """Audit begun: the spot checks are drawn and being made."""
    IN_NOTICE = "in_notice"
    """Public, so that anybody may object."""
    APPROVED = "approved"
    """The provider's payout is instructed."""
    PAID = "paid"
    """The bank has paid it."""
    REFUSED = "refused"
    """Ended without money; its redemptions may be claimed again unless they were excluded."""
    REVERSED = "reversed"
    """Approved by mistake and taken back before it was paid."""


class SpotCheckResult(StrEnum):
    """What a spot check found."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"


class EvidenceKind(StrEnum):
    """What a piece of evidence proves."""

    CONTRACT = "contract"
    INVOICE = "invoice"
    PAYMENT_PROOF = "payment-proof"
    RESULT = "result"
    USAGE_LOG = "usage-log"
