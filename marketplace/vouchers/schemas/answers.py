"""Answers: what the API tells of vouchers."""

from datetime import date, datetime
from typing import Any

import msgspec

from marketplace.kernel.wire import Out
from marketplace.vouchers.queries import (
    Application,
    Approval,
    Claim,
    ClaimNotice,
    ClaimPage,
    Eligibility,
    Evidence,
    LayerBudget,
    Programme,
    ProgrammePage,
    Redemption,
    SpotCheck,
    WalletVoucher,
)
from marketplace.vouchers.rules.eligibility import Check
from marketplace.vouchers.use_cases import Decided


class ProgrammeOut(Out):
    """A voucher programme with the terms of the version in force."""

    id: int
    name: str
    name_en: str
    year: int
    opens_on: date
    closes_on: date
    valid_until: date
    terms: dict[str, Any]
    status: str
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    closed_at: datetime | None
    code: str
    source: str
    version: int

    @classmethod
    def of(cls, row: Programme) -> "ProgrammeOut":
        """The answer for a programme."""
        return msgspec.convert(row, cls, from_attributes=True)


class LayerOut(Out):
    """One funder's part of a programme and what became of its budget."""

    id: int
    funder: str
    region_code: str
    ratio_basis_points: int
    budget_fen: int
    name: str
    budget_year: int | None
    starts_on: date | None
    available_fen: int
    granted_fen: int
    redeemed_fen: int

    @classmethod
    def of(cls, row: LayerBudget) -> "LayerOut":
        """The answer for a layer."""
        return cls(
            id=row.layer.id,
            funder=row.layer.funder,
            region_code=row.layer.region_code,
            ratio_basis_points=row.layer.ratio_basis_points,
            budget_fen=row.layer.budget_fen,
            name=row.layer.name,
            budget_year=row.layer.budget_year,
            starts_on=row.layer.starts_on,
            available_fen=row.available_fen,
            granted_fen=row.granted_fen,
            redeemed_fen=row.redeemed_fen,
        )


class ProgrammePageOut(Out):
    """A programme with its layers."""

    programme: ProgrammeOut
    layers: list[LayerOut]

    @classmethod
    def of(cls, row: ProgrammePage) -> "ProgrammePageOut":
        """The answer for a programme and its layers."""
        return cls(
            programme=ProgrammeOut.of(row.programme),
            layers=[LayerOut.of(layer) for layer in row.layers],
        )


class CheckOut(Out):
    """One eligibility rule and what it found."""

    rule: str
    passed: bool
    message: str
    limit: Any
    asked: Any
    source: str | None
    fact: str = ""

    @classmethod
    def of(cls, row: Check) -> "CheckOut":
        """The answer for a check."""
        return msgspec.convert(row, cls, from_attributes=True)


class LayerAskedOut(Out):
    """What one funder would pay of an asked amount."""

    layer_id: int
    funder: str
    amount_fen: int


class EligibilityOut(Out):
    """Whether an SME may have a voucher, rule by rule."""

    eligible: bool
    checks: list[CheckOut]
    layers: list[LayerAskedOut]

    @classmethod
    def of(cls, row: Eligibility) -> "EligibilityOut":
        """The answer for an eligibility."""
        return cls(
            eligible=all(check.passed for check in row.checks),
            checks=[CheckOut.of(check) for check in row.checks],
            layers=[
                LayerAskedOut(
                    layer_id=part.layer.id,
                    funder=part.layer.funder,
                    amount_fen=part.amount_fen,
                )
                for part in row.parts
            ],
        )


class ApplicationOut(Out):
    """An application with what every check found."""

    id: int
    programme_id: int
    organisation_id: int
    asked_fen: int
    purpose: str
    status: str
    checks: list[CheckOut]
    made_by: int
    made_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    reason: str
    grant_id: int | None
    round: int
    waiting_since: datetime | None
    waiting_rank: int
    proposed_at: datetime | None

    @classmethod
    def of(cls, row: Application) -> "ApplicationOut":
        """The answer for an application."""
        return msgspec.convert(row, cls, from_attributes=True)


class ApprovalOut(Out):
    """One person's approval of an application."""

    id: int
    application_id: int
    round: int
    person_id: int
    amount_fen: int
    approved_at: datetime

    @classmethod
    def of(cls, row: Approval) -> "ApprovalOut":
        """The answer for an approval."""
        return msgspec.convert(row, cls, from_attributes=True)


class DecidedOut(Out):
    """An application, who approved it so far, and the grant once all have."""

    application: ApplicationOut
    grant_id: int | None
    approvals: list[ApprovalOut]

    @classmethod
    def of(cls, row: Decided) -> "DecidedOut":
        """The answer for a decision."""
        return cls(
            application=ApplicationOut.of(row.application),
            grant_id=row.grant_id,
            approvals=[ApprovalOut.of(each) for each in row.approvals],
        )


class WalletVoucherOut(Out):
    """A voucher in an SME's wallet."""

    grant_id: int
    programme_id: int
    programme_name: str
    programme_name_en: str
    status: str
    valid_until: date
    expires_in_days: int
    issued_fen: int
    frozen_fen: int
    used_fen: int
    left_fen: int
    returned_fen: int

    @classmethod
    def of(cls, row: WalletVoucher) -> "WalletVoucherOut":
        """The answer for a voucher."""
        return cls(
            grant_id=row.grant.id,
            programme_id=row.grant.programme_id,
            programme_name=row.programme_name,
            programme_name_en=row.programme_name_en,
            status=row.grant.status,
            valid_until=row.grant.valid_until,
            expires_in_days=row.expires_in_days,
            issued_fen=row.issued_fen,
            frozen_fen=row.frozen_fen,
            used_fen=row.used_fen,
            left_fen=row.left_fen,
            returned_fen=row.returned_fen,
        )


class RedemptionOut(Out):
    """Voucher money that a service really used."""

    id: int
    order_id: int
    grant_id: int
    provider_id: int
    service_value_fen: int
    amount_fen: int
    redeemed_on: date
    claim_id: int | None
    excluded_at: datetime | None
    excluded_reason: str | None
    returned_fen: int

    @classmethod
    def of(cls, row: Redemption) -> "RedemptionOut":
        """The answer for a redemption."""
        return msgspec.convert(row, cls, from_attributes=True)


class EvidenceOut(Out):
    """A piece of evidence."""

    id: int
    redemption_id: int
    kind: str
    sha256: str
    reference: str
    invoice_number: str | None
    dated_on: date | None
    attached_by: int
    attached_at: datetime

    @classmethod
    def of(cls, row: Evidence) -> "EvidenceOut":
        """The answer for a piece of evidence."""
        return msgspec.convert(row, cls, from_attributes=True)


class ClaimOut(Out):
    """A claim, and who brought it how far."""

    id: int
    provider_id: int | None
    sme_id: int | None
    programme_id: int | None
    status: str
    amount_fen: int
    # A seed needs more digits than a JSON number is exact for in every client.
    seed: str | None
    made_by: int
    made_at: datetime
    submitted_by: int | None
    submitted_at: datetime | None
    audited_by: int | None
    audited_at: datetime | None
    notice_starts_on: date | None
    notice_ends_on: date | None
    approved_by: int | None
    approved_at: datetime | None
    entry_id: int | None
    refused_at: datetime | None
    reversed_at: datetime | None
    withdrawn_at: datetime | None
    set_off_fen: int
    reason: str

    @classmethod
    def of(cls, row: Claim) -> "ClaimOut":
        """The answer for a claim."""
        return cls.like(row, seed=None if row.seed is None else str(row.seed))


class SpotCheckOut(Out):
    """A redemption drawn for a spot check and what was found."""

    redemption_id: int
    result: str
    finding: str
    checked_by: int | None
    checked_at: datetime | None

    @classmethod
    def of(cls, row: SpotCheck) -> "SpotCheckOut":
        """The answer for a spot check."""
        return msgspec.convert(row, cls, from_attributes=True)


class ClaimPageOut(Out):
    """A claim with the number of redemptions that count in it, and its spot checks."""

    claim: ClaimOut
    redemptions: int
    spot_checks: list[SpotCheckOut]

    @classmethod
    def of(cls, row: ClaimPage) -> "ClaimPageOut":
        """The answer for a claim."""
        return cls(
            claim=ClaimOut.of(row.claim),
            redemptions=row.redemptions,
            spot_checks=[SpotCheckOut.of(check) for check in row.spot_checks],
        )


class ClaimNoticeOut(Out):
    """What the public sees of a claim while it may object."""

    claim_id: int
    provider_id: int
    provider_name: str
    provider_name_en: str
    amount_fen: int
    redemptions: int
    notice_starts_on: date
    notice_ends_on: date

    @classmethod
    def of(cls, row: ClaimNotice) -> "ClaimNoticeOut":
        """The answer for a claim in notice."""
        return msgspec.convert(row, cls, from_attributes=True)
