"""The shapes of exchange on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from marketplace.exchange.queries import ExportRecord, NationalExport, UnitCode
from marketplace.exchange.rules.layout import FIELDS, RecordField
from marketplace.exchange.rules.states import RETURN_CODES, ExportStatus, RecordKind, ReturnCode
from marketplace.exchange.use_cases import MakeExport, NoteAnswer, SetUnitCode, WithdrawExport
from marketplace.kernel.wire import Count, Id, In, Line, Out, Why, Year

QuarterNumber = Annotated[int, msgspec.Meta(ge=1, le=4)]
Code = Literal[0, 1, 100, 101, 200, 201, 202, 203, 204, 301]
InsCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{32}$")]


class MakeExportIn(In):
    """Which quarter of the caller's records."""

    year: Year
    quarter: QuarterNumber

    def to_command(self) -> MakeExport:
        """The command."""
        return MakeExport(self.year, self.quarter)


class AnswerIn(In):
    """What the national platform answered."""

    code: Code
    note: Line = ""

    def to_command(self, export_id: int) -> NoteAnswer:
        """The command."""
        return NoteAnswer(export_id, self.code, self.note)


class WithdrawIn(In):
    """Why nobody will send it."""

    note: Why

    def to_command(self, export_id: int) -> WithdrawExport:
        """The command."""
        return WithdrawExport(export_id, self.note)


class UnitCodeIn(In):
    """The code of the unit, 32 hexadecimal digits."""

    ins_code: InsCode

    def to_command(self) -> SetUnitCode:
        """The command."""
        return SetUnitCode(self.ins_code)


class UnitCodeOut(Out):
    """Under which code a provider reports; null until it is entered."""

    ins_code: str | None
    set_by: int | None
    set_at: datetime | None

    @classmethod
    def of(cls, row: UnitCode | None) -> UnitCodeOut:
        """From a row, or from none."""
        return cls(ins_code=None, set_by=None, set_at=None) if row is None else cls.like(row)


class ExportOut(Out):
    """A run: what it holds, what it left out and why, and what became of it.

    `report` has the reasons with their number, the minutes by which the records are reconciled
    with machine-hours, months that are not confirmed, and records accepted before that are gone.
    """

    id: Id
    provider_id: Id
    year: int
    quarter: int
    status: ExportStatus
    records: Count
    refused: Count
    unchanged: Count
    sha256: str
    report: dict[str, Any]
    made_by: int
    made_at: datetime
    sent_by: int | None
    sent_at: datetime | None
    answered_by: int | None
    answered_at: datetime | None
    return_code: int | None
    return_note: str | None

    @classmethod
    def of(cls, row: NationalExport) -> ExportOut:
        """From a row."""
        return cls.like(row, report=dict(row.report))


class FieldReasonOut(Out):
    """What is wrong with a field, and in which column it stands."""

    column: int
    field: str
    header: str
    message: str
    value: str


class ExportRecordOut(Out):
    """A record of a run; without reasons it is sent."""

    line: int
    record_inner_id: str
    kind: RecordKind
    instrument_id: int
    order_id: int | None
    minutes: int
    content: dict[str, str]
    sha256: str
    reasons: list[FieldReasonOut]

    @classmethod
    def of(cls, row: ExportRecord) -> ExportRecordOut:
        """From a row."""
        return cls.like(
            row,
            content=dict(row.content),
            reasons=[FieldReasonOut(**reason) for reason in row.reasons],
        )


class RecordFieldOut(Out):
    """A field of the layout and what it may hold."""

    name: str
    header: str
    required: bool
    length_max: int
    shape: str
    choices: list[str]
    personal: bool

    @classmethod
    def of(cls, field: RecordField) -> RecordFieldOut:
        """From the layout."""
        return cls.like(field, choices=list(field.choices))


class ReturnCodeOut(Out):
    """A code of the national platform and what it comes to."""

    code: int
    text: str
    text_en: str
    verdict: str

    @classmethod
    def of(cls, row: ReturnCode) -> ReturnCodeOut:
        """From the table of codes."""
        return cls.like(row, verdict=row.verdict.value)


class LayoutOut(Out):
    """The layout of a service record, and the codes with which it is answered."""

    fields: list[RecordFieldOut]
    return_codes: list[ReturnCodeOut]

    @classmethod
    def now(cls) -> LayoutOut:
        """The layout in which records are made."""
        return cls(
            fields=[RecordFieldOut.of(field) for field in FIELDS],
            return_codes=[ReturnCodeOut.of(code) for code in RETURN_CODES.values()],
        )
