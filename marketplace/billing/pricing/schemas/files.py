"""Files on the wire: the report of what was sent, and the table that is taken out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import FileTooLong
from marketplace.billing.pricing.rules import price_file
from marketplace.billing.pricing.rules.cost_file import LAYOUT, CostLine, cells_of_cost_sheet
from marketplace.billing.pricing.rules.states import CustomerClass, ExtraKind, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked
from marketplace.billing.pricing.use_cases import CostItemAsked, CostKind, FileReport
from marketplace.kernel.spreadsheets import FileFormat
from marketplace.kernel.wire import Out

# As much as Excel keeps in a cell.
WORKBOOK_CELL_LENGTH_MAX = 32_767


class FileErrorOut(Out):
    """What is wrong with one cell of the file, in Chinese and in English."""

    line: int
    column: str
    value: str
    rule: str
    message: str
    message_en: str


class FileReportOut(Out):
    """What became of every line: `lines` = filed + unchanged + refused.

    `errors` lists the first ones; `errors_total` counts all. A dry run files nothing.
    """

    provider_id: int
    file_name: str
    file_sha256: str
    dry_run: bool
    lines: int
    filed: int
    unchanged: int
    refused: int
    errors_total: int
    errors: list[FileErrorOut]
    ignored_columns: list[str]

    @classmethod
    def of(cls, report: FileReport) -> FileReportOut:
        """What is shown of a report."""
        return cls.like(
            report,
            errors=[FileErrorOut(**dataclasses.asdict(error)) for error in report.errors],
            ignored_columns=list(report.ignored_columns),
        )


def cost_sheet_table(
    sheets: Sequence[tuple[str, queries.CostSheet]], file_format: FileFormat
) -> list[list[str]]:
    """The header and one line a sheet.

    Raises:
        FileTooLong: when the items of a sheet do not fit into a cell of a workbook.
    """
    lines = [
        cells_of_cost_sheet(
            CostLine(
                line=0,
                inner_id=inner_id,
                year=sheet.year,
                planned_minutes=sheet.planned_minutes,
                components=tuple(
                    (CostKind(part.kind), part.amount_fen) for part in sheet.components
                ),
                items=tuple(
                    CostItemAsked(
                        item.code, ExtraKind(item.kind), item.name, item.unit, item.cost_fen
                    )
                    for item in sheet.items
                ),
                actual=sheet.basis == "actual",
            )
        )
        for inner_id, sheet in sheets
    ]
    return _table(LAYOUT.written, lines, file_format)


def price_table(
    lists: Sequence[tuple[str, queries.PriceList]], file_format: FileFormat
) -> list[list[str]]:
    """The header and one line a price."""
    lines = [
        price_file.cells_of_price(
            price_file.PriceFileLine(
                line=0,
                inner_id=inner_id,
                price=PriceAsked(
                    CustomerClass(one.customer_class),
                    Unit(one.unit),
                    one.amount_fen,
                    one.minimum_fen,
                    one.minutes_per_unit,
                    one.tiers,
                ),
                state_source=filed.state_source,
            )
        )
        for inner_id, filed in lists
        for one in filed.prices
    ]
    return _table(price_file.LAYOUT.written, lines, file_format)


def _table(written: list[str], lines: list[list[str]], file_format: FileFormat) -> list[list[str]]:
    longest = max((len(cell) for line in lines for cell in line), default=0)
    if file_format is FileFormat.XLSX and longest > WORKBOOK_CELL_LENGTH_MAX:
        raise FileTooLong(
            "A sheet has more items than a cell of a workbook holds: take it as CSV.",
            limit=WORKBOOK_CELL_LENGTH_MAX,
            asked=longest,
            unit="characters",
        )
    return [written, *lines]
