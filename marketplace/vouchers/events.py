"""What others may hear of vouchers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class ProgrammeOpened(Event):
    """A second person approved the programme; its budget is in the ledger."""

    programme_id: int
    year: int


@dataclass(frozen=True, slots=True)
class VoucherGranted(Event):
    """An SME may spend this much in the programme."""

    grant_id: int
    programme_id: int
    organisation_id: int
    amount_fen: int
    valid_until: date


@dataclass(frozen=True, slots=True)
class VoucherToppedUp(Event):
    """An SME may spend this much more of a grant."""

    grant_id: int
    programme_id: int
    organisation_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class VoucherTakenBack(Event):
    """The centre took unused quota back, or revoked the grant."""

    grant_id: int
    organisation_id: int
    amount_fen: int
    revoked: bool


@dataclass(frozen=True, slots=True)
class VoucherApplicationProposed(Event):
    """Freed money reached an application that waited in line; it is decided next."""

    application_id: int
    programme_id: int
    organisation_id: int


@dataclass(frozen=True, slots=True)
class VoucherApplicationRefused(Event):
    """An application was refused; the reason is with it."""

    application_id: int
    organisation_id: int


@dataclass(frozen=True, slots=True)
class VoucherRedeemed(Event):
    """A service used voucher money; its provider may claim it."""

    order_id: int
    provider_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class VoucherExpired(Event):
    """A grant is past its last day; what was left went back to the budget."""

    grant_id: int
    organisation_id: int
    returned_fen: int


@dataclass(frozen=True, slots=True)
class ClaimSubmitted(Event):
    """A complete claim waits for the voucher officer."""

    claim_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class ClaimNoticeGiven(Event):
    """A claim is public; objections are taken until the last day of the notice."""

    claim_id: int
    provider_id: int
    notice_ends_on: date


@dataclass(frozen=True, slots=True)
class ClaimApproved(Event):
    """The claim's amount is on its way to the provider: its payout is instructed."""

    claim_id: int
    provider_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ClaimRefused(Event):
    """A claim ended without money."""

    claim_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class ClaimReversed(Event):
    """An approved claim was taken back before it was paid."""

    claim_id: int
    provider_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ClawbackDue(Event):
    """A claimant owes back what was approved of a claim."""

    clawback_id: int
    claim_id: int
    organisation_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class AnomalyConfirmed(Event):
    """A person confirmed what a detector found."""

    anomaly_id: int
    kind: str
    severity: str


@dataclass(frozen=True, slots=True)
class SanctionProposed(Event):
    """A party is heard before it is sanctioned."""

    sanction_id: int
    organisation_id: int
    statement_due_on: date


@dataclass(frozen=True, slots=True)
class SanctionImposed(Event):
    """A sanction binds its party from now on."""

    sanction_id: int
    organisation_id: int
