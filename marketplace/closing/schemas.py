"""How months, sign-offs, reopenings and balances of a day look on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self

import msgspec

from marketplace.billing.ledger.queries import DatedBalance, DatedBy, Reopening, YearLine
from marketplace.billing.ledger.use_cases import ProposeReopening
from marketplace.closing.queries.months import SignOff
from marketplace.closing.queries.packs import Pack
from marketplace.closing.rules.checklist import Item, ItemName, ItemState
from marketplace.closing.rules.months import Month
from marketplace.kernel.wire import In, Out, Year

MonthNumber = Annotated[int, msgspec.Meta(ge=1, le=12)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f]*$")]


class ItemOut(Out):
    """One item: `figure` counts what is open, `ids` (the oldest, at most 100) lead to it."""

    name: ItemName
    state: ItemState
    figure: int
    amount_fen: int
    message: str
    oldest_on: date | None
    ids: list[int]
    names: list[str]

    @classmethod
    def of(cls, item: Item) -> Self:
        """From an item."""
        return cls(
            name=item.name,
            state=item.state,
            figure=item.figure,
            amount_fen=item.amount_fen,
            message=item.message,
            oldest_on=item.oldest_on,
            ids=list(item.ids),
            names=list(item.names),
        )


class ChecklistOut(Out):
    """A month's checklist as the books stand now; `ready` when nothing blocks the sign-off."""

    first_on: date
    last_on: date
    ready: bool
    items: list[ItemOut]

    @classmethod
    def of(cls, month: Month, items: tuple[Item, ...]) -> Self:
        """From the items of a month."""
        return cls(
            first_on=month.first_on,
            last_on=month.last_on,
            ready=all(item.state is not ItemState.OPEN for item in items),
            items=[ItemOut.of(item) for item in items],
        )


class MonthIn(In):
    """Which month."""

    year: Year
    month: MonthNumber

    def to_month(self) -> Month:
        """The month."""
        return Month(self.year, self.month)


class MonthSignOffOut(Out):
    """A month found ready by one person and, once signed, by another."""

    id: int
    first_on: date
    last_on: date
    status: str
    checklist: list[dict[str, Any]]
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None

    @classmethod
    def of(cls, row: SignOff) -> Self:
        """From a row."""
        return cls(
            id=row.id,
            first_on=row.first_on,
            last_on=row.last_on,
            status=row.status,
            checklist=row.checklist,
            made_by=row.made_by,
            made_at=row.made_at,
            approved_by=row.approved_by,
            approved_at=row.approved_at,
        )


class ReopeningIn(In):
    """Why a closed period is to be opened again."""

    reason: Reason

    def to_command(self, period_id: int) -> ProposeReopening:
        """The command."""
        return ProposeReopening(period_id, self.reason)


class ReopeningOut(Out):
    """A request to open a period again, with what its closing had said."""

    id: int
    period_id: int
    reason: str
    made_by: int
    made_at: datetime
    closed_by: int
    closed_at: datetime
    trial_balance: list[dict[str, Any]]
    seal_number: int | None
    approved_by: int | None
    approved_at: datetime | None

    @classmethod
    def of(cls, row: Reopening) -> Self:
        """From a row."""
        return cls(
            id=row.id,
            period_id=row.period_id,
            reason=row.reason,
            made_by=row.made_by,
            made_at=row.made_at,
            closed_by=row.closed_by,
            closed_at=row.closed_at,
            trial_balance=row.trial_balance,
            seal_number=row.seal_number,
            approved_by=row.approved_by,
            approved_at=row.approved_at,
        )


class DatedBalanceOut(Out):
    """What lay on an account at the end of a day, in the account's own sign."""

    account_id: int
    as_of: date
    by: DatedBy
    postings: int
    balance_fen: int

    @classmethod
    def of(cls, found: DatedBalance) -> Self:
        """From a balance."""
        return cls(
            account_id=found.account_id,
            as_of=found.as_of,
            by=found.by,
            postings=found.postings,
            balance_fen=found.balance_fen,
        )


class YearLineOut(Out):
    """All accounts of a type over a year, debit positive."""

    ledger: str
    type: str
    opening_fen: int
    debit_fen: int
    credit_fen: int
    closing_fen: int

    @classmethod
    def of(cls, line: YearLine) -> Self:
        """From a line."""
        return cls(
            ledger=line.ledger,
            type=line.type,
            opening_fen=line.opening_fen,
            debit_fen=line.debit_fen,
            credit_fen=line.credit_fen,
            closing_fen=line.closing_fen,
        )


class PackOut(Out):
    """An archive of a month for auditors; `manifest` has the digest of each file in it."""

    id: int
    first_on: date
    last_on: date
    status: str
    entries_total: int
    entries_done: int
    asked_by: int
    asked_at: datetime
    ended_at: datetime | None
    size: int | None
    sha256: str | None
    manifest: dict[str, Any] | None
    problem: str

    @classmethod
    def of(cls, row: Pack) -> Self:
        """From a row."""
        return cls(
            id=row.id,
            first_on=row.first_on,
            last_on=row.last_on,
            status=row.status,
            entries_total=row.entries_total,
            entries_done=row.entries_done,
            asked_by=row.asked_by,
            asked_at=row.asked_at,
            ended_at=row.ended_at,
            size=row.size,
            sha256=row.sha256,
            manifest=row.manifest,
            problem=row.problem,
        )
