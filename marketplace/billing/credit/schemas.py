"""Credit on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from marketplace.billing.credit import queries
from marketplace.billing.credit.rules.states import Owing, Receipt, TermsStatus
from marketplace.billing.credit.use_cases import DecideTerms, EndTerms, PayCredit, ProposeTerms
from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.wire import Id, In, Line, Out, PositiveFen, Why

YEARS = range(2000, 2101)
DueDays = Annotated[int, msgspec.Meta(ge=1, le=365)]


class ProposeTermsIn(In):
    """Credit for one buyer: how much it may owe, due how many days after a service, until when."""

    buyer_id: Id
    limit_fen: PositiveFen
    due_days: DueDays
    valid_until: date
    reason: Why

    def to_command(self) -> ProposeTerms:
        """The command for the caller's provider."""
        require_day(self.valid_until, name="valid_until")
        return ProposeTerms(
            self.buyer_id, self.limit_fen, self.due_days, self.valid_until, self.reason
        )


class DecideTermsIn(In):
    """Approve, or refuse with a reason."""

    approve: bool
    reason: Line = ""

    def to_command(self, terms_id: int) -> DecideTerms:
        """The command for some terms."""
        return DecideTerms(terms_id, self.approve, self.reason)


class EndTermsIn(In):
    """Why there is to be no more credit, or why the proposal is taken back."""

    reason: Why

    def to_command(self, terms_id: int) -> EndTerms:
        """The command for some terms."""
        return EndTerms(terms_id, self.reason)


class PayCreditIn(In):
    """How much is paid out of the wallet; without an amount, all that is owed on the line."""

    amount_fen: PositiveFen | None = None

    def to_command(self, line_id: int) -> PayCredit:
        """The command for a line."""
        return PayCredit(line_id, self.amount_fen)


class CreditTermsOut(Out):
    """One version of a line's terms."""

    id: int
    line_id: int
    status: TermsStatus
    limit_fen: int
    due_days: int
    valid_until: date
    reason: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    ended_by: int | None
    ended_at: datetime | None
    ended_because: str | None

    @classmethod
    def of(cls, terms: queries.CreditTerms) -> CreditTermsOut:
        """The wire form of terms."""
        return msgspec.convert(terms, cls, from_attributes=True)


class CreditLineOut(Out):
    """A line: `limit_fen` = held for orders + owed + available; days and end while in force."""

    id: int
    provider_id: int
    buyer_id: int
    limit_fen: int
    due_days: int | None
    valid_until: date | None
    held_fen: int
    owed_fen: int
    overdue_fen: int
    available_fen: int
    oldest_due_on: date | None

    @classmethod
    def of(cls, found: queries.LineInUse) -> CreditLineOut:
        """The wire form of a line."""
        return cls.like(found.line, held_fen=found.held_fen, available_fen=found.available_fen)


class ReceivableOut(Out):
    """What is owed for one settled service or fee."""

    id: int
    line_id: int
    provider_id: int
    buyer_id: int
    order_id: int
    what: Owing
    amount_fen: int
    paid_fen: int
    credited_fen: int
    left_fen: int
    arose_on: date
    due_on: date

    @classmethod
    def of(cls, row: queries.Receivable) -> ReceivableOut:
        """The wire form of a receivable."""
        return cls.like(row)


class ReceivablesOut(Out):
    """One page of receivables; `left_fen` is what is open of all pages."""

    results: list[ReceivableOut]
    total: int
    left_fen: int
    page: int
    page_size: int


class AgeingOut(Out):
    """What one buyer owes a provider, by the days since it was due."""

    line_id: int
    provider_id: int
    buyer_id: int
    left_fen: int
    not_due_fen: int
    days_1_30_fen: int
    days_31_60_fen: int
    days_61_90_fen: int
    days_over_90_fen: int
    oldest_due_on: date

    @classmethod
    def of(cls, row: queries.AgeingRow) -> AgeingOut:
        """The wire form of a row."""
        return cls.like(row)


class ReceiptPartOut(Out):
    """Which receivable was paid, and how much of it."""

    receivable_id: int
    amount_fen: int


class CreditReceiptOut(Out):
    """A payment on a line, and what it paid; the oldest first."""

    id: int
    line_id: int
    amount_fen: int
    how: Receipt
    received_on: date
    made_at: datetime
    parts: list[ReceiptPartOut]

    @classmethod
    def of(
        cls, receipt: queries.CreditReceipt, parts: list[queries.ReceiptPart] | None = None
    ) -> CreditReceiptOut:
        """The wire form of a receipt."""
        told = [ReceiptPartOut.like(part) for part in parts or () if part.receipt_id == receipt.id]
        return cls.like(receipt, how=Receipt(receipt.how), parts=told)


ReceivableState = Literal["all", "open", "overdue"]


def require_day(day: date | None, *, name: str) -> None:
    """A day of the years of a calendar.

    Raises:
        Malformed: when it lies outside of them.
    """
    if day is not None and day.year not in YEARS:
        raise Malformed("Ask for another day.", reasons=[Reason(name, "2000 to 2100")])
