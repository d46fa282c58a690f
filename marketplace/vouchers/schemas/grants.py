"""What goes over the wire for documents, top-ups, changes of grants and facts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from marketplace.billing.ledger.queries import StatementLine
from marketplace.kernel.wire import AmountFen, Id, In, Line, Out, PositiveFen, Word
from marketplace.vouchers.queries import (
    Application,
    ApplicationDocument,
    BeneficiaryFact,
    GrantChange,
    VoucherHold,
    WalletVoucher,
)
from marketplace.vouchers.rules.states import FactKind, GrantChangeKind
from marketplace.vouchers.schemas.requests import Told
from marketplace.vouchers.use_cases import (
    AmendApplication,
    ApplyForTopUp,
    DecideFact,
    DecideGrantChange,
    ProposeGrantChange,
    ReturnApplication,
    StateFact,
)

DocumentKind = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,59}$", max_length=60)]
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")]


class AmendmentIn(In):
    """Other figures for an application in the SME's hands."""

    asked_fen: PositiveFen
    purpose: Line = ""

    def to_command(self, application_id: int) -> AmendApplication:
        """What is amended."""
        return AmendApplication(application_id, self.asked_fen, self.purpose)


class TopUpIn(In):
    """How much more is asked for, and for which research."""

    asked_fen: PositiveFen
    purpose: Line = ""

    def to_command(self, grant_id: int) -> ApplyForTopUp:
        """The application that is made."""
        return ApplyForTopUp(grant_id, self.asked_fen, self.purpose)


class ReturnIn(In):
    """What has to be amended."""

    reason: Told

    def to_command(self, application_id: int) -> ReturnApplication:
        """What is sent back."""
        return ReturnApplication(application_id, self.reason)


class WithdrawQuotaIn(In):
    """How much unused quota is taken back (all without an amount), and why."""

    reason: Told
    amount_fen: PositiveFen | None = None

    def to_command(self, grant_id: int) -> ProposeGrantChange:
        """What is proposed."""
        kind = GrantChangeKind.WITHDRAWAL
        return ProposeGrantChange(grant_id, kind, self.reason, self.amount_fen)


class RevokeIn(In):
    """Why a grant ends."""

    reason: Told

    def to_command(self, grant_id: int) -> ProposeGrantChange:
        """What is proposed."""
        return ProposeGrantChange(grant_id, GrantChangeKind.REVOCATION, self.reason)


class ChangeDecisionIn(In):
    """Whether a second person agrees."""

    agreed: bool
    decision: Line = ""

    def to_command(self, change_id: int) -> DecideGrantChange:
        """The decision that is taken."""
        return DecideGrantChange(change_id, self.agreed, self.decision)


class FactIn(In):
    """A certificate by its name, a number (capital in fen, members of a team), or a first day."""

    organisation_id: Id
    kind: FactKind
    starts_on: date
    source: Word
    name: Annotated[str, msgspec.Meta(max_length=60, pattern="^[a-z0-9-]*$")] = ""
    number: AmountFen | None = None
    ends_on: date | None = None

    def to_command(self) -> StateFact:
        """What is stated."""
        return StateFact(
            self.organisation_id,
            self.kind,
            self.starts_on,
            self.source,
            self.name,
            self.number,
            self.ends_on,
        )


class FactDecisionIn(In):
    """What looking it up found."""

    verified: bool

    def to_command(self, fact_id: int) -> DecideFact:
        """The decision that is taken."""
        return DecideFact(fact_id, self.verified)


class DocumentOut(Out):
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
    removed_at: datetime | None

    @classmethod
    def of(cls, row: ApplicationDocument) -> "DocumentOut":
        """The answer for a document."""
        return msgspec.convert(row, cls, from_attributes=True)


class GrantChangeOut(Out):
    """A change of a grant and how far it has come."""

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

    @classmethod
    def of(cls, row: GrantChange) -> "GrantChangeOut":
        """The answer for a change."""
        return msgspec.convert(row, cls, from_attributes=True)


class MovementOut(Out):
    """What moved on one account of a voucher, and what it left there."""

    entry_id: int
    kind: str
    effective_on: date
    posted_at: datetime
    amount_fen: int
    balance_after_fen: int | None

    @classmethod
    def of(cls, row: StatementLine) -> "MovementOut":
        """The answer for a movement."""
        return msgspec.convert(row, cls, from_attributes=True)


class VoucherHoldOut(Out):
    """What an order held of a voucher."""

    id: int
    order_id: int
    grant_id: int
    provider_id: int
    service_kind: str
    service_value_fen: int
    amount_fen: int
    status: str
    held_at: datetime
    ended_at: datetime | None
    position: int
    first_use: bool

    @classmethod
    def of(cls, row: VoucherHold) -> "VoucherHoldOut":
        """The answer for a hold."""
        return msgspec.convert(row, cls, from_attributes=True)


class FactOut(Out):
    """A fact of a beneficiary, and whether it counts."""

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

    @classmethod
    def of(cls, row: BeneficiaryFact) -> "FactOut":
        """The answer for a fact."""
        return msgspec.convert(row, cls, from_attributes=True)


def application_table(rows: Sequence[Application]) -> list[list[Any]]:
    """Applications as the rows of a file, the names of the columns first."""
    head = ["id", "programme_id", "organisation_id", "asked_fen", "purpose", "status", "made_at"]
    head += ["decided_at", "reason", "grant_id", "round", "waiting_since"]
    return [list(head), *([getattr(row, name) for name in head] for row in rows)]


def grant_table(rows: Sequence[WalletVoucher]) -> list[list[Any]]:
    """Grants as the rows of a file, the names of the columns first."""
    of_grant = ["id", "programme_id", "organisation_id", "status", "valid_until", "granted_at"]
    figures = ["issued_fen", "frozen_fen", "used_fen", "left_fen", "returned_fen"]
    return [
        [*of_grant, "programme_name", *figures],
        *(
            [
                *(getattr(row.grant, name) for name in of_grant),
                row.programme_name,
                *(getattr(row, name) for name in figures),
            ]
            for row in rows
        ),
    ]
