"""Statements, lines, matches and sign-offs on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self

import msgspec

from marketplace.billing.reconciliation import queries, use_cases
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.kernel.wire import Id, Out
from marketplace.kernel.wire import In as Body

# Blanks between groups of digits are how account numbers are printed.
AccountNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}[0-9 ]{4,40}$")]
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Reason = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=400,
        pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*[^\x00-\x1f\s][^\x00-\x08\x0b\x0c\x0e-\x1f]*$",
    ),
]
SearchText = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Status = Annotated[str, msgspec.Meta(pattern=r"^(unmatched|matched|ignored)$")]


class StatementOut(Out):
    """A statement; `lines` are those it brought, `known_lines` had come before."""

    id: int
    account_number: str
    previous_id: int | None
    file_name: str
    file_sha256: str
    from_on: date
    until_on: date
    opening_fen: int
    in_fen: int
    out_fen: int
    closing_fen: int
    lines: int
    known_lines: int
    unmatched: int
    imported_by: int
    imported_at: datetime

    @classmethod
    def of(cls, row: queries.BankStatement) -> Self:
        """From a row."""
        return cls.like(row, file_sha256=row.file_sha256.hex())


class MatchOut(Out):
    """What a line is, who found it, and the journal entry that says so."""

    id: int
    kind: str
    target_id: int
    reference: str | None
    how: str
    rule: str
    reason: str
    entry_id: int | None
    matched_by: int
    matched_at: datetime


class LineOut(Out):
    """A line; positive is money in. `note` says why no rule dared to explain it."""

    id: int
    statement_id: int
    account_number: str
    line_number: int
    booked_on: date
    amount_fen: int
    balance_fen: int
    counterparty_name: str
    counterparty_account: str
    remark: str
    bank_reference: str
    status: str
    note: str
    age_days: int | None
    match: MatchOut | None

    @classmethod
    def of(cls, row: queries.StatementLine) -> Self:
        """From a row."""
        own = set(cls.__struct_fields__) - {"match"}
        facts: dict[str, Any] = {name: getattr(row, name) for name in own}
        match = None
        if row.match_id is not None:
            said = {name: getattr(row, name) for name in MatchOut.__struct_fields__ if name != "id"}
            match = MatchOut(id=row.match_id, **said)
        return cls(**facts, match=match)

    @classmethod
    def masked(cls, row: queries.StatementLine) -> Self:
        """For those who do not work with it: of the other account only the last four digits."""
        number = row.counterparty_account
        return msgspec.structs.replace(
            cls.of(row), counterparty_account="*" * max(0, len(number) - 4) + number[-4:]
        )


class MatchReportOut(Out):
    """How many lines were explained as what, and how many are left to a person."""

    statement_id: int
    matched: dict[str, int]
    left: int

    @classmethod
    def of(cls, report: use_cases.MatchReport) -> Self:
        """From a report."""
        return cls(statement_id=report.statement_id, matched=report.matched, left=report.left)


class MatchIn(Body):
    """What a line is: the payout, SME, year of a fund or other line it belongs to, and why."""

    kind: MatchKind
    reason: Reason
    target_id: Id | None = None

    def to_command(self, line_id: int) -> use_cases.MatchLine:
        """The command."""
        return use_cases.MatchLine(
            line_id=line_id, kind=self.kind, reason=self.reason, target_id=self.target_id
        )


class UndoIn(Body):
    """Why a match is taken back."""

    reason: Reason

    def to_command(self, line_id: int) -> use_cases.UndoMatch:
        """The command."""
        return use_cases.UndoMatch(line_id=line_id, reason=self.reason)


class AccountBalanceOut(Out):
    """One bank account: opening + in − out = closing."""

    account_number: str
    opening_fen: int
    in_fen: int
    out_fen: int
    closing_fen: int
    lines: int
    stated_until_on: date


class AgedOut(Out):
    """Unexplained lines by age; `up_to_days` is null for what is older still."""

    up_to_days: int | None
    lines: int
    in_fen: int
    out_fen: int


class BalancingOut(Out):
    """Books and bank: `difference_fen` is books less bank and has to be 0."""

    first_on: date | None
    last_on: date | None
    accounts: list[AccountBalanceOut]
    closing_fen: int
    ledger_fen: int
    difference_fen: int
    suspense_fen: int
    unexplained_lines: int
    unexplained_fen: int
    unexplained: list[AgedOut]

    @classmethod
    def of(cls, found: queries.Balancing) -> Self:
        """From how they stand."""
        return msgspec.convert(found, cls, from_attributes=True)


class SignOffIn(Body):
    """The days to be signed off, both ends included."""

    first_on: date
    last_on: date

    def to_command(self) -> use_cases.DraftSignOff:
        """The command."""
        return use_cases.DraftSignOff(first_on=self.first_on, last_on=self.last_on)


class SignOffOut(Out):
    """A sign-off with the balances it was made on."""

    id: int
    ledger_period_id: int
    first_on: date
    last_on: date
    status: str
    balancing: BalancingOut
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None

    @classmethod
    def of(cls, row: queries.SignOff) -> Self:
        """From a row."""
        return msgspec.convert(row, cls, from_attributes=True)
