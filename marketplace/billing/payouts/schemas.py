"""Bank accounts, payouts and batches on the wire."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Literal, Self

import msgspec

from marketplace.billing.payouts import queries, use_cases
from marketplace.billing.payouts.rules.layouts import (
    COLUMNS_MAX,
    HEADER_LENGTH_MAX,
    PaymentField,
    PaymentFormat,
)
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
    format: str

    @classmethod
    def of(cls, row: queries.Batch) -> Self:
        """From a row."""
        return cls.like(row, content_sha256=row.content_sha256.hex())


class PaymentColumnIn(Body):
    """A column of a payment file: its header, what it says, and its words where they are fixed."""

    header: Annotated[str, msgspec.Meta(min_length=1, max_length=HEADER_LENGTH_MAX)]
    field: PaymentField
    text: Annotated[str, msgspec.Meta(max_length=HEADER_LENGTH_MAX)] = ""


Header = Annotated[str, msgspec.Meta(min_length=1, max_length=HEADER_LENGTH_MAX)]
StatementColumn = Literal[
    "booked_on",
    "amount",
    "debit",
    "credit",
    "mark",
    "balance",
    "name",
    "account",
    "remark",
    "reference",
    "end_to_end",
    "own_account",
    "currency",
]


class HouseAccountIn(Body):
    """How the bank of an account of the platform's own writes statements and reads payments.

    `statement_columns` names the headers of the bank's table by what they say; formats of ISO 20022
    and SWIFT need none.
    """

    holder: Word
    bank_name: Word
    cnaps: Cnaps
    statement_columns: Annotated[
        dict[StatementColumn, Annotated[list[Header], msgspec.Meta(min_length=1, max_length=10)]],
        msgspec.Meta(max_length=20),
    ] = msgspec.field(default_factory=dict)
    payment_format: PaymentFormat = PaymentFormat.CSV
    payment_columns: Annotated[list[PaymentColumnIn], msgspec.Meta(max_length=COLUMNS_MAX)] = (
        msgspec.field(default_factory=list)
    )

    def to_command(self, number: str) -> use_cases.SetHouseAccount:
        """The command."""
        return use_cases.SetHouseAccount(
            number=number,
            holder=self.holder,
            bank_name=self.bank_name,
            cnaps=self.cnaps,
            statement_columns={str(name): all_ for name, all_ in self.statement_columns.items()},
            payment_format=self.payment_format,
            payment_columns=[
                {"header": one.header, "field": str(one.field), "text": one.text}
                for one in self.payment_columns
            ],
        )


class HouseAccountOut(Out):
    """An account of the platform's own."""

    number: str
    holder: str
    bank_name: str
    cnaps: str
    statement_columns: dict[str, list[str]]
    payment_format: str
    payment_columns: list[dict[str, str]]
    changed_by: int
    changed_at: datetime

    @classmethod
    def of(cls, row: queries.HouseAccount) -> Self:
        """From a row."""
        return cls.like(row)


class RefundIn(Body):
    """How much of the own wallet to pay back, and why."""

    amount_fen: PositiveFen
    reason: Word

    def to_command(self) -> use_cases.AskRefund:
        """The command."""
        return use_cases.AskRefund(amount_fen=self.amount_fen, reason=self.reason)


class RefundDecisionIn(Body):
    """Why a refund is agreed to, refused or given up."""

    because: Word

    def to_command(self, refund_id: int) -> use_cases.DecideRefund:
        """The command."""
        return use_cases.DecideRefund(refund_id=refund_id, because=self.because)


class RefundOut(Out):
    """Unspent money that an SME takes back."""

    id: int
    organisation_id: int
    amount_fen: int
    reason: str
    status: str
    asked_by: int
    asked_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    payout_id: int | None

    @classmethod
    def of(cls, row: queries.WalletRefund) -> Self:
        """From a row."""
        return cls.like(row)


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
    """How many payouts a batch may hold, and from which account of the platform they are paid."""

    lines_max: Annotated[int, msgspec.Meta(ge=1, le=use_cases.LINES_MAX)] = use_cases.LINES_MAX
    house_account: AccountNumber | None = None
    format: PaymentFormat | None = None

    def to_command(self) -> use_cases.DraftBatch:
        """The command."""
        return use_cases.DraftBatch(
            lines_max=self.lines_max, house_account=self.house_account, format=self.format
        )


class RejectionIn(Body):
    """Why the bank refused a payment."""

    reason: Word

    def to_command(self, payout_id: int) -> use_cases.RejectPayout:
        """The command."""
        return use_cases.RejectPayout(payout_id=payout_id, reason=self.reason)


class StatusReportOut(Out):
    """What a bank said of a payment file, and of how many payments."""

    id: int
    batch_id: int
    message_id: str
    file_name: str
    sha256: str
    accepted: int
    rejected: int
    pending: int
    imported_by: int
    imported_at: datetime

    @classmethod
    def of(cls, row: queries.StatusReport) -> Self:
        """From a row."""
        return cls(**asdict(row))


class ReportedPaymentOut(Out):
    """What a bank said of one payment; `status` is what has become of it since."""

    payout_id: int
    end_to_end_id: str
    organisation_id: int
    amount_fen: int
    status: str
    outcome: str
    code: str
    reason: str

    @classmethod
    def of(cls, row: queries.ReportedPayment) -> Self:
        """From a row."""
        return cls(**asdict(row))
