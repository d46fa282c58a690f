"""In which form a bank takes payments: CSV or XLSX with the columns it wants, or pain.001."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from marketplace.billing.payouts.rules.files import House, PaymentLine, payment_file
from marketplace.billing.payouts.rules.pain001 import Message, pain001
from marketplace.kernel.spreadsheets import csv_bytes, workbook_bytes

COLUMNS_MAX = 40
HEADER_LENGTH_MAX = 60


class PaymentFormat(StrEnum):
    """What a bank reads."""

    CSV = "csv"
    XLSX = "xlsx"
    PAIN001 = "pain001"


class PaymentField(StrEnum):
    """What a column of a payment file may say."""

    ROW = "row"
    PAYER = "payer"
    PAYER_ACCOUNT = "payer_account"
    HOLDER = "holder"
    NUMBER = "number"
    BANK_NAME = "bank_name"
    CNAPS = "cnaps"
    AMOUNT = "amount"
    CURRENCY = "currency"
    PURPOSE = "purpose"
    END_TO_END_ID = "end_to_end_id"
    TEXT = "text"
    """The same words in each line, for instance a kind of business."""


REQUIRED = (
    PaymentField.HOLDER,
    PaymentField.NUMBER,
    PaymentField.AMOUNT,
    PaymentField.END_TO_END_ID,
)

MEDIA_TYPES = {
    PaymentFormat.CSV: "text/csv",
    PaymentFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    PaymentFormat.PAIN001: "application/xml",
}
ENDINGS = {
    PaymentFormat.CSV: "csv",
    PaymentFormat.XLSX: "xlsx",
    PaymentFormat.PAIN001: "xml",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The form of one batch, as it was when the batch was drafted."""

    format: PaymentFormat
    house: House | None
    columns: tuple[Mapping[str, str], ...]

    @classmethod
    def of(cls, file_format: str, stored: Mapping[str, Any]) -> Layout:
        """From what a batch keeps."""
        house = stored.get("house")
        return cls(
            PaymentFormat(file_format),
            House(**house) if house else None,
            tuple(stored.get("columns", ())),
        )


def lacking(columns: Sequence[Mapping[str, str]]) -> list[str]:
    """The fields without which a bank, or we on its statement, cannot tell a payment."""
    named = {column["field"] for column in columns}
    return [str(field) for field in REQUIRED if field not in named]


def batch_bytes(
    lines: Sequence[PaymentLine], layout: Layout, *, batch_id: int, made_at: datetime
) -> bytes:
    """The payment file of a batch, the same bytes whenever it is made."""
    if layout.format is PaymentFormat.PAIN001 and layout.house is not None:
        return pain001(lines, layout.house, Message(f"SC-B-{batch_id}", made_at))
    if not layout.columns and layout.format is PaymentFormat.CSV:
        return payment_file(lines)
    columns = layout.columns or DEFAULT_COLUMNS
    ordered = sorted(lines, key=lambda line: line.payout_id)
    rows: list[list[str]] = [[column["header"] for column in columns]]
    for place, line in enumerate(ordered, 1):
        rows.append([_cell(column, line, layout.house, place) for column in columns])
    if layout.format is PaymentFormat.XLSX:
        return workbook_bytes({"1": rows})
    return csv_bytes(rows)


DEFAULT_COLUMNS: tuple[Mapping[str, str], ...] = tuple(
    {"header": header, "field": field}
    for header, field in (
        ("收款人户名", "holder"),
        ("收款账号", "number"),
        ("开户行名称", "bank_name"),
        ("联行号", "cnaps"),
        ("金额", "amount"),
        ("币种", "currency"),
        ("用途", "purpose"),
        ("客户端流水号", "end_to_end_id"),
    )
)


def _cell(column: Mapping[str, str], line: PaymentLine, house: House | None, place: int) -> str:
    field = PaymentField(column["field"])
    own = {
        PaymentField.ROW: str(place),
        PaymentField.PAYER: house.holder if house else "",
        PaymentField.PAYER_ACCOUNT: house.number if house else "",
        PaymentField.AMOUNT: f"{line.amount_fen // 100}.{line.amount_fen % 100:02d}",
        PaymentField.CURRENCY: "CNY",
        PaymentField.TEXT: column.get("text", ""),
    }
    return own[field] if field in own else str(getattr(line, field))
