"""From the bytes of a file to rows of text."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import struct
import sys
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec

from marketplace.kernel.errors import Malformed

ROWS_PER_BATCH = 500
# How long the reading process may be silent (less than a transaction may idle), and how much it
# may say at once.
WORKBOOK_SECONDS_MAX = 45
FRAME_BYTES_MAX = 100_000_000
DELIMITERS = (",", "\t", ";")
_LINES_TRIED = 40

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_PROCESS = Path(__file__).with_name("workbook_process.py")


class FileUnreadable(Malformed):
    """The file is neither a table in text nor a workbook that can be opened."""

    code = "file-unreadable"
    title = "The file cannot be read"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the sheet and line it stands on (from 1), and its cells as text.

    `broken` is set on a row of a text file that could not be taken apart; its cells are lost.
    """

    line: int
    cells: list[str]
    sheet: str = ""
    broken: bool = False


async def row_batches(
    content: bytes, *, old_excel: bool = False
) -> AsyncGenerator[list[Row], None]:
    """The rows of a CSV or XLSX file, in batches; empty rows are left out.

    With `old_excel` a true .xls is read as well: e-banks still export it.

    Raises:
        FileUnreadable: for anything else, a truncated file, or one that takes too much to read.
    """
    if content.startswith(_ZIP) or (old_excel and content.startswith(_OLD_EXCEL)):
        batches = _workbook_batches(content)
    elif content.startswith(_OLD_EXCEL):
        raise FileUnreadable("This is the old .xls format (旧版 Excel); save it as .xlsx or .csv.")
    else:
        batches = _text_batches(content)
    async with contextlib.aclosing(batches):
        async for batch in batches:
            yield [row for row in batch if row.broken or any(cell.strip() for cell in row.cells)]


def encoding_of(content: bytes) -> str:
    """The encoding of a text file: UTF-8, GB18030 or UTF-16, with or without a mark.

    Raises:
        FileUnreadable: when it is none of them.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        tried = ["utf-16"]
    elif content.startswith(b"\xef\xbb\xbf"):
        tried = ["utf-8-sig"]
    else:
        # ASCII in UTF-16 has a zero in every other byte, at odd places when little-endian.
        head = content[:2000]
        zeros_odd, zeros_even = head[1::2].count(0), head[::2].count(0)
        wide = len(head) // 8
        if zeros_odd > wide and zeros_odd > zeros_even:
            tried = ["utf-16-le"]
        elif zeros_even > wide:
            tried = ["utf-16-be"]
        else:
            tried = ["utf-8", "gb18030"]
    for encoding in tried:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise FileUnreadable(
        "Save it as UTF-8, GB18030 or UTF-16 text, or as .xlsx (请另存为 UTF-8 或 .xlsx)."
    )


def _opened(content: bytes, encoding: str) -> IO[str]:
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")


def _delimiter(content: bytes, encoding: str) -> str:
    """The delimiter that gives the widest row among the first ones.

    A row over several lines counts for nothing: where banks pad with tabs within quotes, the tab as
    delimiter leaves a quote open, and what follows would look like one very wide row.
    """
    widths = []
    for delimiter in DELIMITERS:
        width = 0
        with contextlib.suppress(csv.Error):
            for cells in islice(
                csv.reader(_opened(content, encoding), delimiter=delimiter), _LINES_TRIED
            ):
                if not any("\n" in cell for cell in cells):
                    width = max(width, len(cells))
        widths.append(width)
    return DELIMITERS[widths.index(max(widths))]


def _text_rows(content: bytes) -> Iterator[Row]:
    encoding = encoding_of(content)
    reader = csv.reader(_opened(content, encoding), delimiter=_delimiter(content, encoding))
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A quote that is never closed swallows lines until the reader gives up.
            yield Row(line, [], broken=True)
        else:
            yield Row(line, cells)
        line = reader.line_num + 1


async def _text_batches(content: bytes) -> AsyncGenerator[list[Row], None]:
    rows = _text_rows(content)

    def batch() -> list[Row]:
        return list(islice(rows, ROWS_PER_BATCH))

    while read := await asyncio.to_thread(batch):
        yield read


async def _workbook_batches(content: bytes) -> AsyncGenerator[list[Row], None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_PROCESS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    unreadable = FileUnreadable(
        "The workbook is damaged, protected, or too large (工作簿已损坏、加密或过大)."
    )
    # Once its output has ended it is ending by itself, and killing it then would race with that.
    ending = False
    try:
        await asyncio.wait_for(_feed(process, content), WORKBOOK_SECONDS_MAX)
        while frame := await asyncio.wait_for(_frame(process), WORKBOOK_SECONDS_MAX):
            yield _rows_of(frame)
        ending = True
    except asyncio.IncompleteReadError as error:
        ending = True
        raise unreadable from error
    except TimeoutError as error:
        raise unreadable from error
    finally:
        if not ending and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def _feed(process: asyncio.subprocess.Process, content: bytes) -> None:
    # The process reads everything before it writes anything, so nothing can block here.
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(content)
        await process.stdin.drain()
    process.stdin.close()


async def _frame(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    (length,) = struct.unpack(">I", await process.stdout.readexactly(4))
    if length > FRAME_BYTES_MAX:
        raise TimeoutError(f"a frame of {length} bytes")
    return await process.stdout.readexactly(length)


def _rows_of(frame: bytes) -> list[Row]:
    sheet, first, rows = msgspec.msgpack.decode(frame, type=tuple[str, int, list[list[str]]])
    return [Row(first + place, cells, sheet) for place, cells in enumerate(rows)]
