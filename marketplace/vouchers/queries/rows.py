"""What the questions answer with: typed rows, built by column name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, FromClause

from marketplace.kernel.errors import Reason
from marketplace.vouchers.rules.checks import Check
from marketplace.vouchers.rules.limits import TECHNOLOGY_SME
from marketplace.vouchers.rules.regions import LayerRegion
from marketplace.vouchers.rules.terms import Terms, terms_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page of a list, and how many there are in all."""

    rows: list[T]
    total: int


@dataclass(frozen=True, slots=True)
class Programme:
    """A voucher programme; `terms` are those of the version in force on the day of the question."""

    id: int
    name: str
    name_en: str
    year: int
    opens_on: date
    closes_on: date
    valid_until: date
    terms: Mapping[str, Any]
    status: str
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    closed_at: datetime | None
    code: str
    source: str
    version: int

    @property
    def agreed(self) -> Terms:
        """The terms as the rules read them."""
        return terms_of(self.terms)


@dataclass(frozen=True, slots=True)
class ProgrammeVersion:
    """Changed terms of a programme, from a day on; the ones it was approved with are version 1."""

    id: int
    programme_id: int
    version: int
    terms: Mapping[str, Any]
    starts_on: date
    reason: str
    status: str
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One funder's part of a programme."""

    id: int
    programme_id: int
    funder: str
    region_code: str
    ratio_basis_points: int
    budget_fen: int
    name: str
    budget_year: int | None
    starts_on: date | None
    """The first day of a layer that a version added."""

    @property
    def region(self) -> LayerRegion:
        """The layer as the region rules read it."""
        return LayerRegion(
            self.id, self.funder, self.region_code, self.ratio_basis_points, self.budget_year
        )


@dataclass(frozen=True, slots=True)
class LayerBudget:
    """A layer and what became of its budget."""

    layer: Layer
    available_fen: int
    granted_fen: int
    redeemed_fen: int


@dataclass(frozen=True, slots=True)
class ProgrammePage:
    """A programme with its layers."""

    programme: Programme
    layers: tuple[LayerBudget, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """An SME's application with what every check found."""

    id: int
    programme_id: int
    organisation_id: int
    asked_fen: int
    purpose: str
    status: str
    checks: list[dict[str, Any]]
    made_by: int
    made_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    reason: str
    grant_id: int | None
    round: int
    waiting_since: datetime | None
    proposed_at: datetime | None
    waiting_rank: int
    """The place of the preference by which it waits; who is preferred least has the highest."""


@dataclass(frozen=True, slots=True)
class LayerAsked:
    """What one layer would pay of an asked amount."""

    layer: Layer
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Every check of an application, and how its amount would be split over the layers."""

    checks: tuple[Check, ...]
    parts: tuple[LayerAsked, ...]
    beneficiary: str = TECHNOLOGY_SME


@dataclass(frozen=True, slots=True)
class Grant:
    """What an SME may spend in one programme."""

    id: int
    programme_id: int
    organisation_id: int
    application_id: int
    amount_fen: int
    valid_until: date
    status: str
    granted_by: int
    granted_at: datetime
    beneficiary: str


@dataclass(frozen=True, slots=True)
class GrantPart:
    """One layer of a grant."""

    id: int
    grant_id: int
    layer_id: int
    amount_fen: int
    funder: str
    region_code: str
    ratio_basis_points: int


@dataclass(frozen=True, slots=True)
class PartBalance:
    """One layer of a grant with what is left, frozen and used of it."""

    part: GrantPart
    account_id: int
    available_fen: int
    held_fen: int


@dataclass(frozen=True, slots=True)
class WalletVoucher:
    """A voucher in an SME's wallet, in money words."""

    grant: Grant
    programme_name: str
    programme_name_en: str
    issued_fen: int
    frozen_fen: int
    used_fen: int
    left_fen: int
    returned_fen: int
    """Went back to the budget on the last day."""
    expires_in_days: int


@dataclass(frozen=True, slots=True)
class LayerPart:
    """What one funder would pay of a service."""

    layer_id: int
    funder: str
    ratio_basis_points: int
    amount_fen: int
    source: str


@dataclass(frozen=True, slots=True)
class VoucherShare:
    """What one of several vouchers pays of a service."""

    grant_id: int
    programme_name: str
    programme_name_en: str
    valid_until: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class VoucherPart:
    """What vouchers would pay of a service; 0 with the reasons when none may.

    `grant_id` is the one that pays first; all of them are in `vouchers`.
    """

    grant_id: int | None
    total_fen: int
    layers: tuple[LayerPart, ...]
    explanation: tuple[str, ...]
    refusals: tuple[Reason, ...]
    vouchers: tuple[VoucherShare, ...] = ()


@dataclass(frozen=True, slots=True)
class VoucherHold:
    """Voucher money kept aside for an order."""

    id: int
    order_id: int
    grant_id: int
    provider_id: int
    instrument_id: int
    service_kind: str
    service_value_fen: int
    amount_fen: int
    status: str
    held_at: datetime
    ended_at: datetime | None
    position: int
    first_use: bool
    terms_version: int
    counted_year: int
    """The one year that it counts in: that of the day of its service."""
    persons: int | None
    """How many persons the service trains."""


@dataclass(frozen=True, slots=True)
class HoldPart:
    """One layer of a hold."""

    grant_part_id: int
    ledger_hold_id: int
    amount_fen: int
    layer_id: int
    funder: str
    ratio_basis_points: int
    region_code: str
    hold_id: int


@dataclass(frozen=True, slots=True)
class Redemption:
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


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch of redemptions on its way to being paid: a provider's or, after payment, an SME's."""

    id: int
    provider_id: int | None
    sme_id: int | None
    programme_id: int | None
    status: str
    amount_fen: int
    seed: int | None
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
    refused_by: int | None
    refused_at: datetime | None
    reversed_by: int | None
    reversed_at: datetime | None
    reversal_entry_id: int | None
    set_off_fen: int
    withdrawn_by: int | None
    withdrawn_at: datetime | None
    reason: str

    @property
    def payee_id(self) -> int:
        """Who is paid: whoever claims."""
        payee_id = self.provider_id or self.sme_id
        assert payee_id is not None, "the database knows whose claim it is"
        return payee_id


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece of evidence of a redemption: what it proves, and the digest of the file."""

    id: int
    redemption_id: int
    kind: str
    sha256: str
    reference: str
    invoice_number: str | None
    dated_on: date | None
    """The day of an invoice or of a payment."""
    attached_by: int
    attached_at: datetime


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """A redemption drawn for a spot check and what was found."""

    claim_id: int
    redemption_id: int
    result: str
    finding: str
    checked_by: int | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """A claim with its spot checks; its lines, evidence and objections are lists of their own."""

    claim: Claim
    redemptions: int
    spot_checks: tuple[SpotCheck, ...]


@dataclass(frozen=True, slots=True)
class ClaimNotice:
    """What the public sees of a claim while it may object."""

    claim_id: int
    provider_id: int
    provider_name: str
    provider_name_en: str
    amount_fen: int
    redemptions: int
    notice_starts_on: date
    notice_ends_on: date


def columns(row_type: Any, table: FromClause) -> list[ColumnElement[Any]]:
    """The columns of `table` that `row_type` is built from."""
    return [table.c[name] for name in row_type.__dataclass_fields__]
