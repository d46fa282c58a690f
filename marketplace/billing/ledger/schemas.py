"""Accounts, entries, periods and the verification on the wire.

Lines are signed, debit positive; balances are in the account's own sign.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import uuid4

import msgspec

from marketplace.billing.ledger import queries, use_cases
from marketplace.billing.ledger.rules.chart import LedgerName
from marketplace.billing.ledger.rules.verification import VerifyReport
from marketplace.kernel.wire import In, Out

EntriesMax = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Reason = Annotated[
    str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
]
SourceKind = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,40}$")]


class AccountOut(Out):
    """An account with its balance; `available_fen` is what is neither spent nor held."""

    id: int
    ledger: str
    type: str
    owner_kind: str | None
    owner_id: int | None
    posted_fen: int
    held_fen: int
    available_fen: int
    min_available_fen: int | None
    max_balance_fen: int | None
    opened_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, row: queries.Account) -> Self:
        """From a row."""
        return cls(
            id=row.id,
            ledger=row.ledger,
            type=row.type,
            owner_kind=row.owner_kind,
            owner_id=row.owner_id,
            posted_fen=row.posted_fen,
            held_fen=row.held_fen,
            available_fen=row.available_fen,
            min_available_fen=row.min_available_fen,
            max_balance_fen=row.max_balance_fen,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
        )


class HoldOut(Out):
    """Money held on an account for something that is going to happen."""

    id: int
    amount_fen: int
    placed_at: datetime
    expires_at: datetime | None
    source_kind: str
    source_id: int

    @classmethod
    def of(cls, row: queries.OpenHold) -> Self:
        """From a row."""
        return cls(
            id=row.id,
            amount_fen=row.amount_fen,
            placed_at=row.placed_at,
            expires_at=row.expires_at,
            source_kind=row.source_kind,
            source_id=row.source_id,
        )


class StatementLineOut(Out):
    """One movement of an account in its own sign; a wide account has no running balance."""

    entry_id: int
    kind: str
    effective_on: date
    posted_at: datetime
    source_kind: str
    source_id: int
    remark: str
    amount_fen: int
    balance_after_fen: int | None

    @classmethod
    def of(cls, row: queries.StatementLine) -> Self:
        """From a row."""
        return cls(
            entry_id=row.entry_id,
            kind=row.kind,
            effective_on=row.effective_on,
            posted_at=row.posted_at,
            source_kind=row.source_kind,
            source_id=row.source_id,
            remark=row.remark,
            amount_fen=row.amount_fen,
            balance_after_fen=row.balance_after_fen,
        )


class EntryLineOut(Out):
    """One line of an entry: debit positive, credit negative."""

    account_id: int
    type: str
    owner_id: int | None
    amount_fen: int
    balance_after_fen: int | None


class EntryOut(Out):
    """A journal entry."""

    id: int
    ledger: str
    kind: str
    effective_on: date
    posted_at: datetime
    key: str
    reverses: int | None
    reversed_by: int | None
    source_kind: str
    source_id: int
    remark: str
    made_by: int
    approved_by: int | None
    lines: list[EntryLineOut]

    @classmethod
    def of(cls, row: queries.PostedEntry, lines: list[queries.EntryLine]) -> Self:
        """From a row and its lines."""
        return cls(
            id=row.id,
            ledger=row.ledger,
            kind=row.kind,
            effective_on=row.effective_on,
            posted_at=row.posted_at,
            key=row.key,
            reverses=row.reverses,
            reversed_by=row.reversed_by,
            source_kind=row.source_kind,
            source_id=row.source_id,
            remark=row.remark,
            made_by=row.made_by,
            approved_by=row.approved_by,
            lines=[
                EntryLineOut(
                    account_id=line.account_id,
                    type=line.type,
                    owner_id=line.owner_id,
                    amount_fen=line.amount_fen,
                    balance_after_fen=line.balance_after_fen,
                )
                for line in lines
            ],
        )


class ReversalIn(In):
    """Why an entry is taken back; the reason stays in the books."""

    reason: Reason

    def to_command(self, entry_id: int) -> use_cases.ReverseEntry:
        """The command. Asking twice is caught by the request's key, and by the entry itself."""
        return use_cases.ReverseEntry(entry_id, self.reason, f"reversal:{entry_id}:{uuid4()}")


class PostedOut(Out):
    """The entry that was made."""

    entry_id: int

    @classmethod
    def of(cls, posted: use_cases.Posted) -> Self:
        """From what was posted."""
        return cls(entry_id=posted.entry_id)


class TrialBalanceLineOut(Out):
    """All accounts of one type: debits − credits = balance, debit positive."""

    ledger: str
    type: str
    accounts: int
    debit_fen: int
    credit_fen: int
    balance_fen: int


class TrialBalanceOut(Out):
    """The balances of each ledger on a day; `difference_fen` must be zero."""

    as_of: date
    lines: list[TrialBalanceLineOut]
    difference_fen: dict[str, int]

    @classmethod
    def of(cls, as_of: date, rows: list[queries.TrialBalanceLine]) -> Self:
        """From the lines of all ledgers."""
        return cls(
            as_of=as_of,
            lines=[
                TrialBalanceLineOut(
                    ledger=row.ledger,
                    type=row.type,
                    accounts=row.accounts,
                    debit_fen=row.debit_fen,
                    credit_fen=row.credit_fen,
                    balance_fen=row.balance_fen,
                )
                for row in rows
            ],
            difference_fen={
                name: sum(row.balance_fen for row in rows if row.ledger == name)
                for name in LedgerName
            },
        )


class PeriodIn(In):
    """Days of one ledger to be closed, both ends included."""

    ledger: LedgerName
    first_on: date
    last_on: date

    def to_command(self) -> use_cases.ProposePeriod:
        """The command."""
        return use_cases.ProposePeriod(self.ledger, self.first_on, self.last_on)


class ProposedOut(Out):
    """The period that waits for another person."""

    period_id: int


class PeriodOut(Out):
    """A period; once closed, with its trial balance and the seal that stood at the time."""

    id: int
    ledger: str
    first_on: date
    last_on: date
    made_by: int
    made_at: datetime
    approved_by: int | None
    closed_at: datetime | None
    trial_balance: list[dict[str, Any]] | None
    seal_number: int | None

    @classmethod
    def of(cls, row: queries.Period) -> Self:
        """From a row."""
        return cls(
            id=row.id,
            ledger=row.ledger,
            first_on=row.first_on,
            last_on=row.last_on,
            made_by=row.made_by,
            made_at=row.made_at,
            approved_by=row.approved_by,
            closed_at=row.closed_at,
            trial_balance=row.trial_balance,
            seal_number=row.seal_number,
        )


class ProblemFoundOut(Out):
    """One thing in the books that is not as it should be."""

    rule: str
    message: str
    entry_id: int | None
    account_id: int | None
    seal_number: int | None


class VerifyOut(Out):
    """What was looked at and what was found.

    `head_sha256` is the end of the chain of seals: keep it outside the platform, and a later
    rewriting of the whole chain shows too.
    """

    ok: bool
    complete: bool
    entries: int
    postings: int
    accounts: int
    seals: int
    head_number: int
    head_sha256: str
    first_bad_entry: int | None
    problems_total: int
    problems: list[ProblemFoundOut]

    @classmethod
    def of(cls, report: VerifyReport) -> Self:
        """From a report."""
        return cls(
            ok=report.ok,
            complete=report.complete,
            entries=report.entries,
            postings=report.postings,
            accounts=report.accounts,
            seals=report.seals,
            head_number=report.head_number,
            head_sha256=report.head_sha256,
            first_bad_entry=report.first_bad_entry,
            problems_total=report.problems_total,
            problems=[
                ProblemFoundOut(
                    rule=problem.rule,
                    message=problem.message,
                    entry_id=problem.entry_id,
                    account_id=problem.account_id,
                    seal_number=problem.seal_number,
                )
                for problem in report.problems
            ],
        )
