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

    DRAFT = "draft"
    """The SME gathers the documents that the programme asks for."""
    SUBMITTED = "submitted"
    """Waits for a decision, or for the second person's."""
    RETURNED = "returned"
    """Sent back to be amended, with the reason."""
    WAITING = "waiting"
    """The budget is used up; it waits in line for money that others free."""
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """The programme closed before its turn came."""


class GrantStatus(StrEnum):
    """Whether a grant can pay."""

    ACTIVE = "active"
    EXHAUSTED = "exhausted"
    """Used to the last fen."""
    EXPIRED = "expired"
    """Past its last day; what was left went back to the budget."""
    REVOKED = "revoked"


class GrantChangeKind(StrEnum):
    """What can become of a grant."""

    TOP_UP = "top_up"
    WITHDRAWAL = "withdrawal"
    """The centre takes unused quota back."""
    REVOCATION = "revocation"
    """The grant ends; what is left goes back, and what orders hold follows as it is freed."""


class GrantChangeStatus(StrEnum):
    """How far a change of a grant has come."""

    PROPOSED = "proposed"
    DONE = "done"
    DECLINED = "declined"


class FactKind(StrEnum):
    """What can be verified of a beneficiary."""

    CERTIFICATE = "certificate"
    CAPITAL = "capital"
    """Registered capital, in fen."""
    FOUNDED = "founded"
    """Founded on its first day."""
    INCUBATED = "incubated"
    """In an incubator since its first day."""
    TEAM = "team"
    """A team of so many core members."""


class FactStatus(StrEnum):
    """Whether a fact counts."""

    STATED = "stated"
    VERIFIED = "verified"
    REJECTED = "rejected"
    ENDED = "ended"


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
    WITHDRAWN = "withdrawn"
    """Taken back by its claimant before it was approved; its redemptions may be claimed again."""


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
    PROVIDER_QUALIFICATION = "provider-qualification"
    """Its licence, accreditation or certificate: one paper for all that it serves."""
    SERVICE_CONFIRMATION = "service-confirmation"
    """Who ordered and who served confirm online that the service was done."""
    SERVICE_RATING = "service-rating"


class ReturnCause(StrEnum):
    """Why voucher money came back of a redemption."""

    EXCLUDED = "excluded"
    """Never to be paid: a failed spot check, an objection that was upheld."""
    CUT = "cut"
    """Approved in part only."""
    REFUNDED = "refunded"
    """The order was refunded."""
    CLAWED_BACK = "clawed_back"
    """Approved, and found wrong afterwards."""


class ClawbackCause(StrEnum):
    """Why approved money is asked back."""

    FINDING = "finding"
    REFUND = "refund"


class ClawbackStatus(StrEnum):
    """How far a clawback has come."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    """A second person agreed: the claimant owes it."""
    REJECTED = "rejected"


class ObjectionStatus(StrEnum):
    """What became of an objection to a claim in public notice."""

    OPEN = "open"
    UPHELD = "upheld"
    """It was right: what it is about is not paid."""
    DISMISSED = "dismissed"


class AuditStage(StrEnum):
    """Who audits a claim, one after the other."""

    LOCAL = "local"
    """The city or zone that funds a layer."""
    CENTRE = "centre"
    """The centre, by another person."""


class RecoverySource(StrEnum):
    """Where what a claimant owes comes from."""

    PAYABLE = "payable"
    """Kept of what it is owed for other services."""
    WALLET = "wallet"
    """It paid it in, by a transfer to its wallet."""


class SanctionKind(StrEnum):
    """How hard a sanction is."""

    WARNING = "warning"
    SUSPENSION = "suspension"
    """No voucher rights for a period."""
    EXCLUSION = "exclusion"
    """Out of a programme, for a period or for good."""


class SanctionStatus(StrEnum):
    """How far a sanction has come."""

    PROPOSED = "proposed"
    """The party is heard."""
    IMPOSED = "imposed"
    DROPPED = "dropped"
    APPEALED = "appealed"
    """In force until the appeal is decided."""
    LIFTED = "lifted"
    """The appeal was right."""
