"""Files of lines under a header, read in chunks."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Table, func, select, text

from marketplace.billing.pricing.errors import FileHeaderMissing, FileTooLong
from marketplace.billing.pricing.rules.columns import (
    PREAMBLE_ROWS_MAX,
    Header,
    Layout,
    LineError,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.spreadsheets import Row, row_batches

LINES_MAX = 20_000
LINES_PER_CHUNK = 1_000
ERRORS_LISTED_MAX = 1_000
FILE_NAME_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of every line: `lines` = filed + unchanged + refused.

    `errors` lists the first ones, `errors_total` counts all. A dry run tells what would be filed.
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
    errors: tuple[LineError, ...]
    ignored_columns: tuple[str, ...]


async def insert_rows(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that say the same columns, in one statement however many they are."""
    if not rows:
        return
    names = ", ".join(rows[0])
    statement = (
        f"insert into {table.name} ({names}) select {names}"  # noqa: S608  # our own names
        f" from jsonb_populate_recordset(null::{table.name}, cast(:rows as jsonb))"
    )
    await tx.execute(text(statement), {"rows": json_of(rows)})


def json_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as PostgreSQL takes them."""
    return msgspec.json.encode(rows).decode()


async def take_turns(tx: Tx, provider_id: int) -> None:
    """The second of two files of a provider waits for the first, and finds what it filed."""
    lock = f"pricing.import:{provider_id}"
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lock, 0))))


def plain_name(given: str) -> str:
    """The name of a file without its folders and without what cannot be printed."""
    name = "".join(sign for sign in given if unicodedata.category(sign)[0] != "C")
    return name.replace("\\", "/").rpartition("/")[2][:FILE_NAME_LENGTH_MAX] or "upload"


async def line_chunks(
    content: bytes, layout: Layout
) -> AsyncGenerator[tuple[Header, list[Row]], None]:
    """The lines below the header of the first sheet that has one, in chunks.

    Raises:
        FileUnreadable: when it is neither CSV nor XLSX, or damaged.
        FileHeaderMissing: when no sheet has a header, or required columns are missing.
        FileTooLong: for more lines than one file may have.
    """
    header: Header | None = None
    sheet, above, header_line, lines = "", 0, 0, 0
    chunk: list[Row] = []
    async with contextlib.aclosing(row_batches(content)) as batches:
        async for batch in batches:
            for row in batch:
                if header is None:
                    above = above + 1 if row.sheet == sheet else 1
                    sheet = row.sheet
                    if above <= PREAMBLE_ROWS_MAX and layout.is_header(row.cells):
                        header, header_line = layout.read_header(row.cells), row.line
                        _require_header(header)
                elif row.sheet != sheet:
                    break
                elif row.line > header_line + 1 or not layout.is_header(row.cells):
                    chunk.append(row)
                    lines += 1
            if lines > LINES_MAX:
                raise FileTooLong("Split the file.", limit=LINES_MAX, unit="lines")
            if header and len(chunk) >= LINES_PER_CHUNK:
                yield header, chunk
                chunk = []
            if header and batch and batch[-1].sheet != sheet:
                break
    if header is None:
        raise FileHeaderMissing(
            f"None of the first {PREAMBLE_ROWS_MAX} lines is a header (前 30 行没有表头).",
            columns_required=[
                f"{column.headers[0]} ({column.name})"
                for column in layout.columns
                if column.required
            ],
        )
    if chunk:
        yield header, chunk


def _require_header(header: Header) -> None:
    reasons = Reasons()
    for name in header.missing:
        reasons.add("column-missing", f"required column missing: {name}")
    for name in header.doubled:
        reasons.add("column-twice", f"two columns say the same: {name}", asked=name)
    reasons.raise_as(FileHeaderMissing, "Some columns are missing or there twice; see reasons.")
