"""Invoices and accounts on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from marketplace.billing.credit.queries import LineInUse
from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.use_cases import NoteRevenue, TakeInvoiceBack, TrueUpYear
from marketplace.billing.pricing.queries import TrueUp
from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.wire import In, Line, Out, PositiveFen, Year

InvoiceNumber = Annotated[str, msgspec.Meta(pattern="^[0-9]{20}$")]
YEARS = range(2000, 2101)
PERIOD_DAYS_MAX = 366


class InvoiceOut(Out):
    """A tax invoice as its provider recorded it; a red one takes a blue one back."""

    id: int
    order_id: int
    provider_id: int
    buyer_id: int
    kind: Literal["blue", "red"]
    reverses: int | None
    reason: str
    number: str
    amount_fen: int
    tax_fen: int | None
    left_fen: int
    non_tax_revenue: bool
    has_file: bool
    issued_on: date
    recorded_at: datetime

    @classmethod
    def of(cls, recorded: queries.Invoice) -> InvoiceOut:
        """The wire form of an invoice."""
        return msgspec.convert(recorded, cls, from_attributes=True)


class TakeBackIn(In):
    """The red invoice by which a blue one, or a part of it, is taken back."""

    number: InvoiceNumber
    amount_fen: PositiveFen
    issued_on: date
    reason: Line

    def to_command(self, invoice_id: int) -> TakeInvoiceBack:
        """The command for one invoice."""
        return TakeInvoiceBack(
            invoice_id, self.number, self.amount_fen, self.issued_on, self.reason
        )


class RevenueIn(In):
    """From `since` on the provider's income is, or is not, non-tax revenue."""

    since: date
    non_tax_revenue: bool

    def to_command(self, provider_id: int) -> NoteRevenue:
        """The command for the caller's own provider.

        Raises:
            Malformed: for a day outside the years of a calendar.
        """
        if self.since.year not in YEARS:
            raise Malformed("Ask for another day.", reasons=[Reason("since", "2000 to 2100")])
        return NoteRevenue(provider_id, self.since, self.non_tax_revenue)


class RevenueOut(Out):
    """How the provider's income is booked."""

    non_tax_revenue: bool


class TrueUpIn(In):
    """The year to settle."""

    year: Year

    def to_command(self, instrument_id: int) -> TrueUpYear:
        """The command for one instrument."""
        return TrueUpYear(instrument_id, self.year)


class TrueUpOut(Out):
    """What a year brought in beside what it really cost; a surplus lowers the next ceiling."""

    id: int
    instrument_id: int
    year: int
    cost_sheet_id: int
    income_fen: int
    cost_fen: int
    surplus_fen: int
    made_at: datetime

    @classmethod
    def of(cls, row: TrueUp) -> TrueUpOut:
        """The wire form of a settled year."""
        return msgspec.convert(row, cls, from_attributes=True)


class AccountLineOut(Out):
    """One charge or correction, and what of its order stands invoiced."""

    charge_id: int
    order_id: int
    settled_on: date
    kind: str
    buyer_id: int
    provider_id: int
    service_value_fen: int
    voucher_fen: int
    own_fen: int
    reason: str
    invoice_number: str | None


class CreditStandingOut(Out):
    """A credit line as it stands today: what is owed on it, since when, and what is left."""

    line_id: int
    provider_id: int
    buyer_id: int
    limit_fen: int
    owed_fen: int
    overdue_fen: int
    available_fen: int
    oldest_due_on: date | None

    @classmethod
    def of(cls, found: LineInUse) -> CreditStandingOut:
        """The wire form of a line."""
        return cls.like(found.line, line_id=found.line.id, available_fen=found.available_fen)


class AccountOut(Out):
    """A page of the own account of a period; the sums are of all pages.

    `credit` is how the organisation's credit lines stand today, whatever the period.
    """

    results: list[AccountLineOut]
    total: int
    page: int
    page_size: int
    service_value_fen: int
    voucher_fen: int
    own_fen: int
    credit: list[CreditStandingOut]

    @classmethod
    def of(
        cls,
        found: queries.Account,
        lines: Sequence[LineInUse] = (),
        *,
        page: int,
        page_size: int,
    ) -> AccountOut:
        """The wire form of an account."""
        return cls(
            results=[
                msgspec.convert(line, AccountLineOut, from_attributes=True) for line in found.lines
            ],
            total=found.total,
            page=page,
            page_size=page_size,
            service_value_fen=found.service_value_fen,
            voucher_fen=found.voucher_fen,
            own_fen=found.own_fen,
            credit=[CreditStandingOut.of(line) for line in lines],
        )


def account_asked(
    starts_on: date, ends_on: date, other_id: int | None, *, page: int, page_size: int
) -> queries.AccountAsked:
    """The question behind an account.

    Raises:
        Malformed: when the period is empty, longer than a year, or off the calendar.
    """
    days = (ends_on - starts_on).days + 1
    if not 1 <= days <= PERIOD_DAYS_MAX or {starts_on.year, ends_on.year} - set(YEARS):
        raise Malformed(
            "Ask for another period.",
            reasons=[Reason("period", f"1 to {PERIOD_DAYS_MAX} days", asked=days)],
        )
    return queries.AccountAsked(starts_on, ends_on, other_id, page, page_size)
