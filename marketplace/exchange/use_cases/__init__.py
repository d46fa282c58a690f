"""What can be done with exports: make them from our records, note what became of them."""

from marketplace.exchange.use_cases.make import MakeExport, make_export
from marketplace.exchange.use_cases.steps import (
    NoteAnswer,
    SetUnitCode,
    WithdrawExport,
    mark_sent,
    note_answer,
    set_unit_code,
    withdraw_export,
)

__all__ = [
    "MakeExport",
    "NoteAnswer",
    "SetUnitCode",
    "WithdrawExport",
    "make_export",
    "mark_sent",
    "note_answer",
    "set_unit_code",
    "withdraw_export",
]
