"""Previews, suggestions, clearings and cases on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self

import msgspec

from marketplace.billing.reconciliation import queries, use_cases
from marketplace.billing.reconciliation.queries.cases import LineAttachment, OpenCase
from marketplace.billing.reconciliation.rules.cases import CaseReason
from marketplace.billing.reconciliation.rules.clearing import (
    ITEMS_MAX,
    LINES_MAX,
    Item,
    ReasonCode,
)
from marketplace.billing.reconciliation.rules.scoring import Scored
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.schemas.statements import Reason
from marketplace.billing.reconciliation.use_cases.cases import SetCase
from marketplace.kernel.wire import Id, Out
from marketplace.kernel.wire import In as Body

SignedFen = Annotated[int, msgspec.Meta(ge=-(10**13), le=10**13)]
AgeDays = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]


class PreviewLineOut(Out):
    """A line as it would be read."""

    number: int
    booked_on: date
    amount_fen: int
    name: str
    remark: str
    reference: str
    known: bool


class PreviewProblemOut(Out):
    """Why the file would be refused."""

    rule: str
    message: str


class PreviewOut(Out):
    """What importing a file would do; without problems it would be imported."""

    format: str
    file_sha256: str
    headers: list[str]
    columns: dict[str, str]
    other_accounts: list[str]
    lines: int
    known_lines: int
    opening_fen: int | None
    in_fen: int
    out_fen: int
    closing_fen: int | None
    expected_fen: int | None
    first: list[PreviewLineOut]
    problems: list[PreviewProblemOut]

    @classmethod
    def of(cls, seen: use_cases.Preview) -> Self:
        """From what was read."""
        return cls.like(
            seen,
            headers=list(seen.headers),
            other_accounts=list(seen.other_accounts),
            first=[
                PreviewLineOut(
                    number=each.line.number,
                    booked_on=each.line.booked_on,
                    amount_fen=each.line.amount_fen,
                    name=each.line.name,
                    remark=each.line.remark,
                    reference=each.line.reference,
                    known=each.known,
                )
                for each in seen.first
            ],
            problems=[
                PreviewProblemOut(rule=one.rule, message=one.message) for one in seen.problems[:100]
            ],
        )


class OpenReportOut(Out):
    """How many lines were explained by which stage, and what a person may accept."""

    explained: dict[str, int]
    suggested: dict[str, int]

    @classmethod
    def of(cls, report: use_cases.OpenReport) -> Self:
        """From a report."""
        return cls(explained=report.explained, suggested=report.suggested)


class SuggestionOut(Out):
    """A payment that a line may be."""

    payout_id: int
    reference: str
    amount_fen: int
    status: str
    sent_on: date | None
    confirmed_on: date | None
    score: int
    reasons: list[str]

    @classmethod
    def of(cls, one: Scored) -> Self:
        """From a scored candidate."""
        return cls.like(one.candidate, score=one.score, reasons=list(one.reasons))


class ItemIn(Body):
    """One thing that lines are; positive is money in."""

    kind: MatchKind
    amount_fen: SignedFen
    target_id: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    reason_code: ReasonCode | None = None


class ClearingIn(Body):
    """Lines, and what they are together."""

    line_ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=LINES_MAX)]
    items: Annotated[list[ItemIn], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)]
    reason: Reason

    def to_command(self) -> use_cases.ClearLines:
        """The command."""
        items = [
            Item(one.kind, one.amount_fen, one.target_id, str(one.reason_code or ""))
            for one in self.items
        ]
        return use_cases.ClearLines(self.line_ids, items, self.reason)


class ClearingItemOut(Out):
    """One thing that the lines are."""

    position: int
    kind: str
    target_id: int
    reference: str | None
    amount_fen: int
    reason_code: str
    entry_id: int


class ClearingOut(Out):
    """Lines explained together."""

    id: int
    how: str
    rule: str
    reason: str
    score: int | None
    made_by: int
    made_at: datetime
    undone_by: int | None
    undone_at: datetime | None
    undo_reason: str | None
    line_ids: list[int]
    items: list[ClearingItemOut]

    @classmethod
    def of(cls, row: queries.Clearing) -> Self:
        """From a clearing."""
        return cls.like(
            row,
            line_ids=list(row.line_ids),
            items=[ClearingItemOut.like(item) for item in row.items],
        )


class UndoClearingIn(Body):
    """Why a clearing is taken back."""

    reason: Reason

    def to_command(self, clearing_id: int) -> use_cases.UndoClearing:
        """The command."""
        return use_cases.UndoClearing(clearing_id, self.reason)


class CaseIn(Body):
    """Who looks after an open line, and why it is left."""

    reason_code: CaseReason
    owner_id: Id | None = None
    note: Note = ""

    def to_command(self, line_id: int) -> SetCase:
        """The command."""
        return SetCase(line_id, self.owner_id, self.reason_code, self.note)


class CaseOut(Out):
    """An open line in the queue."""

    line_id: int
    account_number: str
    booked_on: date
    amount_fen: int
    counterparty_name: str
    remark: str
    note: str
    age_days: int
    owner_id: int | None
    reason_code: str | None
    case_note: str | None
    changed_by: int | None
    changed_at: datetime | None
    attachments: int

    @classmethod
    def of(cls, row: OpenCase) -> Self:
        """From a row."""
        return cls.like(row)

    def cells(self) -> list[Any]:
        """The columns of an export."""
        return [getattr(self, name) for name in self.__struct_fields__]


class AttachmentOut(Out):
    """A paper about a line."""

    id: int
    line_id: int
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime

    @classmethod
    def of(cls, row: LineAttachment) -> Self:
        """From a row."""
        return cls.like(row)
