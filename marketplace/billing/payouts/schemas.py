"""Bank accounts, payouts and batches on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self

import msgspec

from marketplace.billing.payouts import queries, use_cases
from marketplace.kernel.wire import In as Body
from marketplace.kernel.wire import Out, PositiveFen, Word

Cnaps = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}$")]
AccountNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{8,32}$")]


class BankAccountIn(Body):
    """Where the caller's organisation is paid: 12-digit bank code (CNAPS), number, holder."""

    bank_name: Word
    cnaps: Cnaps
    number: AccountNumber
    holder: Word

    def to_command(self) -> use_cases.RegisterBankAccount:
        """The command."""
        return use_cases.RegisterBankAccount(
            bank_name=self.bank_name, cnaps=self.cnaps, number=self.number, holder=self.holder
        )


class BankAccountOut(Out):
    """A bank account; its number is masked but for the last four digits."""

    id: int
    organisation_id: int
    bank_name: str
    cnaps: str
    number: str
    holder: str
    verified: bool
    closed: bool

    @classmethod
    def of(cls, row: queries.BankAccount) -> Self:
        """From a row."""
        return cls(
            id=row.id,
            organisation_id=row.organisation_id,
            bank_name=row.bank_name,
            cnaps=row.cnaps,
            number="*" * (len(row.number) - 4) + row.number[-4:],
            holder=row.holder,
            verified=row.verified_at is not None,
            closed=row.closed_at is not None,
        )


class PayoutOut(Out):
    """A payout."""

    id: int
    organisation_id: int
    amount_fen: int
    source_kind: str
    source_id: int
    status: str
    attempt: int
    end_to_end_id: str
    batch_id: int | None
    instructed_at: datetime
    sent_at: datetime | None
    confirmed_on: date | None
    returned_on: date | None
    return_reason: str | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None

    @classmethod
    def of(cls, row: queries.Payout) -> Self:
        """From a row."""
        return cls.like(row)


class BatchOut(Out):
    """A batch with its control figures."""

    id: int
    status: str
    lines: int
    total_fen: int
    content_sha256: str
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    exported_at: datetime | None
    sent_at: datetime | None

    @classmethod
    def of(cls, row: queries.Batch) -> Self:
        """From a row."""
        return cls.like(row, content_sha256=row.content_sha256.hex())


class SettlementsIn(Body):
    """Pay every provider what it is owed, from this balance on."""

    minimum_fen: PositiveFen = 1

    def to_command(self) -> use_cases.InstructSettlements:
        """The command."""
        return use_cases.InstructSettlements(minimum_fen=self.minimum_fen)


class SettlementsOut(Out):
    """What a settlement came to."""

    settlement_id: int
    payouts: int
    total_fen: int

    @classmethod
    def of(cls, made: use_cases.SettlementsInstructed) -> Self:
        """From what was instructed."""
        return cls(settlement_id=made.settlement_id, payouts=made.payouts, total_fen=made.total_fen)


class BatchIn(Body):
    """How many payouts a batch may hold."""

    lines_max: Annotated[int, msgspec.Meta(ge=1, le=use_cases.LINES_MAX)] = use_cases.LINES_MAX

    def to_command(self) -> use_cases.DraftBatch:
        """The command."""
        return use_cases.DraftBatch(lines_max=self.lines_max)


class RejectionIn(Body):
    """Why the bank refused a payment."""

    reason: Word

    def to_command(self, payout_id: int) -> use_cases.RejectPayout:
        """The command."""
        return use_cases.RejectPayout(payout_id=payout_id, reason=self.reason)
