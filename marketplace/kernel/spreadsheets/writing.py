"""From rows to the bytes of a file: CSV that spreadsheet programs read without asking, or XLSX."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import xlsxwriter

# What Excel keeps in one sheet.
SHEET_ROWS_MAX = 1_048_576
SHEET_NAME_LENGTH_MAX = 31


class FileFormat(StrEnum):
    """How a table is sent."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    FileFormat.CSV: "text/csv",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def table_file(
    rows: Sequence[Sequence[Any]], file_format: FileFormat, *, sheet: str = "1"
) -> bytes:
    """A table in the format asked for, made off the event loop."""
    if file_format is FileFormat.CSV:
        return await asyncio.to_thread(csv_bytes, rows)
    return await asyncio.to_thread(workbook_bytes, {sheet: rows})


def csv_bytes(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as CSV in UTF-8 with a mark.

    A text that a spreadsheet would take for a formula is quoted with an apostrophe.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def workbook_bytes(sheets: dict[str, Sequence[Sequence[Any]]]) -> bytes:
    """Sheets of rows as one XLSX workbook; the same bytes for the same rows.

    Raises:
        ValueError: when a sheet has more rows than Excel keeps.
    """
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        # Made at a fixed moment, so that a file can be compared by its digest.
        book.set_properties({"created": datetime(2020, 1, 1)})  # noqa: DTZ001 Excel knows no zone
        for name, rows in sheets.items():
            if len(rows) > SHEET_ROWS_MAX:
                raise ValueError(f"{len(rows)} rows do not fit into one sheet")
            page = book.add_worksheet(name[:SHEET_NAME_LENGTH_MAX])
            for place, row in enumerate(rows):
                for column, cell in enumerate(row):
                    _write(page, place, column, cell)
    return out.getvalue()


def _write(page: Any, place: int, column: int, cell: Any) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        page.write_number(place, column, cell)
    else:
        page.write_string(place, column, _text(cell))


def _plain(cell: Any) -> Any:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    text = _text(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, date | datetime):
        return cell.isoformat()
    return str(cell)
